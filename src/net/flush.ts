// The turn: everything that was to be sent in one loop turn leaves together, one write per peer, after every readable
// socket was read. A step may be registered to run first: the broker's store commits there.

import { LastBatch } from './last-batch.ts';

/** Size of the buffer that packets are gathered in before a write. */
export const SCRATCH_SIZE = 65_536;

/** Something with bytes to send. */
export interface Flushable {
  /** Sends what it can through the turn's scratch buffer. */
  flush(turn: FlushTurn): void;
}

/** The flush turn of one broker or of the process's clients. */
export class FlushTurn {
  /** The shared buffer; an outbox whose transport kept the memory replaces it by `renewScratch`. */
  scratch: Buffer;
  /** What left last, in this turn. */
  readonly last: LastBatch;
  private dirty: Flushable[];
  private scheduled: boolean;
  private readonly first: (() => void) | null;
  private readonly run: () => void;

  /** @param first runs before the outboxes in every turn */
  constructor(first: (() => void) | null = null) {
    this.scratch = Buffer.allocUnsafeSlow(SCRATCH_SIZE);
    this.last = new LastBatch();
    this.dirty = [];
    this.scheduled = false;
    this.first = first;
    this.run = () => this.turn();
  }

  /** Has the turn happen, without anyone to flush yet. */
  request(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.run);
  }

  /** Puts an outbox into this turn; it must not be in already. */
  schedule(outbox: Flushable): void {
    this.dirty.push(outbox);
    this.request();
  }

  /** A new shared buffer, when the old one was given away. */
  renewScratch(): void {
    this.scratch = Buffer.allocUnsafeSlow(SCRATCH_SIZE);
    this.last.bytes = null;
  }

  private turn(): void {
    this.scheduled = false;
    this.first?.();
    const dirty = this.dirty;
    this.dirty = [];
    for (let i = 0; i < dirty.length; i++) dirty[i]!.flush(this);
    this.last.clear();
  }
}
