// Several crews as one: what a run asks of them goes to all, and what they tell is put together.
import { type Counts, type Report, sumCounts } from './counts.ts';
import type { Crew } from './crew.ts';
import { Latencies, type LatencySummary } from './latency.ts';

/** What all crews have measured together. Times are microseconds of the clock. */
export interface Result {
  readonly counts: Counts;
  readonly startedAt: number;
  readonly haltedAt: number;
  readonly lastReceivedAt: number;
  readonly connectTimes: LatencySummary | null;
  readonly ackTimes: LatencySummary | null;
  readonly deliveryTimes: LatencySummary | null;
  readonly failures: readonly (readonly [string, number])[];
  /** Share of one core that the busiest process used while it measured. */
  readonly busiest: number;
  /** The same while it opened connections. */
  readonly busiestOpening: number;
}

/** The crews of a run. */
export class Team {
  private readonly crews: readonly Crew[];
  private missing: readonly number[];

  constructor(crews: readonly Crew[]) {
    this.crews = crews;
    this.missing = [];
  }

  /** Has all open their connections. */
  async open(): Promise<void> {
    const missing = await Promise.all(this.crews.map((crew) => crew.open()));
    this.missing = missing.flat();
  }

  async warmUp(): Promise<void> {
    await Promise.all(this.crews.map((crew) => crew.warmUp(this.missing)));
  }

  async begin(): Promise<void> {
    await Promise.all(this.crews.map((crew) => crew.begin(this.missing)));
  }

  async look(): Promise<Counts> {
    return sumCounts(await Promise.all(this.crews.map((crew) => crew.look())));
  }

  async halt(): Promise<void> {
    await Promise.all(this.crews.map((crew) => crew.halt()));
  }

  async close(): Promise<Result> {
    return merged(await Promise.all(this.crews.map((crew) => crew.close())));
  }
}

/** Workers begin and end within milliseconds of each other, each with its share of the messages. */
const mean = (times: readonly number[]): number => times.reduce((sum, time) => sum + time, 0) / times.length;

/** Puts the reports of several workers together. */
export function merged(reports: readonly Report[]): Result {
  const failures = new Map<string, number>();
  for (const [sentence, times] of reports.flatMap((report) => report.failures)) {
    failures.set(sentence, (failures.get(sentence) ?? 0) + times);
  }
  const times = (key: 'connectTimes' | 'ackTimes' | 'deliveryTimes'): LatencySummary | null => {
    const all = new Latencies();
    for (const report of reports) all.absorb(report[key]);
    return all.summary();
  };
  const shares = reports.map(({ counts, startedAt, haltedAt }) => counts.cpuMicroseconds / (haltedAt - startedAt));
  return {
    counts: sumCounts(reports.map(({ counts }) => counts)),
    startedAt: mean(reports.map(({ startedAt }) => startedAt)),
    haltedAt: mean(reports.map(({ haltedAt }) => haltedAt)),
    lastReceivedAt: Math.max(...reports.map(({ lastReceivedAt }) => lastReceivedAt)),
    connectTimes: times('connectTimes'),
    ackTimes: times('ackTimes'),
    deliveryTimes: times('deliveryTimes'),
    failures: [...failures].sort((a, b) => b[1] - a[1]),
    busiest: Math.max(...shares),
    busiestOpening: Math.max(...reports.map(({ openingCpu }) => openingCpu)),
  };
}
