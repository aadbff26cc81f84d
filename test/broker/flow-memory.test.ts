// What messages that wait for clients cost: each is kept once however many wait for it, and what all of them may cost is
// bounded, by whom there is most of first.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '../../src/broker/routing/message.ts';
import { KEPT_OVERHEAD } from '../../src/broker/sessions/kept.ts';
import type { SessionLimits } from '../../src/broker/sessions/limits.ts';
import { Session } from '../../src/broker/sessions/session.ts';
import { AWAIT_PUBACK } from '../../src/flow/outbound.ts';
import { Gate, SessionRig, subscriptionTo } from '../support/builders.ts';

/** A session beside that of the rig, whose client is away. */
function absent(rig: SessionRig, clientId: string): Session {
  rig.host.kept.sessions += 1;
  return new Session(clientId, rig.host);
}

function give(session: Session, message: Message, qos = 1): boolean {
  return session.deliver(message, subscriptionTo(session, message.topic.name, { qos }), null, -1);
}

function acknowledgeAll({ session }: SessionRig, ids: readonly number[]): void {
  for (const id of ids) {
    session.finish(id, AWAIT_PUBACK);
  }
}

test('a message that many wait for is kept once and counts once, until the last one has it', () => {
  const rig = new SessionRig();
  rig.attach();
  const { kept } = rig.host;
  const others = Array.from({ length: 50 }, (_, i) => absent(rig, `c${i}`));
  const message = rig.routing.message('t', { payload: 'x'.repeat(1000), qos: 1 });
  for (const session of [rig.session, ...others]) give(session, message);
  assert.deepEqual([kept.count, kept.bytes, kept.cost], [1, 1001, 1001 + KEPT_OVERHEAD]);
  for (const session of others) {
    assert.equal(session.queue.peek(), message);
    assert.equal(kept.count, 1);
    session.clear();
  }
  assert.equal(kept.count, 1, 'it is in flight to one of them');
  acknowledgeAll(rig, [1]);
  assert.deepEqual([kept.count, kept.bytes], [0, 0]);
});

test('behind a mount point a message is made once for all clients', () => {
  const rig = new SessionRig();
  const sessions = Array.from({ length: 5 }, (_, i) => absent(rig, `c${i}`));
  const message = rig.routing.message('house/t', { payload: 'x'.repeat(1000), qos: 1 });
  for (const session of sessions) {
    session.mountPoint = 'house/';
    give(session, message);
  }
  assert.equal(rig.host.kept.count, 1);
  assert.ok(sessions.every(({ queue }) => queue.peek() === sessions[0]!.queue.peek()));
});

test('all ways out of a session give back what it kept', () => {
  const rig = new SessionRig({ maxInflightMessages: 3, queueQos0Messages: true });
  const { kept } = rig.host;
  for (let i = 0; i < 5; i++) rig.give(String(i), { qos: i % 3 });
  assert.equal(kept.count, 5);
  rig.attach();
  rig.transport.isStuck = true;
  rig.give('x'.repeat(100_000));
  rig.received();
  for (let i = 0; i < 10; i++) rig.give(String(i));
  assert.ok(rig.session.late.length > 0);
  rig.detach();
  assert.equal(rig.session.late.length, 0, 'QoS 0 on its way is gone with the connection');
  assert.equal(kept.count, rig.session.queue.length + rig.session.window.inFlight);
  rig.attach({ maximumPacketSize: 5 });
  rig.session.clear();
  assert.deepEqual([kept.count, kept.bytes], [0, 0]);
});

