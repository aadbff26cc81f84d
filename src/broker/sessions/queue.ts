// Messages that a session cannot take yet: its window is full or its client is away. Bounded by count and bytes.
import type { Message } from '../routing/message.ts';
import type { KeptMessages } from './kept.ts';

/** A first-in first-out queue in parallel rings; what it holds is kept. */
export class MessageQueue {
  private readonly kept: KeptMessages;
  private messages: (Message | null)[];
  private flags: Uint8Array;
  private extras: Buffer[];
  /** Numbers in the store, ascending; 0 for what is not there. */
  private seqs: Float64Array;
  private head: number;
  private count: number;
  private byteCount: number;

  constructor(kept: KeptMessages) {
    this.kept = kept;
    this.messages = [];
    this.flags = NO_FLAGS;
    this.extras = [];
    this.seqs = NO_SEQS;
    this.head = 0;
    this.count = 0;
    this.byteCount = 0;
  }

  get length(): number {
    return this.count;
  }

  /** Topic, property and payload bytes of what is queued. */
  get bytes(): number {
    return this.byteCount;
  }

  /**
   * Adds a message with the flags and additions of its PUBLISH, and its number in the store. The limits are the caller's to
   * check.
   */
  push(message: Message, flags: number, extra: Buffer, seq: number): void {
    message.own();
    if (this.count === this.messages.length) this.grow();
    const at = (this.head + this.count) & (this.messages.length - 1);
    this.messages[at] = message;
    this.flags[at] = flags;
    this.extras[at] = extra;
    this.seqs[at] = seq;
    this.count += 1;
    this.byteCount += message.size;
    this.kept.hold(message);
  }

  /** The oldest message and what goes with it; only while length > 0. */
  peek(): Message {
    return this.messages[this.head]!;
  }

  peekFlags(): number {
    return this.flags[this.head]!;
  }

  peekExtra(): Buffer {
    return this.extras[this.head]!;
  }

  peekSeq(): number {
    return this.seqs[this.head]!;
  }

  /** Place of the message with a number in the store, -1 if it does not wait here. */
  indexOf(seq: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      // What is not in the store counts as its predecessor.
      let at = middle;
      while (at > low && this.seqAt(at) === 0) at -= 1;
      if (this.seqAt(at) < seq) low = middle + 1;
      else high = at;
    }
    return low < this.count && this.seqAt(low) === seq ? low : -1;
  }

  /** What stands at a place: 0 is the oldest. */
  messageAt(index: number): Message {
    return this.messages[(this.head + index) & (this.messages.length - 1)]!;
  }

  flagsAt(index: number): number {
    return this.flags[(this.head + index) & (this.messages.length - 1)]!;
  }

  extraAt(index: number): Buffer {
    return this.extras[(this.head + index) & (this.messages.length - 1)]!;
  }

  seqAt(index: number): number {
    return this.seqs[(this.head + index) & (this.messages.length - 1)]!;
  }

  /** Removes the oldest message. */
  shift(): void {
    const message = this.messages[this.head]!;
    this.byteCount -= message.size;
    this.kept.letGo(message);
    this.messages[this.head] = null;
    this.extras[this.head] = NO_EXTRA;
    this.head = (this.head + 1) & (this.messages.length - 1);
    this.count -= 1;
    if (this.count === 0 && this.messages.length > 64) this.clear();
  }

  clear(): void {
    for (let i = 0; i < this.count; i++) this.kept.letGo(this.messages[(this.head + i) & (this.messages.length - 1)]!);
    this.messages = [];
    this.flags = NO_FLAGS;
    this.extras = [];
    this.seqs = NO_SEQS;
    this.head = 0;
    this.count = 0;
    this.byteCount = 0;
  }

  private grow(): void {
    const old = this.messages.length;
    const size = Math.max(8, old * 2);
    const messages: (Message | null)[] = new Array(size).fill(null);
    const flags = new Uint8Array(size);
    const extras: Buffer[] = new Array(size).fill(NO_EXTRA);
    const seqs = new Float64Array(size);
    for (let i = 0; i < this.count; i++) {
      const from = (this.head + i) & (old - 1);
      messages[i] = this.messages[from]!;
      flags[i] = this.flags[from]!;
      extras[i] = this.extras[from]!;
      seqs[i] = this.seqs[from]!;
    }
    this.messages = messages;
    this.flags = flags;
    this.extras = extras;
    this.seqs = seqs;
    this.head = 0;
  }
}

const NO_EXTRA = Buffer.alloc(0);
const NO_FLAGS = new Uint8Array(0);
const NO_SEQS = new Float64Array(0);
