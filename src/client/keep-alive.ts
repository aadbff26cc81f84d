// The keep-alive of one connection (MQTT 5.0 section 3.1.2.10): PINGREQ when nothing was sent or nothing came for its time
// [MQTT-3.1.2-20], and the end when half of that later still not a byte came. A client that reads nothing on purpose is not
// judged by what it has not read.
import { monotonicNow, touch } from '../util/clock.ts';

/** What is watched: the link. */
interface Watched {
  readonly isReading: boolean;
  readonly lastReceived: number;
}

/** One timer, set anew only when it goes off. */
export class KeepAlive {
  private readonly watched: Watched;
  private readonly ping: () => void;
  private readonly lose: () => void;
  private intervalMs: number;
  private lastSent: number;
  /** 0 while no PINGREQ waits for its answer. */
  private pingSentAt: number;
  private timer: NodeJS.Timeout | null;

  constructor(watched: Watched, ping: () => void, lose: () => void) {
    this.watched = watched;
    this.ping = ping;
    this.lose = lose;
    this.intervalMs = 0;
    this.lastSent = 0;
    this.pingSentAt = 0;
    this.timer = null;
  }

  /** @param seconds 0 turns the mechanism off */
  start(seconds: number): void {
    this.intervalMs = seconds * 1000;
    this.lastSent = performance.now();
    if (seconds > 0) this.wait(this.intervalMs);
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  /** Bytes were sent. */
  sent(): void {
    touch();
    this.lastSent = monotonicNow();
  }

  /** Reading goes on after a pause: an answer may have waited all the time. */
  forgive(): void {
    this.pingSentAt = 0;
  }

  private wait(delayMs: number): void {
    this.timer = setTimeout(() => this.check(), Math.max(1, delayMs));
  }

  private check(): void {
    const now = performance.now();
    const { isReading, lastReceived } = this.watched;
    if (!isReading || lastReceived >= this.pingSentAt) this.pingSentAt = 0;
    if (this.pingSentAt > 0) {
      const answerDue = this.pingSentAt + this.intervalMs / 2;
      if (now >= answerDue) this.lose();
      else this.wait(answerDue - now);
      return;
    }
    const quietSince = isReading ? Math.min(this.lastSent, lastReceived) : this.lastSent;
    const pingDue = quietSince + this.intervalMs;
    if (now < pingDue) {
      this.wait(pingDue - now);
      return;
    }
    this.ping();
    this.pingSentAt = now;
    this.wait(this.intervalMs / 2);
  }
}
