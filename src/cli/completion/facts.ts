// What a completion script needs to know of a tool: everything stands in its option table and its synopsis.
import type { Kind } from '../kinds.ts';
import type { OptionRow, Tool } from '../options/row.ts';
import { optionsOf } from '../options/tables.ts';
import { TOOLS } from '../options/tools.ts';

/** What a shell can offer for a value. */
export type Offer = 'file' | 'directory' | 'host' | 'nothing' | readonly string[];

/** An option that can be completed. */
export interface Choice {
  readonly names: readonly string[];
  /** One short sentence without its full stop. */
  readonly summary: string;
  /** What stands for the value in --help; null for a switch. */
  readonly value: string | null;
  readonly offer: Offer;
  /** The value may be left out. */
  readonly isOptional: boolean;
  readonly isRepeatable: boolean;
  /** Null where the value is one word. */
  readonly several: SeveralWords | null;
}

/** A value of several words. The first ones are the offer. */
export interface SeveralWords {
  /** What may follow each first word. */
  readonly seconds: Readonly<Record<string, readonly string[]>>;
  /** How many words there are, and how many more with these second words. */
  readonly count: number;
  readonly longer: readonly string[];
}

/** A tool that can be completed. */
export interface Subject {
  /** Name of the command. */
  readonly name: string;
  readonly options: readonly Choice[];
  /** Words of which the first one is the command line's first; none for most tools. */
  readonly commands: readonly string[];
  /** What is no option may be a file. */
  readonly takesFiles: boolean;
}

/** Names of values that say what they are. */
const OFFERS: Readonly<Record<string, Offer>> = {
  FILE: 'file',
  PATH: 'file',
  DIRECTORY: 'directory',
  HOST: 'host',
};

/** The facts of a tool. */
export function subjectOf(tool: Tool): Subject {
  const { name, synopsis } = TOOLS[tool];
  const commands = synopsis.map((line) => /^[a-z]+(?= )/.exec(line)?.[0]).filter((word) => word !== undefined);
  const rows = optionsOf(tool).filter((row) => row.refused === undefined);
  return { name, options: rows.map(choiceOf), commands, takesFiles: tool === 'passwd' };
}

function choiceOf({ names, help, value, kind, list }: OptionRow): Choice {
  return {
    names,
    summary: /^.*?(?=\.(?:\s|$))/s.exec(help)?.[0] ?? help,
    value: value ?? null,
    offer: kind.choices ?? OFFERS[value ?? ''] ?? 'nothing',
    isOptional: value !== undefined && wordsOf(kind, []) === 0,
    isRepeatable: list === true,
    several: kind.seconds === undefined ? null : severalWords(kind, kind.seconds()),
  };
}

function severalWords(kind: Kind<unknown>, seconds: SeveralWords['seconds']): SeveralWords {
  const count = wordsOf(kind, ['', '']);
  const all = [...new Set(Object.values(seconds).flat())];
  return { seconds, count, longer: all.filter((second) => wordsOf(kind, ['', second]) > count) };
}

function wordsOf(kind: Kind<unknown>, following: readonly string[]): number {
  return kind.words(following, () => false);
}

/** The name of a shell function for a tool: letters, digits and underscores. */
export function functionName(name: string): string {
  return `_${name.replaceAll('-', '_')}`;
}

/** Text in single quotes, for shells in which a quote can't be escaped within them (bash, zsh). */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
