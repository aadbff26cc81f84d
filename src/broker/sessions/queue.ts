// Messages that a session cannot take yet: its window is full or its client is away. Bounded by count and bytes.
import type { Message } from '../routing/message.ts';
import type { KeptMessages } from './kept.ts';

/** Places of a block, as bits and as a number; of the first one of a queue; and of those that an empty queue keeps. */
const BLOCK_BITS = 9;
const BLOCK = 1 << BLOCK_BITS;
const LAST = BLOCK - 1;
const SMALLEST = 8;
const MOST_AT_REST = 64;

/** A first-in first-out queue in blocks, so that it grows without a pause to any length; what it holds is kept. */
export class MessageQueue {
  private readonly kept: KeptMessages;
  /** Oldest first. All are full-sized, but a block that is alone may be smaller. */
  private blocks: Block[];
  /** A block that was emptied, to be filled again. */
  private spare: Block | null;
  /** Place of the oldest message in the first block. */
  private head: number;
  private count: number;
  private byteCount: number;

  constructor(kept: KeptMessages) {
    this.kept = kept;
    this.blocks = NO_BLOCKS;
    this.spare = null;
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
    if (this.head + this.count === this.capacity) this.makeRoom();
    const at = this.head + this.count;
    this.blocks[at >>> BLOCK_BITS]!.put(at & LAST, message, flags, extra, seq);
    this.count += 1;
    this.byteCount += message.size;
    this.kept.hold(message);
  }

  /** The oldest message and what goes with it; only while length > 0. */
  peek(): Message {
    return this.blocks[0]!.messages[this.head]!;
  }

  peekFlags(): number {
    return this.blocks[0]!.flags[this.head]!;
  }

  peekExtra(): Buffer {
    return this.blocks[0]!.extraAt(this.head);
  }

  peekSeq(): number {
    return this.blocks[0]!.seqs[this.head]!;
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
    const at = this.head + index;
    return this.blocks[at >>> BLOCK_BITS]!.messages[at & LAST]!;
  }

  flagsAt(index: number): number {
    const at = this.head + index;
    return this.blocks[at >>> BLOCK_BITS]!.flags[at & LAST]!;
  }

  extraAt(index: number): Buffer {
    const at = this.head + index;
    return this.blocks[at >>> BLOCK_BITS]!.extraAt(at & LAST);
  }

  seqAt(index: number): number {
    const at = this.head + index;
    return this.blocks[at >>> BLOCK_BITS]!.seqs[at & LAST]!;
  }

  /** Removes the oldest message. */
  shift(): void {
    const first = this.blocks[0]!;
    const message = first.messages[this.head]!;
    this.byteCount -= message.size;
    this.kept.letGo(message);
    first.empty(this.head);
    this.head += 1;
    this.count -= 1;
    if (this.count === 0) {
      this.head = 0;
      if (this.capacity > MOST_AT_REST) this.clear();
    } else if (this.head === BLOCK) {
      this.blocks.shift();
      this.spare = first;
      this.head = 0;
    }
  }

  clear(): void {
    for (let i = 0; i < this.count; i++) this.kept.letGo(this.messageAt(i));
    this.blocks = NO_BLOCKS;
    this.spare = null;
    this.head = 0;
    this.count = 0;
    this.byteCount = 0;
  }

  /** Places of all blocks, those in front of the oldest message included. */
  private get capacity(): number {
    const { length } = this.blocks;
    return length > 1 ? length << BLOCK_BITS : length === 0 ? 0 : this.blocks[0]!.flags.length;
  }

  private makeRoom(): void {
    const [first] = this.blocks;
    const { capacity } = this;
    if (first === undefined) this.blocks = [new Block(SMALLEST)];
    else if (capacity >= BLOCK) {
      this.blocks.push(this.spare ?? new Block(BLOCK));
      this.spare = null;
    } else {
      // A queue that moves on goes round in its block for as long as that is half empty.
      const block = this.head * 2 < capacity ? new Block(capacity * 2) : first;
      for (let i = 0; i < this.count; i++) block.move(i, first, this.head + i);
      this.blocks[0] = block;
      this.head = 0;
    }
  }
}

/** Messages that stand one after the other, and what goes with them. */
class Block {
  readonly messages: (Message | null)[];
  readonly flags: Uint8Array;
  /** Numbers in the store, ascending; 0 for what is not there. */
  readonly seqs: Float64Array;
  /** Null as long as none has any. */
  private extras: Buffer[] | null;

  constructor(size: number) {
    this.messages = new Array(size).fill(null);
    this.flags = new Uint8Array(size);
    this.seqs = new Float64Array(size);
    this.extras = null;
  }

  put(at: number, message: Message, flags: number, extra: Buffer, seq: number): void {
    this.messages[at] = message;
    this.flags[at] = flags;
    this.seqs[at] = seq;
    if (extra.length > 0) this.extras ??= new Array(this.flags.length).fill(NO_EXTRA);
    if (this.extras !== null) this.extras[at] = extra;
  }

  extraAt(at: number): Buffer {
    return this.extras === null ? NO_EXTRA : this.extras[at]!;
  }

  empty(at: number): void {
    this.messages[at] = null;
    if (this.extras !== null) this.extras[at] = NO_EXTRA;
  }

  /** Takes what stands at a place of a block, which may be this one. */
  move(to: number, source: Block, at: number): void {
    this.put(to, source.messages[at]!, source.flags[at]!, source.extraAt(at), source.seqs[at]!);
    source.empty(at);
  }
}

const NO_EXTRA = Buffer.alloc(0);
/** The blocks of every queue that has none: nothing is ever put in here. */
const NO_BLOCKS: never[] = [];
