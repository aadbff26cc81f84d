// The durable log under random work, faults and crashes: what was acknowledged is there, groups are whole or not there, and
// nothing that was deleted comes back.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import fc from 'fast-check';
import { FakeFiles, systemError } from '../support/fake-files.ts';
import { LoggedMap } from '../support/log-model.ts';

type Step =
  | { readonly kind: 'set'; readonly key: number; readonly size: number }
  | { readonly kind: 'remove'; readonly key: number }
  | { readonly kind: 'commit' | 'work' | 'tell' | 'compact' }
  | { readonly kind: 'fail'; readonly code: string; readonly times: number }
  | { readonly kind: 'wait' };

const key = fc.nat(12);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('set' as const), key, size: fc.nat(6000) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), key }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constantFrom('commit' as const, 'work' as const, 'tell' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('compact' as const) }) },
);
const fault: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('fail' as const),
    code: fc.constantFrom('ENOSPC', 'EIO'),
    times: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ kind: fc.constant('wait' as const) }),
);

function carryOut(map: LoggedMap, files: FakeFiles, steps: readonly Step[], tick: () => void): void {
  let failures = 0;
  let code = '';
  files.before = (operation) => {
    if (failures === 0 || operation === 'read') return;
    failures -= 1;
    throw systemError(code);
  };
  steps.forEach((one, index) => {
    if (one.kind === 'set') map.set(`k${one.key}`, `${index}:${'x'.repeat(one.size)}`);
    else if (one.kind === 'remove') map.remove(`k${one.key}`);
    else if (one.kind === 'commit') map.log.commit();
    else if (one.kind === 'compact') map.log.compact();
    else if (one.kind === 'work') map.port.work();
    else if (one.kind === 'tell') map.port.tell();
    else if (one.kind === 'fail') {
      failures = one.times;
      code = one.code;
    } else tick();
  });
  files.before = () => undefined;
}

/** The state is that at the end of one of the groups since the last acknowledged one. */
function assertKept(map: LoggedMap, after: FakeFiles): LoggedMap {
  const again = new LoggedMap(after);
  const group = again.found.lastGroup;
  assert.ok(group >= map.log.durable, `group ${map.log.durable} was acknowledged, ${group} is the last one`);
  assert.equal(again.shown, map.stateAt(group));
  assert.equal(again.found.missingGroups, 0);
  return again;
}

test('a power loss at any point leaves every acknowledged group, and none by half', (context) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  context.after(() => mock.timers.reset());
  fc.assert(
    fc.property(
      fc.array(
        fc.array(fc.oneof({ weight: 9, arbitrary: step }, { weight: 1, arbitrary: fault }), {
          maxLength: 250,
          size: 'max',
        }),
        {
          minLength: 1,
          maxLength: 4,
        },
      ),
      fc.infiniteStream(fc.boolean()),
      fc.infiniteStream(fc.integer({ min: 1, max: 5000 })),
      (lives, coins, lengths) => {
        let files = new FakeFiles();
        for (const steps of lives) {
          files.shorten = (length) => Math.min(length, lengths.next().value);
          const map = new LoggedMap(files);
          carryOut(map, files, steps, () => mock.timers.tick(1000));
          files = files.afterPowerLoss(() => coins.next().value);
          assertKept(map, files);
        }
      },
    ),
    { numRuns: 80 },
  );
});

test('after faults everything is written, and closing leaves it all', (context) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  context.after(() => mock.timers.reset());
  return fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(step, fault), { maxLength: 250, size: 'max' }), async (steps) => {
      const files = new FakeFiles();
      const map = new LoggedMap(files);
      carryOut(map, files, steps, () => mock.timers.tick(1000));
      map.port.settle();
      mock.timers.tick(1000);
      map.port.settle();
      map.log.commit();
      map.port.settle();
      assert.equal(map.isFailing, false);
      const closed = map.log.close();
      map.port.settle();
      assert.equal(await closed, true);
      assert.equal(new LoggedMap(files).shown, map.shown);
    }),
    { numRuns: 100 },
  );
});
