// The comparison as Markdown tables, for the terminal and for bench/results/: what a delivery costs, how many there are a
// second, and latencies.
import { CALM } from './calm.ts';
import type { LoadResult } from './load.ts';
import type { Load } from './loads.ts';
import { median } from './measure.ts';
import { markdownTable, perSecond } from './report.ts';

/** One measurement of one broker under one load. */
export interface Sample {
  readonly broker: string;
  readonly load: string;
  readonly result: LoadResult;
}

/** Medians of one broker under one load. */
interface Medians {
  /** CPU time of the broker for each message delivered, in microseconds. */
  readonly microseconds: number;
  /** Messages delivered in a second. */
  readonly rate: number;
  /** Shares of the time that the broker and the load were at work, 0 to 1 (more than 1 with several threads). */
  readonly busy: number;
  readonly loadBusy: number;
  /** Share of the machine that others had. */
  readonly others: number;
  /** Milliseconds; NaN where they were not measured. */
  readonly p50: number;
  readonly p99: number;
}

/** A load and what came out of it for each broker that took part. */
interface Row {
  readonly load: Load;
  readonly of: ReadonlyMap<string, Medians>;
}

/** Rows by load, columns by broker. */
export interface Columns {
  readonly names: readonly string[];
  readonly rows: readonly Row[];
}

const OURS = 'mqtt-broker';
const RIVAL = 'mosquitto';
const ELDER = 'aedes';
/** What the project wants of its throughput at QoS 0 beside aedes. */
const TIMES_AEDES = 10;
/** From here on a core counts as the limit. */
const FULL = 0.9;

function mediansOf(results: readonly LoadResult[]): Medians {
  const of = (value: (result: LoadResult) => number) => median(results.map(value));
  return {
    microseconds: of((result) => result.brokerNanoseconds / 1000 / result.deliveries),
    rate: of((result) => result.deliveries / result.seconds),
    busy: of((result) => result.brokerNanoseconds / 1e9 / result.seconds),
    loadBusy: of((result) => result.loadNanoseconds / 1e9 / result.seconds),
    others: of((result) => result.others),
    p50: of((result) => result.latency?.p50 ?? Number.NaN),
    p99: of((result) => result.latency?.p99 ?? Number.NaN),
  };
}

export function columnsOf(samples: readonly Sample[], loads: readonly Load[], names: readonly string[]): Columns {
  const rows = loads.map((load) => {
    const of = new Map<string, Medians>();
    for (const name of names) {
      const own = samples.filter((sample) => sample.load === load.name && sample.broker === name);
      if (own.length > 0) of.set(name, mediansOf(own.map(({ result }) => result)));
    }
    return { load, of };
  });
  return { names, rows };
}

type Value = (medians: Medians) => number;

const cell = (value: number | undefined, digits: number): string =>
  value === undefined || Number.isNaN(value) ? '–' : value.toFixed(digits);

/** How many times the second broker's value the first one's is; undefined where one is missing. */
function ratio({ of }: Row, first: string, second: string, value: Value): number | undefined {
  const [above, below] = [of.get(first), of.get(second)];
  return above && below ? value(above) / value(below) : undefined;
}

/** A ratio with what was wanted of it, both to two places. */
function verdict(value: number | undefined, sign: '≤' | '≥', wanted: number): string {
  if (value === undefined) return '–';
  const shown = Number(value.toFixed(2));
  const isKept = sign === '≤' ? shown <= wanted : shown >= wanted;
  return `${value.toFixed(2)} (${sign} ${wanted}: ${isKept ? 'kept' : 'MISSED'})`;
}

/** Columns that compare ours with builds other than those of the table's head. */
const others = (names: readonly string[]): readonly string[] =>
  names.filter((name) => name !== OURS && name !== RIVAL && name !== ELDER);

