// Whether a session has a place for a message: what a share group asks before it chooses a member.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publishSize } from '../../../src/protocol/publish.ts';
import { SessionRig, subscriptionTo } from '../../support/builders.ts';

function hasPlace({ session, routing }: SessionRig, qos: number, payload = 'x'): boolean {
  return session.hasPlaceFor(routing.message('t', { payload, qos }), subscriptionTo(session, 't', { qos }));
}

test('a client has a place until window and queue are full, and again when one is free', () => {
  const rig = new SessionRig({ maxInflightMessages: 1, maxQueuedMessages: 1 });
  rig.attach();
  for (const expected of [true, true, false, false]) {
    assert.equal(hasPlace(rig, 1), expected);
    const dropped = rig.metric('publishDropped');
    rig.give('x', { qos: 1 });
    assert.equal(rig.metric('publishDropped') === dropped, expected, 'it is as it was said');
  }
  assert.equal(hasPlace(rig, 0), true, 'QoS 0 needs no window');
  rig.session.refused(1);
  assert.equal(hasPlace(rig, 1), true);
});

test('a client that does not read has a place for QoS 0 until its queue is full', () => {
  const rig = new SessionRig({ maxQueuedMessages: 2 });
  rig.attach();
  rig.transport.isStuck = true;
  rig.give('x'.repeat(100_000));
  rig.received();
  for (const expected of [true, true, false]) {
    assert.equal(hasPlace(rig, 0), expected);
    rig.give('x');
  }
  rig.transport.drain();
  assert.equal(hasPlace(rig, 0), true);
});

test('a client that is away has a place until its queue is full', () => {
  const rig = new SessionRig({ maxQueuedMessages: 1 });
  assert.equal(hasPlace(rig, 1), true);
  rig.give('x', { qos: 1 });
  assert.equal(hasPlace(rig, 1), false);
});

test('a client has no place for a packet that is larger than it takes', () => {
  const rig = new SessionRig();
  rig.session.mountPoint = 't';
  const size = publishSize(rig.routing.message('u', { payload: 'x'.repeat(20) }), 1, true);
  rig.attach({ maximumPacketSize: size });
  const ask = (topic: string, payload: string): boolean =>
    rig.session.hasPlaceFor(
      rig.routing.message(topic, { payload, qos: 1 }),
      subscriptionTo(rig.session, topic, { qos: 1 }),
    );
  assert.deepEqual([ask('tu', 'x'.repeat(20)), ask('tu', 'x'.repeat(21))], [true, false]);
  assert.equal(rig.metric('publishDropped'), 0);
});

test('at the mark of the memory, who keeps more than its share has no place', () => {
  const rig = new SessionRig({ maxKeptBytes: 10_000 });
  rig.host.kept.sessions = 10;
  while (!rig.host.kept.isFull) {
    assert.equal(hasPlace(rig, 1), true);
    rig.give('x'.repeat(500), { qos: 1 });
  }
  assert.equal(hasPlace(rig, 1), false);
});

test('a bridge has no place for what it has published itself', () => {
  const rig = new SessionRig();
  rig.attach();
  rig.session.context = { clientId: 'client' };
  const subscription = subscriptionTo(rig.session, 't', { noLocal: true });
  const ask = (source: object): boolean => rig.session.hasPlaceFor(rig.routing.message('t', { source }), subscription);
  assert.deepEqual([ask(rig.session.context), ask({ clientId: 'other' })], [false, true]);
});
