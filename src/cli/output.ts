// What the tools print: bytes gathered in one buffer and written once per loop turn, so that a single message appears at
// once and a million messages cost a few thousand system calls. Payload and debug lines share it and so keep their order.
import type { Writable } from 'node:stream';
import { systemErrorText } from '../util/system-error.ts';

const CHUNK = 65_536;
/** Payloads from here on are handed to the stream as they are instead of being copied. */
const BY_REFERENCE = 16_384;
/** Bytes that may wait for a slow reader before the source is told to pause. */
const HIGH_WATER = 1_048_576;

/** Errors that say only that nobody reads any more: a pipe, a socket. */
const READER_GONE: readonly string[] = ['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED'];

/** Who is told how the reader of the output fares. */
export interface OutputEvents {
  /** More than a megabyte waits: stop the source. */
  full(): void;
  /** All of it left: go on. */
  drained(): void;
  /** The reader went away (EPIPE) or writing failed. Everything later is dropped silently. */
  closed(error: Error): void;
}

/** Batches text and bytes towards a stream. */
export class Output {
  readonly #stream: Writable;
  #chunk: Buffer | null = null;
  #start = 0;
  #end = 0;
  #scheduled = false;
  #isFull = false;
  #error: Error | null = null;
  #events: OutputEvents | null = null;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', (error) => this.#fail(error));
    stream.on('drain', () => this.#drain());
  }

  /** Sets who is told of back-pressure and of the end; tells at once what already happened. */
  watch(events: OutputEvents): void {
    this.#events = events;
    if (this.#error !== null) events.closed(this.#error);
    else if (this.#isFull) events.full();
  }

  /** Why what was written is cut off; null where it is not, or where whoever read it has gone. */
  get fault(): string | null {
    if (this.#error === null || READER_GONE.includes((this.#error as NodeJS.ErrnoException).code ?? '')) return null;
    return `The output is cut off: ${systemErrorText(this.#error)}.`;
  }

  /** Appends text in UTF-8. */
  text(text: string): void {
    if (text.length * 3 > CHUNK) {
      this.bytes(Buffer.from(text));
      return;
    }
    const chunk = this.#room(text.length * 3);
    this.#end += chunk.write(text, this.#end);
  }

  /** Appends bytes; they must not change afterwards. */
  bytes(bytes: Buffer): void {
    if (bytes.length >= BY_REFERENCE) {
      this.flush();
      this.#write(bytes);
      return;
    }
    this.#room(bytes.length).set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Writes what was gathered now instead of at the end of the loop turn. */
  flush(): void {
    if (this.#end === this.#start || this.#chunk === null) return;
    const bytes = this.#chunk.subarray(this.#start, this.#end);
    this.#start = this.#end;
    this.#write(bytes);
  }

  /** Flushes and resolves when the stream has taken everything, or when its reader has gone. */
  async finish(): Promise<void> {
    this.flush();
    if (this.#error !== null || this.#stream.writableLength === 0) return;
    await new Promise<void>((resolve) => {
      this.#stream.once('error', () => resolve());
      this.#stream.write('', () => resolve());
    });
  }

  /** The chunk with at least `size` bytes free behind `#end`, and a flush under way. */
  #room(size: number): Buffer {
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.flush();
      });
    }
    let chunk = this.#chunk;
    if (chunk === null || chunk.length - this.#end < size) {
      this.flush();
      // The stream may still hold the old chunk, so it is never written to again.
      chunk = Buffer.allocUnsafeSlow(CHUNK);
      this.#chunk = chunk;
      this.#start = 0;
      this.#end = 0;
    }
    return chunk;
  }

  #write(bytes: Buffer): void {
    if (this.#error !== null) return;
    this.#stream.write(bytes);
    if (!this.#isFull && this.#stream.writableLength > HIGH_WATER) {
      this.#isFull = true;
      this.#events?.full();
    }
  }

  #drain(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#events?.drained();
  }

  #fail(error: Error): void {
    if (this.#error !== null) return;
    this.#error = error;
    this.#events?.closed(error);
  }
}
