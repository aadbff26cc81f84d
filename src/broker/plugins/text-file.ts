// Reads the small text files that say who may do what. Every fault is a sentence that names the file, and the line.
import { isUtf8 } from 'node:buffer';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import process from 'node:process';

/** A file's lines without their ends. */
interface TextFile {
  readonly lines: readonly string[];
  /** Whether every user of the machine may read it. */
  readonly worldReadable: boolean;
}

const READ_BY_OTHERS = 0o004;

/** Reads a file; `what` names it for people, for example 'password file'. Throws a sentence for the log. */
export function readTextFile(path: string, what: string): TextFile {
  let bytes: Buffer;
  let mode: number;
  try {
    const file = openSync(path, 'r');
    try {
      bytes = readFileSync(file);
      mode = fstatSync(file).mode;
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new Error(`Error: Unable to open ${what} "${path}": ${systemReason(error)}.`);
  }
  const lines = bytes
    .toString()
    .replace(/^\uFEFF/, '')
    .split('\n');
  if (!isUtf8(bytes)) {
    // What is no UTF-8 became U+FFFD; the first such line is the one to look at.
    const line = lines.findIndex((text) => text.includes('\uFFFD')) + 1;
    throw new Error(`Error: The ${what} "${path}" is not UTF-8 text, see line ${line}.`);
  }
  return { lines, worldReadable: process.platform !== 'win32' && (mode & READ_BY_OTHERS) !== 0 };
}

/** 'ENOENT: no such file or directory' without the call and the path that Node adds. */
function systemReason(error: unknown): string {
  return error instanceof Error ? (error.message.split(', ')[0] ?? '') : String(error);
}

/** The text without blanks around it, as C's isspace has them. A walk, because a pattern would be slow on many blanks. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

const isBlank = (char: number): boolean => char === 0x20 || (char >= 0x09 && char <= 0x0d);
