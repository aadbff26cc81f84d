// What goes wrong before a tool begins its work: the sentence, what follows it, and the exit code. Also the exit codes that
// scripts rely on (they are Mosquitto's).

import { nearestName } from '../config/nearest.ts';

/** The tool did what it was asked. */
export const EXIT_OK = 0;
/** Bad options, an unreadable file, a refused TCP connection, `--help` of the clients, and everything without a code of its own. */
export const EXIT_ERROR = 1;
/** mqtt-passwd: the two passwords that were typed differ. */
export const EXIT_MISMATCH = 2;
/** The broker: bad options or a bad configuration. */
export const EXIT_CONFIG = 3;
/** Ctrl-C at a question, by the custom of shells. */
export const EXIT_INTERRUPTED = 130;
/** The broker: the pid file can't be written. */
export const EXIT_PID_FILE = 14;

/** What is shown after the sentence: a pointer to --help, the whole usage text, or nothing. */
export type Aftermath = 'hint' | 'usage' | 'nothing';

/**
 * The command line, or a file that it names, asks for something that can't be done. The message is one or more whole
 * sentences without `Error: ` in front, for stderr.
 */
export class UsageError extends Error {
  readonly aftermath: Aftermath;
  /** Exit code of the tool; null for the one that the tool has for wrong usage. */
  readonly code: number | null;

  constructor(message: string, aftermath: Aftermath = 'hint', code: number | null = null) {
    super(message);
    this.name = 'UsageError';
    this.aftermath = aftermath;
    this.code = code;
  }
}

/** A sentence about a word that is none of a few known ones, with the nearest of these. */
export function withNearest(sentence: string, word: string, known: readonly string[]): string {
  const nearest = nearestName(word, known);
  return nearest === null ? sentence : `${sentence}\nDid you mean '${nearest}'?`;
}

/** The sentence about a TLS option whose file can't be used, in Mosquitto's words, with a second line that names the file. */
export function tlsFileError(file: string, cause: string): UsageError {
  const missing = cause === 'ENOENT';
  const first = missing ? 'File not found.' : 'File not usable.';
  const second = missing ? `There is no file "${file}".` : `"${file}": ${cause}`;
  return new UsageError(`Problem setting TLS options: ${first}\n${second}`, 'nothing');
}