test('at the mark, who has more than its share waiting gets no more, and it is said once', () => {
  const rig = new SessionRig({ maxKeptBytes: 100_000, maxQueuedMessages: Number.POSITIVE_INFINITY });
  const { kept } = rig.host;
  rig.attach({ receiveMaximum: 5 });
  kept.sessions = 1;
  const hogs = Array.from({ length: 9 }, (_, i) => absent(rig, `hog${i}`));
  for (let i = 0; i < 1000; i++) {
    for (const hog of hogs) give(hog, rig.routing.message('t', { payload: 'x'.repeat(999), qos: 1 }));
  }
  // Nine keep about their tenth each beyond which nothing is taken once the mark is reached.
  assert.ok(kept.cost >= 100_000 && kept.cost < 110_000, `${kept.cost} bytes`);
  const warnings = rig.lines.filter((line) => line.startsWith('warning'));
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /as much as they may \(memory_limit\)/);
  for (const { clientId } of hogs)
    assert.ok(rig.lines.some((line) => line.includes(`dropped for client ${clientId}.`)));
  // A client that takes its messages is none the worse for it: window and queue serve it as ever.
  let got = 0;
  for (let i = 0; i < 200; i++) {
    rig.give(String(i), { qos: 1 });
    for (const { id, payload } of rig.received()) {
      assert.equal(payload, String(got));
      got += 1;
      acknowledgeAll(rig, [id]);
    }
  }
  assert.equal(got, 200);
  for (let i = 0; i < 5; i++) rig.give(String(i), { qos: 1 });
  rig.give('waits', { qos: 1 });
  assert.equal(rig.session.queue.length, 1, 'it may queue, too');
  // One hog less: there is room again, and the next time it is said again.
  for (const hog of hogs.slice(0, 3)) hog.clear();
  const before = rig.lines.length;
  for (let i = 0; i < 1000; i++) give(hogs[8]!, rig.routing.message('t', { payload: 'x'.repeat(999), qos: 1 }));
  assert.ok(kept.cost >= 100_000 && kept.cost < 110_000);
  assert.equal(rig.lines.slice(before).filter((line) => line.startsWith('warning')).length, 1);
});

test('many small messages do not pass below the mark: each costs its overhead', () => {
  const rig = new SessionRig({ maxKeptBytes: 100_000, maxQueuedMessages: Number.POSITIVE_INFINITY });
  rig.host.kept.sessions = 1;
  for (let i = 0; i < 1000; i++) rig.give('x', { qos: 1 });
  assert.equal(rig.session.queue.length, Math.ceil(100_000 / (KEPT_OVERHEAD + 2)));
});

test('far above the mark not even windows grow, however large they may be', () => {
  const rig = new SessionRig({ maxKeptBytes: 100_000, maxInflightMessages: 65_535 });
  rig.host.kept.sessions = 1;
  rig.attach();
  for (let i = 0; i < 1000; i++) rig.give('x'.repeat(599), { qos: 1 });
  assert.ok(rig.host.kept.cost >= 200_000 && rig.host.kept.cost < 202_000, `${rig.host.kept.cost} bytes`);
});

test('QoS 0 that waits for a client to read is under the mark, too', () => {
  const rig = new SessionRig({ maxKeptBytes: 100_000, maxQueuedMessages: Number.POSITIVE_INFINITY });
  rig.host.kept.sessions = 1;
  rig.attach();
  rig.transport.isStuck = true;
  rig.give('x'.repeat(100_000));
  rig.received();
  for (let i = 0; i < 1000; i++) rig.give('x'.repeat(600));
  assert.ok(rig.host.kept.cost < 102_000);
  assert.equal(rig.metric('publishDropped'), 1000 - rig.session.late.length);
});

test('the publisher whose message reaches the mark is held until there is room, or for a moment', () => {
  const rig = new SessionRig({ maxKeptBytes: 10_000 });
  rig.host.kept.sessions = 1;
  const publisher = new Gate();
  rig.pacing.publisher = publisher;
  for (let i = 0; i < 30 && !publisher.isPaused; i++) rig.give('x'.repeat(600), { qos: 1 });
  assert.equal(publisher.isPaused, true);
  assert.equal(rig.session.queue.length, 10);
  // Nothing moves: the tick lets it go on, and it is not held a second time.
  return new Promise<void>((resolve) => {
    rig.wheel.advance(Number.MAX_SAFE_INTEGER);
    setImmediate(() => {
      assert.equal(publisher.isPaused, false);
      rig.session.queue.shift();
      rig.give('x'.repeat(600), { qos: 1 });
      assert.equal(publisher.isPaused, false);
      // When there was room, the next time is a first time.
      for (let i = 0; i < 5; i++) rig.session.queue.shift();
      for (let i = 0; i < 10; i++) rig.give('x'.repeat(600), { qos: 1 });
      assert.equal(publisher.isPaused, true);
      rig.session.clear();
      setImmediate(() => {
        assert.equal(publisher.isPaused, false);
        resolve();
      });
    });
  });
});

