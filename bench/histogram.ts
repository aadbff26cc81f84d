// Percentiles of many durations for a few nanoseconds each: buckets that grow with the value, within one percent of it.

/** Buckets for each doubling of the value; values below twice this have buckets of their own. */
const STEPS = 128;
const STEP_BITS = 7;
const BUCKETS = STEPS * (33 - STEP_BITS);

/** Bytes that the buckets of one histogram take, for memory that is shared between threads. */
export const HISTOGRAM_BYTES: number = BUCKETS * 4;

/** Counts durations in whole microseconds, up to half an hour. */
export class Histogram {
  readonly #buckets: Uint32Array;

  constructor(buckets: Uint32Array = new Uint32Array(BUCKETS)) {
    this.#buckets = buckets;
  }

  add(microseconds: number): void {
    const value = microseconds < 0 ? 0 : microseconds | 0;
    const shift = value < STEPS ? 0 : 31 - STEP_BITS - Math.clz32(value);
    this.#buckets[shift * STEPS + (value >> shift)]! += 1;
  }

  clear(): void {
    this.#buckets.fill(0);
  }

  get count(): number {
    return this.#buckets.reduce((sum, count) => sum + count, 0);
  }

  /** The value in milliseconds that this share (0 to 1) of all durations does not exceed; NaN where there are none. */
  milliseconds(share: number): number {
    const due = Math.max(1, Math.ceil(this.count * share));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#buckets[bucket]!;
      if (seen >= due) return middleOf(bucket) / 1000;
    }
    return Number.NaN;
  }
}

/** The value in the middle of a bucket, in microseconds. */
function middleOf(bucket: number): number {
  if (bucket < 2 * STEPS) return bucket;
  const shift = (bucket >> STEP_BITS) - 1;
  return (bucket - shift * STEPS + 0.5) * 2 ** shift;
}
