// The places that log lines are written to: standard streams and a file. Each takes many lines at once.
import { closeSync, openSync, writeSync } from 'node:fs';
import process from 'node:process';
import type { LogType } from './logger.ts';

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
  /** Opens a file anew, by its name. Throws with the system's error and keeps the old one if that fails. */
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

/** A file that lines are appended to. Its mode is what the umask leaves. */
export class FileOutput implements LogOutput {
  readonly #path: string;
  #descriptor: number;
  #failed = false;

  /** Throws the system's error if the file can't be opened. */
  constructor(path: string) {
    this.#path = path;
    this.#descriptor = openSync(path, 'a');
  }

  write(entries: readonly LogEntry[]): void {
    const bytes = Buffer.from(linesOf(entries));
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at);
      this.#failed = false;
    } catch (error) {
      if (!this.#failed) process.stderr.write(`Error: Unable to write to log file ${this.#path}: ${String(error)}\n`);
      this.#failed = true;
    }
  }

  reopen(): void {
    const descriptor = openSync(this.#path, 'a');
    closeSync(this.#descriptor);
    this.#descriptor = descriptor;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
