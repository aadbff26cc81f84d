// When recorded messages are due. The schedule is absolute: each time is reckoned from the first one, so that waits that are a
// little too long or too short don't add up.
import { setTimeout as sleep } from 'node:timers/promises';
import { uptimeMs } from '../../util/clock.ts';

/** What the pace is kept by. */
export interface Clock {
  /** Milliseconds that only ever grow. */
  now(): number;
  /** Waits about so many milliseconds; rejects when the signal says so. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** Less than this is no wait: timers don't go finer than a millisecond. */
const NEAR_MS = 0.5;
/** A timer has a longest time. */
const LONGEST_MS = 86_400_000;

/** The monotonic clock of the system. */
export const SYSTEM_CLOCK: Clock = {
  now: uptimeMs,
  wait: (ms, signal) => sleep(Math.min(Math.max(1, Math.floor(ms)), LONGEST_MS), undefined, { signal }),
};

/** The times of a recording, laid on a clock. */
export class Pace {
  readonly #clock: Clock;
  readonly #speed: number;
  /** Microseconds of the recording that go with a moment of the clock; null before the first message. */
  #origin: { recorded: number; ms: number } | null = null;
  #last = 0;
  #hasLeft = false;

  /** @param speed how many times as fast as recorded; 0 for no waiting at all */
  constructor(clock: Clock, speed: number) {
    this.#clock = clock;
    this.#speed = speed;
  }

  /**
   * Resolves when a message of this time is due: at once for the first one, for one that is late and for one without time.
   * Where the times go back, as between two recordings in one file, the later ones count from there.
   * @param recorded microseconds since 1970, null where the recording does not say
   */
  async due(recorded: number | null, signal: AbortSignal): Promise<void> {
    if (recorded === null || this.#speed === 0) return;
    if (this.#origin === null) {
      this.#origin = { recorded, ms: this.#clock.now() };
    } else if (recorded < this.#last) {
      this.#origin.recorded += recorded - this.#last;
    }
    this.#last = recorded;
    const at = this.#origin.ms + (recorded - this.#origin.recorded) / (1000 * this.#speed);
    for (let left = at - this.#clock.now(); left > NEAR_MS; left = at - this.#clock.now()) {
      await this.#clock.wait(left, signal);
    }
  }

  /**
   * A message has left. The times are reckoned from when the first one did: code that runs for the first time takes some
   * milliseconds, by which the second one would come too early.
   */
  left(): void {
    if (this.#hasLeft || this.#origin === null) return;
    this.#hasLeft = true;
    this.#origin.ms = this.#clock.now();
  }
}
