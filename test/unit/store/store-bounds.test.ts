// Bounds of the store that take years, or a bad day, to come to.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mock, test } from 'node:test';
import type { Subscription } from '../../../src/broker/routing/subscription.ts';
import { recordReplayed } from '../../../src/broker/sessions/stored-view.ts';
import { openStore } from '../../../src/broker/store/open-store.ts';
import type { SubscriptionFacts } from '../../../src/broker/store/records.ts';
import { asRead } from '../../../src/broker/store/state.ts';
import { SessionRig, subscriptionTo } from '../../support/builders.ts';
import { FakeFiles } from '../../support/fake-files.ts';
import { LoggedMap } from '../../support/log-model.ts';
import { memoryInUse } from '../../support/memory-in-use.ts';

test('attempts that fail for a long time leave nothing behind', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const files = new FakeFiles();
    const map = new LoggedMap(files);
    files.before = (operation) => {
      if (operation === 'write') throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
    };
    map.set('a', 'b');
    map.log.commit();
    map.port.settle();
    for (let second = 0; second < 100; second++) {
      mock.timers.tick(1000);
      map.port.settle();
    }
    assert.ok(map.log.segments <= 1, `${map.log.segments} segments`);
    files.before = () => undefined;
    mock.timers.tick(1000);
    map.port.settle();
    assert.deepEqual([map.log.segments, map.log.isRefused], [1, false]);
    void map.log.close();
    map.port.settle();
  } finally {
    mock.timers.reset();
  }
});

test('what was read is let go of once the broker has it', async (context) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mqtt-store-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const nothing = (): void => undefined;
  const events = { changed: nothing, failing: nothing, working: nothing, congested: nothing, trouble: nothing };
  const options = { folder, mode: 'off', intervalMs: 100, refusesDamage: false, onLost: nothing } as const;
  const open = () => {
    const { store, state } = openStore(options, { ...events, identify: () => null }, asRead);
    return { store, state: new WeakRef(state) };
  };
  const { store, state } = open();
  await memoryInUse();
  assert.equal(state.deref(), undefined);
  await store.close();
});

test('a replay that ends is recorded without a look at all subscriptions', () => {
  const { session } = new SessionRig();
  const subscription = subscriptionTo(session, 'a/b', { qos: 1 });
  class Unlisted extends Map<string, Subscription> {
    override [Symbol.iterator](): MapIterator<[string, Subscription]> {
      throw new Error('every subscription is looked at');
    }
  }
  const recorded: SubscriptionFacts[] = [];
  const record = { subscribed: (facts: SubscriptionFacts) => recorded.push(facts) };
  for (const [mountPoint, name] of [
    [null, 'a/b'],
    ['a/', 'b'],
  ] as const) {
    const subscriptions = new Unlisted().set(name, subscription);
    recordReplayed({ record, subscriptions, mountPoint }, subscription);
  }
  assert.deepEqual(
    recorded.map(({ name, filter, isReplaying }) => [name, filter, isReplaying]),
    [
      ['a/b', 'a/b', false],
      ['b', 'a/b', false],
    ],
  );
});
