import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlushTurn } from '../../../src/net/flush.ts';
import { Link, type LinkOwner, PAUSE_ACKS_UNREAD, PAUSE_CALLER, PAUSE_HOOK } from '../../../src/net/link.ts';
import type { PeerFault } from '../../../src/protocol/errors.ts';
import { CountedBytes, FakeTransport, nextTurn } from '../../support/fake-transport.ts';

const PING = Buffer.from('c000', 'hex');

/** Answers every PINGREQ, as a broker does. */
class Answering implements LinkOwner {
  frames = 0;
  faults: PeerFault[] = [];
  ends: (Error | null)[] = [];
  bytes = 0;
  drains = 0;
  pausesAt = -1;
  readonly transport = new FakeTransport();
  readonly turn = new FlushTurn();
  readonly link: Link;

  constructor() {
    this.link = new Link(this.transport, this.turn, new Uint32Array(16).fill(1000), this, new CountedBytes());
    this.link.open();
  }

  frame(): boolean {
    this.frames += 1;
    this.link.outbox.pushEmpty(0xd0);
    if (this.frames === this.pausesAt) this.link.pause(PAUSE_HOOK);
    return this.link.isReading;
  }

  received(count: number): void {
    this.bytes += count;
  }

  fault(fault: PeerFault): void {
    this.faults.push(fault);
  }

  drained(): void {
    this.drains += 1;
  }

  closed(error: Error | null): void {
    this.ends.push(error);
  }

  pings(count: number): void {
    this.link.receive(Buffer.alloc(count * 2, PING));
  }
}

test('a burst whose answers exceed the limit within one turn does not stop reading for ever', async () => {
  const owner = new Answering();
  owner.pings(20_000);
  owner.pings(20_000);
  await nextTurn();
  assert.equal(owner.transport.bytes.length, 80_000);
  assert.equal(owner.link.isReading, true);
  owner.pings(1);
  assert.equal(owner.frames, 40_001);
});

test('a peer that does not read its answers is not read from, until it does', async () => {
  const owner = new Answering();
  owner.transport.isStuck = true;
  for (let round = 0; round < 20 && owner.link.isReading; round++) {
    owner.pings(10_000);
    await nextTurn();
  }
  assert.equal(owner.link.isReading, false);
  assert.deepEqual(owner.transport.calls, ['pause']);
  assert.ok(owner.transport.backlog + owner.link.outbox.controlBytes < 250_000);
  const answered = owner.frames;
  owner.transport.drain();
  assert.equal(owner.link.isReading, true);
  assert.deepEqual(owner.transport.calls, ['pause', 'resume']);
  await nextTurn();
  // All that was asked is answered, and reading goes on although no further writable() comes.
  assert.equal(owner.transport.bytes.length, answered * 2);
  assert.equal(owner.link.isReading, true);
  assert.equal(owner.drains, 1);
});

test('frames behind the one that paused wait, and reading goes on with the last reason that is taken back', () => {
  const owner = new Answering();
  owner.pausesAt = 2;
  owner.pings(5);
  assert.equal(owner.frames, 2);
  owner.link.pause(PAUSE_CALLER);
  owner.link.resume(PAUSE_HOOK);
  assert.equal(owner.frames, 2);
  owner.link.resume(PAUSE_HOOK);
  assert.equal(owner.link.isReading, false);
  owner.link.resume(PAUSE_CALLER);
  assert.equal(owner.frames, 5);
  assert.deepEqual(owner.transport.calls, ['pause', 'resume']);
});

test('a link that ends is not paused any more: its transport waits for the other end', () => {
  const owner = new Answering();
  owner.link.end(owner.turn);
  owner.link.pause(PAUSE_HOOK);
  owner.link.resume(PAUSE_HOOK);
  assert.deepEqual(owner.transport.calls, ['end']);
});

