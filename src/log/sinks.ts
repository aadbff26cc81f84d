// From a log call to its destinations: the line is made once, waits for the end of the loop turn with the others, and goes
// out with them in one write for each destination.
import process from 'node:process';
import { printable } from '../util/printable.ts';
import { strftime } from '../util/strftime.ts';
import type { LogSink, LogType } from './logger.ts';
import { FileOutput, type LogEntry, type LogOutput, StreamOutput } from './outputs.ts';
import { SyslogOutput } from './syslog.ts';

/** A place that log lines go to (mosquitto.conf log_dest). */
export type LogDestination =
  | { readonly to: 'stdout' | 'stderr' | 'syslog' | 'topic' }
  | { readonly to: 'file'; readonly path: string };

/** How lines are written. */
export interface LogOptions {
  readonly logDest: readonly LogDestination[];
  /** Whether lines start with the time. */
  readonly logTimestamp: boolean;
  /** strftime(3) form of the time; null for seconds since 1970. */
  readonly logTimestampFormat: string | null;
  /** 0 to 7 for local0 to local7; null for daemon. */
  readonly logFacility: number | null;
}

/** Publishes a line on a topic of the broker. */
export type PublishLine = (topic: string, line: string) => void;

/** A sink with the life of its destinations. */
export interface BatchedLogSink extends LogSink {
  /** Writes and publishes what waits, now. Happens by itself at the end of each loop turn; the process's end writes, too. */
  flush(): void;
  /** Opens log files anew, so that a moved file is left alone. Throws UnusableLog and then keeps the old one. */
  reopen(): void;
  /** Flushes and closes the destinations; later lines are dropped. */
  close(): void;
}

/** Topics for the destination 'topic'; types without one are never published. */
const TOPICS: { readonly [T in LogType]: string | null } = {
  error: '$SYS/broker/log/E',
  warning: '$SYS/broker/log/W',
  notice: '$SYS/broker/log/N',
  information: '$SYS/broker/log/I',
  subscribe: '$SYS/broker/log/M/subscribe',
  unsubscribe: '$SYS/broker/log/M/unsubscribe',
  debug: null,
  websockets: null,
  internal: null,
};

/** Longest line, time stamp included, in bytes. */
const LONGEST_LINE = 1000;

/** Lines that wait at most. A turn that logs more writes in between; of more than that nothing is published. */
const MOST_WAITING = 1000;

const SYSLOG_SOCKET = '/dev/log';

/**
 * Opens the destinations. `publish` serves the destination 'topic' (QoS 2, expiry 20 s is the caller's business); null
 * leaves it out. Throws UnusableLog if a destination can't be opened.
 */
export function createLogSink(
  options: LogOptions,
  publish: PublishLine | null,
  programName = 'mqtt-broker',
  syslogSocket = SYSLOG_SOCKET,
): BatchedLogSink {
  const outputs: LogOutput[] = [];
  try {
    for (const destination of options.logDest) {
      if (destination.to === 'file') outputs.push(new FileOutput(destination.path));
      else if (destination.to === 'syslog')
        outputs.push(new SyslogOutput(syslogSocket, options.logFacility, programName));
      else if (destination.to !== 'topic') outputs.push(new StreamOutput(destination.to));
    }
  } catch (error) {
    for (const output of outputs) output.close();
    throw error;
  }
  const wantsTopic = options.logDest.some(({ to }) => to === 'topic');
  return new Sink(outputs, wantsTopic ? publish : null, options);
}

/** Cuts a line that is too long, between characters. */
function cut(line: string): string {
  if (line.length * 3 <= LONGEST_LINE) return line;
  const bytes = Buffer.from(line);
  if (bytes.length <= LONGEST_LINE) return line;
  let end = LONGEST_LINE;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}

/** Sinks to write out when the process ends; one listener serves them all. */
const openSinks = new Set<Sink>();

function flushAll(): void {
  for (const sink of openSinks) sink.writeLines();
}

class Sink implements BatchedLogSink {
  readonly #outputs: readonly LogOutput[];
  readonly #publish: PublishLine | null;
  readonly #format: string | null;
  readonly #stamped: boolean;
  #lines: LogEntry[] = [];
  /** Topic and line by turns; published at the end of the turn only, never from inside a log call. */
  #published: string[] = [];
  /** True while publish() runs: what it logs itself must not be published, or it would never end. */
  #publishing = false;
  #scheduled = false;
  #stampSecond = -1;
  #stamp = '';

  constructor(outputs: readonly LogOutput[], publish: PublishLine | null, options: LogOptions) {
    this.#outputs = outputs;
    this.#publish = publish;
    this.#stamped = options.logTimestamp;
    this.#format = options.logTimestampFormat;
    if (openSinks.size === 0) process.on('exit', flushAll);
    openSinks.add(this);
  }

  write(type: LogType, text: string, timeMs: number): void {
    if (!openSinks.has(this)) return;
    const clean = printable(text);
    const line = cut(this.#stampAt(timeMs) + clean);
    this.#lines.push({ type, text: cut(clean), line, timeMs });
    if (this.#lines.length >= MOST_WAITING) this.writeLines();
    const topic = TOPICS[type];
    if (this.#publish !== null && topic !== null && !this.#publishing && this.#published.length < 2 * MOST_WAITING) {
      this.#published.push(topic, line);
    }
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  flush(): void {
    this.writeLines();
    const published = this.#published;
    if (published.length === 0 || this.#publishing) return;
    this.#published = [];
    this.#publishing = true;
    try {
      for (let at = 0; at < published.length; at += 2) this.#publish?.(published[at] ?? '', published[at + 1] ?? '');
    } finally {
      this.#publishing = false;
    }
  }

  reopen(): void {
    this.writeLines();
    for (const output of this.#outputs) output.reopen();
  }

  close(): void {
    if (!openSinks.has(this)) return;
    this.flush();
    this.writeLines();
    openSinks.delete(this);
    if (openSinks.size === 0) process.off('exit', flushAll);
    for (const output of this.#outputs) output.close();
  }

  /** Writes what waits for the outputs, and leaves the topics alone. */
  writeLines(): void {
    if (this.#lines.length === 0) return;
    const lines = this.#lines;
    this.#lines = [];
    for (const output of this.#outputs) output.write(lines);
  }

  /** The time in front of a line, made once a second. */
  #stampAt(timeMs: number): string {
    if (!this.#stamped) return '';
    const second = Math.floor(timeMs / 1000);
    if (second !== this.#stampSecond) {
      this.#stampSecond = second;
      this.#stamp = `${this.#format === null ? second : strftime(this.#format, new Date(timeMs))}: `;
    }
    return this.#stamp;
  }
}
