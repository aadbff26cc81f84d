// Small copies that are to last, many in one buffer: a buffer for each would cost several times what is in it. A slab lives as
// long as anything that was copied into it, so it is small.

/** Copies into slabs of one size. */
export class Slabs {
  /** Where the last copy lies. */
  buffer: Buffer;
  start: number;
  end: number;
  private readonly size: number;

  /** @param size bytes of a slab; what is larger gets a buffer of its own */
  constructor(size: number) {
    this.buffer = NOTHING;
    this.start = 0;
    this.end = 0;
    this.size = size;
  }

  /** Copies source[start, end). */
  copy(source: Buffer, start: number, end: number): void {
    const length = end - start;
    if (this.end + length > this.buffer.length) {
      this.buffer = Buffer.allocUnsafeSlow(Math.max(this.size, length));
      this.end = 0;
    }
    source.copy(this.buffer, this.end, start, end);
    this.start = this.end;
    this.end += length;
  }
}

const NOTHING = Buffer.alloc(0);
