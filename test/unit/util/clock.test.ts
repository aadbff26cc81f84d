import assert from 'node:assert/strict';
import { test } from 'node:test';
import { monotonicNow, touch, wallNow } from '../../../src/util/clock.ts';

/** Passes time without leaving the turn. */
function spin(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

test('in one turn it is always the same time; the next turn that asks has a new one', async () => {
  const before = Date.now();
  touch();
  const [monotonic, wall] = [monotonicNow(), wallNow()];
  spin(3);
  touch();
  assert.deepEqual([monotonicNow(), wallNow()], [monotonic, wall]);
  assert.ok(wall >= before && wall <= Date.now());
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  assert.equal(monotonicNow(), monotonic);
  touch();
  assert.ok(monotonicNow() >= monotonic + 3);
});
