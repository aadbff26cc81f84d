// The places that log lines are written to: standard streams and a file. Each takes many lines at once.
import { closeSync, fstatSync, openSync, writeSync } from 'node:fs';
import process from 'node:process';
import { openNow, TO_APPEND } from '../util/open-now.ts';
import { systemErrorText } from '../util/system-error.ts';
import type { LogType } from './logger.ts';
import { UnusableLog } from './unusable.ts';

/** One line as the outputs get it. */
export interface LogEntry {
  readonly type: LogType;
  /** The whole line with its time stamp, without line end. */
  readonly line: string;
  /** The text without time stamp. */
  readonly text: string;
  readonly timeMs: number;
}

/** A place for lines. No method throws: a log that fails must not take the broker with it. */
export interface LogOutput {
  write(entries: readonly LogEntry[]): void;
  /** Opens a file anew, by its name. Throws UnusableLog and keeps the old one if that fails. */
  reopen(): void;
  close(): void;
}

function linesOf(entries: readonly LogEntry[]): string {
  let lines = '';
  for (const { line } of entries) lines += `${line}\n`;
  return lines;
}

/** The streams whose errors are taken care of: a reader that is gone must not end the process. */
const guardedStreams = new Set<NodeJS.WriteStream>();

/** Standard output or standard error. Where the reader is gone, lines are dropped. */
export class StreamOutput implements LogOutput {
  readonly #stream: NodeJS.WriteStream;

  constructor(name: 'stdout' | 'stderr') {
    this.#stream = process[name];
    if (guardedStreams.has(this.#stream)) return;
    guardedStreams.add(this.#stream);
    this.#stream.on('error', () => undefined);
  }

  write(entries: readonly LogEntry[]): void {
    if (this.#stream.writable) this.#stream.write(linesOf(entries));
  }

  reopen(): void {}

  close(): void {}
}

/** Opens a file to append to. Throws UnusableLog, also for a pipe that nobody reads, where opening would wait for ever. */
function openLogFile(path: string): number {
  try {
    const descriptor = openNow(path, TO_APPEND);
    if (fstatSync(descriptor).isFile()) return descriptor;
    // To a pipe or a terminal lines are written in full, even if its reader is slow.
    const patient = openSync(path, 'a');
    closeSync(descriptor);
    return patient;
  } catch (error) {
    const cause = systemErrorText(error);
    throw new UnusableLog(
      `file ${path}`,
      `Unable to open log file ${path} for writing: ${cause}. Name another one in log_dest file, or see to its rights.`,
    );
  }
}

/** A file that lines are appended to. Its mode is what the umask leaves. */
export class FileOutput implements LogOutput {
  readonly #path: string;
  #descriptor: number;
  #failed = false;

  /** Throws UnusableLog if the file can't be opened. */
  constructor(path: string) {
    this.#path = path;
    this.#descriptor = openLogFile(path);
  }

  write(entries: readonly LogEntry[]): void {
    const bytes = Buffer.from(linesOf(entries));
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at);
      this.#failed = false;
    } catch (error) {
      const cause = systemErrorText(error);
      if (!this.#failed) process.stderr.write(`Error: Unable to write to log file ${this.#path}: ${cause}.\n`);
      this.#failed = true;
    }
  }

  reopen(): void {
    const descriptor = openLogFile(this.#path);
    closeSync(this.#descriptor);
    this.#descriptor = descriptor;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
