import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Message } from '../../../src/broker/routing/message.ts';
import { TopicTable } from '../../../src/broker/routing/topics.ts';
import { FlushTurn, SCRATCH_SIZE } from '../../../src/net/flush.ts';
import { Outbox, REFERENCE_SIZE } from '../../../src/net/outbox.ts';
import { wallNow } from '../../../src/util/clock.ts';
import { CountedBytes, FakeTransport, nextTurn } from '../../support/fake-transport.ts';

const topics = new TopicTable();
const NONE = Buffer.alloc(0);

function message(payload: string | Buffer, expiry?: number): Message {
  return Message.made(
    topics.internName('t'),
    Buffer.from(payload),
    0,
    false,
    expiry === undefined ? {} : { messageExpiryInterval: expiry },
    null,
    wallNow(),
  );
}

function setUp() {
  const transport = new FakeTransport();
  const turn = new FlushTurn();
  const counters = new CountedBytes();
  const outbox = new Outbox(transport, turn, counters);
  return { transport, turn, counters, outbox };
}

test('what is added in one turn leaves in one write when the turn ends, acknowledgements first', async () => {
  const { transport, outbox, counters } = setUp();
  outbox.push(message('x'), 0, 0, NONE);
  outbox.pushAck(0x40, 0x0102);
  outbox.push(message('y'), 2, 7, NONE);
  outbox.pushEmpty(0xd0);
  outbox.pushControl(Buffer.from('e000', 'hex'));
  assert.equal(transport.sent.length, 0);
  assert.deepEqual([outbox.messages, outbox.messageBytes, outbox.controlBytes], [2, 2, 8]);
  await nextTurn();
  assert.deepEqual(
    transport.sent.map((bytes) => bytes.toString('hex')),
    ['40020102d000e000' + '3004000174' + '78' + '3206000174' + '0007' + '79'],
  );
  assert.deepEqual([outbox.messages, outbox.messageBytes, outbox.controlBytes], [0, 0, 0]);
  assert.deepEqual([counters.bytes, counters.publishes, counters.payload], [transport.bytes.length, 2, 2]);
});

test('a retained message is sent without an encoding being kept with it, in the same bytes', async () => {
  const RETAIN = 1;
  for (const shape of [0, 1] as const) {
    for (const [flags, id] of [
      [RETAIN, 0],
      [RETAIN | 2, 7],
    ] as const) {
      const { transport, outbox } = setUp();
      outbox.shape = shape;
      const retained = message('x', 60);
      outbox.push(retained, flags, id, NONE);
      await nextTurn();
      assert.equal(retained.hasFrame(shape, id > 0), false);
      const sent = transport.bytes.toString('hex');
      // What goes to many at once is encoded once, and this message from now on, too.
      retained.frame(shape, id > 0);
      assert.equal(retained.hasFrame(shape, id > 0), true);
      outbox.push(retained, flags, id, NONE);
      await nextTurn();
      assert.equal(transport.bytes.toString('hex'), sent + sent);
      assert.equal(sent.includes('020000003c'), shape === 1);
    }
  }
});

test('a peer that does not read its acknowledgements is given no more of them', () => {
  const { transport, turn, outbox } = setUp();
  transport.isStuck = true;
  for (let round = 0; round < 50; round++) {
    for (let id = 1; id <= 10_000; id++) outbox.pushAck(0x40, id);
    outbox.flush(turn);
  }
  // One round was taken, and a second while the backlog was short of the mark; the rest waits here, where it is seen.
  assert.ok(transport.backlog <= 2 * 40_000, `${transport.backlog} bytes are with the transport`);
  assert.equal(outbox.isPaused, true);
  assert.equal(transport.backlog + outbox.controlBytes, 50 * 40_000);
});

test('a backlog of copied memory pauses nothing: no writable() is owed for it', async () => {
  const { transport, outbox } = setUp();
  transport.copied = 1_000_000;
  outbox.push(message('first'), 0, 0, NONE);
  await nextTurn();
  outbox.push(message('second'), 0, 0, NONE);
  await nextTurn();
  assert.equal(outbox.isPaused, false);
  assert.equal(transport.bytes.includes('second'), true);
});

