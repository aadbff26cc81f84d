// Received messages as an async iterable, with back-pressure: a reader that falls behind stops the connection.
import type { ReceivedMessage } from './options.ts';

/** A reader with so many messages waiting is full, and not until it is down to half of them anything else. */
const FULL = 1_000;

/** One reader of a client's messages. */
export class MessageStream implements AsyncIterableIterator<ReceivedMessage> {
  private readonly onRelief: () => void;
  private readonly onLeave: (stream: MessageStream) => void;
  private waiting: ReceivedMessage[];
  private at: number;
  private readers: ((result: IteratorResult<ReceivedMessage>) => void)[];
  private over: boolean;

  /** @param onRelief the reader caught up after isFull; @param onLeave the reader wants no more */
  constructor(onRelief: () => void, onLeave: (stream: MessageStream) => void) {
    this.onRelief = onRelief;
    this.onLeave = onLeave;
    this.waiting = [];
    this.at = 0;
    this.readers = [];
    this.over = false;
  }

  get isFull(): boolean {
    return this.waiting.length - this.at >= FULL;
  }

  push(message: ReceivedMessage): void {
    const reader = this.readers.shift();
    if (reader === undefined) this.waiting.push(message);
    else reader({ value: message, done: false });
  }

  /** No more messages will come; those that wait can still be read. */
  finish(): void {
    this.over = true;
    for (const reader of this.readers) reader({ value: undefined, done: true });
    this.readers = [];
  }

  next(): Promise<IteratorResult<ReceivedMessage>> {
    const message = this.waiting[this.at];
    if (message === undefined) {
      if (this.over) return Promise.resolve({ value: undefined, done: true });
      return new Promise((resolve) => this.readers.push(resolve));
    }
    this.at += 1;
    if (this.waiting.length - this.at === FULL / 2) this.onRelief();
    if (this.at === this.waiting.length || this.at === FULL) {
      this.waiting = this.waiting.slice(this.at);
      this.at = 0;
    }
    return Promise.resolve({ value: message, done: false });
  }

  /** The reader left its loop. */
  return(): Promise<IteratorResult<ReceivedMessage>> {
    this.waiting = [];
    this.at = 0;
    this.finish();
    this.onLeave(this);
    this.onRelief();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
