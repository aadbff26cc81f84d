// A session's queue with what belongs to it: the limits that it keeps, what is not to go out of it any more, and the brake
// that it has on publishers while the client takes its messages only a little more slowly than they come.
import { FLAG_QOS_SHIFT } from '../../protocol/constants.ts';
import type { Message } from '../routing/message.ts';
import type { SessionRecord } from '../store/session-record.ts';
import type { Drops } from './drops.ts';
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
  /** Messages of QoS 0 among those that wait. */
  zeros: number;
  /** Where what waits is on disk too, null without. */
  record: SessionRecord | null;
  private readonly pacing: Pacing;
  private readonly drops: Drops;
  private brake: Brake | null;
  /** Messages that the client took, or took since its queue held somebody for too long. */
  private taken: number;
  private atones: boolean;
  /** Messages in front that came before the client's rights were settled anew. */
  private doubtful: number;

  constructor(kept: KeptMessages, pacing: Pacing, drops: Drops) {
    this.queue = new MessageQueue(kept);
    this.zeros = 0;
    this.record = null;
    this.pacing = pacing;
    this.drops = drops;
    this.brake = null;
    this.taken = 0;
    this.atones = false;
    this.doubtful = 0;
  }

  /** What waits now may not be for the client any more. */
  doubt(): void {
    this.doubtful = this.queue.length;
  }

  /** Whether that is so of the oldest message. */
  get isDoubtful(): boolean {
    return this.doubtful > 0;
  }

  /** Whether the limits leave a place for one more. What has expired in front makes place. */
  hasPlace(limits: SessionLimits, nowMs: number): boolean {
    while (this.isFull(limits)) {
      if (this.queue.length === 0 || !this.queue.peek().hasExpired(nowMs)) return false;
      this.passOver(limits);
    }
    return true;
  }

  /** Adds a message; `own` is the client's own connection, which must be read from for the queue to move. */
  push(message: Message, flags: number, extra: Buffer, limits: SessionLimits, own: Pausable | null): void {
    const isZero = flags >> FLAG_QOS_SHIFT === 0;
    const seq = isZero || this.record === null ? 0 : this.record.add(message, flags, extra, 0);
    this.queue.push(message, flags, extra, seq);
    if (isZero) this.zeros += 1;
    if (own === null || this.taken < PROVING || !this.isAbove(limits, HIGH)) return;
    this.brake ??= new Brake(this.pacing);
    this.brake.hold(own);
  }

  /** Puts back what an earlier process had waiting. */
  restore(message: Message, flags: number, extra: Buffer, seq: number): void {
    this.queue.push(message, flags, extra, seq);
  }

  /** The oldest message leaves the queue. */
  shift(limits: SessionLimits): void {
    if (this.queue.peekFlags() >> FLAG_QOS_SHIFT === 0) this.zeros -= 1;
    this.queue.shift();
    if (this.doubtful > 0) this.doubtful -= 1;
    if (this.brake !== null && !this.isAbove(limits, LOW)) this.brake.release();
  }

  /** The oldest message is not to go any more. */
  passOver(limits: SessionLimits): void {
    this.drops.addOne();
    this.discard(limits);
  }

  /** The oldest message leaves the queue, and is not delivered. */
  discard(limits: SessionLimits): void {
    const seq = this.queue.peekSeq();
    if (seq > 0) this.record?.done(seq, this.queue.peek());
    this.shift(limits);
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
    this.zeros = 0;
    this.doubtful = 0;
    this.brake?.release();
  }

  /** The client is gone: nothing moves for now. */
  rest(): void {
    this.brake?.release();
  }

  private isFull({ maxQueuedMessages, maxQueuedBytes }: SessionLimits): boolean {
    return this.queue.length >= maxQueuedMessages || (maxQueuedBytes > 0 && this.queue.bytes >= maxQueuedBytes);
  }

  /** Whether the queue holds more than a part of what it may. */
  private isAbove({ maxQueuedMessages, maxQueuedBytes }: SessionLimits, part: number): boolean {
    const { length, bytes } = this.queue;
    return length > maxQueuedMessages * part || (maxQueuedBytes > 0 && bytes > maxQueuedBytes * part);
  }
}
