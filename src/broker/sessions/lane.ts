// A session's queue with what belongs to it: the limits that it keeps, and the brake that it has on publishers while the
// client takes its messages only a little more slowly than they come.
import type { Message } from '../routing/message.ts';
import type { KeptMessages } from './kept.ts';
import type { SessionLimits } from './limits.ts';
import { Brake, type Pacing, type Pausable } from './pacing.ts';
import { MessageQueue } from './queue.ts';

/** Parts of its limits from which on a queue holds publishers, and down to which. */
const HIGH = 1 / 2;
const LOW = 3 / 8;

/** Messages that the client must have taken for its queue to hold anybody; and again after it held somebody for too long. */
const PROVING = 32;
const ATONING = 4000;

/** A queue within limits. */
export class Lane {
  readonly queue: MessageQueue;
  private readonly pacing: Pacing;
  private brake: Brake | null;
  /** Messages that the client took, or took since its queue held somebody for too long. */
  private taken: number;
  private atones: boolean;

  constructor(kept: KeptMessages, pacing: Pacing) {
    this.queue = new MessageQueue(kept);
    this.pacing = pacing;
    this.brake = null;
    this.taken = 0;
    this.atones = false;
  }

  /** Whether the limits leave no place for one more. */
  isFull({ maxQueuedMessages, maxQueuedBytes }: SessionLimits): boolean {
    return this.queue.length >= maxQueuedMessages || (maxQueuedBytes > 0 && this.queue.bytes >= maxQueuedBytes);
  }

  /** Adds a message; `own` is the client's own connection, which must be read from for the queue to move. */
  push(message: Message, flags: number, extra: Buffer, limits: SessionLimits, own: Pausable | null): void {
    this.queue.push(message, flags, extra);
    if (own === null || this.taken < PROVING || !this.isAbove(limits, HIGH)) return;
    this.brake ??= new Brake(this.pacing);
    this.brake.hold(own);
  }

  /** The oldest message leaves the queue. */
  shift(limits: SessionLimits): void {
    this.queue.shift();
    if (this.brake !== null && !this.isAbove(limits, LOW)) this.brake.release();
  }

  /** The client has taken a message. */
  took(): void {
    this.taken += 1;
    const { brake } = this;
    if (brake === null || !brake.isSpent) return;
    if (!this.atones) {
      this.atones = true;
      this.taken = 0;
    } else if (this.taken >= ATONING) {
      this.atones = false;
      brake.recover();
    }
  }

  /** Forgets what waits: nobody is held for it. */
  clear(): void {
    this.queue.clear();
    this.brake?.release();
  }

  /** The client is gone: nothing moves for now. */
  rest(): void {
    this.brake?.release();
  }

  /** Whether the queue holds more than a part of what it may. */
  private isAbove({ maxQueuedMessages, maxQueuedBytes }: SessionLimits, part: number): boolean {
    const { length, bytes } = this.queue;
    return length > maxQueuedMessages * part || (maxQueuedBytes > 0 && bytes > maxQueuedBytes * part);
  }
}
