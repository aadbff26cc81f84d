import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePlan } from '../../../src/broker/routing/plan.ts';
import { OutboundAliases } from '../../../src/flow/alias.ts';
import { AWAIT_PUBACK, AWAIT_PUBCOMP, AWAIT_PUBREC } from '../../../src/flow/outbound.ts';
import { PUBREL } from '../../../src/protocol/constants.ts';
import { publishSize } from '../../../src/protocol/publish.ts';
import { touch, wallNow } from '../../../src/util/clock.ts';
import { SessionRig, sourceOf, subscriptionTo } from '../../support/builders.ts';

/** The client acknowledges, as the handler of PUBACK and PUBCOMP has it. */
function acknowledge({ session }: SessionRig, id: number, state = AWAIT_PUBACK): void {
  session.finish(id, state);
}

test('QoS and retain flag are those that the subscription grants', () => {
  const rig = new SessionRig();
  rig.attach();
  const message = rig.routing.message('t', { qos: 1, retain: true });
  const give = (qos: number, retainAsPublished: boolean): void =>
    void rig.session.deliver(message, subscriptionTo(rig.session, 't', { qos, retainAsPublished }), null, -1);
  give(0, false);
  give(1, true);
  give(2, false);
  rig.session.deliverRetained(message, subscriptionTo(rig.session, 't', { qos: 0 }));
  assert.deepEqual(
    rig.received().map(({ qos, retain, dup, id }) => [qos, retain, dup, id]),
    [
      [0, false, false, 0],
      [1, true, false, 1],
      [1, false, false, 2],
      [0, true, false, 0],
    ],
  );
});

test('upgrade_outgoing_qos delivers at the QoS of the subscription', () => {
  const rig = new SessionRig({ upgradeOutgoingQos: true });
  rig.attach();
  rig.give('x', { qos: 0, granted: 2 });
  assert.equal(rig.received()[0]?.qos, 2);
});

test('no-local keeps the messages of its own connection away, and takes them as dealt with', () => {
  const rig = new SessionRig();
  rig.attach();
  rig.session.context = { clientId: 'client' };
  const noLocal = subscriptionTo(rig.session, 't', { noLocal: true });
  const own = rig.routing.message('t', { source: rig.session.context });
  assert.equal(rig.session.deliver(own, noLocal, null, -1), true);
  assert.equal(rig.received().length, 0);
  rig.session.deliver(rig.routing.message('t', { source: {} }), noLocal, null, -1);
  rig.session.deliver(own, subscriptionTo(rig.session, 't'), null, -1);
  assert.equal(rig.received().length, 2);
});

test('what exceeds the window waits in the queue and moves up in its order', () => {
  const rig = new SessionRig({ maxInflightMessages: 2 });
  rig.attach();
  for (const payload of ['a', 'b', 'c', 'd']) rig.give(payload, { qos: 1 });
  assert.deepEqual(rig.payloads(), ['a', 'b']);
  assert.equal(rig.session.queue.length, 2);
  acknowledge(rig, 2);
  rig.give('e', { qos: 1 });
  assert.deepEqual(rig.payloads(), ['c']);
  acknowledge(rig, 1);
  acknowledge(rig, 3);
  assert.deepEqual(rig.payloads(), ['d', 'e']);
});

test('the window is bounded in bytes too, but one message always goes', () => {
  const rig = new SessionRig({ maxInflightBytes: 10 });
  rig.attach();
  rig.give('x'.repeat(50), { qos: 1 });
  rig.give('b', { qos: 1 });
  assert.equal(rig.received().length, 1);
  acknowledge(rig, 1);
  assert.deepEqual(rig.payloads(), ['b']);
});

test("a client's receive maximum bounds the window", () => {
  const rig = new SessionRig();
  rig.attach({ receiveMaximum: 1 });
  rig.give('a', { qos: 2 });
  rig.give('b', { qos: 2 });
  assert.deepEqual(rig.payloads(), ['a']);
  rig.session.window.acknowledge(1, AWAIT_PUBREC);
  rig.session.fill();
  assert.deepEqual(rig.payloads(), []);
  acknowledge(rig, 1, AWAIT_PUBCOMP);
  assert.deepEqual(rig.payloads(), ['b']);
});

