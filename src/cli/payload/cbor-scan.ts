// Whether bytes are one CBOR value (RFC 8949) within bounds, before memory is spent on it: lengths that are declared and do
// not come, containers without end, and any number of small values.
import { Cursor } from './cursor.ts';
import { PayloadFault } from './fault.ts';

const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;
const SIMPLE = 7;
const BREAK = 0xff;
const INDEFINITE = 31;

/** A container whose items come. */
interface Open {
  /** Items still to come; below 0, how many came of one that a break ends. */
  left: number;
  readonly isIndefinite: boolean;
  readonly isMap: boolean;
}

/** Throws PayloadFault for bytes that are not exactly one value, or one that is too large. */
export function checkCbor(bytes: Buffer): void {
  new Scan(bytes).run();
}

/** Walks over the items once. */
class Scan {
  readonly #cursor: Cursor;
  readonly #open: Open[] = [];

  constructor(bytes: Buffer) {
    this.#cursor = new Cursor(bytes);
  }

  run(): void {
    do {
      this.#item();
      for (let top = this.#open.at(-1); top?.left === 0 && !top.isIndefinite; top = this.#open.at(-1)) this.#open.pop();
    } while (this.#open.length > 0);
    this.#cursor.expectEnd();
  }

  #item(): void {
    const first = this.#cursor.number(1);
    const top = this.#open.at(-1);
    if (first === BREAK && top?.isIndefinite === true) {
      if (top.isMap && top.left % 2 !== 0) throw new PayloadFault('a map has a key without a value');
      this.#open.pop();
      return;
    }
    if (top !== undefined) top.left -= 1;
    this.#cursor.countValue(this.#open.length);
    const major = first >> 5;
    const info = first & 0x1f;
    if (info === INDEFINITE) this.#indefinite(major);
    else this.#definite(major, info, this.#argument(info));
  }

  #definite(major: number, info: number, argument: number): void {
    if (major === BYTES || major === TEXT) this.#cursor.skip(argument, major === TEXT);
    else if (major === ARRAY) this.#push(argument, false);
    else if (major === MAP) this.#push(argument * 2, true);
    else if (major === TAG) this.#push(1, false);
    else if (major === SIMPLE && info === 24 && argument < 32) {
      throw new PayloadFault(`there is no simple value ${argument} of two bytes`);
    }
  }

  #push(left: number, isMap: boolean): void {
    this.#cursor.expectValues(left);
    this.#open.push({ left, isIndefinite: false, isMap });
  }

  /** A container that a break ends, or a string in pieces. */
  #indefinite(major: number): void {
    if (major === ARRAY || major === MAP) {
      this.#open.push({ left: 0, isIndefinite: true, isMap: major === MAP });
      return;
    }
    if (major !== BYTES && major !== TEXT) throw new PayloadFault(`byte ${this.#cursor.at} begins no value`);
    for (let first = this.#cursor.number(1); first !== BREAK; first = this.#cursor.number(1)) {
      if (first >> 5 !== major || (first & 0x1f) === INDEFINITE) {
        throw new PayloadFault('a string has a piece that is none of it');
      }
      this.#cursor.skip(this.#argument(first & 0x1f), major === TEXT);
    }
  }

  #argument(info: number): number {
    if (info < 24) return info;
    if (info > 27) throw new PayloadFault(`byte ${this.#cursor.at} begins no value`);
    return this.#cursor.number(1 << (info - 24));
  }
}
