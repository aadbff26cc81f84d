// What mqtt-pub, mqtt-sub and mqtt-rr have in common: reading the command line, connecting, and telling what went wrong.
import { ConnectRefused } from '../../client/errors.ts';
import { connect } from '../../client/index.ts';
import type { Client, ClientOptions, ReconnectOptions } from '../../client/options.ts';
import { DISCONNECT } from '../../protocol/constants.ts';
import { NO_PROPERTIES } from '../../protocol/properties.ts';
import { connectionOptions } from '../connection.ts';
import type { Io } from '../io.ts';
import { UsageError } from '../messages.ts';
import type { Options } from '../options/tables.ts';
import { readCommandLine, reportUsageError } from '../start.ts';
import { withSpinner } from '../terminal.ts';
import { traceLines } from '../trace.ts';
import { type Console, openConsole } from './console.ts';
import { failureOf } from './failure.ts';

/** Exit code when -W is over. */
export const EXIT_TIMEOUT = 27;

/** Lost connections are dialled again every second. */
export const EVERY_SECOND: ReconnectOptions = { minDelayMs: 1000, maxDelayMs: 1000 };

type ClientTool = 'pub' | 'sub' | 'rr';

/** Runs a client tool: `run` does its work and resolves to the exit code, or rejects with an error of the client. */
export async function clientCommand<T extends ClientTool>(
  tool: T,
  argv: readonly string[],
  io: Io,
  run: (options: Options<T>, io: Io, console: Console) => Promise<number>,
): Promise<number> {
  const parsed = await readCommandLine(tool, argv, io);
  if (typeof parsed === 'number') return parsed;
  const { quiet } = parsed.options as { quiet: boolean };
  const console = await openConsole(io, quiet);
  try {
    return await run(parsed.options, io, console);
  } catch (error) {
    return error instanceof UsageError ? await reportUsageError(tool, error, io) : explain(error, console);
  } finally {
    await console.finish();
  }
}

/** Says why the client failed, and returns the exit code. */
export function explain(error: unknown, console: Console): number {
  const { sentences, code } = failureOf(error);
  for (const sentence of sentences) console.error(sentence);
  return code;
}

/** How a tool connects, beside what its options say. */
export interface ConnectionPlan {
  readonly reconnect: ReconnectOptions | null;
  /** Seconds that connecting may take; null for the client's default. */
  readonly timeout: number | null;
  /** Whether the trace of a refused connection ends with a DISCONNECT. */
  readonly endsRefusal: boolean;
}

/** Connects, with -d lines, or with a spinner for whoever waits at a terminal. Rejects with the client's errors. */
export async function openClient<T extends ClientTool>(
  tool: T,
  options: Options<T>,
  io: Io,
  console: Console,
  plan: ConnectionPlan,
): Promise<Client> {
  const fields = options as Options<'pub'>;
  const trace = fields.debug ? traceLines((line) => console.trace(line)) : null;
  const settings: ClientOptions = {
    ...connectionOptions(tool, fields, io.env),
    reconnect: plan.reconnect,
    ...(trace === null ? {} : { trace }),
    ...(plan.timeout === null ? {} : { connectTimeoutMs: plan.timeout * 1000 }),
  };
  const { host } = settings.endpoint;
  try {
    return await (trace === null ? withSpinner(io, `Connecting to ${host}`, connect(settings)) : connect(settings));
  } catch (error) {
    if (!(error instanceof ConnectRefused)) throw error;
    const code = explain(error, console);
    if (plan.endsRefusal) trace?.sending({ type: DISCONNECT, code: 0, properties: NO_PROPERTIES });
    throw new Refused(code);
  }
}

/** A refused connection that has been reported already. */
export class Refused extends Error {
  readonly code: number;

  constructor(code: number) {
    super('the connection was refused');
    this.code = code;
  }
}
