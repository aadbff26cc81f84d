// Lines to syslog over the stream socket of the system. Node has no datagram sockets in the file system, which is what most
// systems offer there, so those are refused with a sentence instead of lines getting lost.
import { readFileSync, realpathSync } from 'node:fs';
import net from 'node:net';
import process from 'node:process';
import { strftime } from '../util/strftime.ts';
import type { LogType } from './logger.ts';
import type { LogEntry, LogOutput } from './outputs.ts';
import { UnusableLog } from './unusable.ts';

/** Severities of RFC 3164, section 4.1.1. */
const SEVERITY: Readonly<Record<LogType, number>> = {
  error: 3,
  warning: 4,
  notice: 5,
  subscribe: 5,
  unsubscribe: 5,
  information: 6,
  debug: 7,
  websockets: 7,
  internal: 7,
};

const DAEMON = 3;
const LOCAL0 = 16;

/** Most bytes that wait for a syslog server that does not read; further lines are dropped. */
const BACKLOG_LIMIT = 1024 * 1024;

/** Type of datagram sockets in /proc/net/unix. */
const DATAGRAM = '0002';

/** What to do instead, for every error here. */
const INSTEAD = 'Use log_dest stdout or stderr, which journald records, or log_dest file.';

/** The syslog output. Facility: 0 to 7 for local0 to local7, null for daemon. */
export class SyslogOutput implements LogOutput {
  readonly #path: string;
  readonly #facility: number;
  readonly #tag: string;
  #socket: net.Socket;
  /** True after a failure was told, until a connection works again. */
  #told = false;

  /** Throws UnusableLog if there is no socket, or one of a kind that Node can't use. */
  constructor(path: string, facility: number | null, programName: string) {
    this.#path = socketPath(path);
    this.#facility = facility === null ? DAEMON : LOCAL0 + facility;
    this.#tag = `${programName}[${process.pid}]`;
    this.#socket = this.#connect();
  }

  write(entries: readonly LogEntry[]): void {
    if (this.#socket.destroyed) this.#socket = this.#connect();
    if (this.#socket.writableLength > BACKLOG_LIMIT) return;
    let bytes = '';
    for (const { type, text, timeMs } of entries) {
      const time = strftime('%b %e %H:%M:%S', new Date(timeMs));
      bytes += `<${this.#facility * 8 + SEVERITY[type]}>${time} ${this.#tag}: ${text}\n`;
    }
    this.#socket.write(bytes);
  }

  reopen(): void {
    this.#socket.end();
    this.#socket = this.#connect();
  }

  close(): void {
    this.#socket.end();
  }

  #connect(): net.Socket {
    const socket = net.connect(this.#path);
    socket.unref();
    socket.on('connect', () => {
      this.#told = false;
    });
    socket.on('error', (error) => {
      if (this.#told) return;
      this.#told = true;
      process.stderr.write(`Error: Unable to log to syslog: ${error.message}. ${INSTEAD}\n`);
    });
    return socket;
  }
}

const noSyslog = (why: string): UnusableLog => new UnusableLog('syslog', `${why}. ${INSTEAD}`);

/** The socket behind the name, after a look at its kind where the system tells. */
function socketPath(path: string): string {
  let real: string;
  try {
    real = realpathSync(path);
  } catch {
    throw noSyslog(`There is no syslog socket ${path}`);
  }
  if (isDatagramSocket(listedSockets(), real)) {
    throw noSyslog(`${path} is a datagram socket, which Node.js cannot write to`);
  }
  return real;
}

/** Linux's list of Unix sockets; empty elsewhere. */
function listedSockets(): string {
  try {
    return readFileSync('/proc/net/unix', 'utf8');
  } catch {
    return '';
  }
}

/** Whether the list of /proc/net/unix has a datagram socket of this path. */
export function isDatagramSocket(list: string, path: string): boolean {
  return list.split('\n').some((row) => {
    const [, , , , kind, , , ...name] = row.split(/ +/);
    return kind === DATAGRAM && name.join(' ') === path;
  });
}
