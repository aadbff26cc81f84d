// Reading the log at start: every segment in order, past whatever is damaged. Reading changes nothing.
//
// The records of a whole group count. Of a group that is damaged, what is left of it counts too, and the gap in the numbers of
// the groups tells how many were hit. What stands behind the last whole group of a segment is one of two things, and the next
// segment tells which: if that one goes on with the next number, it is the remains of a write that failed, which was done
// again there, and nobody misses anything; if a number is missing, it is what damage left.
//
// At the very end there is no next group. A write that was cut off leaves the beginning of one group there, which nobody was
// promised anything by. More than one group can't be unfinished: what shows more than that is damage, and read as far as it
// goes. Between the two lies one last group of which pieces are missing, or a segment's header: a power failure leaves the
// first, and damage may leave both. They count as damage, but nothing of them is passed on.
import path from 'node:path';
import type { Files } from './files.ts';
import {
  BEGINNING,
  checkHeader,
  DAMAGE,
  endOf,
  firstGroupOf,
  GROUP,
  HEAD_LENGTH,
  HEADER_LENGTH,
  isBeginning,
  LOOSE,
  parseSegmentName,
  type Stretch,
  segmentName,
  segmentOf,
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
  /** Bytes of each segment, oldest first, and the number of its first group. */
  readonly sizes: ReadonlyMap<number, number>;
  readonly beginnings: ReadonlyMap<number, number>;
  /** Number of the newest group, 0 without. */
  readonly lastGroup: number;
  readonly groups: number;
  readonly records: number;
  /** Groups whose numbers are missing: of them, nothing or only a part was read. */
  readonly missingGroups: number;
  readonly damages: readonly Damage[];
  /** What stands behind the last group: an unfinished one, which was never acknowledged. */
  readonly tail: Tail | null;
}

/** What stands behind the last group. */
export interface Tail extends Damage {
  /**
   * Whether it is what a program leaves that ends while it writes: the beginning of a group, and nothing else. What is more
   * than that is among the damages; a power failure can have left it, and nothing of it is passed on.
   */
  readonly isPlain: boolean;
}

/** A store that must be left alone: made by a newer program, or two stores in one folder. */
export class StoreRefused extends Error {}

/** A stretch that is no whole group. What it is shows in the number of the next group. */
interface Doubtful {
  readonly segment: number;
  readonly salt: number;
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
  // One piece of memory serves for all of them, or large stores would be in memory twice.
  let room: Buffer = Buffer.allocUnsafeSlow(0);
  for (const { number } of found) {
    const file = path.join(folder, segmentName(number, salt!));
    const bytes = files.read(file, room);
    reading.segment(number, salt!, bytes, file);
    room = reading.keeps(bytes) ? Buffer.allocUnsafeSlow(0) : bytes;
  }
  return reading.finish(salt);
}

class Reading {
  private readonly visit: RecordVisitor;
  private readonly sizes: Map<number, number>;
  private readonly beginnings: Map<number, number>;
  private readonly damages: Damage[];
  private lastGroup: number;
  private groups: number;
  private records: number;
  private missing: number;
  private doubtful: Doubtful[];
  private hasBegun: boolean;
  /** Groups before this one were cleaned away: so says the newest note. The first group that is there. */
  private cleanedUntil: number;
  private first: number;
  /** Whether it is known what the log begins with: the first group of all, or what a whole header says. */
  private isFromStart: boolean;

  constructor(visit: RecordVisitor) {
    this.visit = visit;
    this.sizes = new Map();
    this.beginnings = new Map();
    this.damages = [];
    this.lastGroup = 0;
    this.groups = 0;
    this.records = 0;
    this.missing = 0;
    this.doubtful = [];
    this.hasBegun = false;
    this.cleanedUntil = 1;
    this.first = 1;
    this.isFromStart = false;
  }

  /** Whether these bytes are still to be looked at. */
  keeps(bytes: Buffer): boolean {
    return this.doubtful.some((doubtful) => doubtful.bytes.buffer === bytes.buffer);
  }

