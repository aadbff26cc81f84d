import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '../../../src/broker/routing/message.ts';
import type { ReplaySource } from '../../../src/broker/sessions/replay.ts';
import { SessionRig, sourceOf, subscriptionTo } from '../../support/builders.ts';

/** Matches that count how far they were walked. */
function counted(rig: SessionRig, count: number, every: number): { source: ReplaySource; steps: () => number } {
  let steps = 0;
  function* walk(): Generator<Message | null> {
    for (let i = 1; i <= count; i++) {
      steps += 1;
      yield i % every === 0 ? rig.routing.message('r', { payload: String(i), retain: true }) : null;
    }
  }
  return { source: { match: walk, get: () => null }, steps: () => steps };
}

test('one turn takes a bounded number of steps, however many filters there are and however often it is asked', async () => {
  const rig = new SessionRig();
  rig.attach();
  const walks = Array.from({ length: 50 }, () => counted(rig, 100, 100));
  for (const [i, { source }] of walks.entries()) {
    rig.session.replays.add(subscriptionTo(rig.session, `f/${i}`), source, () => true);
  }
  const steps = (): number => walks.reduce((sum, walk) => sum + walk.steps(), 0);
  let before = 0;
  while (rig.session.replays.length > 0) {
    for (let i = 0; i < 20; i++) rig.session.fill();
    const taken = steps() - before;
    assert.ok(taken > 0 && taken <= 1000, `${taken} steps in one turn`);
    before = steps();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(steps(), 5000);
  assert.equal(rig.received().length, 50);
});

test('a replay waits while the window is full, and goes on when the client is back', () => {
  const rig = new SessionRig({ maxInflightMessages: 1 });
  rig.attach();
  const all = Array.from({ length: 3 }, (_, i) =>
    rig.routing.message(`r/${i}`, { payload: String(i), qos: 1, retain: true }),
  );
  rig.session.replays.add(subscriptionTo(rig.session, 'r', { qos: 1 }), sourceOf(all), () => true);
  rig.session.replays.advance();
  assert.deepEqual(rig.payloads(), ['0']);
  assert.equal(rig.session.queue.length, 0);
  rig.detach();
  assert.equal(rig.session.queue.length, 0);
  const seen: string[] = [];
  rig.attach();
  for (let i = 0; i < 3; i++) {
    for (const { id, payload } of rig.received()) {
      seen.push(payload);
      rig.session.refused(id);
    }
  }
  assert.deepEqual(seen, ['0', '1', '2']);
  assert.equal(rig.session.replays.length, 0);
});

test('what may not be given out any more is passed over; one that takes time holds up those behind it', async () => {
  const rig = new SessionRig();
  rig.attach();
  const all = ['no', 'late', 'late no', 'yes'].map((payload) =>
    rig.routing.message(`r/${payload}`, { payload, retain: true }),
  );
  let settle: (answer: boolean) => void = () => undefined;
  rig.session.replays.add(subscriptionTo(rig.session, 'r'), sourceOf(all), ({ payloadBuffer }) => {
    const payload = payloadBuffer.toString();
    if (payload === 'late') return new Promise((resolve) => (settle = resolve));
    return payload === 'late no' ? Promise.resolve(false) : payload === 'yes';
  });
  rig.session.replays.advance();
  rig.session.replays.advance();
  assert.deepEqual(rig.payloads(), []);
  settle(true);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(rig.payloads(), ['late', 'yes']);
});

test('a subscription that is gone while a plugin decides gets nothing', async () => {
  const rig = new SessionRig();
  rig.attach();
  const subscription = subscriptionTo(rig.session, 'r');
  const all = ['a', 'b'].map((payload) => rig.routing.message(`r/${payload}`, { payload, retain: true }));
  rig.session.replays.add(subscription, sourceOf(all), () => Promise.resolve(true));
  rig.session.replays.advance();
  rig.session.replays.drop(subscription);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(rig.payloads(), []);
  assert.equal(rig.session.replays.length, 0);
});
