import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashBytes, MAX_LEVELS, TopicTable } from '../../../src/broker/routing/topics.ts';
import { PeerFault } from '../../../src/protocol/errors.ts';
import { MALFORMED_PACKET, PROTOCOL_ERROR, type Reason, TOPIC_NAME_INVALID } from '../../../src/protocol/reasons.ts';

const intern = (table: TopicTable, bytes: Buffer) => table.intern(bytes, 0, bytes.length);

test('equal names are one Topic, wherever their bytes lie', () => {
  const table = new TopicTable();
  const chunk = Buffer.from('..a/ü..');
  const topic = table.intern(chunk, 2, chunk.length - 2);
  assert.equal(topic.name, 'a/ü');
  assert.equal(table.internName('a/ü'), topic);
  assert.equal(intern(table, Buffer.from('a/ü')), topic);
  chunk.fill(0);
  assert.equal(topic.bytes.toString(), 'a/ü');
  assert.notEqual(table.internName('a/u'), topic);
});

test('names that are no topic names are refused with the reason that the standard has for it', () => {
  const table = new TopicTable();
  const refused = (bytes: Buffer, reason: Reason): void => {
    assert.throws(
      () => intern(table, bytes),
      (error) => error instanceof PeerFault && error.reason === reason,
      bytes.toString('latin1'),
    );
  };
  for (const name of ['', 'a/+', '#', 'a#', '+']) refused(Buffer.from(name), PROTOCOL_ERROR);
  for (const bytes of ['610062', 'c080', 'eda080', 'ff', 'f4908080']) {
    refused(Buffer.from(bytes, 'hex'), MALFORMED_PACKET);
  }
  refused(Buffer.from('/'.repeat(MAX_LEVELS)), TOPIC_NAME_INVALID);
  assert.equal(intern(table, Buffer.from('/'.repeat(MAX_LEVELS - 1))).name.length, MAX_LEVELS - 1);
});

test('a topic whose place another takes is told so, and its plan is gone', () => {
  const table = new TopicTable();
  const topic = table.internName('first');
  topic.plan = { stamp: 0, subscriptions: [], groups: [], permissions: new Uint8Array(0) };
  for (let i = 0; topic.isInterned; i++) {
    assert.ok(i < 1_000_000);
    table.internName(`n${i}`);
  }
  assert.equal(topic.plan, null);
  assert.notEqual(table.internName('first'), topic);
});

test('forget() drops the plan of exactly that topic', () => {
  const table = new TopicTable();
  const [a, b] = [table.internName('a'), table.internName('b')];
  for (const topic of [a, b]) topic.plan = { stamp: 0, subscriptions: [], groups: [], permissions: new Uint8Array(0) };
  table.forget('a');
  table.forget('never seen');
  assert.equal(a.plan, null);
  assert.notEqual(b.plan, null);
});

test('the hash is that of the range, and its low bits tell short names apart', () => {
  const bytes = Buffer.from('xabcx');
  assert.equal(hashBytes(bytes, 1, 4), hashBytes(Buffer.from('abc'), 0, 3));
  const slots = new Set(
    Array.from({ length: 1000 }, (_, i) => hashBytes(Buffer.from(`t${i}`), 0, `t${i}`.length) & 8191),
  );
  assert.ok(slots.size > 800, `${slots.size} slots for 1000 names`);
});
