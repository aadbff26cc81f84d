// The runner itself: what it must notice, and say.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { openArena } from '../support/wire-arena.ts';
import { type Case, readCases } from '../support/wire-parse.ts';
import { runCase } from './run-wire.ts';

/** The cases of a scenario text. */
function casesOf(context: TestContext, text: string): Case[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'wire-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'some.wire');
  writeFileSync(file, text);
  return readCases(file);
}

const WRONG: readonly (readonly [what: string, steps: string, said: RegExp])[] = [
  [
    'another packet than expected',
    'A joins\nA > SUBSCRIBE id=1 t:0\nA < SUBACK id=1 1',
    /some\.wire:5: wrong \(version 4, memory\)\n {2}step {6}A < SUBACK id=1 1\n {2}expected {2}SUBACK id=1 1 {3}\[9003000101\]\n {2}got {7}SUBACK id=1 0 {3}\[9003000100\]/,
  ],
  [
    'a packet where none should come',
    'A joins\nA subscribes t:0\nA > PUBLISH q0 t "x"\nA < nothing',
    /:6: .*got {7}PUBLISH/s,
  ],
  [
    'a message that another client sent',
    'A joins\nA subscribes t:0\nB joins\nB > PUBLISH q0 t "x"\nA < nothing',
    /:7: /,
  ],
  ['a packet that nobody asked for', 'A joins\nA > PINGREQ', /nothing more for A\n {2}got {7}PINGRESP/],
  [
    'a packet where silence should be',
    'A joins\nA subscribes t:0\nA > PUBLISH q0 t "x"\nA < silence',
    /:6: .*got {7}PUBLISH/s,
  ],
  ['a packet left over when the broker is killed', 'A joins\nA > PINGREQ\nbroker crashes', /nothing more for A/],
  ['something that no broker does', 'broker sleeps', /'sleeps' is nothing that a broker does/],
  ['something that no disk does', 'disk melts', /'melts' is nothing that a disk does/],
  ['a packet left over by a client that drops', 'A joins\nA > PINGREQ\nA drops', /nothing more for A/],
  [
    'the end where a packet should come',
    'A > CONNECT name=MQTX\nA < CONNACK code=0',
    /got {7}the end of the connection/,
  ],
  ['a packet where the end should come', 'A joins\nA > PINGREQ\nA < closed', /got {7}PINGRESP/],
  ['a word that means nothing', 'A joins surprise=1', /'surprise' means nothing here/],
  ['a client that has no connection', 'A < nothing', /no connection|nothing/],
];

for (const [what, steps, said] of WRONG) {
  test(`a scenario fails on ${what}`, async (context) => {
    const [scenario] = casesOf(context, `case: wrong\nversions: 4\n${steps}\n`);
    assert.ok(scenario !== undefined);
    await assert.rejects(runCase(scenario, 4, await openArena(scenario, 'memory')), said);
  });
}

for (const [what, words] of [
  ['another reason string than expected', 'reason-string="no"'],
  ['a reason string where none should be', 'unexplained'],
] as const) {
  test(`a scenario fails on ${what}`, async (context) => {
    const steps = `A joins\nA > PUBREL id=1\nA < PUBCOMP id=1 rc=0x92 ${words}`;
    const [scenario] = casesOf(context, `case: wrong\nversions: 5\n${steps}\n`);
    assert.ok(scenario !== undefined);
    const run = runCase(scenario, 5, await openArena(scenario, 'memory'));
    await assert.rejects(run, /:5: .*got {7}PUBCOMP id=1 rc=0x92 reason-string="No QoS 2/s);
  });
}

const UNREADABLE: readonly (readonly [what: string, text: string, said: RegExp])[] = [
  ['a step without a case', 'A joins', /some\.wire:1: a step stands in front of the first case/],
  ['an unknown version', 'case: x\nversions: 6\nA joins', /some\.wire:2: '6' is no version/],
  ['a string without an end', 'case: x\nA > PUBLISH q0 t "x', /some\.wire:2: the string "x has no end/],
  ['a case without steps', 'case: x\ncase: y\nA joins', /the case in line 1 has no steps/],
  [
    'a header below the steps',
    'case: x\nA joins\nconfig: max_qos 1',
    /some\.wire:3: this line belongs above the steps/,
  ],
];

for (const [what, text, said] of UNREADABLE) {
  test(`a scenario file is refused for ${what}`, (context) => {
    assert.throws(() => casesOf(context, text), said);
  });
}
