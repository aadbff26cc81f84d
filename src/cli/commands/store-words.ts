// How the tools for the store write numbers, times and losses.
import type { StoredState, Stretch } from '../../broker/store-tools/read-store.ts';
import { strftime } from '../../util/strftime.ts';

/** With a comma between the thousands. */
export const grouped = (number: number): string => String(number).replace(/\B(?=(\d{3})+$)/g, ',');

/** A number and what it counts. */
export const counted = (number: number, one: string, many = `${one}s`): string =>
  `${grouped(number)} ${number === 1 ? one : many}`;

/** A time as the clock on the wall shows it. */
export const clockTime = (ms: number): string => strftime('%Y-%m-%d %H:%M:%S', new Date(ms));

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
];

/** A span of time by its two largest units, for example `3 d 4 h`. */
export function span(ms: number): string {
  const first = UNITS.findIndex(([, unit]) => ms >= unit);
  if (first < 0) return '0 s';
  let rest = ms;
  const parts: string[] = [];
  for (const [name, unit] of UNITS.slice(first, first + 2)) {
    const count = Math.floor(rest / unit);
    rest -= count * unit;
    if (count > 0) parts.push(`${count} ${name}`);
  }
  return parts.join(' ');
}

/** Where a stretch of a file is. */
export const stretch = ({ file, offset, length }: Stretch): string =>
  `${counted(length, 'byte')} at offset ${grouped(offset)} of ${file}`;

/** Damaged places that are named one by one. */
const MOST_DAMAGES = 20;

/** What of a store could not be read, and what that makes useless; nothing for a store that is whole. */
export function lossLines({ files, state }: StoredState): string[] {
  const { damages, missingGroups } = files;
  const { lost } = state;
  const bytes = damages.reduce((sum, { length }) => sum + length, 0);
  const useless = [
    counted(lost.sessions, 'session'),
    counted(lost.subscriptions, 'subscription'),
    counted(lost.entries, 'message for clients', 'messages for clients'),
  ];
  const lines: string[] = [];
  if (damages.length > 0 || missingGroups > 0) {
    lines.push(
      `Warning: The store is damaged: ${counted(bytes, 'byte')} in ${counted(damages.length, 'place')} can't be read, and ${counted(missingGroups, 'group')} of records ${missingGroups === 1 ? 'is' : 'are'} missing in whole or in part.`,
      ...damages.slice(0, MOST_DAMAGES).map((damage) => `  ${stretch(damage)}`),
    );
    if (damages.length > MOST_DAMAGES) lines.push(`  and ${counted(damages.length - MOST_DAMAGES, 'more place')}`);
  }
  if (lost.sessions + lost.subscriptions + lost.entries > 0) {
    lines.push(`Warning: What they belong to is missing, so these are left out: ${useless.join(', ')}.`);
  }
  if (lost.records > 0) {
    lines.push(
      `Warning: ${counted(lost.records, 'record')} can't be understood: another program wrote ${lost.records === 1 ? 'it' : 'them'}.`,
    );
  }
  return lines;
}
