// --message-rate: how many messages came in each second, instead of the messages.
import { uptimeMs } from '../../util/clock.ts';
import type { Console } from './console.ts';
import type { Display } from './display.ts';

/** Counts messages, and prints their number each second. */
export class MessageRate implements Display {
  readonly #console: Pick<Console, 'text'>;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | null = null;
  #count = 0;
  #since = 0;

  /** @param now milliseconds of a clock that never goes back */
  constructor(console: Pick<Console, 'text'>, now: () => number = uptimeMs) {
    this.#console = console;
    this.#now = now;
  }

  begin(): void {
    this.#since = this.#now();
    this.#timer = setInterval(() => this.#print(), 1000);
  }

  show(): void {
    this.#count += 1;
  }

  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** A timer may be late: the number is that of a second all the same. */
  #print(): void {
    const now = this.#now();
    const seconds = Math.max(now - this.#since, 1) / 1000;
    this.#console.text(`${Math.round(this.#count / seconds)} msgs/s\n`);
    this.#count = 0;
    this.#since = now;
  }
}
