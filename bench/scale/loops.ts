// What must not keep the event loop from turning: take-overs, a subscription to everything that is retained, a talkative log.
import { median } from '../measure.ts';
import { runOnCore } from '../run-load.ts';
import { type Run, withBroker } from './broker.ts';
import type { LoopsOptions, LoopsResult } from './loops-load.ts';
import { atMost, type Finding, told } from './scenario.ts';

const TARGET_MS = 20;

async function measure(
  run: Run,
  what: string,
  lines: readonly string[],
  kind: LoopsOptions['kind'],
  size: number,
): Promise<Finding[]> {
  const results: LoopsResult[] = [];
  const seconds = run.isQuick ? 3 : 8;
  for (let round = 0; round < run.rounds; round++) {
    results.push(
      await withBroker(run, lines, ({ port, watch }) =>
        runOnCore(1, 'scale/loops-load.js', { port, watch, kind, size, seconds } satisfies LoopsOptions, 120),
      ),
    );
  }
  const middle = (read: (result: LoopsResult) => number): number => median(results.map(read));
  const counted = `${middle(({ done }) => done).toLocaleString('en-US')} in ${middle(({ seconds: s }) => s).toFixed(1)} s`;
  return [
    atMost(
      `${what}: delay of the event loop, p99.9`,
      middle(({ loop }) => loop.p999),
      TARGET_MS,
      1,
      ' ms',
    ),
    told(
      'p99; longest; longest collection of garbage; done meanwhile; messages of the witness, all in order',
      [
        `${middle(({ loop }) => loop.p99).toFixed(1)} ms`,
        `${middle(({ loop }) => loop.longest).toFixed(1)} ms`,
        `${middle(({ collection }) => collection.longest).toFixed(1)} ms`,
        counted,
        String(middle(({ witnessed }) => witnessed)),
      ].join('; '),
    ),
  ];
}

/** A broker with nothing but the witness, for what the machine itself does. */
export const measureIdle = (run: Run): Promise<Finding[]> => measure(run, 'the witness alone', [], 'idle', 0);

/** Storms of two sizes: a turn of the loop has as much to do as clients come at once. */
export async function measureTakeOver(run: Run): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const size of [100, 500]) {
    findings.push(
      ...(await measure(run, `take-over storm of ${size} clients at once, without a pause`, [], 'takeover', size)),
    );
  }
  return findings;
}

export const measureRetained = (run: Run): Promise<Finding[]> => {
  const size = run.isQuick ? 200_000 : 1_000_000;
  return measure(run, `SUBSCRIBE to # with ${size.toLocaleString('en-US')} retained messages`, [], 'retained', size);
};

export const measureLog = (run: Run): Promise<Finding[]> =>
  measure(run, 'log_type all, 50 → 50 at QoS 1', ['log_dest file FOLDER/log', 'log_type all'], 'log', 50);
