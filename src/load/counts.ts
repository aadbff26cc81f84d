// What is counted in a run. Numbers of several workers are added up, so every field is a sum.

/** The names of the counts. */
const NAMES = [
  'connected',
  'connectFailed',
  'connectionsLost',
  'subscribed',
  'subscribeFailed',
  'sent',
  'sentBytes',
  'acknowledged',
  'publishRefused',
  'unacknowledged',
  'received',
  'receivedBytes',
  'unique',
  'duplicated',
  'outOfOrder',
  'missing',
  'foreign',
  'unstamped',
  'expected',
  'heldTicks',
  'cpuMicroseconds',
  'openClients',
  'busyPublishers',
  'openSubscribers',
] as const;

/** Counts of one process, or of all. */
export type Counts = Record<(typeof NAMES)[number], number>;

/** All of them zero. */
export function noCounts(): Counts {
  return Object.fromEntries(NAMES.map((name) => [name, 0])) as Counts;
}

/** The sums of several workers' counts. */
export function sumCounts(parts: readonly Counts[]): Counts {
  const sum = noCounts();
  for (const part of parts) for (const name of NAMES) sum[name] += part[name];
  return sum;
}

/** What a worker tells at the end. Times are microseconds of the clock, 0 where nothing happened. */
export interface Report {
  readonly counts: Counts;
  readonly startedAt: number;
  readonly haltedAt: number;
  readonly lastReceivedAt: number;
  /** Share of a core that opening the connections took. */
  readonly openingCpu: number;
  /** Encoded (latency.ts). */
  readonly connectTimes: string;
  readonly ackTimes: string;
  readonly deliveryTimes: string;
  /** Sentences about what failed, and how often. */
  readonly failures: readonly (readonly [string, number])[];
}

/** Sentences that are told apart; later ones are counted under the last of these. */
const MOST_SENTENCES = 20;
const OTHERS = 'Other failures.';

/** Counts what failed by the sentence that says why. */
export class Failures {
  private readonly sentences: Map<string, number>;

  constructor() {
    this.sentences = new Map();
  }

  add(sentence: string, times = 1): void {
    const isKnown = this.sentences.has(sentence) || this.sentences.size < MOST_SENTENCES;
    const key = isKnown ? sentence : OTHERS;
    this.sentences.set(key, (this.sentences.get(key) ?? 0) + times);
  }

  /** The sentences with their numbers, the most frequent first. */
  list(): [string, number][] {
    return [...this.sentences].sort((a, b) => b[1] - a[1]);
  }
}
