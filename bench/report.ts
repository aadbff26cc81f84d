// The comparison as a Markdown table, for the terminal and for bench/results/.
import type { BrokerName } from './brokers.ts';
import type { Load } from './loads.ts';
import { median } from './measure.ts';

/** One measurement of one broker under one load. */
export interface Sample {
  readonly broker: BrokerName;
  readonly load: string;
  /** CPU time of the broker for each message delivered, in microseconds. */
  readonly microseconds: number;
  /** Messages delivered in a second. */
  readonly rate: number;
  /** Share of the time that the broker's core was at work, 0 to 1 (more than 1 with several threads). */
  readonly busy: number;
}

interface Medians {
  readonly microseconds: number;
  readonly rate: number;
  readonly busy: number;
}

function mediansOf(samples: readonly Sample[], load: string, broker: BrokerName): Medians | null {
  const own = samples.filter((sample) => sample.load === load && sample.broker === broker);
  if (own.length === 0) return null;
  return {
    microseconds: median(own.map((sample) => sample.microseconds)),
    rate: median(own.map((sample) => sample.rate)),
    busy: median(own.map((sample) => sample.busy)),
  };
}

export const perSecond = (rate: number): string => Math.round(rate).toLocaleString('en-US');
const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** A Markdown table whose first column is text and whose others are numbers. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(head), row(head.map((_cell, i) => (i === 0 ? '---' : '---:'))), ...rows.map(row)].join('\n');
}

function ratio(a: Medians | null, b: Medians | null): string {
  return a === null || b === null ? '–' : (a.microseconds / b.microseconds).toFixed(2);
}

/** A row for each load: CPU per delivery of each broker, the ratios with the budget, messages per second. */
export function table(samples: readonly Sample[], loads: readonly Load[], brokers: readonly BrokerName[]): string {
  const head = [
    'load',
    ...brokers.map((name) => `${name} µs`),
    'ours / mosquitto (budget)',
    'ours / aedes',
    ...brokers.map((name) => `${name} msg/s (busy)`),
  ];
  const rows = loads.map((load) => {
    const medians = new Map(brokers.map((name) => [name, mediansOf(samples, load.name, name)]));
    const ours = medians.get('mqtt-broker') ?? null;
    const mosquitto = medians.get('mosquitto') ?? null;
    const against = ratio(ours, mosquitto);
    return [
      load.name,
      ...brokers.map((name) => medians.get(name)?.microseconds.toFixed(2) ?? '–'),
      against === '–' ? '–' : `${against} (≤ ${load.budget}: ${Number(against) <= load.budget ? 'kept' : 'MISSED'})`,
      ratio(ours, medians.get('aedes') ?? null),
      ...brokers.map((name) => {
        const own = medians.get(name);
        return own ? `${perSecond(own.rate)} (${Math.round(own.busy * 100)} %)` : '–';
      }),
    ];
  });
  return markdownTable(head, rows);
}

/** The facts of a run as a list. */
export function factList(facts: Readonly<Record<string, string>>): string {
  return Object.entries(facts)
    .map(([name, value]) => `- ${name}: ${value}`)
    .join('\n');
}

/** The file for bench/results/. */
export function report(facts: Readonly<Record<string, string>>, tables: string): string {
  return `# Comparison of brokers\n\n${factList(facts)}\n\nCPU is the broker's user and system time for each message delivered, in microseconds; medians.\n\n${tables}\n`;
}
