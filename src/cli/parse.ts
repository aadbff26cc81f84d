// Command line → typed options. Mosquitto's grammar is simple and strict: a word is an option exactly as spelled, and the
// words behind it are its value whatever they look like (`-m --help` sends "--help"), so the option table alone can cut the
// command line into options. The parser of yargs then gathers them by type. Values reach it as numbers of their place: it
// would take quotes off them. The rest of yargs stays out of the tools: help and checks come from the tables, and loading it
// would cost every mqtt-pub more than its own code does (yargs-parser.ts).
import { Parser } from 'yargs/helpers';
import { nearestName } from '../config/nearest.ts';
import { checkClientOptions } from './check.ts';
import { checkTopicFilter, checkTopicName } from './kinds.ts';
import { UsageError } from './messages.ts';
import type { OptionRow, Tool } from './options/row.ts';
import { type Options, optionsOf } from './options/tables.ts';
import type { BrokerUrl } from './url.ts';
import { takeUrl } from './url-order.ts';

/** Parser settings that keep yargs from guessing (`-i 007`, `--no-tls`, `a.b`). */
const PARSER_SETTINGS = {
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'short-option-groups': false,
  'unknown-options-as-args': false,
};

/** Options and what is left of a command line. */
export interface Parsed<T extends Tool> {
  readonly options: Options<T>;
  /** Words that are no options; only mqtt-passwd takes any. */
  readonly operands: readonly string[];
  /** Keys of the options that were given, in their order. */
  readonly given: readonly string[];
}

/**
 * Parses the words behind a tool's name. Throws UsageError for the first thing that is wrong. With --help or --version
 * everything behind is ignored and nothing is checked, as the caller will only print a text.
 */
export function parseArguments<T extends Tool>(tool: T, argv: readonly string[]): Parsed<T> {
  const rows = optionsOf(tool);
  const cut = cutWords(tool, rows, argv);
  const fields = gather(rows, cut);
  if (!cut.stopped) {
    checkConflicts(rows, cut.given);
    finish(tool, fields, cut.given);
  }
  return { options: fields as Options<T>, operands: cut.operands, given: cut.given };
}

/** A command line cut into options: `words` are canonical (`--key=PLACE` or `--key`), `values` what the places stand for. */
interface Cut {
  readonly words: string[];
  readonly values: unknown[];
  readonly given: string[];
  operands: readonly string[];
  stopped: boolean;
}

function cutWords(tool: Tool, rows: readonly OptionRow[], argv: readonly string[]): Cut {
  const cut: Cut = { words: [], values: [], given: [], operands: [], stopped: false };
  for (let i = 0; i < argv.length && !cut.stopped; ) {
    const word = argv[i]!;
    if (tool === 'passwd' && (word === '-' || !word.startsWith('-'))) {
      cut.operands = argv.slice(i);
      break;
    }
    const row = rows.find((candidate) => candidate.names.includes(word));
    // The broker shows its whole usage, as Mosquitto does; the other tools point to it.
    if (row === undefined) throw new UsageError(unknownOption(word, rows), tool === 'broker' ? 'usage' : 'hint');
    if (row.refused !== undefined) {
      throw new UsageError(`The option '${word}' is known but not supported. ${row.refused}`);
    }
    const following = argv.slice(i + 1);
    const count = row.kind.words(following);
    if (count > following.length) throw new UsageError(`${row.missing}.`);
    cut.words.push(row.kind.switch ? `--${row.key}` : `--${row.key}=${cut.values.length}`);
    cut.values.push(row.kind.parse(following.slice(0, count)));
    cut.given.push(row.key);
    cut.stopped = row.stops === true;
    i += 1 + count;
  }
  return cut;
}

/** Has yargs gather the cut words by the rows: switches, lists, and single values of which the last counts. */
function gather(rows: readonly OptionRow[], cut: Cut): Record<string, unknown> {
  // It takes its time for every option that it is told of, given or not.
  const given = rows.filter(({ key }) => cut.given.includes(key));
  const keysOf = (isSwitch: boolean) => given.filter(({ kind }) => kind.switch === isSwitch).map(({ key }) => key);
  const found: Record<string, unknown> = Parser(cut.words, {
    boolean: keysOf(true),
    string: keysOf(false),
    array: keysOf(false),
    configuration: PARSER_SETTINGS,
  });
  const fields: Record<string, unknown> = {};
  for (const { key, kind, list, fallback, refused } of rows) {
    if (refused !== undefined) continue;
    if (kind.switch) {
      fields[key] = found[key] === true;
      continue;
    }
    const values = ((found[key] ?? []) as string[]).map((place) => cut.values[Number(place)]);
    fields[key] = list === true ? values : (values.at(-1) ?? fallback ?? null);
  }
  return fields;
}

function checkConflicts(rows: readonly OptionRow[], given: readonly string[]): void {
  for (const { key, conflicts } of rows) {
    if (conflicts === undefined || !given.includes(key)) continue;
    const others = given.filter((other) => conflicts.keys.includes(other)).length;
    const limit = conflicts.keys.includes(key) ? 1 : 0;
    if (others > limit) throw new UsageError(conflicts.message);
  }
}

/** Lets the URL fill in what it holds, and checks what options mean together. */
function finish(tool: Tool, fields: Record<string, unknown>, given: readonly string[]): void {
  const url = (fields['url'] ?? null) as BrokerUrl | null;
  const topic = url === null ? null : takeUrl(url, fields, given);
  if (topic !== null && tool === 'sub') {
    fields['topics'] = [...(fields['topics'] as string[]), checkTopicFilter(topic, 'subscription topic')];
  } else if (topic !== null) {
    fields['topic'] = checkTopicName(topic, 'publish topic');
  }
  if (tool === 'pub') checkClientOptions(tool, fields as Options<'pub'>);
  if (tool === 'sub') checkClientOptions(tool, fields as Options<'sub'>);
  if (tool === 'rr') checkClientOptions(tool, fields as Options<'rr'>);
}

/** The sentence about a word that is no option, with the option that was probably meant. */
function unknownOption(word: string, rows: readonly OptionRow[]): string {
  const sentence = `Unknown option '${word}'.`;
  const names = rows.filter((row) => row.refused === undefined).flatMap((row) => row.names);
  const name = word.split('=', 1)[0]!;
  const value = word.slice(name.length + 1);
  if (name !== word && names.includes(name)) return `${sentence}\nDid you mean '${name} ${value}'?`;
  if (!word.startsWith('--')) return sentence;
  const longNames = names.filter((candidate) => candidate.startsWith('--')).map((candidate) => candidate.slice(2));
  const nearest = nearestName(word.slice(2), longNames);
  return nearest === null ? sentence : `${sentence}\nDid you mean '--${nearest}'?`;
}
