// The promise of persistence, from outside: real brokers are killed at random moments, lose power, and run out of disk, and
// a ledger that outlives them says what is missing. Long runs: npm run crash.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { faultText, faultTotal, finalReport } from '../crash/report.ts';
import { type RunOptions, type RunResult, run, runFull } from '../crash/runs.ts';

/** Another one tells no more, and a run that fails can be repeated. */
const SEED = 4;
const MOST_SHOWN = 5;

function short(options: Partial<RunOptions>): Promise<RunResult> {
  return run({
    seed: SEED,
    kills: 12,
    limitMs: 60_000,
    arenas: 2,
    losesPower: false,
    program: null,
    config: null,
    keep: null,
    drainEvery: 2,
    onProgress: () => undefined,
    ...options,
  });
}

/** Fails with everything that is known when a promise was broken. */
function assertKept({ totals, arenas, seconds }: RunResult): void {
  const faults = arenas.flatMap(({ ledger }) => ledger.faults.slice(0, MOST_SHOWN));
  const told = faults.map((fault) => faultText(fault, SEED)).join('\n\n');
  assert.equal(faultTotal(totals), 0, `${told}\n${finalReport(totals, seconds, SEED)}`);
}

describe('the promise of persistence', { concurrency: 2 }, () => {
  test('a broker that is killed at any moment has everything that it acknowledged', async () => {
    const result = await short({});
    assertKept(result);
    const { kills, counts } = result.totals;
    assert.ok(kills.load + kills.start + kills.compaction + kills.stopping >= 12);
    assert.ok(counts.acked > 100 && counts.deliveries > counts.acked, 'the load was too small to tell anything');
  });

  test('a broker that loses power has everything that it acknowledged', async () => {
    const result = await short({ kills: 5, losesPower: true });
    assertKept(result);
    assert.ok(result.totals.kills.power >= 2);
  });

  test('a broker whose disk is full says so, lives on, and loses nothing', async () => {
    const result = await runFull({ seed: SEED, program: null, config: null, keep: null }, 'injected', 2);
    assertKept(result);
    assert.ok(result.totals.counts.refused > 0);
  });

  test('the harness sees that a broker without persistence keeps nothing', async () => {
    const { totals } = await short({ kills: 4, arenas: 1, drainEvery: 1, config: ['persistence false'] });
    for (const kind of ['lost', 'session', 'retained'] as const) {
      assert.ok((totals.faults.get(kind) ?? 0) > 0, `no fault of the kind '${kind}'`);
    }
  });

  test('the harness sees what a loss of power takes where nothing is synced', async () => {
    const config = ['persistence true', 'persistence_sync off'];
    const { totals } = await short({ kills: 6, losesPower: true, config });
    assert.ok((totals.faults.get('lost') ?? 0) > 0, finalReport(totals, 1, SEED));
  });
});
