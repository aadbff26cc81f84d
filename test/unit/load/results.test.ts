// Numbers of several workers put together: counts are added, histograms are one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Failures, noCounts, type Report } from '../../../src/load/counts.ts';
import { Latencies } from '../../../src/load/latency.ts';
import { merged } from '../../../src/load/team.ts';

const time = fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 10_000_000 }));

function reportOf(times: readonly number[], failures: readonly string[] = []): Report {
  const latencies = new Latencies();
  for (const each of times) latencies.add(each, 1);
  const list = new Failures();
  for (const sentence of failures) list.add(sentence);
  return {
    counts: { ...noCounts(), received: times.length, cpuMicroseconds: 500 },
    startedAt: 1000 - times.length,
    haltedAt: 2000,
    lastReceivedAt: 1500 + times.length,
    openingCpu: times.length / 10,
    connectTimes: new Latencies().encode(),
    ackTimes: new Latencies().encode(),
    deliveryTimes: latencies.encode(),
    failures: list.list(),
  };
}

test('percentiles of several workers are those of all their times', () => {
  fc.assert(
    fc.property(fc.array(fc.array(time, { maxLength: 50 }), { minLength: 1, maxLength: 4 }), (workers) => {
      const all = workers.flat().sort((a, b) => a - b);
      const { deliveryTimes, counts } = merged(workers.map((times) => reportOf(times)));
      assert.equal(counts.received, all.length);
      if (all.length === 0) return assert.equal(deliveryTimes, null);
      assert.ok(deliveryTimes !== null);
      assert.equal(deliveryTimes.count, all.length);
      for (const [share, value] of [
        [0.5, deliveryTimes.p50],
        [0.9, deliveryTimes.p90],
        [0.99, deliveryTimes.p99],
        [1, deliveryTimes.max],
      ] as const) {
        const exact = all[Math.max(0, Math.ceil(all.length * share) - 1)] ?? 0;
        assert.ok(Math.abs(value - exact) <= exact / 1000 + 1, `${share}: ${value} for ${exact}`);
      }
    }),
    { numRuns: 30 },
  );
});

test('times of the whole run, and the busiest worker', () => {
  const all = merged([reportOf([1, 2, 3], ['a', 'b']), reportOf([4], ['b'])]);
  assert.deepEqual([all.startedAt, all.haltedAt, all.lastReceivedAt], [998, 2000, 1503]);
  assert.equal(all.busiestOpening, 0.3);
  assert.ok(all.busiest > 0.49 && all.busiest < 0.51);
  assert.deepEqual(all.failures, [
    ['b', 2],
    ['a', 1],
  ]);
});

test('a time counted many times over counts so often', () => {
  const latencies = new Latencies();
  latencies.add(10, 99);
  latencies.add(3_000_000, 1);
  const summary = latencies.summary();
  assert.deepEqual([summary?.count, summary?.p50, summary?.p99], [100, 10, 10]);
  assert.ok(Math.abs((summary?.max ?? 0) - 3_000_000) <= 3000);
  latencies.clear();
  assert.equal(latencies.summary(), null);
});

test('sentences about failures are bounded', () => {
  const failures = new Failures();
  for (let i = 0; i < 1000; i++) failures.add(`failure ${i}`);
  assert.equal(failures.list().length, 21);
  assert.equal(
    failures.list().reduce((sum, [, times]) => sum + times, 0),
    1000,
  );
});
