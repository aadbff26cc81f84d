// Files → lines: an option of the table, its text, its place. Nothing is joined or defaulted here.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { readSmallFile } from '../util/small-file.ts';
import { systemErrorText } from '../util/system-error.ts';
import type { ConfigNote } from './config.ts';
import { type ConfigError, errorAt, type Place, placeText } from './errors.ts';
import { nearestName } from './nearest.ts';
import { type ConfigOption, findOption, OPTION_NAMES } from './options.ts';

/** A line with an option. */
export interface ConfigLine {
  readonly option: ConfigOption;
  /** The name as it was written: an alias, perhaps. */
  readonly name: string;
  /** The rest of the line without blanks around it, or its first word; never empty. */
  readonly text: string;
  readonly place: Place;
}

/** Everything that the files say. */
export interface ConfigLines {
  readonly lines: readonly ConfigLine[];
  readonly notes: readonly ConfigNote[];
}

/** Largest configuration file that is read, in bytes: a device or a wrong name must not eat the memory. */
const LARGEST_FILE = 16 * 1024 * 1024;

/** Time for a pipe (`-c <(command)` of a shell) to be filled. */
const PIPE_PATIENCE_MS = 2000;

/** Characters of an unknown name that an error shows. */
const LONGEST_SHOWN = 100;

/** Reads a configuration file and those that its include_dir lines name. Throws ConfigError. */
export function readConfigFiles(file: string): ConfigLines {
  const lines: ConfigLine[] = [];
  const notes: ConfigNote[] = [];
  readFile(file, null, lines, notes);
  return { lines, notes };
}

function readFile(file: string, from: Place | null, lines: ConfigLine[], notes: ConfigNote[]): void {
  const rows = contentsOf(file, from).split('\n');
  for (let index = 0; index < rows.length; index++) {
    const row = (rows[index] ?? '').replace(/\r$/, '');
    const line = readLine(row, { file, line: index + 1, from }, notes);
    if (line === null) continue;
    if (line.option.name === 'include_dir') readFolder(line, lines, notes);
    else lines.push(line);
  }
}

function contentsOf(file: string, from: Place | null): string {
  try {
    return readSmallFile(file, LARGEST_FILE, PIPE_PATIENCE_MS)
      .bytes.toString()
      .replace(/^\uFEFF/, '');
  } catch (error) {
    throw errorAt(from, `Error: Unable to open config file ${file}.`, `${(error as Error).message}.`);
  }
}

/** A line: name, blank, value. Null for an empty line and a comment, which has its `#` in the first column. */
function readLine(row: string, place: Place, notes: ConfigNote[]): ConfigLine | null {
  if (row.startsWith('#') || row.trim() === '') return null;
  const start = row.trimStart() === row ? row : row.replace(/^ +/, '');
  const end = start.indexOf(' ');
  const name = (end < 0 ? start : start.slice(0, end)).trimEnd();
  const option = findOption(name);
  if (option === null) throw unknownName(name, place);
  const rest = end < 0 ? '' : start.slice(end + 1).trim();
  const text = option.kind.wholeLine ? rest : firstWord(rest, name, place, notes);
  if (text === '') throw errorAt(place, `Error: Empty ${name} value in configuration.`);
  if (text.includes('\0')) throw errorAt(place, `Error: Invalid ${name} value: it contains a NUL character.`);
  return { option, name, text, place };
}

/** Mosquitto reads the first word of such values and passes over the rest, so an existing file may have one. */
function firstWord(rest: string, name: string, place: Place, notes: ConfigNote[]): string {
  const [word = '', ...others] = rest.split(/\s+/);
  if (others.length > 0 && !others[0]?.startsWith('#')) {
    const text = `Warning: Only '${word}' of the ${name} line is used, at ${placeText(place)}.`;
    notes.push({ type: 'warning', text });
  }
  return word;
}

function unknownName(name: string, place: Place): ConfigError {
  const shown = JSON.stringify(name.slice(0, LONGEST_SHOWN)).slice(1, -1);
  const sentences = [`Error: Unknown configuration variable '${shown}'.`];
  const near = nearestName(name, OPTION_NAMES);
  if (name.startsWith('#')) sentences.push("A comment has its '#' as the very first character of the line.");
  else if (/[\0\uFFFD]/.test(name)) sentences.push('The file seems to be no text, or not in UTF-8.');
  else if (name.includes('\t')) sentences.push('Name and value are separated by a blank, not by a tab.');
  else if (name.includes('=')) sentences.push("Name and value are separated by a blank, not by '='.");
  else if (near !== null) sentences.push(`Did you mean '${near}'?`);
  return errorAt(place, ...sentences);
}

function readFolder(line: ConfigLine, lines: ConfigLine[], notes: ConfigNote[]): void {
  if (line.place.from !== null) {
    const text = `Warning: include_dir is only read in the main configuration file, not at ${placeText(line.place)}.`;
    notes.push({ type: 'warning', text });
    return;
  }
  let names: string[];
  try {
    names = readdirSync(line.text);
  } catch (error) {
    throw errorAt(line.place, `Error: Unable to open include_dir '${line.text}'.`, `${systemErrorText(error)}.`);
  }
  for (const name of names.filter((one) => one.endsWith('.conf')).sort(compareFileNames)) {
    const file = path.join(line.text, name);
    notes.push({ type: 'information', text: `Loading config file '${file}'` });
    readFile(file, line.place, lines, notes);
  }
}

/** Without regard to ASCII case; names that differ in case only have the capital first. */
function compareFileNames(a: string, b: string): number {
  return compareTexts(upperAscii(a), upperAscii(b)) || compareTexts(a, b);
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function upperAscii(name: string): string {
  return name.replace(/[a-z]/g, (letter) => letter.toUpperCase());
}
