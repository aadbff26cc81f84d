// The broker's log: a method per type, null while that type is off, so that `log.debug?.(…)` evaluates nothing at all.

/** Log types by Mosquitto's names (mosquitto.conf log_type). */
export const LOG_TYPES = [
  'error',
  'warning',
  'notice',
  'information',
  'debug',
  'subscribe',
  'unsubscribe',
  'websockets',
  'internal',
] as const;

/** One of the log types. */
export type LogType = (typeof LOG_TYPES)[number];

/** Writes one line; the text has no line end and no time stamp. */
export type LogLine = (text: string) => void;

/** A line for each type, or null while that type is not wanted. */
export type Logger = { [T in LogType]: LogLine | null };

/** Receives every wanted line: its type, its text and the wall-clock time in milliseconds. */
export interface LogSink {
  write(type: LogType, text: string, timeMs: number): void;
}

/** A logger with every type off. */
export function silentLogger(): Logger {
  return {
    error: null,
    warning: null,
    notice: null,
    information: null,
    debug: null,
    subscribe: null,
    unsubscribe: null,
    websockets: null,
    internal: null,
  };
}

/** Turns exactly the given types of a logger on, all into one sink. May be called again, on reload. */
export function configureLogger(log: Logger, types: ReadonlySet<LogType>, sink: LogSink): void {
  for (const type of LOG_TYPES) {
    log[type] = types.has(type) ? (text) => sink.write(type, text, Date.now()) : null;
  }
}
