// What plugins answer is looked at before it is believed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkedStep, refusalFault } from '../../../src/broker/hooks/answers.ts';
import { ALLOW, type AuthStep, DENY } from '../../../src/broker/hooks/points.ts';
import {
  BANNED,
  KEEP_ALIVE_TIMEOUT,
  type Reason,
  SERVER_MOVED,
  SUCCESS,
  USE_ANOTHER_SERVER,
} from '../../../src/protocol/reasons.ts';

test('a refusal has a reason of CONNACK, texts that can be sent, and a server where the reason has one', () => {
  assert.equal(refusalFault({ reason: BANNED }), null);
  assert.equal(refusalFault({ reason: BANNED, reasonString: 'No.' }), null);
  assert.equal(refusalFault({ reason: SERVER_MOVED, serverReference: 'b.example' }), null);
  assert.equal(refusalFault({ reason: USE_ANOTHER_SERVER, serverReference: 'b.example', reasonString: 'Full.' }), null);
});

const NOT: readonly (readonly [what: string, answer: object, said: RegExp])[] = [
  ['no reason', {}, /reason of the refusal/],
  ['a reason that is a number', { reason: 0x8a }, /reason of the refusal/],
  ['a reason that is only like one', { reason: { ...BANNED } satisfies Reason }, /reason of the refusal/],
  ['success', { reason: SUCCESS }, /reason of the refusal/],
  ['a reason that CONNACK cannot have', { reason: KEEP_ALIVE_TIMEOUT }, /reason of the refusal/],
  ['a server with another reason', { reason: BANNED, serverReference: 'b.example' }, /server reference only with/],
  ['a server that is no text', { reason: SERVER_MOVED, serverReference: 1 }, /server reference .* no text/],
  ['a reason string that is no text', { reason: BANNED, reasonString: 1 }, /reason string .* no text/],
  [
    'a reason string that is too long',
    { reason: BANNED, reasonString: 'x'.repeat(65_536) },
    /reason string .* no text/,
  ],
  ['a reason string of half a character', { reason: BANNED, reasonString: '\ud800' }, /reason string .* no text/],
];

for (const [what, answer, said] of NOT) {
  test(`a refusal with ${what} is none`, () => assert.match(refusalFault(answer) ?? '', said));
}

test('a step of an authentication has a decision, data or null, and a refusal that is one', () => {
  const step: AuthStep = { decision: DENY, data: null, refusal: { reason: BANNED } };
  assert.equal(checkedStep(step), step);
  assert.equal(checkedStep({ decision: ALLOW, data: Buffer.from('x') }).decision, ALLOW);
  for (const bad of [
    'null',
    '{}',
    '{ "decision": 1 }',
    '{ "decision": 7, "data": null }',
    '{ "decision": 1, "data": "x" }',
  ]) {
    assert.throws(() => checkedStep(JSON.parse(bad)), /no step of an authentication/, bad);
  }
  assert.throws(() => checkedStep(undefined), /no step of an authentication/);
  assert.throws(() => checkedStep({ ...step, refusal: { reason: SUCCESS } }), /reason of the refusal/);
});
