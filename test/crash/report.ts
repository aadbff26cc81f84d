// What a run found, in words.
import type { Kills } from './arena.ts';
import type { Counts, Fault, FaultKind, Ledger } from './ledger.ts';

/** What the report says of each kind of fault. */
const NAMES: Readonly<Record<FaultKind, string>> = {
  lost: 'acknowledged messages lost',
  duplicate: 'duplicates that must not be (all of QoS 2 among them)',
  order: 'order faults',
  altered: 'altered or unknown messages',
  unasked: 'deliveries without a subscription',
  session: 'sessions lost or revived',
  retained: 'retained faults',
  will: 'will faults',
  expiry: 'expiry faults',
  protocol: 'protocol faults',
  stuck: 'waits without end',
  broker: 'broker faults',
};

/** The sums of several arenas. */
export interface Totals {
  readonly kills: Kills;
  readonly counts: Counts;
  readonly faults: ReadonlyMap<FaultKind, number>;
  /** Wills that connected clients held when the broker was killed. */
  readonly heldWills: number;
}

export function sum(parts: readonly { readonly ledger: Ledger; readonly kills: Kills }[]): Totals {
  const kills: Kills = { load: 0, start: 0, compaction: 0, stopping: 0, power: 0, stops: 0, drains: 0 };
  const counts: Counts = { published: 0, acked: 0, deliveries: 0, refused: 0 };
  const faults = new Map<FaultKind, number>();
  let heldWills = 0;
  for (const { ledger, kills: some } of parts) {
    for (const key of Object.keys(kills) as (keyof Kills)[]) kills[key] += some[key];
    for (const key of Object.keys(counts) as (keyof Counts)[]) counts[key] += ledger.counts[key];
    for (const [kind, count] of ledger.faultCounts) faults.set(kind, (faults.get(kind) ?? 0) + count);
    heldWills += ledger.wills.held;
  }
  return { kills, counts, faults, heldWills };
}

export function faultTotal(totals: Totals): number {
  return [...totals.faults.values()].reduce((all, count) => all + count, 0);
}

/** One line for on the way. */
export function progressLine(totals: Totals, seconds: number): string {
  const { kills, counts } = totals;
  const all = kills.load + kills.start + kills.compaction + kills.stopping;
  const rate = (all / seconds).toFixed(1);
  return `${seconds.toFixed(0)} s: ${all} kills (${rate}/s), ${counts.acked} acknowledged, ${counts.deliveries} deliveries, ${faultTotal(totals)} faults`;
}

/** The final report. */
export function finalReport(totals: Totals, seconds: number, seed: number): string {
  const { kills, counts, faults } = totals;
  const all = kills.load + kills.start + kills.compaction + kills.stopping;
  const rows: [string, string][] = [
    ['seed', String(seed)],
    ['time', `${seconds.toFixed(1)} s`],
    ['kills', `${all} (${(all / seconds).toFixed(1)} a second)`],
    ['  under load', String(kills.load)],
    ['  while starting', String(kills.start)],
    ['  while compacting', String(kills.compaction)],
    ['  while stopping', String(kills.stopping)],
    ['  with loss of power', String(kills.power)],
    ['proper stops', String(kills.stops)],
    ['drains', String(kills.drains)],
    ['messages published', String(counts.published)],
    ['messages acknowledged', String(counts.acked)],
    ['answers of refusal', String(counts.refused)],
    ['deliveries', String(counts.deliveries)],
    ['wills held at a kill', String(totals.heldWills)],
    ...(Object.keys(NAMES) as FaultKind[]).map((kind): [string, string] => [
      NAMES[kind],
      String(faults.get(kind) ?? 0),
    ]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n');
}

/** A fault with everything that is known of it. */
export function faultText(fault: Fault, seed: number): string {
  const { kind, text, arena, round, life, history } = fault;
  return [`${kind}: ${text}`, `  seed ${seed}, arena ${arena}, round ${round}, life ${life}`, ...history].join('\n');
}
