// Reading the log at start: every segment in order, past whatever is damaged. Reading changes nothing.
//
// The records of a whole group count. Of a group that is damaged, what is left of it counts too, and the gap in the numbers of
// the groups tells how many were hit. What stands behind the last whole group of a segment is one of two things, and the next
// segment tells which: if that one goes on with the next number, it is the remains of a write that failed or was cut off by
// the end of the program, which nobody was promised anything by; if a number is missing, it is what damage left.
import path from 'node:path';
import type { Files } from './files.ts';
import {
  checkHeader,
  DAMAGE,
  endOf,
  firstGroupOf,
  GROUP,
  HEAD_LENGTH,
  HEADER_LENGTH,
  parseSegmentName,
  type Stretch,
  segmentName,
  stretchesOf,
  typeOf,
} from './segment.ts';

/** Takes the records of the log, in the order in which they were written. */
export type RecordVisitor = (type: number, bytes: Buffer, start: number, end: number, segment: number) => void;

/** A stretch of a file that could not be read. */
export interface Damage {
  readonly segment: number;
  readonly offset: number;
  readonly length: number;
}

/** What was found. */
export interface Recovered {
  /** Of the file names; null where there is no segment yet. */
  readonly salt: number | null;
  /** Bytes of each segment, oldest first. */
  readonly sizes: ReadonlyMap<number, number>;
  /** Number of the newest group, 0 without. */
  readonly lastGroup: number;
  readonly groups: number;
  readonly records: number;
  /** Groups whose numbers are missing: of them, nothing or only a part was read. */
  readonly missingGroups: number;
  readonly damages: readonly Damage[];
  /** The unfinished group at the very end, which was never acknowledged. */
  readonly tail: Damage | null;
}

/** A store that must be left alone: made by a newer program, or two stores in one folder. */
export class StoreRefused extends Error {}

/** A stretch that is no whole group. What it is shows in the number of the next group. */
interface Doubtful {
  readonly segment: number;
  readonly bytes: Buffer;
  readonly stretch: Stretch;
}

/** Reads all segments of a folder. Throws StoreRefused, or as the file system does. */
export function readLog(folder: string, files: Files, visit: RecordVisitor): Recovered {
  const found = files
    .list(folder)
    .map(parseSegmentName)
    .filter((segment) => segment !== null)
    .sort((a, b) => a.number - b.number);
  const salt = found[0]?.salt ?? null;
  const other = found.find((segment) => segment.salt !== salt);
  if (other !== undefined) {
    throw new StoreRefused(
      `${folder} holds the files of two stores: ${segmentName(other.number, other.salt)} is of another`,
    );
  }
  const reading = new Reading(visit);
  for (const { number } of found) {
    const file = path.join(folder, segmentName(number, salt!));
    reading.segment(number, salt!, files.read(file), file);
  }
  return reading.finish(salt);
}

class Reading {
  private readonly visit: RecordVisitor;
  private readonly sizes: Map<number, number>;
  private readonly damages: Damage[];
  private lastGroup: number;
  private groups: number;
  private records: number;
  private missing: number;
  private doubtful: Doubtful[];

  constructor(visit: RecordVisitor) {
    this.visit = visit;
    this.sizes = new Map();
    this.damages = [];
    this.lastGroup = 0;
    this.groups = 0;
    this.records = 0;
    this.missing = 0;
    this.doubtful = [];
  }

  segment(segment: number, salt: number, bytes: Buffer, file: string): void {
    const header = checkHeader(bytes);
    if (typeof header === 'number') {
      throw new StoreRefused(`${file} was written by a newer program (its format has the version ${header})`);
    }
    this.sizes.set(segment, bytes.length);
    if (header === 'whole') {
      // What stands before the first segment was cleaned away.
      if (this.sizes.size === 1) this.lastGroup = firstGroupOf(bytes) - 1;
    } else {
      // It was just being made, or it has lost its beginning: the number of the next group tells.
      const end = Math.min(bytes.length, HEADER_LENGTH);
      this.doubtful.push({ segment, bytes, stretch: { kind: DAMAGE, group: 0, start: 0, end, records: [] } });
    }
    const stretches = stretchesOf(bytes, salt);
    for (const stretch of stretches) {
      if (stretch.kind === GROUP) this.group(segment, bytes, stretch);
      else this.doubtful.push({ segment, bytes, stretch });
    }
  }

  finish(salt: number | null): Recovered {
    const { sizes, lastGroup, groups, records, damages, missing } = this;
    return { salt, sizes, lastGroup, groups, records, missingGroups: missing, damages, tail: this.tail() };
  }

  private tail(): Damage | null {
    const [first] = this.doubtful;
    if (first === undefined) return null;
    const length = this.doubtful.reduce((sum, { stretch }) => sum + stretch.end - stretch.start, 0);
    return { segment: first.segment, offset: first.stretch.start, length };
  }

  private group(segment: number, bytes: Buffer, stretch: Stretch): void {
    const gap = stretch.group - this.lastGroup - 1;
    for (const doubtful of this.doubtful) this.settle(doubtful, gap > 0);
    this.doubtful = [];
    if (gap > 0 && this.lastGroup > 0) this.missing += gap;
    this.lastGroup = Math.max(this.lastGroup, stretch.group);
    this.groups += 1;
    this.take(segment, bytes, stretch);
  }

  private settle({ segment, bytes, stretch }: Doubtful, isLoss: boolean): void {
    if (stretch.kind === DAMAGE) {
      this.damages.push({ segment, offset: stretch.start, length: stretch.end - stretch.start });
    } else if (isLoss) this.take(segment, bytes, stretch);
  }

  private take(segment: number, bytes: Buffer, { records }: Stretch): void {
    for (const at of records) this.visit(typeOf(bytes, at), bytes, at + HEAD_LENGTH, endOf(bytes, at), segment);
    this.records += records.length;
  }
}