test('a full queue drops, counts each and says so once, until messages flow again', () => {
  const rig = new SessionRig({ maxInflightMessages: 1, maxQueuedMessages: 2 });
  rig.attach();
  const fillUp = (): void => {
    for (let i = 0; i < 6; i++) rig.give(String(i), { qos: 1 });
  };
  fillUp();
  assert.equal(rig.metric('publishDropped'), 3);
  assert.deepEqual(rig.lines, ['notice Outgoing messages are being dropped for client client.']);
  acknowledge(rig, 1);
  fillUp();
  assert.equal(rig.lines.length, 1, 'it has not caught up yet');
  for (const id of [2, 3, 4]) acknowledge(rig, id);
  assert.equal(rig.lines[1], 'notice 8 messages were dropped for client client because too many waited for it.');
  assert.deepEqual(rig.payloads(), ['0', '1', '2', '0']);
  fillUp();
  assert.equal(rig.lines.length, 3);
});

test('the queue is bounded in bytes: the message that reaches the limit still waits, as in Mosquitto', () => {
  const rig = new SessionRig({ maxQueuedBytes: 100 });
  for (let i = 0; i < 5; i++) rig.give('x'.repeat(39), { qos: 1 });
  assert.deepEqual([rig.session.queue.length, rig.session.queue.bytes], [3, 120]);
  assert.equal(rig.metric('publishDropped'), 2);
  const exact = new SessionRig({ maxQueuedBytes: 120 });
  for (let i = 0; i < 5; i++) exact.give('x'.repeat(39), { qos: 1 });
  assert.equal(exact.session.queue.length, 3);
});

test('QoS 0 for a client that does not read is bounded by count and by bytes', () => {
  for (const limits of [
    { maxQueuedMessages: 3 },
    { maxQueuedMessages: Number.POSITIVE_INFINITY, maxQueuedBytes: 30 },
  ]) {
    const rig = new SessionRig(limits);
    rig.attach();
    rig.transport.isStuck = true;
    rig.give('x'.repeat(100_000));
    rig.received();
    assert.equal(rig.outbox.isPaused, true);
    for (let i = 0; i < 6; i++) assert.equal(rig.give('0123456789'), true);
    assert.equal(rig.session.late.length, 3);
    assert.equal(rig.metric('publishDropped'), 3);
    assert.equal(rig.lines.length, 1);
    rig.transport.drain();
    assert.equal(rig.received().filter(({ payload }) => payload === '0123456789').length, 3);
  }
});

test('without a limit, QoS 0 for a slow client is not dropped', () => {
  const rig = new SessionRig({ maxQueuedMessages: Number.POSITIVE_INFINITY });
  rig.attach();
  rig.transport.isStuck = true;
  rig.give('x'.repeat(100_000));
  rig.received();
  for (let i = 0; i < 10; i++) rig.give('y');
  assert.deepEqual([rig.session.late.length, rig.metric('publishDropped')], [10, 0]);
});

test('for a client that is away, QoS 0 is refused, so that a share group may ask another, unless it is to be queued', () => {
  const rig = new SessionRig();
  assert.equal(rig.give('x'), false);
  assert.equal(rig.give('y', { qos: 1 }), true);
  const queueing = new SessionRig({ queueQos0Messages: true });
  assert.equal(queueing.give('x'), true);
  queueing.attach();
  assert.deepEqual(queueing.payloads(), ['x']);
});

test('queued QoS 0 messages are not overtaken by new ones', () => {
  const rig = new SessionRig({ queueQos0Messages: true, maxInflightMessages: 1 });
  for (const payload of ['1', '2']) rig.give(payload, { qos: 1 });
  rig.give('old');
  rig.attach();
  rig.give('new');
  assert.deepEqual(rig.payloads(), ['1']);
  acknowledge(rig, 1);
  acknowledge(rig, 2);
  assert.deepEqual(rig.payloads(), ['2', 'old', 'new']);
});