/** CPU per delivery. */
function costTable({ names, rows }: Columns): string {
  const spent: Value = ({ microseconds }) => microseconds;
  const head = ['load', ...names.map((name) => `${name} µs`), 'ours / mosquitto (budget)', 'ours / aedes'];
  const lines = rows.map((row) => [
    row.load.name,
    ...names.map((name) => cell(row.of.get(name)?.microseconds, 2)),
    row.load.budget.cpu === undefined
      ? cell(ratio(row, OURS, RIVAL, spent), 2)
      : verdict(ratio(row, OURS, RIVAL, spent), '≤', row.load.budget.cpu),
    cell(ratio(row, OURS, ELDER, spent), 2),
    ...others(names).map((name) => cell(ratio(row, name, OURS, spent), 2)),
  ]);
  return markdownTable([...head, ...others(names).map((name) => `${name} / ours`)], lines);
}

/** What kept our broker from delivering more. */
function limitOf({ busy, loadBusy, others }: Medians): string {
  if (busy >= FULL && loadBusy >= FULL) return 'broker and load';
  if (busy >= FULL) return 'broker';
  if (loadBusy >= FULL) return 'load';
  return others > CALM ? 'others on the machine' : 'waiting for each other';
}

/** Messages per second. */
function rateTable({ names, rows }: Columns): string {
  const rate: Value = (medians) => medians.rate;
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  const head = [
    'load',
    ...names.map((name) => `${name} msg/s (busy; load busy)`),
    'limit of ours',
    'ours / mosquitto',
    'ours / aedes',
  ];
  const lines = rows.map((row) => {
    const ours = row.of.get(OURS);
    const beside = ratio(row, OURS, ELDER, rate);
    return [
      row.load.name,
      ...names.map((name) => {
        const own = row.of.get(name);
        return own ? `${perSecond(own.rate)} (${percent(own.busy)}; ${percent(own.loadBusy)})` : '–';
      }),
      ours ? limitOf(ours) : '–',
      verdict(ratio(row, OURS, RIVAL, rate), '≥', 1),
      row.load.qos === 0 ? verdict(beside, '≥', TIMES_AEDES) : cell(beside, 2),
    ];
  });
  return markdownTable(head, lines);
}

/** Latencies at a steady rate, in microseconds. */
function latencyTable({ names, rows }: Columns): string {
  const p50: Value = (medians) => medians.p50;
  const p99: Value = (medians) => medians.p99;
  const head = [
    'load',
    ...names.flatMap((name) => [`${name} p50 µs`, 'p99 µs']),
    'p50: ours / mosquitto',
    'p99: ours / mosquitto',
  ];
  const lines = rows.map((row) => [
    row.load.name,
    ...names.flatMap((name) => {
      const own = row.of.get(name);
      return own ? [cell(own.p50 * 1000, 0), cell(own.p99 * 1000, 0)] : ['–', '–'];
    }),
    verdict(ratio(row, OURS, RIVAL, p50), '≤', row.load.budget.p50 ?? 1),
    verdict(ratio(row, OURS, RIVAL, p99), '≤', row.load.budget.p99 ?? 1),
  ]);
  return markdownTable(head, lines);
}

/** All tables that have rows. */
export function tables({ names, rows }: Columns): string {
  const fast = rows.filter(({ load }) => load.rate === 0);
  const steady = rows.filter(({ load }) => load.rate > 0);
  const parts = [`## CPU of the broker for each message delivered\n\n${costTable({ names, rows })}`];
  if (fast.length > 0) parts.push(`## Messages delivered in a second\n\n${rateTable({ names, rows: fast })}`);
  if (steady.length > 0) parts.push(`## Latency at a steady rate\n\n${latencyTable({ names, rows: steady })}`);
  return parts.join('\n\n');
}

/** What the brokers and the load agreed on for TLS. */
export function securityOf(samples: readonly Sample[]): string {
  const found = samples
    .filter(({ result }) => result.security !== '')
    .map(({ broker, result }) => `${broker} ${result.security}`);
  return [...new Set(found)].join(', ');
}

/** How busy others kept the machine meanwhile. */
export function othersOf(samples: readonly Sample[]): string {
  const shares = samples.map(({ result }) => result.others * 100);
  return `median ${Math.round(median(shares))} %, at most ${Math.round(Math.max(...shares))} %`;
}
