// A session against what must hold whatever happens to it: what it keeps is counted to the byte and given back, a client has
// never more in flight than it takes, and each QoS comes in its order, every message once a connection.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Message } from '../../src/broker/routing/message.ts';
import { AWAIT_PUBACK, AWAIT_PUBCOMP, AWAIT_PUBREC } from '../../src/flow/outbound.ts';
import { PUBLISH } from '../../src/protocol/constants.ts';
import { touch, wallNow } from '../../src/util/clock.ts';
import { SessionRig, subscriptionTo } from '../support/builders.ts';
import { turn } from '../support/memory-client.ts';

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant('give' as const),
      qos: fc.nat(2),
      topic: fc.constantFrom('house/open', 'house/secret'),
      size: fc.constantFrom(0, 0, 10, 10, 300, 70_000),
      isExpired: fc.nat(5).map((n) => n === 0),
      isShared: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('attach' as const),
      receiveMaximum: fc.constantFrom(1, 3, 65_535),
      maximumPacketSize: fc.constantFrom(0, 100),
      isStuck: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom('detach', 'clear', 'rights', 'turn', 'drain', 'tick') }) },
  {
    weight: 6,
    arbitrary: fc.record({ what: fc.constantFrom('acknowledge', 'refuse', 'receive'), which: fc.nat(5) }),
  },
);

const limits = fc.record({
  maxInflightMessages: fc.constantFrom(1, 4, 65_535),
  maxInflightBytes: fc.constantFrom(0, 500),
  maxQueuedMessages: fc.constantFrom(0, 1, 5, Number.POSITIVE_INFINITY),
  maxQueuedBytes: fc.constantFrom(0, 1000),
  maxKeptBytes: fc.constantFrom(3000, 1e9),
  queueQos0Messages: fc.boolean(),
});

/** The client's view of one connection. */
class Seen {
  /** Places of the messages that came, by QoS. */
  readonly places: readonly number[][] = [[], [], []];
  /** What is in flight on this connection: the identifier, and what it waits for. */
  readonly open: { readonly id: number; state: number }[] = [];
}

test('whatever happens to a session, it counts what it keeps, and keeps its order and its bounds', async () => {
  await fc.assert(
    fc.asyncProperty(limits, fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }), async (bounds, steps) => {
      touch();
      const rig = new SessionRig(bounds);
      const { session, host } = rig;
      session.mountPoint = 'house/';
      /** As the client knows them: these are what its session keeps. */
      const messages: Message[] = [];
      let seen = new Seen();
      let receiveMaximum = 0;
      let isAllowed = true;
      const look = (): void => {
        if (!session.isOnline) return;
        for (const { type, id, qos, payload } of rig.received()) {
          if (type !== PUBLISH) continue;
          seen.places[qos]!.push(Number(payload.split(' ')[0]));
          if (qos > 0) seen.open.push({ id, state: qos === 1 ? AWAIT_PUBACK : AWAIT_PUBREC });
        }
        for (const places of seen.places) {
          const sorted = [...new Set(places)].sort((a, b) => a - b);
          assert.deepEqual(places, sorted, 'in order, and once');
        }
        const unacknowledged = seen.open.length;
        assert.ok(unacknowledged <= receiveMaximum, `${unacknowledged} in flight to one that takes ${receiveMaximum}`);
      };
      const check = (): void => {
        const held = messages.filter(({ holders }) => holders > 0);
        const holders = messages.reduce((sum, message) => sum + message.holders, 0);
        assert.ok(messages.every((message) => message.holders >= 0));
        assert.equal(holders, session.queue.length + session.late.length + session.window.inFlight);
        assert.equal(host.kept.count, held.length);
        assert.equal(
          host.kept.bytes,
          held.reduce((sum, { size }) => sum + size, 0),
        );
      };
      for (const one of steps) {
        if (one.what === 'give' && 'qos' in one) {
          const { qos, topic, size, isExpired, isShared } = one;
          const place = messages.length;
          const message = rig.routing.message(topic, {
            payload: `${place} ${'x'.repeat(size)}`,
            qos,
            properties: { messageExpiryInterval: 1 },
            at: isExpired ? wallNow() - 5000 : wallNow() + 1e6,
          });
          const renamed = message.renamed(rig.routing.topics.internName(topic.slice('house/'.length)));
          messages.push(renamed);
          // Another session may keep it, too.
          if (isShared) host.kept.hold(renamed);
          session.deliver(message, subscriptionTo(session, topic, { qos }), null, -1);
          if (isShared) host.kept.letGo(renamed);
        } else if (one.what === 'attach' && 'isStuck' in one) {
          if (session.isOnline) rig.detach();
          seen = new Seen();
          receiveMaximum = one.receiveMaximum;
          rig.attach(one);
          rig.transport.isStuck = one.isStuck;
        } else if (one.what === 'detach' || one.what === 'clear') {
          if (session.isOnline) rig.detach();
          if (one.what === 'clear') session.clear();
        } else if (one.what === 'rights') {
          isAllowed = !isAllowed;
          const maySee = isAllowed;
          session.mayRead = (topic) => maySee || topic !== 'house/secret';
          session.rightsChanged();
        } else if (one.what === 'turn') {
          await turn();
        } else if (one.what === 'tick') {
          host.kept.due();
        } else if (one.what === 'drain') {
          if (session.isOnline) rig.transport.drain();
        } else if ('which' in one && session.isOnline && seen.open.length > 0) {
          const [flight] = seen.open.splice(one.which % seen.open.length, 1);
          const { id, state } = flight!;
          if (one.what === 'receive' && state === AWAIT_PUBREC) {
            session.release(id);
            seen.open.push({ id, state: AWAIT_PUBCOMP });
          } else if (one.what === 'refuse' && state === AWAIT_PUBREC) {
            session.refused(id);
          } else {
            if (state === AWAIT_PUBREC) session.release(id);
            assert.notEqual(session.window.messageOf(id), null);
            session.finish(id, state === AWAIT_PUBACK ? AWAIT_PUBACK : AWAIT_PUBCOMP);
          }
        }
        look();
        check();
      }
      if (session.isOnline) rig.detach();
      session.clear();
      await turn();
      check();
      assert.deepEqual([host.kept.count, host.kept.bytes], [0, 0]);
      rig.attach();
      rig.give('last', { topic: 'house/open' });
      assert.deepEqual(rig.payloads(), ['last']);
    }),
    { numRuns: 400 },
  );
});
