import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONNACK, PUBACK } from '../../../src/protocol/constants.ts';
import { isRefusal, REASONS, reasonFits, reasonOf } from '../../../src/protocol/reasons.ts';

test('every reason code is listed once and found by its number', () => {
  assert.equal(new Set(REASONS.map((reason) => reason.code)).size, REASONS.length);
  assert.equal(REASONS.length, 43);
  for (const reason of REASONS) assert.equal(reasonOf(reason.code), reason);
});

test('a code fits only the packets that the standard lists', () => {
  assert.equal(reasonFits(0x10, PUBACK), true);
  assert.equal(reasonFits(0x10, CONNACK), false);
  assert.equal(reasonFits(0x7f, CONNACK), false);
});

test('codes from 0x80 on refuse', () => {
  assert.deepEqual([0, 0x18, 0x7f, 0x80, 0x87, 0xff].map(isRefusal), [false, false, false, true, true, true]);
});

test('an unknown code shows its number', () => {
  assert.equal(reasonOf(0x7f).text, 'Unknown reason 0x7f');
});
