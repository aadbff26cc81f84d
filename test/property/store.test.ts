// The store under random work, faults and crashes: what was acknowledged is there again, groups are whole or not there, and
// nothing that was deleted comes back; and the files stay as small as what counts in them.
import assert from 'node:assert/strict';
import { mock, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { SyncMode } from '../../src/broker/store/log.ts';
import { FakeFiles } from '../support/fake-files.ts';
import { assertNumbersAreUnique } from '../support/store-scan.ts';
import { carryOut, hardLifeOf } from '../support/store-steps.ts';
import { StoreWorld } from '../support/store-world.ts';

const mode = fc.constantFrom('always' as const, 'interval' as const, 'off' as const);
const BOUNDS = { segment: 4000, slack: 6000, cleaned: 1500 };

/** Seconds that pass when the test says so. */
class Seconds {
  constructor(context: TestContext) {
    this.restart();
    context.after(() => mock.timers.reset());
  }

  /** Forgets what a broker that is gone was waiting for. */
  restart(): void {
    mock.timers.reset();
    mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  }

  tick(): void {
    mock.timers.tick(1000);
  }
}

/** What is left is what there was at the end of one of the groups since the last acknowledged one. */
function assertKept(before: StoreWorld, left: FakeFiles, mode: SyncMode = 'always'): StoreWorld {
  assertNumbersAreUnique(left);
  const after = new StoreWorld(left, mode, BOUNDS);
  after.made = before.made;
  const { found, state } = after;
  const { durable } = before.log;
  assert.ok(found.lastGroup >= durable, `group ${durable} was acknowledged, ${found.lastGroup} is the last one`);
  assert.equal(after.shown, before.pictureAt(found.lastGroup));
  assert.equal(found.missingGroups, 0);
  for (const { segment, offset } of found.damages) {
    // A power failure takes pieces out of the group that was being written, and nothing else.
    assert.ok(found.tail !== null && !found.tail.isPlain, 'damage where none was done');
    assert.ok(segment > found.tail.segment || (segment === found.tail.segment && offset >= found.tail.offset));
  }
  assert.deepEqual(state.lost, { sessions: 0, subscriptions: 0, entries: 0, records: 0 });
  return after;
}

/** Lets everything come to rest, and looks at what lies on the disk then. */
function assertSmall(world: StoreWorld, seconds: Seconds): void {
  world.settle();
  seconds.tick();
  world.settle();
  world.picture();
  world.store.commit();
  world.settle();
  assert.equal(world.log.isRefused, false);
  const { totalBytes, liveBytes, segments } = world.store;
  if (segments > 1) assert.ok(totalBytes <= 2 * liveBytes + BOUNDS.slack, `${totalBytes} bytes for ${liveBytes}`);
}

test('a power loss at any point leaves every acknowledged change, and no group by half', (context) => {
  const seconds = new Seconds(context);
  fc.assert(
    fc.property(
      fc.array(hardLifeOf(250), { minLength: 1, maxLength: 5 }),
      fc.infiniteStream(fc.boolean()),
      fc.infiniteStream(fc.integer({ min: 1, max: 5000 })),
      (lives, coins, lengths) => {
        let world = new StoreWorld(new FakeFiles(), 'always', BOUNDS);
        for (const steps of lives) {
          world.files.shorten = (length) => Math.min(length, lengths.next().value);
          carryOut(world, steps, () => seconds.tick());
          seconds.restart();
          world = assertKept(
            world,
            world.files.afterPowerLoss(() => coins.next().value),
          );
        }
      },
    ),
    { numRuns: 100 },
  );
});

test('a broker that is killed at any point finds every acknowledged change, and goes on', (context) => {
  const seconds = new Seconds(context);
  fc.assert(
    fc.property(fc.array(hardLifeOf(300), { minLength: 1, maxLength: 6 }), fc.boolean(), mode, (lives, rests, mode) => {
      let world = new StoreWorld(new FakeFiles(), mode, BOUNDS);
      for (const steps of lives) {
        carryOut(world, steps, () => seconds.tick());
        if (rests) assertSmall(world, seconds);
        seconds.restart();
        world = assertKept(world, world.files, mode);
        assert.deepEqual(world.found.damages, []);
      }
    }),
    { numRuns: 100 },
  );
});