test('a message in flight for longer than a moment lets go of the chunk it came in', () => {
  const rig = new SessionRig();
  rig.attach();
  let owned = 0;
  for (let i = 0; i < 3; i++) {
    const message = rig.routing.message('t', { qos: 1 });
    message.own = () => {
      owned += 1;
    };
    give(rig.session, message);
  }
  assert.equal(owned, 0);
  rig.wheel.advance(Number.MAX_SAFE_INTEGER);
  assert.equal(owned, 3);
});

const BOUNDS: readonly (readonly [name: string, limits: Partial<SessionLimits>, size: number, taken: number])[] = [
  ['max_queued_messages 3', { maxQueuedMessages: 3 }, 60, 3],
  ['max_queued_messages 1', { maxQueuedMessages: 1 }, 60, 1],
  ['max_queued_messages 0', { maxQueuedMessages: Number.POSITIVE_INFINITY }, 60, 60],
  ['max_queued_bytes 100', { maxQueuedBytes: 100 }, 60, 2],
  ['max_queued_bytes 120', { maxQueuedBytes: 120 }, 60, 2],
  ['max_queued_bytes 121', { maxQueuedBytes: 121 }, 60, 3],
  ['max_queued_bytes 100 and larger messages', { maxQueuedBytes: 100 }, 200, 1],
  ['the first of both: count', { maxQueuedMessages: 2, maxQueuedBytes: 1000 }, 60, 2],
  ['the first of both: bytes', { maxQueuedMessages: 20, maxQueuedBytes: 100 }, 60, 2],
];

for (const [name, limits, size, taken] of BOUNDS) {
  test(`${name}: so many of 60 messages of ${size} bytes wait for an absent client, as with Mosquitto`, () => {
    const rig = new SessionRig(limits);
    for (let i = 0; i < 60; i++) rig.give('x'.repeat(size - 1), { qos: 1 });
    assert.deepEqual([rig.session.queue.length, rig.metric('publishDropped')], [taken, 60 - taken]);
    const said = taken < 60 ? ['notice Outgoing messages are being dropped for client client.'] : [];
    assert.deepEqual(rig.lines, said);
    rig.attach();
    const ids = Array.from({ length: taken }, (_, i) => i + 1);
    acknowledgeAll(rig, ids);
    assert.equal(rig.received().length, taken);
    const count = `${60 - taken} messages were dropped for client client because too many waited for it.`;
    assert.deepEqual(rig.lines, taken < 60 ? [...said, `notice ${count}`] : []);
  });
}

test('messages in flight do not count against what may wait', () => {
  const rig = new SessionRig({ maxInflightMessages: 5, maxQueuedMessages: 3, maxQueuedBytes: 1000 });
  rig.attach();
  for (let i = 0; i < 10; i++) rig.give('x'.repeat(100), { qos: 1 + (i % 2) });
  assert.deepEqual([rig.session.window.inFlight, rig.session.queue.length, rig.metric('publishDropped')], [5, 3, 2]);
});

test('queue_qos0_messages: both kinds share one limit', () => {
  const rig = new SessionRig({ queueQos0Messages: true, maxQueuedMessages: 4 });
  for (let i = 0; i < 6; i++) assert.equal(rig.give(String(i), { qos: i % 2 }), true);
  assert.deepEqual([rig.session.queue.length, rig.metric('publishDropped')], [4, 2]);
  rig.attach();
  assert.deepEqual(rig.payloads(), ['0', '1', '2', '3']);
});

test('one that is dropped is one message in the log', () => {
  const rig = new SessionRig({ maxQueuedMessages: 1 });
  for (let i = 0; i < 2; i++) rig.give('x', { qos: 1 });
  rig.session.clear();
  assert.equal(rig.lines[1], 'notice 1 message was dropped for client client because too many waited for it.');
});