test('messages that expired in the queue are dropped and counted', () => {
  const rig = new SessionRig();
  touch();
  const long = { messageExpiryInterval: 1000 };
  rig.give('gone', { qos: 1, properties: { messageExpiryInterval: 1 }, at: wallNow() - 5000 });
  rig.give('here', { qos: 1, properties: long, at: wallNow() });
  rig.attach();
  assert.deepEqual(rig.payloads(), ['here']);
  assert.equal(rig.metric('publishDropped'), 1);
});

test('what expires while the client does not read is not sent, and leaves its identifier to another [MQTT-3.3.2-5]', () => {
  const rig = new SessionRig();
  rig.attach();
  rig.transport.isStuck = true;
  rig.give('x'.repeat(100_000));
  rig.received();
  assert.equal(rig.outbox.isPaused, true);
  touch();
  rig.give('gone', { qos: 1, properties: { messageExpiryInterval: 1 }, at: wallNow() - 5000 });
  rig.give('here', { qos: 1 });
  rig.transport.drain();
  assert.deepEqual(
    rig.received().flatMap(({ payload, id }) => (payload.length < 10 ? [[payload, id]] : [])),
    [['here', 1]],
  );
  assert.equal(rig.metric('publishDropped'), 1);
});

test('a full queue takes a new message in the place of those in front that have expired', () => {
  const rig = new SessionRig({ maxQueuedMessages: 3, queueQos0Messages: true });
  touch();
  const short = { properties: { messageExpiryInterval: 1 } };
  rig.give('gone 1', { qos: 0, ...short, at: wallNow() - 5000 });
  rig.give('gone 2', { qos: 1, ...short, at: wallNow() - 5000 });
  rig.give('here', { qos: 1 });
  rig.give('new 1', { qos: 1 });
  rig.give('new 2', { qos: 1 });
  rig.give('too many', { qos: 1 });
  assert.equal(rig.session.queue.length, 3);
  assert.equal(rig.metric('publishDropped'), 3);
  rig.attach();
  rig.give('at once');
  assert.deepEqual(rig.payloads(), ['here', 'new 1', 'new 2', 'at once']);
});

test('the largest packet that a client takes still goes, one byte more does not', () => {
  const rig = new SessionRig();
  const size = publishSize(rig.routing.message('t', { payload: 'x'.repeat(20) }), 1, false);
  rig.attach({ maximumPacketSize: size });
  assert.equal(rig.give('x'.repeat(20)), true);
  assert.equal(rig.give('x'.repeat(21)), true);
  assert.equal(rig.received().length, 1);
  assert.equal(rig.metric('publishDropped'), 1);
  assert.match(rig.lines[0] ?? '', /^notice Dropping too large outgoing PUBLISH for client/);
});

test('subscription identifiers and aliases count towards the largest packet', () => {
  for (let limit = 120; limit < 150; limit++) {
    const rig = new SessionRig();
    rig.attach({ maximumPacketSize: limit });
    rig.outbox.aliases = new OutboundAliases(10);
    for (let length = 60; length < 125; length += 1) {
      const message = rig.routing.message('t', { payload: 'x'.repeat(length) });
      const subscription = subscriptionTo(rig.session, 't', { identifiers: [1, 268_435_455] });
      rig.session.deliver(message, subscription, null, -1);
    }
    rig.outbox.flush(rig.turn);
    const bytes = rig.transport.bytes;
    assert.ok(bytes.length > 0);
    for (let at = 0; at < bytes.length; ) {
      const length = bytes[at + 1]! < 128 ? 2 + bytes[at + 1]! : 3 + (bytes[at + 1]! & 127) + bytes[at + 2]! * 128;
      assert.ok(length <= limit, `a packet of ${length} bytes went to a client that takes ${limit}`);
      at += length;
    }
  }
});

test('a client that comes back gets again what it did not acknowledge, in order, marked as duplicate', () => {
  const rig = new SessionRig();
  rig.attach();
  for (const payload of ['a', 'b', 'c', 'd']) rig.give(payload, { qos: payload === 'd' ? 1 : 2 });
  rig.session.window.acknowledge(2, AWAIT_PUBREC);
  rig.session.window.acknowledge(1, AWAIT_PUBREC);
  rig.detach();
  rig.give('e', { qos: 1 });
  rig.attach();
  assert.deepEqual(
    rig.received().map(({ type, id, dup, payload }) => [type, id, dup, payload]),
    [
      [PUBREL, 2, false, ''],
      [PUBREL, 1, false, ''],
      [3, 3, true, 'c'],
      [3, 4, true, 'd'],
      [3, 5, false, 'e'],
    ],
  );
});

