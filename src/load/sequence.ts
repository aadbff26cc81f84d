// What one subscriber has had of one publisher: which numbers came once, twice, late or not at all. Streams in order cost a
// few numbers; the window of bits is made when the first number is missing or comes again.

/** Numbers behind the newest one of which it is known whether they came. */
export const WINDOW = 4096;

/** Answers of take(). */
export const NEXT = 0;
export const LATE = 1;
export const REPEATED = 2;

/** The numbers of one publisher at one subscriber. */
export class SequenceTracker {
  /** Numbers that came, each counted once. */
  unique: number;
  /** Numbers between the first and the newest that did not come. */
  missing: number;
  private readonly first: number;
  private newest: number;
  /** A bit for each of the last WINDOW numbers, set if it came; null as long as all have come in order. */
  private bits: Uint32Array | null;
  /** Missing numbers that have left the window. */
  private forgotten: number;

  /** @param first the number that the count begins with */
  constructor(first: number) {
    this.unique = 0;
    this.missing = 0;
    this.first = first;
    this.newest = first - 1;
    this.bits = null;
    this.forgotten = 0;
  }

  /**
   * Takes a number: NEXT is newer than all before (with a gap perhaps), LATE fills a gap, REPEATED came before. Further back
   * than the window a number fills a gap if there is one back there. One from before the first is LATE.
   */
  take(sequence: number): number {
    if (sequence === this.newest + 1 && this.bits === null) {
      this.newest = sequence;
      this.unique += 1;
      return NEXT;
    }
    return sequence > this.newest ? this.advance(sequence) : this.lookBack(sequence);
  }

  private advance(sequence: number): number {
    const gap = sequence - this.newest - 1;
    const bits = this.bits ?? this.openWindow();
    if (gap >= WINDOW) {
      this.forgotten = this.missing + gap - (WINDOW - 1);
      bits.fill(0);
    } else {
      for (let number = this.newest + 1; number <= sequence; number++) this.makeRoom(bits, number);
    }
    this.missing += gap;
    this.newest = sequence;
    set(bits, sequence);
    this.unique += 1;
    return NEXT;
  }

  /** A new number takes the bit of the one that is WINDOW older, which must not be forgotten if it is missing. */
  private makeRoom(bits: Uint32Array, number: number): void {
    const old = number - WINDOW;
    if (old >= this.first && !isSet(bits, old)) this.forgotten += 1;
    clear(bits, number);
  }

  private lookBack(sequence: number): number {
    if (sequence < this.first) {
      this.unique += 1;
      return LATE;
    }
    if (sequence <= this.newest - WINDOW) {
      if (this.forgotten === 0) return REPEATED;
      this.forgotten -= 1;
      this.found();
      return LATE;
    }
    const bits = this.bits ?? this.openWindow();
    if (isSet(bits, sequence)) return REPEATED;
    set(bits, sequence);
    this.found();
    return LATE;
  }

  private found(): void {
    this.missing -= 1;
    this.unique += 1;
  }

  /** Without a window everything from the first to the newest has come. */
  private openWindow(): Uint32Array {
    const bits = new Uint32Array(WINDOW / 32);
    bits.fill(0xffff_ffff);
    this.bits = bits;
    return bits;
  }
}

const isSet = (bits: Uint32Array, number: number): boolean => (bits[slot(number)]! & (1 << (number & 31))) !== 0;

function set(bits: Uint32Array, number: number): void {
  bits[slot(number)]! |= 1 << (number & 31);
}

function clear(bits: Uint32Array, number: number): void {
  bits[slot(number)]! &= ~(1 << (number & 31));
}

const slot = (number: number): number => (number & (WINDOW - 1)) >>> 5;
