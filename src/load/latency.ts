// Times in microseconds, counted in an HDR histogram (three digits, up to an hour). Recording there costs 100 ns, so short
// times are counted in an array first and recorded together.
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';

/** Times below this many microseconds are counted in the array. */
const SHORT = 65_536;
const LONGEST = 3_600_000_000;

/** What is told of many times, in microseconds. */
export interface LatencySummary {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

const emptyHistogram = (): Histogram =>
  build({
    bitBucketSize: 64,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST,
    numberOfSignificantValueDigits: 3,
    useWebAssembly: false,
  });

/** Counts times. */
export class Latencies {
  private readonly short: Uint32Array;
  private histogram: Histogram;
  private hasShort: boolean;

  constructor() {
    this.short = new Uint32Array(SHORT);
    this.histogram = emptyHistogram();
    this.hasShort = false;
  }

  /** Counts a time, so many times over. */
  add(microseconds: number, times: number): void {
    if (microseconds < SHORT) {
      this.short[microseconds]! += times;
      this.hasShort = true;
    } else {
      this.histogram.recordValueWithCount(Math.min(microseconds, LONGEST), times);
    }
  }

  clear(): void {
    this.short.fill(0);
    this.hasShort = false;
    this.histogram = emptyHistogram();
  }

  /** All of it as text, for absorb() in another process. */
  encode(): string {
    this.record();
    return encodeIntoCompressedBase64(this.histogram);
  }

  /** Adds what encode() gave. */
  absorb(encoded: string): void {
    this.histogram.add(decodeFromCompressedBase64(encoded));
  }

  /** Null where nothing was counted. */
  summary(): LatencySummary | null {
    this.record();
    const { totalCount, maxValue, mean } = this.histogram;
    if (totalCount === 0) return null;
    const at = (percentile: number): number => Math.min(maxValue, this.histogram.getValueAtPercentile(percentile));
    return { count: totalCount, mean, p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: maxValue };
  }

  private record(): void {
    if (!this.hasShort) return;
    for (let value = 0; value < SHORT; value++) {
      const times = this.short[value]!;
      if (times > 0) this.histogram.recordValueWithCount(value, times);
    }
    this.short.fill(0);
    this.hasShort = false;
  }
}
