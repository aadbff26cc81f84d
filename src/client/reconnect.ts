// One attempt to connect, and the loop that makes another one until it works or cannot work.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  BAD_AUTHENTICATION_METHOD,
  BAD_USERNAME_OR_PASSWORD,
  BANNED,
  CLIENT_IDENTIFIER_NOT_VALID,
  NOT_AUTHORIZED,
  type Reason,
  SESSION_TAKEN_OVER,
  UNSUPPORTED_PROTOCOL_VERSION,
} from '../protocol/reasons.ts';
import { Backoff } from '../util/backoff.ts';
import { Connection, type ConnectionOwner } from './connection.ts';
import type { Destination } from './destination.ts';
import { ConnectionLost, ConnectRefused } from './errors.ts';
import type { ReconnectOptions } from './options.ts';
import type { Settings } from './settings.ts';

/**
 * Refusals that the next attempt would meet again, and the take-over of the session: two clients that both come back would
 * throw each other out for ever.
 */
const FINAL_REASONS: readonly Reason[] = [
  UNSUPPORTED_PROTOCOL_VERSION,
  CLIENT_IDENTIFIER_NOT_VALID,
  BAD_USERNAME_OR_PASSWORD,
  NOT_AUTHORIZED,
  BANNED,
  BAD_AUTHENTICATION_METHOD,
  SESSION_TAKEN_OVER,
];

/** Whether another attempt makes no sense after this error. */
export function isFinal(error: Error): boolean {
  if (!(error instanceof ConnectRefused || error instanceof ConnectionLost)) return false;
  return error.reason !== null && FINAL_REASONS.includes(error.reason);
}

/**
 * Dials, sends CONNECT and waits for CONNACK, all within the time of the settings; where the server names another one that
 * may be gone to, there too.
 * @param first whether the client was never connected before
 * @param signal gives up
 */
export async function connectOnce(
  settings: Settings,
  destination: Destination,
  owner: ConnectionOwner,
  first: boolean,
  signal: AbortSignal,
): Promise<void> {
  const seconds = settings.connectTimeoutMs / 1000;
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new ConnectionLost(`No connection was made within ${seconds} seconds`)),
    settings.connectTimeoutMs,
  );
  try {
    for (;;) {
      try {
        await dialAndStart(settings, destination, owner, first, AbortSignal.any([signal, late.signal]));
        destination.arrived();
        return;
      } catch (error) {
        if (destination.follow(error)) continue;
        destination.goHome();
        throw error;
      }
    }
  } finally {
    clearTimeout(timer);
  }
}

async function dialAndStart(
  settings: Settings,
  destination: Destination,
  owner: ConnectionOwner,
  first: boolean,
  signal: AbortSignal,
): Promise<void> {
  const transport = await destination.dialer.dial(signal);
  const connection = new Connection(transport, settings, owner);
  const stop = (): void => connection.abandon(signal.reason as Error);
  const started = connection.start(first);
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  try {
    await started;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** The first connection: one attempt, or as many as the settings allow. Rejects with the last error, or the signal's. */
export async function connectFirst(
  settings: Settings,
  destination: Destination,
  owner: ConnectionOwner,
  giveUp: AbortSignal,
): Promise<void> {
  const signal = settings.signal === null ? giveUp : AbortSignal.any([giveUp, settings.signal]);
  const attempt = (): Promise<void> => connectOnce(settings, destination, owner, true, signal);
  const { reconnect } = settings;
  if (reconnect?.first !== true) return attempt();
  try {
    await attempt();
  } catch (error) {
    if (!(error instanceof Error) || signal.aborted) throw error;
    await keepTrying(reconnect, error, attempt, () => {}, signal);
  }
}

/**
 * Calls `attempt` with growing delays in front until it succeeds. Rejects with the error after which another attempt makes
 * no sense or is one too many, or with the signal's.
 * @param announce is told of every delay, and why
 */
export async function keepTrying(
  options: ReconnectOptions,
  why: Error,
  attempt: () => Promise<void>,
  announce: (error: Error, delayMs: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const backoff = new Backoff(options.minDelayMs, options.maxDelayMs);
  const most = options.maxAttempts ?? Number.POSITIVE_INFINITY;
  let error = why;
  for (let made = 0; ; made++) {
    if (isFinal(error) || made >= most) throw error;
    const delayMs = Math.round(backoff.next());
    announce(error, delayMs);
    options.announce?.(error, delayMs, made + 1);
    await sleep(delayMs, undefined, { signal });
    try {
      await attempt();
      return;
    } catch (failure) {
      if (!(failure instanceof Error) || signal.aborted) throw failure;
      error = failure;
    }
  }
}
