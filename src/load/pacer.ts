// When the next messages, or connections, are due at a given rate. The schedule is absolute, so errors of single ticks don't
// add up; what is overdue is made up for by at most twice the usual number a tick, and given up after a second.

/** Milliseconds between two looks at the schedule. */
export const TICK_MS = 1;

/** Overdue work older than this is given up. */
const GIVE_UP_MS = 1000;

/** The schedule of a rate. */
export class Pacer {
  /** How many turns were given up because they were overdue for too long. */
  missed: number;
  private readonly perMs: number;
  private readonly most: number;
  private readonly startMs: number;
  private given: number;

  /** @param perSecond how many a second; @param startMs the clock's milliseconds at which the first one is due */
  constructor(perSecond: number, startMs: number) {
    this.missed = 0;
    this.perMs = perSecond / 1000;
    this.most = Math.max(1, Math.ceil(this.perMs * TICK_MS * 2));
    this.startMs = startMs;
    this.given = 0;
  }

  /** How many are due now, at the tick's most. */
  due(nowMs: number): number {
    const scheduled = Math.floor((nowMs - this.startMs) * this.perMs) + 1;
    const late = Math.floor(GIVE_UP_MS * this.perMs) + this.most;
    const behind = scheduled - this.given - this.missed;
    if (behind > late) this.missed += behind - late;
    return Math.max(0, Math.min(scheduled - this.given - this.missed, this.most));
  }

  /** So many of those due were done. */
  done(count: number): void {
    this.given += count;
  }

  /** Milliseconds until something is due. */
  wait(nowMs: number): number {
    const nextMs = this.startMs + (this.given + this.missed) / this.perMs;
    return Math.max(TICK_MS, nextMs - nowMs);
  }
}
