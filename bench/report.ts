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

const perSecond = (rate: number): string => Math.round(rate).toLocaleString('en-US');
const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

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
  const lines = [row(head), row(head.map((_cell, i) => (i === 0 ? '---' : '---:')))];
  for (const load of loads) {
    const medians = new Map(brokers.map((name) => [name, mediansOf(samples, load.name, name)]));
    const ours = medians.get('mqtt-broker') ?? null;
    const mosquitto = medians.get('mosquitto') ?? null;
    const against = ratio(ours, mosquitto);
    lines.push(
      row([
        load.name,
        ...brokers.map((name) => medians.get(name)?.microseconds.toFixed(2) ?? '–'),
        against === '–' ? '–' : `${against} (≤ ${load.budget}: ${Number(against) <= load.budget ? 'kept' : 'MISSED'})`,
        ratio(ours, medians.get('aedes') ?? null),
        ...brokers.map((name) => {
          const own = medians.get(name);
          return own ? `${perSecond(own.rate)} (${Math.round(own.busy * 100)} %)` : '–';
        }),
      ]),
    );
  }
  return lines.join('\n');
}

/** The file for bench/results/. */
export function report(facts: Readonly<Record<string, string>>, tables: string): string {
  const lines = Object.entries(facts).map(([name, value]) => `- ${name}: ${value}`);
  return `# Comparison of brokers\n\n${lines.join('\n')}\n\nCPU is the broker's user and system time for each message delivered, in microseconds; medians.\n\n${tables}\n`;
}
