// What persistence costs those who don't use it: clients with clean sessions, at our broker with persistence and without,
// in turn. The CPU time of a delivery is meant to be the same. A second measurement without persistence in each round
// shows how far two measurements of the same thing are apart.
import { calm } from './calm.ts';
import { ALWAYS, type Ground, MEMORY, type Subject, withBroker } from './durable-subjects.ts';
import { type Load, usual } from './loads.ts';
import { median } from './measure.ts';
import { markdownTable } from './report.ts';
import { type LoadTimes, runLoad } from './run-load.ts';

type PlainLoad = Omit<Load, 'budget'>;

const LOADS: readonly PlainLoad[] = [
  { ...usual, name: 'QoS 0, 1 → 50', qos: 0, publishers: 1, subscribers: 50, window: 20 },
  { ...usual, name: 'QoS 0, 10 → 10 pairs', qos: 0, publishers: 10, subscribers: 10, window: 20 },
  { ...usual, name: 'QoS 1, 10 → 10 pairs', qos: 1, publishers: 10, subscribers: 10, window: 20 },
];

/** CPU time per delivery in one round, in microseconds. */
export interface PlainSample {
  readonly load: string;
  readonly on: number;
  readonly off: number;
  readonly offAgain: number;
}

const ARMS = [
  { arm: 'on', subject: ALWAYS },
  { arm: 'off', subject: MEMORY },
  { arm: 'offAgain', subject: MEMORY },
] as const satisfies readonly { arm: keyof PlainSample; subject: Subject }[];

async function measure(ground: Ground, subject: Subject, load: PlainLoad, times: LoadTimes): Promise<number> {
  await calm(ground);
  const unwatched = { ...ground, isWatched: false };
  const result = await withBroker(unwatched, subject, [], (running) => runLoad(running, load, times));
  return result.brokerNanoseconds / 1000 / result.deliveries;
}

/** One round of all loads; each round begins with another arm. */
export async function plainRound(ground: Ground, round: number, times: LoadTimes): Promise<PlainSample[]> {
  const samples: PlainSample[] = [];
  for (const load of LOADS) {
    const sample = { load: load.name, on: 0, off: 0, offAgain: 0 };
    for (let i = 0; i < ARMS.length; i++) {
      const { arm, subject } = ARMS[(i + round) % ARMS.length]!;
      sample[arm] = await measure(ground, subject, load, times);
    }
    process.stderr.write(`${load.name}: ${sample.on.toFixed(2)} µs with, ${sample.off.toFixed(2)} µs without\n`);
    samples.push(sample);
  }
  return samples;
}

const middle = (values: readonly number[]): string => median(values).toFixed(2);

function spread(ratios: readonly number[]): string {
  return `${middle(ratios)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`;
}

export function plainTable(samples: readonly PlainSample[]): string {
  const head = ['load', 'with µs', 'without µs', 'with / without (range)', 'without / without: the noise (range)'];
  const rows = LOADS.map(({ name }) => {
    const own = samples.filter((sample) => sample.load === name);
    return [
      name,
      middle(own.map((sample) => sample.on)),
      middle(own.flatMap((sample) => [sample.off, sample.offAgain])),
      spread(own.map((sample) => (2 * sample.on) / (sample.off + sample.offAgain))),
      spread(own.map((sample) => sample.offAgain / sample.off)),
    ];
  });
  return markdownTable(head, rows);
}
