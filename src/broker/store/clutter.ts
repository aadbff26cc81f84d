// Whether there is too much in a log's files that does not count any more, so that the oldest of them has to be cleaned.
import type { LogBounds } from './log.ts';

/** So many files may have little in them. */
const MOST_CRUMBS = 32;

/** Cleaning all segments has helped if at most this part of what was left before is left. */
const WORTH_IT = 0.9;

/** What the files look like. */
export interface LogFiles {
  readonly segments: number;
  readonly totalBytes: number;
  /** Bytes of the records that count, as the owner of the log reckons. */
  readonly liveBytes: number;
  /** The segment that is being written. */
  readonly openSegment: number;
}

/** Watches over the files of one log. */
export class Clutter {
  private readonly bounds: LogBounds;
  /** Segments up to this one are cleaned whatever they hold. */
  private wantedUntil: number;
  /** While there is too much: the newest segment when that began. */
  private looseUntil: number;
  /** While there is too much: what was left when all segments had been cleaned once; 0 before that. */
  private left: number;
  /** What was left when cleaning all segments did not help any more and it still seemed too much. */
  private firm: number;

  constructor(bounds: LogBounds) {
    this.bounds = bounds;
    this.wantedUntil = 0;
    this.looseUntil = 0;
    this.left = 0;
    this.firm = 0;
  }

  /** Wants the segments up to this one cleaned. */
  want(segment: number): void {
    this.wantedUntil = segment;
  }

  /** Whether the oldest segment is to be cleaned. */
  asksFor(oldest: number, files: LogFiles): boolean {
    return oldest <= this.wantedUntil || this.isCrumbled(files) || this.isLoose(oldest, files);
  }

  /** Whether there are many files with little in each: every start makes one. */
  private isCrumbled({ segments, totalBytes }: LogFiles): boolean {
    return segments > MOST_CRUMBS && totalBytes < (segments * this.bounds.segment) / 4;
  }

  /**
   * Whether too much does not count. What died while all of it was cleaned is there still, so it is cleaned again as long as
   * that helps; where too much seems to be left even so, the reckoning is wrong.
   */
  private isLoose(oldest: number, { totalBytes, liveBytes, openSegment }: LogFiles): boolean {
    const { slack } = this.bounds;
    if (totalBytes <= 2 * liveBytes + slack) {
      this.looseUntil = 0;
      this.left = 0;
      this.firm = 0;
      return false;
    }
    if (this.looseUntil === 0) {
      if (totalBytes <= 2 * Math.max(liveBytes, this.firm) + slack) return false;
      this.looseUntil = openSegment;
    }
    if (oldest <= this.looseUntil) return true;
    const hasHelped = this.left === 0 || totalBytes <= this.left * WORTH_IT;
    this.left = hasHelped ? totalBytes : 0;
    this.looseUntil = hasHelped ? openSegment : 0;
    this.firm = hasHelped ? 0 : totalBytes;
    return hasHelped;
  }
}
