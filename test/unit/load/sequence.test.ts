// The numbers of a publisher at a subscriber, against a model that remembers all of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LATE, NEXT, REPEATED, SequenceTracker, WINDOW } from '../../../src/load/sequence.ts';

test('gaps, late and repeated numbers are told apart', () => {
  const tracker = new SequenceTracker(0);
  assert.deepEqual(
    [0, 1, 4, 2, 2, 5, 3, 3, 5].map((number) => tracker.take(number)),
    [NEXT, NEXT, NEXT, LATE, REPEATED, NEXT, LATE, REPEATED, REPEATED],
  );
  assert.deepEqual([tracker.unique, tracker.missing], [6, 0]);
});

test('who joins late misses nothing of what was before', () => {
  const tracker = new SequenceTracker(1000);
  assert.deepEqual([tracker.take(1000), tracker.take(1002)], [NEXT, NEXT]);
  assert.deepEqual([tracker.unique, tracker.missing], [2, 1]);
});

test('within the window every number is known', () => {
  const numbers = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 400 });
  fc.assert(
    fc.property(numbers, fc.integer({ min: 0, max: 100_000 }), (steps, first) => {
      const tracker = new SequenceTracker(first);
      const came = new Set<number>();
      let newest = first - 1;
      for (const step of steps) {
        const number = first + step;
        const expected = came.has(number) ? REPEATED : number > newest ? NEXT : LATE;
        assert.equal(tracker.take(number), expected);
        came.add(number);
        newest = Math.max(newest, number);
        assert.equal(tracker.unique, came.size);
        assert.equal(tracker.missing, newest - first + 1 - came.size);
      }
    }),
  );
});

test('whatever jumps there are, what came and what is missing add up', () => {
  const jumps = fc.array(fc.integer({ min: -3 * WINDOW, max: 3 * WINDOW }), { maxLength: 200 });
  fc.assert(
    fc.property(jumps, (steps) => {
      const tracker = new SequenceTracker(0);
      const came = new Set<number>();
      let newest = -1;
      for (const step of steps) {
        const number = Math.max(0, newest + step);
        tracker.take(number);
        came.add(number);
        newest = Math.max(newest, number);
        assert.equal(tracker.unique + tracker.missing, newest + 1);
        assert.ok(tracker.missing >= 0);
      }
      // Behind the window a number may be taken for another one, never for one that is not missing.
      assert.ok(tracker.unique <= newest + 1);
    }),
  );
});

test('a number behind the window fills a gap there, and is a repeat without one', () => {
  const whole = new SequenceTracker(0);
  for (let number = 0; number <= 2 * WINDOW; number++) whole.take(number);
  assert.equal(whole.take(5), REPEATED);
  const holed = new SequenceTracker(0);
  for (let number = 0; number <= 2 * WINDOW; number++) if (number !== 5) holed.take(number);
  assert.equal(holed.missing, 1);
  assert.equal(holed.take(5), LATE);
  assert.equal(holed.take(5), REPEATED);
  assert.deepEqual([holed.unique, holed.missing], [2 * WINDOW + 1, 0]);
});
