// The keep-alive of one connection (MQTT 5.0 section 3.1.2.10): PINGREQ when nothing was sent or nothing came for its time
// [MQTT-3.1.2-20], and the end when half of that later still no packet came. A client that reads nothing on purpose is not
// judged by what it has not read.

import { uptimeMs } from '../util/clock.ts';

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
    this.sent(uptimeMs());
    if (seconds > 0) this.wait(this.intervalMs);
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  /** Bytes were sent. */
  sent(nowMs: number): void {
    this.lastSent = nowMs;
  }

  /** Whether no PINGREQ waits for its answer. */
  get isAnswered(): boolean {
    return this.pingSentAt === 0 || this.watched.lastReceived >= this.pingSentAt;
  }

  /** Reading goes on after a pause: an answer may have waited all the time. */
  forgive(): void {
    this.pingSentAt = 0;
  }

  /** Does what is due; returns the milliseconds until something may be due again, 0 when the connection is lost. */
  check(nowMs: number): number {
    const { isReading, lastReceived } = this.watched;
    if (!isReading || lastReceived >= this.pingSentAt) this.pingSentAt = 0;
    if (this.pingSentAt > 0) {
      const answerDue = this.pingSentAt + this.intervalMs / 2;
      if (nowMs < answerDue) return answerDue - nowMs;
      this.lose();
      return 0;
    }
    const quietSince = isReading ? Math.min(this.lastSent, lastReceived) : this.lastSent;
    const pingDue = quietSince + this.intervalMs;
    if (nowMs < pingDue) return pingDue - nowMs;
    this.ping();
    this.pingSentAt = nowMs;
    return this.intervalMs / 2;
  }

  private wait(delayMs: number): void {
    this.timer = setTimeout(() => {
      const next = this.check(uptimeMs());
      if (next > 0) this.wait(Math.max(1, next));
    }, delayMs);
  }
}
