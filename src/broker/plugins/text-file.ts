// Reads the small text files that say who may do what. Every fault is a sentence that names the file, and the line.
import process from 'node:process';
import { readSmallFile } from '../../util/small-file.ts';
import { linesOf } from '../../util/text-lines.ts';

/** A file's lines without their ends. */
interface TextFile {
  readonly lines: readonly string[];
  /** Whether every user of the machine may read it. */
  readonly worldReadable: boolean;
}

const READ_BY_OTHERS = 0o004;

/** Largest file that is read, in bytes: a million users fit in. */
const LARGEST_FILE = 128 * 1024 * 1024;

/** Reads a file; `what` names it for people, for example 'password file'. Throws a sentence for the log. */
export function readTextFile(path: string, what: string): TextFile {
  const { bytes, mode } = read(path, what);
  const { lines, faulty } = linesOf(bytes);
  if (faulty !== null) throw new Error(`Error: The ${what} "${path}" is not UTF-8 text, see line ${faulty}.`);
  return { lines, worldReadable: process.platform !== 'win32' && (mode & READ_BY_OTHERS) !== 0 };
}

function read(path: string, what: string): ReturnType<typeof readSmallFile> {
  try {
    return readSmallFile(path, LARGEST_FILE);
  } catch (error) {
    throw new Error(`Error: Unable to open ${what} "${path}": ${(error as Error).message}.`);
  }
}
