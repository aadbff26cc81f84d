// What mqtt-pub, mqtt-sub and mqtt-rr have in common: reading the command line, connecting, and telling what went wrong.
import { ConnectionLost, ConnectRefused } from '../../client/errors.ts';
import { connect } from '../../client/index.ts';
import type { Client, ClientOptions, ClientTrace, Endpoint, ReconnectOptions } from '../../client/options.ts';
import { DISCONNECT } from '../../protocol/constants.ts';
import { NO_PROPERTIES } from '../../protocol/properties.ts';
import { NOT_AUTHORIZED } from '../../protocol/reasons.ts';
import { printable } from '../../util/printable.ts';
import { connectionOptions } from '../connection.ts';
import { EXIT_DENIED } from '../exit-status.ts';
import type { Io } from '../io.ts';
import { EXIT_ERROR, EXIT_OK, UsageError } from '../messages.ts';
import type { Options } from '../options/tables.ts';
import type { Parsed } from '../parse.ts';
import { readCommandLine, reportUsageError } from '../start.ts';
import { withSpinner } from '../terminal.ts';
import { type Console, openConsole } from './console.ts';
import { patience } from './reconnecting.ts';
import { traceFor } from './tracing.ts';

/**
 * Milliseconds that a publisher waits for the broker to have read everything and close: the next command of a script finds
 * the message there. A slow broker is not waited for, as what is with the system is delivered also after the tool's end.
 */
const PUBLISHED_MS = 20;

type ClientTool = 'pub' | 'sub' | 'rr';

/** What the work of a client tool has at hand. */
export interface Workplace {
  readonly io: Io;
  readonly console: Console;
  /** With -d. */
  readonly trace: ClientTrace | null;
  /** Keys of the options that were given. */
  readonly given: readonly string[];
}

/** Runs a client tool: `work` does what the options say and resolves to the exit code, or rejects with an error of the client. */
export async function clientCommand<T extends ClientTool>(
  tool: T,
  argv: readonly string[],
  io: Io,
  work: (options: Options<T>, place: Workplace) => Promise<number>,
): Promise<number> {
  // A reader that goes away (`--help | head -1`) is no reason to fail.
  for (const stream of [io.stdout, io.stderr]) stream.on('error', () => undefined);
  const parsed = await readCommandLine(tool, argv, io);
  if (typeof parsed === 'number') return parsed;
  const { quiet } = parsed.options as Options<'pub'>;
  const console = await openConsole(io, quiet);
  const trace = await traceFor(parsed as Parsed<ClientTool>, console, tool !== 'rr');
  try {
    const code = await work(parsed.options, { io, console, trace, given: parsed.given });
    return tool === 'pub' ? code : await afterPrinting(code, console);
  } catch (error) {
    if (error instanceof UsageError) return await reportUsageError(tool, error, io, quiet);
    const { failureOf } = await import('./failure.ts');
    const { sentences, details, code } = failureOf(error);
    for (const sentence of sentences) console.error(sentence);
    if (error instanceof ConnectRefused) afterRefusal(tool, error, console, trace);
    for (const detail of details) if (!console.traced.includes(detail)) console.detail(detail);
    const { failOnDenied } = parsed.options as Options<'pub'>;
    const isDenied = error instanceof ConnectionLost && error.reason === NOT_AUTHORIZED;
    return failOnDenied && isDenied ? EXIT_DENIED : code;
  } finally {
    await console.finish();
  }
}

/** Tells of messages that could not be printed (a full disk); the exit code then. A reader that has gone is no failure. */
async function afterPrinting(code: number, console: Console): Promise<number> {
  await console.out.finish();
  const { fault } = console.out;
  if (fault === null) return code;
  console.error(`Error: ${fault}`);
  return code === EXIT_OK ? EXIT_ERROR : code;
}

/** What Mosquitto's tools add to a refusal: the publisher a second sentence (3.x only), the others a line of their trace. */
function afterRefusal(tool: ClientTool, error: ConnectRefused, console: Console, trace: ClientTrace | null): void {
  if (tool !== 'pub') trace?.sending({ type: DISCONNECT, code: 0, properties: NO_PROPERTIES });
  else if (error.returnCode !== 0) console.error('Error: The connection was refused.');
}

/**
 * Connects, with a spinner for whoever waits at a terminal. `timeout` is the time that connecting may take in seconds, null
 * for the client's default. `signal` gives up. Rejects with the client's errors.
 */
export async function openClient<T extends ClientTool>(
  tool: T,
  options: Options<T>,
  place: Workplace,
  reconnect: ReconnectOptions | null,
  timeout: number | null,
  signal: AbortSignal | null = null,
): Promise<Client> {
  const { io, trace } = place;
  const connection = connectionOptions(tool, options as Options<'pub'>, io.env);
  const settings: ClientOptions = {
    ...connection,
    endpoint: await withKey(connection.endpoint, options as Options<'pub'>, io),
    ...(tool === 'pub' ? { closeTimeoutMs: PUBLISHED_MS } : {}),
    ...(trace === null ? {} : { trace }),
    ...(await patience(options as Options<'pub'>, place, reconnect, timeout)),
    ...(signal === null ? {} : { signal }),
  };
  const { endpoint } = settings;
  try {
    // The trace, or a line for each failure, shows what is going on; a spinner would only be in its way.
    if (trace !== null || settings.reconnect?.first === true) return await connect(settings);
    return await withSpinner(io, `Connecting to ${printable(endpoint.host)}`, connect(settings));
  } catch (error) {
    if (error instanceof ConnectRefused) throw error;
    const { whileConnecting } = await import('./explain-connecting.ts');
    throw whileConnecting(error, endpoint);
  }
}

/** Asks for the passphrase of an encrypted key, beside payloads that come on standard input. */
async function withKey(endpoint: Endpoint, options: Options<'pub'>, io: Io): Promise<Endpoint> {
  const { key, stdinLines, stdinWhole, jsonInput } = options;
  if (endpoint.tls?.key === undefined || key === null) return endpoint;
  const { unlocked } = await import('../key-passphrase.ts');
  const hasStdin = stdinLines !== true && stdinWhole !== true && jsonInput !== true;
  return { ...endpoint, tls: await unlocked(endpoint.tls, key, io, hasStdin) };
}
