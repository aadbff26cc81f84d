// How long a client tool goes on trying to connect: what Mosquitto's tools do by themselves, --reconnect, --max-reconnects, -W.
import { ConnectionLost } from '../../client/errors.ts';
import type { ClientOptions, ReconnectOptions } from '../../client/options.ts';
import type { Options } from '../options/tables.ts';
import type { Workplace } from './client-command.ts';

/** Lost connections are dialled again every second. */
export const EVERY_SECOND: ReconnectOptions = { minDelayMs: 1000, maxDelayMs: 1000 };

/** Milliseconds that one of several attempts may take. */
const ATTEMPT_MS = 30_000;
/** A timer may fire a little before its time, and -W has to be over then. */
const LATE_MS = 5;

/**
 * The options of the client about trying.
 * @param builtIn what the tool does by itself
 * @param timeout seconds that connecting may take; null for the client's default, or without end where it is tried again
 */
export async function patience(
  options: Pick<Options<'pub'>, 'reconnect' | 'maxReconnects'>,
  place: Pick<Workplace, 'io' | 'console'>,
  builtIn: ReconnectOptions | null,
  timeout: number | null,
): Promise<Pick<ClientOptions, 'reconnect' | 'connectTimeoutMs' | 'signal'>> {
  const isTold = options.reconnect || place.io.stderr.isTTY === true;
  const usual = options.reconnect ? { ...EVERY_SECOND, ...builtIn, first: true } : builtIn;
  const reconnect =
    usual === null
      ? null
      : {
          ...usual,
          ...(options.maxReconnects === null ? {} : { maxAttempts: options.maxReconnects }),
          ...(isTold ? { announce: await announcer(place, builtIn?.announce) } : {}),
        };
  if (timeout === null) return { reconnect };
  const ms = timeout * 1000;
  if (reconnect?.first !== true) return { reconnect, connectTimeoutMs: ms };
  return { reconnect, connectTimeoutMs: Math.min(ms, ATTEMPT_MS), signal: over(ms) };
}

/**
 * Says once for each time without connection why there is none, and tells whoever was to be told. What it needs for that is
 * loaded before the first one.
 */
async function announcer(
  { console }: Pick<Workplace, 'console'>,
  next: ReconnectOptions['announce'],
): Promise<NonNullable<ReconnectOptions['announce']>> {
  const { causeOf } = await import('./failure.ts');
  return (error, delayMs, attempt) => {
    next?.(error, delayMs, attempt);
    if (attempt > 1) return;
    const sentence = causeOf(error);
    console.warn(`${sentence.replace(/^Error: /, '').replace(/\.$/, '')}; trying again every second.`);
  };
}

/** A signal that gives up after so many milliseconds. */
function over(ms: number): AbortSignal {
  const late = new AbortController();
  const error = new ConnectionLost(`No connection was made within ${ms / 1000} seconds`);
  setTimeout(() => late.abort(error), ms + LATE_MS).unref();
  return late.signal;
}
