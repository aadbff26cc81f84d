// Growing delays with jitter between attempts, so that many clients of one broker do not come back in the same instant.

/** Delays in milliseconds: at random between the least one and a ceiling that doubles with each failure. */
export class Backoff {
  private readonly minMs: number;
  private readonly maxMs: number;
  private readonly random: () => number;
  private ceilingMs: number;

  /** @param random numbers in [0, 1) */
  constructor(minMs: number, maxMs: number, random: () => number = Math.random) {
    this.minMs = minMs;
    this.maxMs = Math.max(minMs, maxMs);
    this.random = random;
    this.ceilingMs = minMs;
  }

  /** The delay before the next attempt. */
  next(): number {
    this.ceilingMs = Math.min(this.maxMs, this.ceilingMs * 2);
    return this.minMs + this.random() * (this.ceilingMs - this.minMs);
  }

  /** An attempt succeeded: the next failure starts over. */
  reset(): void {
    this.ceilingMs = this.minMs;
  }
}
