// The durable comparison: publishers to subscribers with persistent sessions, each subject in turn, and in each round what
// the disk asks for the same bytes without a broker.
import { rmSync } from 'node:fs';
import { CALM, calm } from './calm.ts';
import type { DiskOptions, DiskResult } from './disk.ts';
import type { DurableOptions, Stretch } from './durable-load.ts';
import { ALWAYS, type Ground, makeFolder, RIVAL, type Subject, withBroker } from './durable-subjects.ts';
import { median } from './measure.ts';
import { markdownTable, perSecond } from './report.ts';
import { runOnCore } from './run-load.ts';

export type PairsOptions = Omit<DurableOptions, 'port' | 'pid' | 'watch'>;

/** One subject in one round: as fast as it goes, and at the steady rate. */
export interface PairsSample {
  readonly subject: string;
  readonly full: Stretch;
  readonly paced: Stretch;
}

export type Part = 'full' | 'paced';

/** The bare cost of a sync with as many bytes as one message took, and as one group took under either load. */
export interface DiskSample {
  readonly message: DiskResult;
  readonly full: DiskResult;
  readonly paced: DiskResult;
}

export interface PairsRound {
  readonly samples: readonly PairsSample[];
  /** Null where no subject synced. */
  readonly disk: DiskSample | null;
}

const DISK_SECONDS = 1;

/**
 * At a steady rate brokers don't hold small packets back: with Nagle's algorithm an acknowledgement that comes after its
 * publisher's next message waits for the one after that, and the latency would be the distance between two messages.
 */
const PACED_LINES = ['set_tcp_nodelay true'];

/** Times that a measurement is taken while others disturb it; the least disturbed one counts. */
const TRIES = 5;

async function run(
  ground: Ground,
  subject: Subject,
  options: PairsOptions,
  lines: readonly string[],
): Promise<Stretch> {
  const seconds = options.warmupSeconds + options.seconds;
  const most = ground.isPatient ? TRIES : 1;
  let best: Stretch | null = null;
  for (let tries = 0; tries < most && (best === null || best.others > CALM); tries++) {
    await calm(ground);
    const stretch = await withBroker(ground, subject, lines, ({ port, pid, watch }) =>
      runOnCore<Stretch>(1, 'durable-load.js', { ...options, port, pid, watch } satisfies DurableOptions, seconds),
    );
    if (best === null || stretch.others < best.others) best = stretch;
  }
  return best!;
}

async function measure(ground: Ground, subject: Subject, options: PairsOptions): Promise<PairsSample> {
  const full = await run(ground, subject, { ...options, rate: 0 }, []);
  const paced = await run(ground, subject, options, PACED_LINES);
  const rate = perSecond(full.acknowledged / full.seconds);
  const [fast, slow] = [full.latency.p50, paced.latency.p50].map((value) => value.toFixed(2));
  process.stderr.write(`${subject.name}: ${rate} msg/s, acks after ${fast} ms, at the steady rate ${slow} ms\n`);
  return { subject: subject.name, full, paced };
}

async function measureDisk(ground: Ground, { full, paced }: PairsSample): Promise<DiskSample | null> {
  if (full.watched === null || full.watched.syncs.count === 0 || paced.watched === null) return null;
  const folder = makeFolder(ground);
  const groupOf = ({ syncs }: NonNullable<Stretch['watched']>) => Math.round(syncs.bytes / syncs.count);
  const sizes = [
    Math.round(full.watched.syncs.bytes / full.acknowledged),
    groupOf(full.watched),
    groupOf(paced.watched),
  ];
  const options: DiskOptions = { folder, sizes, seconds: DISK_SECONDS };
  await calm(ground);
  const results = await runOnCore<DiskResult[]>(ground.cores, 'disk.js', options, 3 * DISK_SECONDS);
  rmSync(folder, { recursive: true, force: true });
  return { message: results[0]!, full: results[1]!, paced: results[2]! };
}

/** All subjects once; each round begins with another one. */
export async function pairsRound(
  ground: Ground,
  subjects: readonly Subject[],
  round: number,
  options: PairsOptions,
): Promise<PairsRound> {
  const samples: PairsSample[] = [];
  let disk: DiskSample | null = null;
  for (let i = 0; i < subjects.length; i++) {
    const subject = subjects[(i + round) % subjects.length]!;
    const sample = await measure(ground, subject, options);
    samples.push(sample);
    if (subject === ALWAYS) disk = await measureDisk(ground, sample);
  }
  return { samples, disk };
}

/** The median over rounds of one figure; NaN where the subject does not have it. */
function of(samples: readonly PairsSample[], part: Part, figure: (stretch: Stretch) => number): number {
  return median(samples.map((sample) => figure(sample[part])).filter((value) => !Number.isNaN(value)));
}

/** The median of a figure of one subject; NaN where it was not measured. */
export function medianOf(
  samples: readonly PairsSample[],
  { name }: Subject,
  part: Part,
  figure: (stretch: Stretch) => number,
): number {
  return of(
    samples.filter((sample) => sample.subject === name),
    part,
    figure,
  );
}

export const rateOf = (stretch: Stretch): number => stretch.acknowledged / stretch.seconds;
export const loopOf = (stretch: Stretch): number => stretch.watched?.loop.p99 ?? Number.NaN;

