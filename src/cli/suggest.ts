// What was probably meant by a word that is no option.
import { nearestName } from '../config/nearest.ts';
import { maskAll } from './masks.ts';
import type { OptionRow, Tool } from './options/row.ts';
import { optionsOf } from './options/tables.ts';
import { TOOLS } from './options/tools.ts';

/** The tools whose options people mix up. */
const CLIENTS: readonly Tool[] = ['pub', 'sub', 'rr'];

/**
 * The sentence about a word that is no option, with a second line that says what was probably meant, if that can be told.
 * @param isBehindValue whether it follows the value of an option, of which it may be a part
 */
export function unknownOption(given: string, tool: Tool, isBehindValue: boolean): string {
  const word = withoutSecret(given, optionsOf(tool));
  const sentence = `Unknown option '${word}'.`;
  const others = CLIENTS.includes(tool) ? CLIENTS.filter((client) => namesOf(client).includes(word)) : [];
  if (others.length > 0) return `${sentence}\nIt is one of ${others.map((other) => TOOLS[other].name).join(' and ')}.`;
  const suggestion = meant(word, supported(tool));
  if (suggestion !== null) return `${sentence}\nDid you mean '${suggestion}'?`;
  return isBehindValue && /^[^-]/.test(word) ? `${sentence}\nA value that has blanks in it needs quotes.` : sentence;
}

const supported = (tool: Tool): OptionRow[] => optionsOf(tool).filter((row) => row.refused === undefined);

const namesOf = (tool: Tool): string[] => supported(tool).flatMap((row) => row.names);

const longNamesOf = (rows: readonly OptionRow[]): string[] =>
  rows.flatMap(({ names }) => names.filter((name) => name.startsWith('--')).map((name) => name.slice(2)));

function meant(word: string, rows: readonly OptionRow[]): string | null {
  const names = rows.flatMap((row) => row.names);
  // Text programs make a long dash of two hyphens, or of one.
  const [, dashes, name, value] = /^([-\u2010-\u2015\u2212]*)([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
  if (dashes === undefined || name === undefined || name === '') return null;
  const rest = value === undefined ? '' : ` ${value}`;
  for (const hyphens of ['--', '-']) {
    const spelling = `${hyphens}${name}`;
    if (names.includes(spelling) && spelling !== word) return `${spelling}${rest}`;
  }
  if (name.length > 1) {
    const longName = nearestName(name, longNamesOf(rows));
    if (dashes !== '-') return longName === null ? null : `--${longName}${rest}`;
    // One dash may be the slip, or the lack of a blank.
    return clustered(name, rows) ?? (longName === null ? valueBehind(word, rows) : `--${longName}${rest}`);
  }
  if (dashes === '') return null;
  const otherCase = `-${name === name.toLowerCase() ? name.toUpperCase() : name.toLowerCase()}`;
  return names.includes(otherCase) ? `${otherCase}${rest}` : null;
}

/** The word with a mask for a secret that it may hold (--pw=…, -P…). */
function withoutSecret(word: string, rows: readonly OptionRow[]): string {
  const [, long, short] = /^(?:([^=]+)=|(-\w))/s.exec(word) ?? [];
  const head = long ?? short ?? word;
  const meantName = long === undefined ? null : nearestName(head.replace(/^-+/, ''), longNamesOf(rows));
  const row =
    rows.find(({ names }) => names.includes(head) || names.includes(`-${head}`)) ??
    rows.find(({ names }) => names.includes(`--${meantName}`));
  const mask = row?.mask ?? (long !== undefined && /pas|pw|secret|token/i.test(long) ? maskAll : undefined);
  if (mask === undefined) return word;
  const start = long === undefined ? head : `${long}=`;
  return `${start}${mask([word.slice(start.length)])[0]}`;
}

/** Short switches that were written as one (-dv), or a short option with its number (-q1). */
function clustered(letters: string, rows: readonly OptionRow[]): string | null {
  const known = [...letters].map((letter) => rows.find((row) => row.names.includes(`-${letter}`)));
  if (known.every((row) => row?.kind.switch === true)) return [...letters].map((letter) => `-${letter}`).join(' ');
  return /^[^\d]\d+$/.test(letters) ? valueBehind(`-${letters}`, rows) : null;
}

/** A short option with its value (-tfoo). */
function valueBehind(word: string, rows: readonly OptionRow[]): string | null {
  const row = rows.find((candidate) => candidate.names.includes(word.slice(0, 2)));
  return row === undefined || row.kind.switch ? null : `${word.slice(0, 2)} ${word.slice(2)}`;
}
