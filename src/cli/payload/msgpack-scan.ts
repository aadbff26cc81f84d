// Whether bytes are one value of MessagePack within bounds, before memory is spent on it: lengths that are declared and do
// not come, and any number of small values.
import { Cursor } from './cursor.ts';
import { PayloadFault } from './fault.ts';

/** Bytes behind the first of a value of one length. */
const FIXED: ReadonlyMap<number, number> = new Map([
  ...[0xc0, 0xc2, 0xc3].map((first): [number, number] => [first, 0]),
  ...[4, 8, 1, 2, 4, 8, 1, 2, 4, 8].map((length, i): [number, number] => [0xca + i, length]),
  ...[1, 2, 4, 8, 16].map((length, i): [number, number] => [0xd4 + i, length + 1]),
]);
/** What the first byte may announce the length of. */
type Kind = 'bytes' | 'ext' | 'text' | 'array' | 'map';

const counted = (first: number, sizes: readonly number[], kind: Kind): [number, readonly [number, Kind]][] =>
  sizes.map((size, i) => [first + i, [size, kind]]);

/** How many bytes of a length follow the first byte, and what it is the length of. */
const COUNTED: ReadonlyMap<number, readonly [size: number, kind: Kind]> = new Map([
  ...counted(0xc4, [1, 2, 4], 'bytes'),
  ...counted(0xc7, [1, 2, 4], 'ext'),
  ...counted(0xd9, [1, 2, 4], 'text'),
  ...counted(0xdc, [2, 4], 'array'),
  ...counted(0xde, [2, 4], 'map'),
]);

/** Throws PayloadFault for bytes that are not exactly one value, or one that is too large. */
export function checkMessagePack(bytes: Buffer): void {
  new Scan(bytes).run();
}

/** Walks over the values once. */
class Scan {
  readonly #cursor: Cursor;
  /** Values to come in each open container. */
  readonly #open: number[] = [];

  constructor(bytes: Buffer) {
    this.#cursor = new Cursor(bytes);
  }

  run(): void {
    do {
      this.#value();
      while (this.#open.at(-1) === 0) this.#open.pop();
    } while (this.#open.length > 0);
    this.#cursor.expectEnd();
  }

  #value(): void {
    const top = this.#open.length - 1;
    if (top >= 0) this.#open[top] = (this.#open[top] ?? 0) - 1;
    this.#cursor.countValue(this.#open.length);
    const first = this.#cursor.number(1);
    if (first < 0x80 || first >= 0xe0) return;
    if (first < 0x90) this.#enter((first & 0x0f) * 2);
    else if (first < 0xa0) this.#enter(first & 0x0f);
    else if (first < 0xc0) this.#cursor.skip(first & 0x1f, true);
    else this.#long(first);
  }

  #long(first: number): void {
    const fixed = FIXED.get(first);
    if (fixed !== undefined) {
      this.#cursor.skip(fixed, false);
      return;
    }
    const counted = COUNTED.get(first);
    if (counted === undefined) throw new PayloadFault(`byte ${this.#cursor.at} begins no value`);
    const [size, kind] = counted;
    const length = this.#cursor.number(size);
    if (kind === 'array') this.#enter(length);
    else if (kind === 'map') this.#enter(length * 2);
    else this.#cursor.skip(length + (kind === 'ext' ? 1 : 0), kind === 'text');
  }

  #enter(values: number): void {
    this.#cursor.expectValues(values);
    this.#open.push(values);
  }
}