test("the peer's fault reaches the owner, our own does not hide as one", () => {
  const owner = new Answering();
  owner.link.receive(Buffer.from('c100', 'hex'));
  assert.equal(owner.faults.length, 1);
  const broken = new Answering();
  broken.frame = () => {
    throw new TypeError('a bug');
  };
  assert.throws(() => broken.pings(1), TypeError);
});

test('end() sends what waits but the messages, then closes; nothing is received any more', () => {
  const owner = new Answering();
  owner.pings(1);
  owner.link.end(owner.turn);
  assert.equal(owner.transport.bytes.toString('hex'), 'd000');
  assert.deepEqual(owner.transport.calls, ['end']);
  owner.pings(1);
  owner.link.destroy();
  assert.equal(owner.frames, 1);
  assert.deepEqual(owner.transport.calls, ['end']);
  owner.link.closed(null);
  assert.deepEqual(owner.ends, [null]);
});

test('bytes are counted, also those of a packet that is not whole', () => {
  const owner = new Answering();
  owner.link.receive(Buffer.from('c0', 'hex'));
  assert.deepEqual([owner.bytes, owner.frames], [1, 0]);
  owner.link.receive(Buffer.from('00', 'hex'));
  assert.deepEqual([owner.bytes, owner.frames], [2, 1]);
});

/** Pings of which the second has the owner stop reading, and the end of the connection behind them. */
function closedWhileHeld(error: Error | null = null): Answering {
  const owner = new Answering();
  owner.pausesAt = 2;
  owner.pings(5);
  owner.link.ended();
  owner.link.closed(error);
  return owner;
}

test('what came before the end is handed out, and the owner hears of the end behind it', () => {
  const failure = new Error('reset');
  for (const error of [null, failure]) {
    const owner = closedWhileHeld(error);
    assert.deepEqual([owner.frames, owner.ends], [2, []]);
    owner.link.resume(PAUSE_HOOK);
    assert.deepEqual([owner.frames, owner.ends], [5, [error]]);
    owner.link.resume(PAUSE_HOOK);
    assert.equal(owner.ends.length, 1);
  }
});

test('the end waits for every reason that holds frames, but not for answers that nobody takes', () => {
  const owner = new Answering();
  owner.pausesAt = 2;
  owner.pings(5);
  owner.link.pause(PAUSE_CALLER);
  owner.link.pause(PAUSE_ACKS_UNREAD);
  owner.link.closed(null);
  owner.link.resume(PAUSE_HOOK);
  assert.deepEqual([owner.frames, owner.ends], [2, []]);
  owner.link.resume(PAUSE_CALLER);
  assert.deepEqual([owner.frames, owner.ends], [5, [null]]);
});

test('a transport that is closed is neither stopped nor set going again', () => {
  const owner = closedWhileHeld();
  const { calls } = owner.transport;
  assert.deepEqual(calls, ['pause']);
  owner.pausesAt = 4;
  owner.link.resume(PAUSE_HOOK);
  assert.deepEqual([owner.frames, owner.ends, calls], [4, [], ['pause']]);
  owner.link.resume(PAUSE_HOOK);
  assert.deepEqual([owner.frames, owner.ends, calls], [5, [null], ['pause']]);
});

test('without frames that wait the owner hears of the end at once, whatever the reason to pause', () => {
  const owner = new Answering();
  owner.pings(2);
  owner.link.pause(PAUSE_HOOK);
  owner.link.closed(null);
  assert.deepEqual(owner.ends, [null]);
});

for (const way of ['end', 'destroy'] as const) {
  test(`who is closed and held can be let go: ${way}`, async () => {
    const owner = closedWhileHeld();
    if (way === 'end') owner.link.end(owner.turn);
    else owner.link.destroy();
    owner.link.destroy();
    assert.deepEqual(owner.ends, []);
    await nextTurn();
    assert.deepEqual([owner.frames, owner.ends], [2, [null]]);
  });
}
