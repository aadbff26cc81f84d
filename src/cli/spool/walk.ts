// Goes over the records of a spool, reading the file as it goes.
import { readSync } from 'node:fs';
import { recordAt } from './records.ts';

/** Bytes that are read at once. */
const CHUNK = 262_144;

/** A record with the bytes that hold it: it lies from `start` to `stop` there. */
export type Step =
  | { readonly kind: 'message'; readonly bytes: Buffer; readonly start: number; readonly stop: number }
  | { readonly kind: 'done'; readonly count: number; readonly offset: number }
  /** Nothing follows. */
  | { readonly kind: 'end' }
  /** What follows is no record: half of one at the end (`torn`), or damage. */
  | { readonly kind: 'torn' }
  | { readonly kind: 'damaged' };

/** A place in a spool that moves from record to record. */
export class Walk {
  readonly #fd: number;
  #bytes: Buffer;
  #base: number;
  #at: number;

  /** @param from where the first record begins */
  constructor(fd: number, from: number) {
    this.#fd = fd;
    this.#bytes = Buffer.alloc(0);
    this.#base = from;
    this.#at = 0;
  }

  /** Bytes of the file that were gone over. */
  get position(): number {
    return this.#base + this.#at;
  }

  /** The next record, where the file ends at `end`; the place moves behind it. Throws as the file system does. */
  next(end: number): Step {
    for (;;) {
      const found = recordAt(this.#bytes, this.#at, this.#bytes.length);
      if (found.kind === 'damaged') return found;
      if (found.kind === 'short') {
        const left = end - this.position;
        if (left === 0) return { kind: 'end' };
        if (found.bytes > left) return { kind: 'torn' };
        if (!this.#read(Math.min(left, Math.max(found.bytes, CHUNK)))) return { kind: 'torn' };
        continue;
      }
      const start = this.#at;
      this.#at = found.end;
      if (found.kind === 'done') return found;
      return { kind: 'message', bytes: this.#bytes, start, stop: found.end };
    }
  }

  /** Reads anew from the place on; false where the file has become shorter. What was handed out stays as it is. */
  #read(size: number): boolean {
    const base = this.position;
    const bytes = Buffer.allocUnsafeSlow(size);
    let length = 0;
    while (length < size) {
      const count = readSync(this.#fd, bytes, length, size - length, base + length);
      if (count === 0) return false;
      length += count;
    }
    this.#bytes = bytes;
    this.#base = base;
    this.#at = 0;
    return true;
  }
}
