// How many connections a second one address may make: a bucket of tokens for each address (the first 64 bits of an IPv6
// one), which fills at the rate that is allowed and holds what comes in one second.
import { addressGroup } from './plugins/address-group.ts';

/** Addresses that are known at a time. Beyond that, the one that has not come for the longest time is forgotten. */
const MOST_ADDRESSES = 10_000;
/** Milliseconds between two lines about the same address: who floods the listener must not flood the log, too. */
const TELL_EVERY_MS = 10_000;

/** What is known of one address. Times are monotonic milliseconds. */
interface Bucket {
  tokens: number;
  filledAt: number;
  /** Connections refused since the log last told of it, and when it did. */
  untold: number;
  toldAt: number;
}

/** Receives an address that goes beyond the rate, and how often it did since the last call about it. */
type TellRefused = (address: string, refused: number) => void;

/** The rates of one listener. */
export class ConnectionRate {
  private readonly buckets: Map<string, Bucket>;
  private readonly tell: TellRefused;

  constructor(tell: TellRefused) {
    this.buckets = new Map();
    this.tell = tell;
  }

  /** Addresses that are known now. */
  get size(): number {
    return this.buckets.size;
  }

  /** Counts a connection of an address; false if it is one too many. `perSecond` 0 lets all in. */
  admits(address: string, perSecond: number, nowMs: number): boolean {
    if (perSecond === 0) {
      this.buckets.clear();
      return true;
    }
    const group = addressGroup(address);
    const bucket = this.bucketOf(group, perSecond, nowMs);
    bucket.tokens = Math.min(perSecond, bucket.tokens + ((nowMs - bucket.filledAt) / 1000) * perSecond);
    bucket.filledAt = nowMs;
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return true;
    }
    bucket.untold += 1;
    if (nowMs - bucket.toldAt >= TELL_EVERY_MS) {
      this.tell(address, bucket.untold);
      bucket.untold = 0;
      bucket.toldAt = nowMs;
    }
    return false;
  }

  private bucketOf(group: string, perSecond: number, nowMs: number): Bucket {
    const known = this.buckets.get(group);
    if (known !== undefined) {
      // Map keeps the order of insertion: deleted and set again, the address stands last.
      this.buckets.delete(group);
      this.buckets.set(group, known);
      return known;
    }
    for (const oldest of this.buckets.keys()) {
      if (this.buckets.size < MOST_ADDRESSES) break;
      this.buckets.delete(oldest);
    }
    const bucket = { tokens: perSecond, filledAt: nowMs, untold: 0, toldAt: Number.NEGATIVE_INFINITY };
    this.buckets.set(group, bucket);
    return bucket;
  }
}
