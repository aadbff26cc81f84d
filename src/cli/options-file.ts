// Options that are kept in a file: -o FILE, or one file for each tool at the usual place. A line is an option and, behind a
// blank, its value up to the end of the line; lines that begin with '#' are comments. This is Mosquitto's format to the byte:
// quotes belong to the value. Only options of several words (-D), which Mosquitto's format has no way to write, are split.
import { isUtf8 } from 'node:buffer';
import { statSync } from 'node:fs';
import process from 'node:process';
import { readSmallFile } from '../util/small-file.ts';
import { cutWords, type Given } from './cut.ts';
import type { Io } from './io.ts';
import { UsageError } from './messages.ts';
import type { OptionRow, Tool } from './options/row.ts';

/** Largest file that is read, in bytes. */
const LARGEST = 1024 * 1024;
/** Milliseconds that a pipe has time for, as in `-o <(decrypt options)`, where somebody may have to type a password. */
const PATIENCE_MS = 60_000;

/** What is read, and what it gives. */
export interface FileOptions {
  /** Null where there is no options file. */
  readonly file: string | null;
  readonly given: readonly Given[];
}

/**
 * The options of `named`, or where that is null of the file at the usual place, if there is one. Throws UsageError with the
 * file and the line in front of what is wrong.
 */
export function readOptionsFile(
  tool: Tool,
  rows: readonly OptionRow[],
  named: string | null,
  env: Io['env'],
  platform: NodeJS.Platform = process.platform,
): FileOptions {
  const file = named ?? usualFiles(tool, env, platform).find(isFile) ?? null;
  const text = file === null ? null : textOf(file, named !== null);
  if (file === null || text === null) return { file: null, given: [] };
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  return { file, given: lines.flatMap((line, index) => optionsOfLine(tool, rows, line, `${file}:${index + 1}`)) };
}

/** Mosquitto's name comes second: its files serve whoever has no others. An empty XDG_CONFIG_HOME stands for no file. */
function usualFiles(tool: Tool, env: Io['env'], platform: NodeJS.Platform): string[] {
  const names = [`mqtt-${tool}`, `mosquitto_${tool}`];
  if (platform === 'win32') {
    const folder = env['USERPROFILE'] ?? '';
    return folder === '' ? [] : names.map((name) => `${folder}\\${name}.conf`);
  }
  const home = env['HOME'] ?? '';
  const folder = env['XDG_CONFIG_HOME'] ?? (home === '' ? '' : `${home}/.config`);
  return folder === '' ? [] : names.map((name) => `${folder}/${name}`);
}

function isFile(path: string): boolean {
  try {
    // Every start of a tool comes by here, and an exception costs more than the answer.
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch {
    return false;
  }
}

/** Null for a file at the usual place that this user may not read. */
function textOf(file: string, isNamed: boolean): string | null {
  let bytes: Buffer;
  try {
    ({ bytes } = readSmallFile(file, LARGEST, PATIENCE_MS));
  } catch (error) {
    if (!isNamed && (error as { code?: string }).code === 'EACCES') return null;
    throw new UsageError(`Unable to open options file ${file}. ${(error as Error).message}.`, 'nothing');
  }
  if (!isUtf8(bytes)) throw new UsageError(`Options file ${file} is not UTF-8 text.`, 'nothing');
  return bytes.toString();
}

function optionsOfLine(tool: Tool, rows: readonly OptionRow[], line: string, place: string): readonly Given[] {
  try {
    const words = wordsOfLine(line.replace(/\r+$/, ''), rows);
    const { given } = cutWords(tool, rows, words, true);
    const misplaced = given.find(({ row }) => row.stops === true || row.key === 'optionsFile');
    if (misplaced === undefined) return given;
    throw new UsageError(`The option '${words[0]}' has no place in an options file.`);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${place}: ${error.message}`, error.aftermath, error.code);
  }
}

/** The words of a line: none, an option, or an option and the rest of the line. Throws UsageError. */
function wordsOfLine(line: string, rows: readonly OptionRow[]): readonly string[] {
  if (line.startsWith('#')) return [];
  if (line.includes('\0')) throw new UsageError('The line holds a NUL character.');
  const [, option = '', rest = ''] = /^[ \t]*([^ \t]*)(?:[ \t](.*))?$/s.exec(line) ?? [];
  if (option === '') return [];
  if (rest === '') return [option];
  const kind = rows.find((row) => row.names.includes(option))?.kind;
  // The option of several words takes at least two, whatever they are.
  if (kind === undefined || kind.words(['', ''], () => false) < 2) return [option, rest];
  const values = splitQuoted(rest);
  if (values.length > kind.words(values, () => false)) {
    throw new UsageError(`Too many words behind ${option}: put a value that holds blanks in quotes.`);
  }
  return [option, ...values];
}

/** Words between blanks. One that begins with a quote ends with it; in double quotes, \" and \\ stand for " and \. */
function splitQuoted(text: string): string[] {
  const words: string[] = [];
  const word = /[ \t]*(?:"((?:[^"\\]|\\.)*)"(?![^ \t])|'([^']*)'(?![^ \t])|([^ \t]+))/sy;
  for (let found = word.exec(text); found !== null; found = word.exec(text)) {
    const [, double, single, plain] = found;
    if (plain !== undefined && /^["']/.test(plain)) {
      throw new UsageError('A quote that is opened must be closed, with a blank or nothing behind it.');
    }
    words.push(double?.replace(/\\(["\\])/g, '$1') ?? single ?? plain ?? '');
  }
  return words;
}