  segment(segment: number, salt: number, bytes: Buffer, file: string): void {
    const header = checkHeader(bytes);
    if (typeof header === 'number') {
      throw new StoreRefused(`${file} was written by a newer program (its format has the version ${header})`);
    }
    this.sizes.set(segment, bytes.length);
    if (header === 'whole' && segmentOf(bytes) !== segment) {
      // A copy of another segment: read here, it would bring back what was deleted since.
      this.damaged(segment, 0, bytes.length);
      return;
    }
    if (header === 'whole' && !this.isFromStart && this.lastGroup === 0) {
      // What stands before was cleaned away, or is missing: a note tells.
      this.lastGroup = this.firstMissing(firstGroupOf(bytes)) - 1;
      this.isFromStart = true;
    } else if (!this.hasBegun) this.isFromStart = segment === 1;
    this.hasBegun = true;
    this.beginnings.set(segment, header === 'whole' ? firstGroupOf(bytes) : this.lastGroup + 1);
    if (header !== 'whole') {
      // It was just being made, or it has lost its beginning: what follows tells.
      const end = Math.min(bytes.length, HEADER_LENGTH);
      this.doubtful.push({ segment, salt, bytes, stretch: { kind: DAMAGE, group: 0, start: 0, end, records: [] } });
    }
    for (const stretch of stretchesOf(bytes, salt)) {
      if (stretch.kind !== GROUP) this.doubtful.push({ segment, salt, bytes, stretch });
      else if (header === 'whole' || stretch.group > this.lastGroup) this.group(segment, bytes, stretch);
      // Old groups behind a header that is gone: a copy of another segment again.
      else this.damaged(segment, stretch.start, stretch.end);
    }
  }

  finish(salt: number | null): Recovered {
    const tail = this.tail();
    // The note may be in what is damaged; then it can't be told.
    if (this.damages.length === 0 && this.missing === 0) this.missing = Math.max(0, this.first - this.cleanedUntil);
    const { sizes, beginnings, lastGroup, groups, records, damages, missing } = this;
    return { salt, sizes, beginnings, lastGroup, groups, records, missingGroups: missing, damages, tail };
  }

  private tail(): Tail | null {
    // What shows more than one group is damage.
    const last = this.doubtful.findLastIndex(({ stretch }) => stretch.group > this.lastGroup + 1);
    const damaged = this.doubtful.splice(0, last + 1);
    const group = damaged.reduce((most, { stretch }) => Math.max(most, stretch.group), this.lastGroup);
    for (const doubtful of damaged) this.settle(doubtful, true);
    this.missing += group - this.lastGroup;
    this.lastGroup = group;
    const [first] = this.doubtful;
    if (first === undefined) return null;
    const length = this.doubtful.reduce((sum, { stretch }) => sum + stretch.end - stretch.start, 0);
    const isPlain = this.doubtful.every(isCutOff);
    if (!isPlain) for (const { segment, stretch } of this.doubtful) this.damaged(segment, stretch.start, stretch.end);
    return { segment: first.segment, offset: first.stretch.start, length, isPlain };
  }

  private group(segment: number, bytes: Buffer, stretch: Stretch): void {
    const missing = stretch.group - this.firstMissing(stretch.group);
    for (const doubtful of this.doubtful) {
      const isLoss = missing > 0 || isHeadless(doubtful);
      if (isLoss || doubtful.segment === segment) this.settle(doubtful, isLoss);
    }
    this.doubtful = [];
    this.missing += Math.max(0, missing);
    this.lastGroup = Math.max(this.lastGroup, stretch.group);
    this.groups += 1;
    this.take(segment, bytes, stretch);
  }

  /** The first group behind the last one that was read; `next` is the one that is read now. */
  private firstMissing(next: number): number {
    if (this.lastGroup > 0 || this.isFromStart) return this.lastGroup + 1;
    // The first header is gone, and with it the number that the log begins with: what is left of the groups tells of some.
    const numbers = this.doubtful.map(({ stretch }) => stretch.group).filter((group) => group > 0);
    this.first = Math.min(next, ...numbers);
    return this.first;
  }

  private settle({ segment, bytes, stretch }: Doubtful, isLoss: boolean): void {
    if (stretch.kind === DAMAGE) this.damaged(segment, stretch.start, stretch.end);
    else if (isLoss) this.take(segment, bytes, stretch);
  }

  private damaged(segment: number, start: number, end: number): void {
    if (end > start) this.damages.push({ segment, offset: start, length: end - start });
  }

  private take(segment: number, bytes: Buffer, { records }: Stretch): void {
    for (const at of records) {
      const type = typeOf(bytes, at);
      if (type === BEGINNING) this.cleanedUntil = Math.max(this.cleanedUntil, bytes.readDoubleBE(at + HEAD_LENGTH));
      else this.visit(type, bytes, at + HEAD_LENGTH, endOf(bytes, at), segment);
    }
    this.records += records.length;
  }
}

/** Whether its segment has lost its header, which is safe before anything follows it. */
const isHeadless = ({ bytes }: Doubtful): boolean => bytes.length > HEADER_LENGTH && checkHeader(bytes) === 'damaged';

/** Whether a stretch is what is left of a write that did not come to its end. */
function isCutOff({ bytes, stretch, salt }: Doubtful): boolean {
  if (stretch.kind === LOOSE) return stretch.group === 0;
  if (bytes.length <= HEADER_LENGTH) return true;
  return stretch.end === bytes.length && isBeginning(bytes, stretch.start, salt);
}
