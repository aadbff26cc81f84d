// Whether there is too much in a log's files that does not count any more, so that the oldest of them has to be cleaned.
import type { LogBounds } from './log.ts';

/** So many files may have little in them. */
const MOST_CRUMBS = 32;

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
  /** What was left when all segments had been cleaned and it still seemed too much. */
  private firm: number;

  constructor(bounds: LogBounds) {
    this.bounds = bounds;
    this.wantedUntil = 0;
    this.looseUntil = 0;
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

  /** Whether too much does not count. Where that seems so even after all of it was cleaned, the reckoning is wrong. */
  private isLoose(oldest: number, { totalBytes, liveBytes, openSegment }: LogFiles): boolean {
    const { slack } = this.bounds;
    if (totalBytes <= 2 * liveBytes + slack) {
      this.looseUntil = 0;
      this.firm = 0;
      return false;
    }
    if (this.looseUntil === 0) {
      if (totalBytes <= 2 * Math.max(liveBytes, this.firm) + slack) return false;
      this.looseUntil = openSegment;
    }
    if (oldest <= this.looseUntil) return true;
    this.looseUntil = 0;
    this.firm = totalBytes;
    return false;
  }
}