test('a paused outbox keeps its messages, and sends them when the peer reads again', async () => {
  const { transport, outbox } = setUp();
  transport.sink = { receive: () => undefined, writable: () => outbox.writable(), closed: () => undefined };
  transport.isStuck = true;
  outbox.push(message(Buffer.alloc(100_000, 0x61)), 0, 0, NONE);
  await nextTurn();
  assert.equal(outbox.isPaused, true);
  outbox.push(message('late'), 0, 0, NONE);
  await nextTurn();
  assert.equal(outbox.messages, 1);
  assert.equal(transport.bytes.includes('late'), false);
  transport.drain();
  await nextTurn();
  assert.equal(outbox.messages, 0);
  assert.equal(transport.bytes.includes('late'), true);
});

test('messages that must wait let go of the chunk they came in', async () => {
  const { transport, outbox } = setUp();
  transport.isStuck = true;
  const chunk = Buffer.alloc(50_000, 0x62);
  const made = (): Message => new Message(topics.internName('t'), null, 0, false, NONE, -1, 0, chunk, 10, 20);
  outbox.push(message(Buffer.alloc(100_000)), 0, 0, NONE);
  const before = made();
  outbox.push(before, 0, 0, NONE);
  await nextTurn();
  const after = made();
  outbox.push(after, 0, 0, NONE);
  for (const one of [before, after]) {
    assert.notEqual(one.payloadBuffer.buffer, chunk.buffer);
    assert.equal(one.payloadBuffer.toString('latin1', one.payloadStart, one.payloadEnd), 'b'.repeat(10));
  }
});

test('memory that the transport keeps is not written to again; the shared buffer is replaced once, not in every turn', async () => {
  const { transport, turn, outbox } = setUp();
  const first = turn.scratch;
  transport.isStuck = true;
  outbox.push(message('one'), 0, 0, NONE);
  await nextTurn();
  const second = turn.scratch;
  assert.notEqual(second, first);
  for (let i = 0; i < 10; i++) {
    outbox.push(message('more'), 0, 0, NONE);
    await nextTurn();
  }
  assert.equal(turn.scratch, second);
  assert.equal(first.toString('latin1', 5, 8), 'one');
});

test('a large payload is written by reference behind its head, in one system call', async () => {
  const { transport, outbox } = setUp();
  const payload = Buffer.alloc(REFERENCE_SIZE, 0x63);
  outbox.push(message('small'), 0, 0, NONE);
  outbox.push(message(payload), 0, 0, NONE);
  await nextTurn();
  assert.deepEqual(transport.calls, ['cork', 'uncork']);
  assert.equal(transport.sent.length, 2);
  assert.equal(transport.sent[1]!.equals(payload), true);
});

test('many messages in one turn leave when they fill the shared buffer', () => {
  const { transport, outbox } = setUp();
  for (let i = 0; i < 1024; i++) outbox.push(message('x'), 0, 0, NONE);
  assert.equal(outbox.messages, 0);
  assert.equal(transport.bytes.length, 1024 * 6);
  assert.ok(transport.sent.every((bytes) => bytes.length <= SCRATCH_SIZE));
});

test('the time that is left is written over the expiry, never more than the field holds', async () => {
  const { transport, outbox } = setUp();
  outbox.shape = 1;
  const at = wallNow();
  const made = (interval: number, setBackMs: number): Message =>
    Message.made(topics.internName('t'), NONE, 0, false, { messageExpiryInterval: interval }, null, at + setBackMs);
  outbox.push(made(10, 0), 0, 0, NONE);
  outbox.push(made(0xffff_ffff, 5000), 0, 0, NONE);
  outbox.push(made(10, -60_000), 0, 0, NONE);
  await nextTurn();
  const intervals = [0, 1, 2].map((i) => transport.bytes.readUInt32BE(i * 11 + 7));
  assert.deepEqual(intervals, [10, 0xffff_ffff, 0]);
});

test('a closed outbox sends nothing and keeps nothing', async () => {
  const { transport, outbox } = setUp();
  outbox.push(message('x'), 0, 0, NONE);
  outbox.pushAck(0x40, 1);
  outbox.close();
  await nextTurn();
  assert.equal(transport.sent.length, 0);
  assert.deepEqual([outbox.messages, outbox.messageBytes, outbox.controlBytes], [0, 0, 0]);
});