test('a smaller receive maximum holds for what is sent again', () => {
  const rig = new SessionRig();
  rig.attach();
  for (let i = 1; i <= 5; i++) rig.give(String(i), { qos: 1 });
  rig.received();
  rig.detach();
  rig.attach({ receiveMaximum: 2 });
  rig.give('6', { qos: 1 });
  assert.deepEqual(rig.payloads(), ['1', '2']);
  acknowledge(rig, 2);
  assert.deepEqual(rig.payloads(), ['3']);
  acknowledge(rig, 1);
  acknowledge(rig, 3);
  acknowledge(rig, 4);
  acknowledge(rig, 5);
  assert.deepEqual(
    rig.received().map(({ payload, dup }) => [payload, dup]),
    [
      ['4', true],
      ['5', true],
      ['6', false],
    ],
  );
});

test('what is in flight when the connection ends lets go of the chunk it came in', () => {
  const rig = new SessionRig();
  rig.attach();
  rig.give('x', { qos: 1 });
  let owned = 0;
  rig.session.window.messageOf(1)!.own = () => {
    owned += 1;
  };
  rig.detach();
  assert.equal(owned, 1);
  assert.equal(rig.session.isOnline, false);
});

test('the right to read is asked once for each plan, and every time where the answer may change', () => {
  const rig = new SessionRig();
  rig.attach();
  let asked = 0;
  rig.session.mayRead = (topic) => {
    asked += 1;
    return topic !== 'secret';
  };
  for (const topic of ['open', 'secret']) {
    asked = 0;
    const subscription = subscriptionTo(rig.session, topic);
    const plan = makePlan({ subscriptions: [subscription], groups: [] }, 0, false);
    const message = rig.routing.message(topic);
    for (let i = 0; i < 3; i++) assert.equal(rig.session.deliver(message, subscription, plan, 0), topic === 'open');
    assert.equal(asked, 1);
    rig.session.readRightIsCacheable = false;
    const fresh = makePlan({ subscriptions: [subscription], groups: [] }, 0, false);
    for (let i = 0; i < 3; i++) rig.session.deliver(message, subscription, fresh, 0);
    assert.equal(asked, 4);
    rig.session.readRightIsCacheable = true;
    rig.session.deliverRetained(message, subscription);
  }
  assert.deepEqual([...new Set(rig.received().map(({ topic }) => topic))], ['open']);
});

test('behind a mount point the client sees its own names', () => {
  const rig = new SessionRig();
  rig.session.mountPoint = 'house/';
  rig.attach();
  rig.give('x', { topic: 'house/door' });
  rig.give('y', { topic: 'other' });
  assert.deepEqual(
    rig.received().map(({ topic }) => topic),
    ['door', 'other'],
  );
});

test('identifiers reach MQTT 5 clients only', () => {
  for (const shape of [0, 1] as const) {
    const rig = new SessionRig();
    rig.attach({ shape });
    const subscription = subscriptionTo(rig.session, 't', { identifiers: [7, 300] });
    rig.session.deliver(rig.routing.message('t'), subscription, null, -1);
    assert.deepEqual(rig.received()[0]?.properties, shape === 1 ? { subscriptionIdentifiers: [7, 300] } : {});
  }
});

test('clear() forgets all state', () => {
  const rig = new SessionRig({ maxInflightMessages: 1 });
  rig.attach();
  for (let i = 0; i < 3; i++) rig.give('x', { qos: 1 });
  rig.session.inbound.admit(1);
  rig.session.replays.add(subscriptionTo(rig.session, 't'), sourceOf([]), () => true);
  rig.session.clear();
  const { window, queue, inbound, replays } = rig.session;
  assert.deepEqual([window.inFlight, queue.length, inbound.pending, replays.length], [0, 0, 0, 0]);
});
