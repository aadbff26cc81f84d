import assert from 'node:assert/strict';
import { it } from 'node:test';
import { latencyLine } from '../../../src/cli/latency.ts';

it('a latency has the unit that suits it, and all nanoseconds', () => {
  const lines: readonly [bigint, string][] = [
    [0n, '0ns'],
    [999n, '999ns'],
    [1_000n, '1.000µs'],
    [999_999n, '999.999µs'],
    [1_000_001n, '1.000001ms'],
    [501_434_064n, '501.434064ms'],
    [1_000_000_000n, '1.000000000s'],
    [61_000_000_007n, '61.000000007s'],
  ];
  for (const [nanoseconds, text] of lines) assert.equal(latencyLine(nanoseconds), `Latency: ${text}`);
});
