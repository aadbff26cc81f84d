// The clause register: the normative statements of both standards (test/wire/clauses/*.txt) and the cases that cite them.
// `[MQTT-x.y.z-n]` in the name of a case is a number of MQTT 5.0, `[MQTT3-x.y.z-n]` one of MQTT 3.1.1.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { sourcesBelow, textOf } from '../guard/sources.ts';
import { repository } from './process.ts';
import { readCases } from './wire-parse.ts';

/** One normative statement. */
export interface Clause {
  /** As cited: MQTT-3.1.0-1 or MQTT3-3.1.0-1. */
  readonly number: string;
  readonly binds: 'server' | 'client' | 'both' | 'neither';
  readonly asks: string;
  /** Why it binds neither a server nor a client of ours; empty otherwise. */
  readonly why: string;
}

/** A case that cites a clause. */
export interface Citation {
  readonly number: string;
  readonly file: string;
  /** The case's name without what stands in brackets. */
  readonly name: string;
  /** What it drives: the broker, the client, or code that both are made of. */
  readonly side: 'server' | 'client' | 'both';
  /** Protocol levels that it runs for; null where the case itself says. */
  readonly versions: readonly number[] | null;
}

/** A standard: the file of its statements, the prefix of its numbers, and the protocol level that a case has to run for. */
export interface Standard {
  readonly title: string;
  readonly file: string;
  readonly prefix: 'MQTT' | 'MQTT3';
  readonly level: 4 | 5;
}

export const STANDARDS: readonly Standard[] = [
  { title: 'MQTT 5.0', file: 'mqtt-5.0.txt', prefix: 'MQTT', level: 5 },
  { title: 'MQTT 3.1.1', file: 'mqtt-3.1.1.txt', prefix: 'MQTT3', level: 4 },
];

/** Reads the statements of a standard; throws a sentence with file and line. */
export function clausesOf(standard: Standard): Clause[] {
  const clauses: Clause[] = [];
  textOf(`test/wire/clauses/${standard.file}`)
    .split('\n')
    .forEach((line, index) => {
      if (line.trim() === '' || line.startsWith('#')) return;
      const [number = '', binds = '', asks = '', why = ''] = line.split(' | ');
      const isKnown = binds === 'server' || binds === 'client' || binds === 'both' || binds === 'neither';
      if (!isKnown || !/^\d+\.\d+\.\d+-\d+$/.test(number) || asks === '' || (binds === 'neither') !== (why !== '')) {
        throw new Error(
          `test/wire/clauses/${standard.file}:${index + 1}: number | whom it binds | what it asks [| why]`,
        );
      }
      clauses.push({ number: `${standard.prefix}-${number}`, binds, asks, why });
    });
  return clauses;
}

/** Every citation in the names of wire cases and tests. */
export function citations(): Citation[] {
  return [...inWireCases(), ...inTests()];
}

/** The clauses that lack a case on a side which they bind, as sentences. */
export function unproved(clauses: readonly Clause[], cited: readonly Citation[]): string[] {
  const missing: string[] = [];
  for (const { number, binds, asks } of clauses) {
    if (binds === 'neither') continue;
    for (const side of ['server', 'client'] as const) {
      if (binds !== 'both' && binds !== side) continue;
      const proves = (one: Citation) => one.number === number && (one.side === side || one.side === 'both');
      if (!cited.some(proves)) missing.push(`${number} (${side}: ${asks}) has no case`);
    }
  }
  return missing;
}

/** Citations that can't be right: of numbers that do not exist, or in a wire case that does not run for that version. */
export function misplaced(clauses: readonly Clause[], cited: readonly Citation[]): string[] {
  const known = new Map(clauses.map((clause) => [clause.number, clause]));
  const faults: string[] = [];
  for (const { number, file, name, versions } of cited) {
    const level = STANDARDS.find(({ prefix }) => number.startsWith(`${prefix}-`))!.level;
    const clause = known.get(number);
    if (clause === undefined) faults.push(`${file}: "${name}" cites ${number}, which does not exist`);
    else if (clause.binds === 'neither')
      faults.push(`${file}: "${name}" cites ${number}, which is said to bind neither side`);
    else if (versions !== null && !versions.includes(level)) {
      faults.push(`${file}: "${name}" cites ${number} but does not run for protocol level ${level}`);
    }
  }
  return faults;
}

/** The text of test/wire/CLAUSES.md. */
export function register(): string {
  const cited = citations();
  const parts = [
    '# The clause register',
    '',
    'Every normative statement of both standards, in our own words, and the cases that would fail without it.',
    'Made by `npm run clauses` from `test/wire/clauses/*.txt` and the names of the cases; a guard holds it up to date and complete.',
    'Names in `*.wire` are scenarios of `test/wire/cases`, run over memory, over TCP, in pieces with plugins that answer late, and with a store.',
    '',
  ];
  for (const standard of STANDARDS) {
    parts.push(`## ${standard.title}`, '', '| clause | binds | what it asks | cases |', '|---|---|---|---|');
    for (const { number, binds, asks, why } of clausesOf(standard)) {
      const cases = cited.filter((one) => one.number === number).map(({ file, name }) => `${shortened(file)}: ${name}`);
      const shown = binds === 'neither' ? `none: ${why}` : [...new Set(cases)].sort().join('<br>');
      parts.push(`| ${number} | ${binds} | ${escaped(asks)} | ${escaped(shown)} |`);
    }
    parts.push('');
  }
  return parts.join('\n');
}

const shortened = (file: string) => file.replace(/^test\/wire\/cases\//, '');
const escaped = (text: string) => text.replaceAll('|', '\\|');

function inWireCases(): Citation[] {
  const folder = 'test/wire/cases';
  const found: Citation[] = [];
  for (const file of readdirSync(path.join(repository, folder)).sort()) {
    for (const { name, versions } of readCases(path.join(repository, folder, file))) {
      found.push(...cited(name, `${folder}/${file}`, 'server', versions));
    }
  }
  return found;
}

const STRINGS_AND_COMMENTS = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

/** In tests written in TypeScript a citation stands in a string: the name of a test or of a row of its table. */
function inTests(): Citation[] {
  const found: Citation[] = [];
  for (const file of sourcesBelow('test').filter((name) => name.endsWith('.test.ts'))) {
    const side = sideOf(file);
    if (side === null) continue;
    for (const [text] of textOf(file).matchAll(STRINGS_AND_COMMENTS)) {
      if (text.startsWith('/')) continue;
      found.push(...cited(text.slice(1, -1).replaceAll("\\'", "'"), file, side, null));
    }
  }
  return found;
}

/** Guards are no cases, and interop tests run only where their tools are. */
function sideOf(file: string): Citation['side'] | null {
  if (/^test\/(guard|interop)\//.test(file)) return null;
  if (/^test\/(unit\/client|property\/client|cli\/(pub|sub|rr))/.test(file)) return 'client';
  if (/^test\/(unit\/(protocol|flow|net|net-core|util)|property\/(codec|framer|publish|windows))/.test(file))
    return 'both';
  return 'server';
}

function cited(name: string, file: string, side: Citation['side'], versions: Citation['versions']): Citation[] {
  const plain = name.replace(/ *\[[^\]]*\]/g, '');
  return [...name.matchAll(/\[([^\]]*)\]/g)]
    .flatMap(([, list = '']) => list.split(/, */))
    .filter((number) => /^MQTT3?-\d/.test(number))
    .map((number) => ({ number, file, name: plain, side, versions }));
}
