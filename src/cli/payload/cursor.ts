// A walk over the bytes of a payload that only looks: how far it has come, and how many values it has met.
import { isUtf8 } from 'node:buffer';
import { checkBounds, endsTooEarly, goesOn, PayloadFault } from './fault.ts';

/** Where a walk is. Its calls throw PayloadFault where the bytes are over too soon. */
export class Cursor {
  readonly #bytes: Buffer;
  #at = 0;
  #values = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The offset of the next byte. */
  get at(): number {
    return this.#at;
  }

  /** Another value begins, in so many open containers; throws where that is too much. */
  countValue(depth: number): void {
    this.#values += 1;
    checkBounds(this.#values, depth);
  }

  /** A big-endian number of so many bytes; one beyond 2^53 is not exact, and larger than any payload. */
  number(size: number): number {
    if (this.#at + size > this.#bytes.length) throw endsTooEarly();
    let number = 0;
    for (let i = 0; i < size; i++) number = number * 256 + (this.#bytes[this.#at + i] ?? 0);
    this.#at += size;
    return number;
  }

  /** Passes over bytes, which have to be a text if `isText`. */
  skip(length: number, isText: boolean): void {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw endsTooEarly();
    if (isText && !isUtf8(this.#bytes.subarray(this.#at, end))) {
      throw new PayloadFault(`the string that ends with byte ${end} is not valid UTF-8`);
    }
    this.#at = end;
  }

  /** Throws where so many values can't follow: each has a byte at least. */
  expectValues(count: number): void {
    if (count > this.#bytes.length - this.#at) throw endsTooEarly();
  }

  /** Throws where something follows. */
  expectEnd(): void {
    if (this.#at < this.#bytes.length) throw goesOn(this.#at);
  }
}
