// Command line and options file → typed options. cut.ts cuts the words into options, the parser of yargs then gathers them by
// type. Values reach it as numbers of their place: it would take quotes off them. The rest of yargs stays out of the tools:
// help and checks come from the tables, and loading it would cost every mqtt-pub more than its own code does
// (yargs-parser.ts).
import { Parser } from 'yargs/helpers';
import { checkClientOptions } from './check.ts';
import { cutWords, type Given } from './cut.ts';
import type { Io } from './io.ts';
import { checkTopicFilter, checkTopicName } from './kinds.ts';
import { UsageError } from './messages.ts';
import type { OptionRow, Tool } from './options/row.ts';
import { type Options, optionsOf } from './options/tables.ts';
import { readOptionsFile } from './options-file.ts';
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
  /** Keys of the options that were given, in their order: first those of the options file. */
  readonly given: readonly string[];
}

/**
 * Parses the words behind a tool's name, and with `env` the options file that they or the environment name. Throws UsageError
 * for the first thing that is wrong. With --help or --version everything behind is ignored and nothing is checked, as the
 * caller will only print a text.
 * @param hide is told at once what others may see of the words, where there is a secret among them
 */
export function parseArguments<T extends Tool>(
  tool: T,
  argv: readonly string[],
  env: Io['env'] | null = null,
  hide: (shown: readonly string[]) => void = () => undefined,
): Parsed<T> {
  const rows = optionsOf(tool);
  const line = cutWords(tool, rows, argv);
  // An options file may be a pipe whose writer takes his time.
  if (line.shown !== null) hide(line.shown);
  const takesFile = env !== null && !line.stopped && rows.some((row) => row.key === 'optionsFile');
  const named = line.given.findLast(({ row }) => row.key === 'optionsFile')?.value as string | undefined;
  const kept = takesFile ? readOptionsFile(tool, rows, named ?? null, env) : { file: null, given: [] };
  const all = [...withoutReplaced(kept.given, line.given), ...line.given];
  const given = all.map(({ row }) => row.key);
  const fields = gather(rows, all);
  if (!line.stopped) {
    checkTogether(rows, given, kept.file);
    finish(tool, fields, given);
  }
  return { options: fields as Options<T>, operands: line.operands, given };
}

/** The options of a file without those that give way to others on the command line. */
function withoutReplaced(file: readonly Given[], line: readonly Given[]): Given[] {
  const replaced = line.flatMap(({ row }) => (row.conflicts?.fileYields === true ? row.conflicts.keys : []));
  return file.filter(({ row }) => !replaced.includes(row.key));
}

/** Has yargs gather the options by the rows: switches, lists, and single values of which the last counts. */
function gather(rows: readonly OptionRow[], all: readonly Given[]): Record<string, unknown> {
  const words = all.map(({ row }, place) => (row.kind.switch ? `--${row.key}` : `--${row.key}=${place}`));
  // It takes its time for every option that it is told of, given or not.
  const given = rows.filter((row) => all.some((one) => one.row === row));
  const keysOf = (isSwitch: boolean) => given.filter(({ kind }) => kind.switch === isSwitch).map(({ key }) => key);
  const found: Record<string, unknown> = Parser(words, {
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
    const values = ((found[key] ?? []) as string[]).map((place) => all[Number(place)]?.value);
    fields[key] = list === true ? values : (values.at(-1) ?? fallback ?? null);
  }
  return fields;
}

/** Checks what the rows of the given options say about others. */
function checkTogether(rows: readonly OptionRow[], given: readonly string[], file: string | null): void {
  const countOf = (keys: readonly string[]): number => given.filter((key) => keys.includes(key)).length;
  for (const { key, conflicts, needs } of rows) {
    if (!given.includes(key)) continue;
    let wrong: string | null = null;
    if (needs !== undefined && countOf(needs.keys) === 0) wrong = needs.message;
    if (conflicts !== undefined && countOf(conflicts.keys) > (conflicts.keys.includes(key) ? 1 : 0)) {
      wrong = conflicts.message;
    }
    if (wrong === null) continue;
    throw new UsageError(file === null ? wrong : `${wrong}\nOptions were also read from ${file}.`);
  }
}

/** Lets the URL fill in what it holds, and checks what options mean together. */
function finish(tool: Tool, fields: Record<string, unknown>, given: readonly string[]): void {
  const url = (fields['url'] ?? null) as BrokerUrl | null;
  const topic = url === null ? null : takeUrl(url, fields, given);
  if (topic !== null && tool === 'sub') {
    // Filters keep the order in which they were given.
    const before = given.slice(0, given.lastIndexOf('url')).filter((key) => key === 'topics').length;
    const filter = checkTopicFilter(topic, 'subscription topic');
    fields['topics'] = (fields['topics'] as string[]).toSpliced(before, 0, filter);
  } else if (topic !== null) {
    fields['topic'] = checkTopicName(topic, 'publish topic');
  }
  if (tool === 'pub') checkClientOptions(tool, fields as Options<'pub'>);
  if (tool === 'sub') checkClientOptions(tool, fields as Options<'sub'>);
  if (tool === 'rr') checkClientOptions(tool, fields as Options<'rr'>);
}
