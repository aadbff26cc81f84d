// What one process measures while messages flow, shared by all its clients.

import { microseconds } from './clock.ts';
import { type Counts, Failures, noCounts } from './counts.ts';
import { Latencies } from './latency.ts';

/** Counters, times and the reading of the clock that belongs to the chunk at hand. */
export class Measurement {
  readonly counts: Counts;
  readonly failures: Failures;
  readonly connectTimes: Latencies;
  readonly ackTimes: Latencies;
  readonly deliveryTimes: Latencies;
  /** Mark of the run whose messages count; null counts those of every run. */
  readonly run: number | null;
  /** Whether messages carry stamps; without, every message counts. */
  readonly isStamped: boolean;
  /** Whether the measurement has begun here, and has not ended. */
  isCounting: boolean;
  /** Whether it has ended. */
  isOver: boolean;
  /** Lowest 32 bits of the clock when the last chunk came. */
  now: number;
  /** The clock then, and when the last message that counts came; microseconds. */
  clock: number;
  lastReceivedAt: number;
  /** A delivery time that came several times in a row, and how often. */
  private delivery: number;
  private deliveries: number;

  constructor(run: number | null, isStamped: boolean) {
    this.counts = noCounts();
    this.failures = new Failures();
    this.connectTimes = new Latencies();
    this.ackTimes = new Latencies();
    this.deliveryTimes = new Latencies();
    this.run = run;
    this.isStamped = isStamped;
    this.isCounting = false;
    this.isOver = false;
    this.now = 0;
    this.clock = 0;
    this.lastReceivedAt = 0;
    this.delivery = 0;
    this.deliveries = 0;
  }

  /** Bytes came: reads the clock for all that is in them. */
  readClock(): void {
    this.clock = microseconds();
    this.now = this.clock >>> 0;
  }

  /** A message was delivered after so many microseconds. */
  delivered(microseconds: number): void {
    if (microseconds !== this.delivery) {
      this.flush();
      this.delivery = microseconds;
    }
    this.deliveries += 1;
  }

  /** Records what was gathered of delivery times. */
  flush(): void {
    if (this.deliveries > 0) this.deliveryTimes.add(this.delivery, this.deliveries);
    this.deliveries = 0;
  }

  /** The broker has a message, after so many microseconds. */
  acknowledged(microseconds: number): void {
    if (!this.isCounting) return;
    this.counts.acknowledged += 1;
    this.ackTimes.add(microseconds, 1);
  }

  /** The broker refused a message. */
  refused(why: string): void {
    if (!this.isCounting) return;
    this.counts.publishRefused += 1;
    this.failures.add(`A message was refused: ${why}.`);
  }
}