const shown = (value: number, digits = 2): string => (Number.isNaN(value) ? '–' : value.toFixed(digits));

interface Column {
  readonly head: string;
  readonly figure: (stretch: Stretch) => number;
  readonly show?: (value: number) => string;
}

const others: Column = {
  head: 'others busy %',
  figure: (stretch) => 100 * stretch.others,
  show: (value) => shown(value, 0),
};
const ack: readonly Column[] = [
  { head: 'ack p50 ms', figure: (stretch) => stretch.latency.p50 },
  { head: 'ack p99 ms', figure: (stretch) => stretch.latency.p99 },
  { head: 'longest ms', figure: (stretch) => stretch.latency.longest },
];
const cost: readonly Column[] = [
  { head: 'µs / delivery', figure: (stretch) => stretch.brokerNanoseconds / 1000 / stretch.deliveries },
  { head: 'of that main thread', figure: (stretch) => stretch.mainNanoseconds / 1000 / stretch.deliveries },
];
const inside: readonly Column[] = [
  { head: 'loop delay p99 ms', figure: loopOf },
  { head: 'longest ms', figure: (stretch) => stretch.watched?.loop.longest ?? Number.NaN },
  { head: 'longest GC ms', figure: (stretch) => stretch.watched?.collection.longest ?? Number.NaN },
];
const syncs = (figure: (syncs: NonNullable<Stretch['watched']>['syncs'], stretch: Stretch) => number) => {
  return (stretch: Stretch): number => {
    const count = stretch.watched?.syncs.count ?? 0;
    return count === 0 ? Number.NaN : figure(stretch.watched!.syncs, stretch);
  };
};
const synced: readonly Column[] = [
  { head: 'syncs / s', figure: syncs(({ count }, { seconds }) => count / seconds), show: (value) => shown(value, 0) },
  {
    head: 'msg / sync',
    figure: syncs(({ count }, { acknowledged }) => acknowledged / count),
    show: (value) => shown(value, 1),
  },
  { head: 'sync p50 ms', figure: syncs(({ p50 }) => p50) },
  { head: 'sync p99 ms', figure: syncs(({ p99 }) => p99) },
  { head: 'longest ms', figure: syncs(({ longest }) => longest) },
];

const FULL: readonly Column[] = [
  { head: 'acks / s', figure: rateOf, show: perSecond },
  { head: 'deliveries / s', figure: (stretch) => stretch.deliveries / stretch.seconds, show: perSecond },
  ...cost,
  {
    head: 'broker busy %',
    figure: (stretch) => stretch.brokerNanoseconds / 1e7 / stretch.seconds,
    show: (value) => shown(value, 0),
  },
  {
    head: 'load busy %',
    figure: (stretch) => stretch.loadNanoseconds / 1e7 / stretch.seconds,
    show: (value) => shown(value, 0),
  },
  ...ack,
  ...inside,
  ...synced,
  { head: 'RSS MB', figure: (stretch) => stretch.residentMegabytes, show: (value) => shown(value, 0) },
  others,
];
const PACED: readonly Column[] = [
  { head: 'acks / s', figure: rateOf, show: perSecond },
  ...ack,
  ...cost,
  ...inside,
  ...synced,
  others,
];

function stretchTable(samples: readonly PairsSample[], subjects: readonly Subject[], part: Part): string {
  const columns = part === 'full' ? FULL : PACED;
  const rival = medianOf(samples, RIVAL, part, rateOf);
  const rows = subjects.map((subject) => {
    const cells = columns.map(({ figure, show }) => {
      const value = medianOf(samples, subject, part, figure);
      return Number.isNaN(value) ? '–' : (show ?? shown)(value);
    });
    if (part === 'full') cells.splice(1, 0, shown(medianOf(samples, subject, part, rateOf) / rival));
    return [subject.name, ...cells];
  });
  const heads = columns.map(({ head }) => head);
  if (part === 'full') heads.splice(1, 0, `/ ${RIVAL.name}`);
  return markdownTable(['broker', ...heads], rows);
}

export const fullTable = (samples: readonly PairsSample[], subjects: readonly Subject[]): string =>
  stretchTable(samples, subjects, 'full');
export const pacedTable = (samples: readonly PairsSample[], subjects: readonly Subject[]): string =>
  stretchTable(samples, subjects, 'paced');

/** The bare cost of the disk; empty where nothing was synced. */
export function diskTable(disks: readonly DiskSample[]): string {
  if (disks.length === 0) return 'No broker of this run synced.';
  const kinds = [
    { name: 'one message', key: 'message' },
    { name: 'a group as fast as it goes', key: 'full' },
    { name: 'a group at the steady rate', key: 'paced' },
  ] as const;
  const rows = kinds.map(({ name, key }) => {
    const figure = (value: (result: DiskResult) => number) => median(disks.map((disk) => value(disk[key])));
    const size = Math.round(figure((result) => result.size)).toLocaleString('en-US');
    const times = [figure((result) => result.p50), figure((result) => result.p99), figure((result) => result.longest)];
    return [name, size, ...times.map((value) => shown(value, 3))];
  });
  return markdownTable(['append and fdatasync of', 'bytes', 'p50 ms', 'p99 ms', 'longest ms'], rows);
}
