// The course of a run: connections, warm-up, measurement, what is still on its way, goodbye. It looks at the counts a few
// times a second, and every step is bounded in time.
import { microseconds } from '../../load/clock.ts';
import type { Counts } from '../../load/counts.ts';
import type { Result, Team } from '../../load/team.ts';
import type { BenchCommand } from '../options/bench.ts';
import type { BrokerWatch } from './bench-broker.ts';

/** Milliseconds between two looks at the counts. */
const LOOK_MS = 50;

/** How long a run goes on. */
export interface Course {
  readonly command: BenchCommand;
  /** Seconds; null until the total, or until it is stopped. */
  readonly duration: number | null;
  /** Messages to send, or with sub to receive; null for no target. */
  readonly total: number | null;
  readonly warmup: number;
  readonly drain: number;
  /** Seconds without any message sent after which a run that has only a total ends. */
  readonly stall: number;
}

/** Whether somebody wants the run to end early. */
export class StopSign {
  isUp = false;
  #wake: () => void = () => undefined;

  /** Ends the run at the next step. */
  stop(): void {
    this.isUp = true;
    this.#wake();
  }

  /** Waits for a time, or until stop(). */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Shows how the run gets on; `phase` says what it does. */
export type Progress = (phase: 'connecting' | 'warming up' | 'running' | 'draining', counts: Counts) => void;

/** What a run gave. */
export interface Outcome {
  readonly result: Result;
  /** Seconds that opening the connections took. */
  readonly connectSeconds: number;
  /** Whether somebody ended it early. */
  readonly wasStopped: boolean;
  /** Whether it ended because the broker took no more. */
  readonly hasStalled: boolean;
}

/** Runs a course with a team. Rejects where a worker fails. */
export async function runCourse(
  team: Team,
  course: Course,
  broker: BrokerWatch | null,
  sign: StopSign,
  progress: Progress,
): Promise<Outcome> {
  const run = new Run(team, course, sign, progress);
  broker?.look('before');
  const connectSeconds = await run.open();
  if (course.warmup > 0) await run.warmUp();
  broker?.look('began');
  await run.measure();
  broker?.look('ended');
  const result = await team.close();
  return { result, connectSeconds, wasStopped: sign.isUp, hasStalled: run.hasStalled };
}

class Run {
  hasStalled = false;
  readonly #team: Team;
  readonly #course: Course;
  readonly #sign: StopSign;
  readonly #progress: Progress;
  #sent = 0;
  #sentMs = 0;

  constructor(team: Team, course: Course, sign: StopSign, progress: Progress) {
    this.#team = team;
    this.#course = course;
    this.#sign = sign;
    this.#progress = progress;
  }

  /** Resolves to the seconds that it took. */
  async open(): Promise<number> {
    const began = microseconds();
    let openedAt = 0;
    const opened = this.#team.open().finally(() => {
      openedAt = microseconds();
    });
    await this.#until('connecting', null, () => openedAt > 0);
    // Where it was stopped, closing ends what is still being opened.
    if (!this.#sign.isUp) await opened;
    else opened.catch(() => undefined);
    return ((openedAt > 0 ? openedAt : microseconds()) - began) / 1e6;
  }

  async warmUp(): Promise<void> {
    if (this.#sign.isUp) return;
    await this.#team.warmUp();
    await this.#until('warming up', this.#course.warmup, (counts) => counts.busyPublishers === 0);
  }

  async measure(): Promise<void> {
    if (this.#sign.isUp) return;
    const { command, duration, total, drain } = this.#course;
    await this.#team.begin();
    this.#sentMs = performance.now();
    await this.#until('running', duration, (counts) => {
      if (command === 'conn') return counts.openClients === 0;
      if (command === 'sub') return counts.openSubscribers === 0 || (total !== null && counts.received >= total);
      if (duration === null) this.#noticeStall(counts.sent);
      return this.hasStalled || counts.busyPublishers === 0 || (command === 'load' && counts.openSubscribers === 0);
    });
    await this.#team.halt();
    if (command !== 'pub' && command !== 'load') return;
    // Also after Ctrl-C: what is on its way is not lost.
    await this.#until('draining', drain, (counts) => {
      if (counts.unacknowledged > 0) return false;
      const arrived = counts.unstamped > 0 ? counts.received : counts.unique;
      return command === 'pub' || counts.openSubscribers === 0 || arrived >= counts.expected;
    });
  }

  /** A broker that takes no message any more, and closes no connection, must not hold up a run for ever. */
  #noticeStall(sent: number): void {
    const now = performance.now();
    if (sent > this.#sent) {
      this.#sent = sent;
      this.#sentMs = now;
    } else if (now - this.#sentMs > this.#course.stall * 1000) {
      this.hasStalled = true;
    }
  }

  /** Waits until this is so, for a time at most (seconds; null for ever), or until the run is stopped. */
  async #until(
    phase: Parameters<Progress>[0],
    seconds: number | null,
    isSo: (counts: Counts) => boolean,
  ): Promise<void> {
    const end = performance.now() + (seconds ?? Number.POSITIVE_INFINITY) * 1000;
    while (!this.#sign.isUp || phase === 'draining') {
      const counts = await this.#team.look();
      this.#progress(phase, counts);
      if (isSo(counts)) return;
      const left = end - performance.now();
      if (left <= 0) return;
      await this.#sign.pause(Math.min(LOOK_MS, left));
    }
  }
}
