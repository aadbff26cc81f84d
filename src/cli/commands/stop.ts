// What ends a receiving tool from outside: -W and the signals of Ctrl-C and of service managers.
import process from 'node:process';
import type { Client } from '../../client/options.ts';
import type { Properties } from '../../protocol/properties.ts';
import { uptimeMs } from '../../util/clock.ts';

/** The time of -W, counted from the start of the tool. */
export class Deadline {
  readonly #endsAt: number;
  #timer: NodeJS.Timeout | null = null;

  /** @param seconds null for no limit */
  constructor(seconds: number | null) {
    this.#endsAt = seconds === null ? Number.POSITIVE_INFINITY : uptimeMs() + seconds * 1000;
  }

  /** Whether the time is over. */
  get isOver(): boolean {
    return uptimeMs() >= this.#endsAt;
  }

  /** Calls back once, when the time is over. */
  watch(over: () => void): void {
    if (this.#endsAt === Number.POSITIVE_INFINITY) return;
    // A timer may fire within the millisecond before its time.
    this.#timer = setTimeout(over, Math.max(0, this.#endsAt - uptimeMs()) + 1);
  }

  cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}

/** Has SIGINT and SIGTERM call back instead of ending the process; a second signal ends it. Returns the way back. */
export function onStopSignal(stop: () => void): () => void {
  const forget = (): void => {
    process.off('SIGINT', stopOnce);
    process.off('SIGTERM', stopOnce);
  };
  const stopOnce = (): void => {
    forget();
    stop();
  };
  process.on('SIGINT', stopOnce);
  process.on('SIGTERM', stopOnce);
  return forget;
}

/**
 * Disconnects, also from inside of a message handler: the message at hand is still acknowledged, and none of those behind
 * it is taken, so that a persistent session keeps them. With `first`, that is waited for while messages go on coming.
 */
export async function endAfter(
  client: Client,
  first: Promise<void> | null,
  reasonCode: number,
  properties: Properties,
): Promise<void> {
  if (first !== null) await first;
  await client.end(reasonCode, properties);
}
