// What windows and queues keep of messages, over all sessions. A message is stored once however many sessions wait for it,
// and counts once. The mark that this count has is what bounds the broker's memory where limits by client do not: at the
// mark publishers get a moment's pause, and if that does not help, who keeps more than its share gets no more.
import { getHeapStatistics } from 'node:v8';
import type { Logger } from '../../log/logger.ts';
import { monotonicNow } from '../../util/clock.ts';
import type { Wheel, WheelEntry } from '../../util/wheel.ts';
import type { Message } from '../routing/message.ts';
import { Brake, type Pacing } from './pacing.ts';

/** Bytes that a kept message costs beside its own: objects, buffers, places in queues. Measured, and rounded up. */
export const KEPT_OVERHEAD = 500;
/** Messages whose overhead takes a third of the heap that the process may have. */
const MOST_COUNT = Math.floor(getHeapStatistics().heap_size_limit / 3 / KEPT_OVERHEAD);

/** Something that has borrowed messages in its window. */
export interface Borrower {
  /** Copies them out of the chunks that they came in. */
  ownMessages(): void;
}

/** All messages that the sessions of one broker keep. */
export class KeptMessages implements WheelEntry {
  /** Distinct messages, and their topics, properties and payloads in bytes. */
  count: number;
  bytes: number;
  /** Whether sessions that keep more than their share must not queue more. */
  isFull: boolean;
  /** Whether they must not even have more in flight. */
  isOverfull: boolean;
  /** Sessions that share it. */
  sessions: number;
  private readonly log: Logger;
  private readonly wheel: Wheel;
  private readonly brake: Brake;
  private borrowers: Borrower[];
  private isReported: boolean;
  private mark: number;

  constructor(log: Logger, wheel: Wheel, pacing: Pacing, limit: number) {
    this.count = 0;
    this.bytes = 0;
    this.isFull = false;
    this.isOverfull = false;
    this.sessions = 0;
    this.log = log;
    this.wheel = wheel;
    this.brake = new Brake(pacing);
    this.borrowers = [];
    this.isReported = false;
    this.mark = limit;
  }

  /** The mark in bytes, overhead included. */
  get limit(): number {
    return this.mark;
  }

  set limit(bytes: number) {
    this.mark = bytes;
    this.weigh();
  }

  /** Bytes in all. */
  get cost(): number {
    return this.bytes + this.count * KEPT_OVERHEAD;
  }

  /** A window or queue keeps a message; one that keeps it twice says so twice. */
  hold(message: Message): void {
    message.holders += 1;
    if (message.holders > 1) return;
    this.count += 1;
    this.bytes += message.size;
    this.weigh();
    if (this.isFull) this.fill();
  }

  /** What hold() said is over. */
  letGo(message: Message): void {
    message.holders -= 1;
    if (message.holders > 0) return;
    this.count -= 1;
    this.bytes -= message.size;
    if (this.isFull) this.weigh();
    if (this.isReported && !this.isAbove(RELIEF)) this.relieve();
  }

  /** A session's fair part in bytes, overhead included. */
  get share(): number {
    return this.mark / Math.max(1, this.sessions);
  }

  /** What is in a window for longer than a moment must not pin the chunk it came in, which may be much larger. */
  borrow(borrower: Borrower): void {
    if (this.borrowers.length === 0) this.wheel.add(this, monotonicNow() + 1);
    this.borrowers.push(borrower);
  }

  due(): number {
    const { borrowers } = this;
    this.borrowers = [];
    for (const borrower of borrowers) borrower.ownMessages();
    return 0;
  }

  /** Asked for every delivery, so it is found out only when the count changes. */
  private weigh(): void {
    this.isFull = this.isAbove(1);
    this.isOverfull = this.isFull && this.isAbove(2);
  }

  private isAbove(part: number): boolean {
    return this.cost >= this.mark * part || this.count >= MOST_COUNT * part;
  }

  private fill(): void {
    this.brake.hold(null);
    if (this.isReported) return;
    this.isReported = true;
    this.log.warning?.(
      `Warning: ${this.count} messages that wait for clients take ${this.cost} bytes, as much as they may (memory_limit); clients with many of them get no more.`,
    );
  }

  private relieve(): void {
    this.isReported = false;
    this.brake.recover();
  }
}

/** The part of the mark below which all is well again. */
const RELIEF = 7 / 8;
