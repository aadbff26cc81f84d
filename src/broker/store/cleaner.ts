// Cleaning of a log: of the oldest segment, what still counts is written anew, and when that is safe the segment is removed.
// Only ever the oldest one, so that a deletion never goes before what it deletes. What goes with it leaves a note, by which
// the next start can tell whether a file at the beginning was cleaned away or is missing.
import { Clutter, type LogFiles } from './clutter.ts';
import type { LogBounds } from './log.ts';
import type { LogPort } from './log-messages.ts';
import { BEGINNING, type GroupWriter, noteBeginning, typeOf } from './segment.ts';

/** Milliseconds until something that was refused is asked for again. */
const RETRY_MS = 1000;

/** A log, as far as cleaning asks. */
export interface CleanedLog extends LogFiles {
  /** The oldest segment, 0 where there is none. */
  readonly oldestSegment: number;
  readonly records: GroupWriter;
  /** The last group that has records, and the last one that is safe. */
  readonly lastRecorded: number;
  readonly durable: number;
  /** The first group of the segment behind the oldest one. */
  readonly secondBeginning: number;
}

/** The segment that is being emptied. */
interface Cleaning {
  readonly segment: number;
  /** Null until they are read, and again once all of it is done. */
  bytes: Buffer | null;
  records: readonly number[];
  next: number;
  isNoted: boolean;
  /** The group that has to be safe before the segment goes. */
  until: number;
}

/** Writes those records of an old segment anew that still count: called with each of them. */
export type Move = (type: number, bytes: Buffer, at: number, segment: number) => void;

/** Cleans one log. */
export class Cleaner {
  private readonly log: CleanedLog;
  private readonly port: LogPort;
  private readonly moveRecord: Move;
  private readonly bounds: LogBounds;
  private readonly clutter: Clutter;
  private cleaning: Cleaning | null;
  private retry: NodeJS.Timeout | null;
  private isStopped: boolean;

  constructor(log: CleanedLog, port: LogPort, move: Move, bounds: LogBounds) {
    this.log = log;
    this.port = port;
    this.moveRecord = move;
    this.bounds = bounds;
    this.clutter = new Clutter(bounds);
    this.cleaning = null;
    this.retry = null;
    this.isStopped = false;
  }

  /** Wants all segments up to this one cleaned. */
  want(segment: number): void {
    this.clutter.want(segment);
  }

  /** Goes on, at the end of a group: what is moved is part of it. */
  goOn(): void {
    if (this.isStopped) return;
    const { cleaning, log } = this;
    if (cleaning !== null) {
      this.move(cleaning);
      return;
    }
    const { oldestSegment } = log;
    if (oldestSegment === 0 || oldestSegment >= log.openSegment) return;
    if (!this.clutter.asksFor(oldestSegment, log)) return;
    const until = log.lastRecorded;
    this.cleaning = { segment: oldestSegment, bytes: null, records: [], next: 0, isNoted: false, until };
    this.port.send({ kind: 'read', segment: oldestSegment });
  }

  /** The segment was read. */
  read(bytes: ArrayBuffer, records: readonly number[]): void {
    this.cleaning!.bytes = Buffer.from(bytes);
    this.cleaning!.records = records;
  }

  /** The segment is gone. */
  removed(): void {
    this.cleaning = null;
  }

  /** What was asked for was refused. Until it is not, nothing more is cleaned. */
  refused(kind: 'read' | 'remove'): void {
    if (this.isStopped) return;
    this.retry = setTimeout(() => {
      this.retry = null;
      this.port.send({ kind, segment: this.cleaning!.segment });
    }, RETRY_MS);
  }

  /** Nothing more is cleaned: the log is being closed. */
  stop(): void {
    this.isStopped = true;
    if (this.retry !== null) clearTimeout(this.retry);
    this.retry = null;
  }

  private move(cleaning: Cleaning): void {
    const { bytes, records, segment } = cleaning;
    if (bytes === null) return;
    const { log } = this;
    while (cleaning.next < records.length && log.records.length < this.bounds.cleaned) {
      const at = records[cleaning.next]!;
      const type = typeOf(bytes, at);
      if (type !== BEGINNING) this.moveRecord(type, bytes, at, segment);
      cleaning.next += 1;
      cleaning.until = log.lastRecorded;
    }
    if (cleaning.next < records.length) return;
    if (!cleaning.isNoted) {
      noteBeginning(log.records, log.secondBeginning);
      cleaning.isNoted = true;
      cleaning.until = log.lastRecorded;
    }
    // Not before what was moved, and what took the place of the rest or deleted it, is safe.
    if (cleaning.until > log.durable) return;
    cleaning.bytes = null;
    this.port.send({ kind: 'remove', segment });
  }
}
