// The log as the broker's thread sees it. Records are added to the open group; once a turn the group is committed: handed to
// the worker if that one is free, else it goes on growing until the group before it is safe. So groups fill themselves, and
// no timer is needed. What a group promised is released when the group is durable, in the order of the groups.
import { touch } from '../../util/clock.ts';
import { Ring } from '../../util/ring.ts';
import { type CleanedLog, Cleaner, type Move } from './cleaner.ts';
import type { LogPort, LogReply } from './log-messages.ts';
import { GroupWriter, HEADER_LENGTH, noteBeginning } from './segment.ts';

/** Sizes in bytes that the log keeps to. */
export interface LogBounds {
  /** A segment is closed once it has this much; damage to one costs no more than that. */
  readonly segment: number;
  /** So much may lie in the files beyond twice what is alive. */
  readonly slack: number;
  /** A group that has this much takes no old records in. */
  readonly cleaned: number;
}

export const BOUNDS: LogBounds = { segment: 8 * 1024 * 1024, slack: 48 * 1024 * 1024, cleaned: 256 * 1024 };

/** A group of this many bytes or records holds the publishers back. */
const CONGESTED_BYTES = 8 * 1024 * 1024;
const CONGESTED_RECORDS = 65_536;
const OVERFULL = 4;
/** Milliseconds until a write that failed is tried again. */
const RETRY_MS = 1000;

/** When a group counts as safe: once it is synced, or once the system has it; then it is synced every so often or never. */
export type SyncMode = 'always' | 'interval' | 'off';

/** What the log tells its owner. */
export interface LogEvents {
  /** The file system refuses; tried again until it does not. Told once. */
  failing(error: string, code: string): void;
  /** It writes again. */
  working(): void;
  /** Publishers should wait, or need not any more. */
  congested(isCongested: boolean): void;
  /** Something else than writing failed; the log goes on. */
  trouble(what: string, error: string): void;
  readonly move: Move;
}

/** Figures for $SYS and the log. */
export interface LogFigures {
  groups: number;
  records: number;
  bytes: number;
  /** Milliseconds that groups took in the worker: the last, the longest since this was last set to 0, and of all. */
  lastCommit: number;
  longestCommit: number;
  slowest: number;
}

interface InFlight {
  readonly group: number;
  segment: number;
  readonly records: number;
  readonly bytes: number;
}

interface Waiter {
  readonly group: number;
  readonly release: () => void;
}

/** The newest state of a log that was read. */
export interface LogStart {
  readonly salt: number;
  readonly lastGroup: number;
  /** Bytes of each segment, oldest first, and its first group. */
  readonly sizes: ReadonlyMap<number, number>;
  readonly beginnings: ReadonlyMap<number, number>;
}

/** An open log. */
export class Log implements CleanedLog {
  readonly figures: LogFigures;
  /** Bytes of the records that count, kept up to date by the owner: what cleaning is measured against. */
  liveBytes: number;
  private readonly port: LogPort;
  private readonly events: LogEvents;
  private readonly mode: SyncMode;
  private readonly bounds: LogBounds;
  private readonly group: GroupWriter;
  private readonly waiters: Ring<Waiter>;
  private readonly sizes: Map<number, number>;
  private readonly beginnings: Map<number, number>;
  private total: number;
  /** The segment that the open group goes to. */
  private segment: number;
  private number: number;
  private durableGroup: number;
  private inFlight: InFlight | null;
  private spare: Buffer | null;
  private isFailing: boolean;
  private isCongestedNow: boolean;
  private isDirty: boolean;
  private retry: NodeJS.Timeout | null;
  private syncTimer: NodeJS.Timeout | null;
  private readonly cleaner: Cleaner;
  private whenIdle: (() => void) | null;
  private whenClosed: (() => void) | null;

  /** @param intervalMs between two syncs, for the mode 'interval' */
  constructor(start: LogStart, port: LogPort, events: LogEvents, mode: SyncMode, intervalMs: number, bounds = BOUNDS) {
    this.figures = { groups: 0, records: 0, bytes: 0, lastCommit: 0, longestCommit: 0, slowest: 0 };
    this.liveBytes = 0;
    this.port = port;
    this.events = events;
    this.mode = mode;
    this.bounds = bounds;
    this.group = new GroupWriter(start.salt);
    this.waiters = new Ring();
    this.sizes = new Map(start.sizes);
    this.beginnings = new Map(start.beginnings);
    this.total = [...start.sizes.values()].reduce((sum, size) => sum + size, 0);
    // Never into a segment of an earlier run: its end may be cut off, or not what it seems.
    this.segment = Math.max(0, ...start.sizes.keys()) + 1;
    this.number = start.lastGroup + 1;
    this.durableGroup = start.lastGroup;
    this.inFlight = null;
    this.spare = null;
    this.isFailing = false;
    this.isCongestedNow = false;
    this.isDirty = false;
    this.retry = null;
    this.cleaner = new Cleaner(this, port, (type, bytes, at, segment) => events.move(type, bytes, at, segment), bounds);
    this.whenIdle = null;
    this.whenClosed = null;
    this.syncTimer = mode === 'interval' ? setInterval(() => this.syncNow(), intervalMs).unref() : null;
    port.onReply = (reply) => this.onReply(reply);
  }

  /** The open group: records are added by begin(), its fields, end(). */
  get records(): GroupWriter {
    return this.group;
  }

  /** Number of the open group. */
  get openGroup(): number {
    return this.number;
  }

  /** Segment that the open group's records will lie in, or an earlier one's number if that one fails. */
  get openSegment(): number {
    return this.segment;
  }

  /** The oldest segment, 0 where there is none. */
  get oldestSegment(): number {
    const [oldest = 0] = this.sizes.keys();
    return oldest;
  }

  /** The first group of the segment behind the oldest one. */
  get secondBeginning(): number {
    const [, second = 0] = this.sizes.keys();
    return this.beginnings.get(second) ?? this.number;
  }

  /** Bytes of all files. */
  get totalBytes(): number {
    return this.total;
  }

  get segments(): number {
    return this.sizes.size;
  }

  get isRefused(): boolean {
    return this.isFailing;
  }

  /** Whether it is refused, and several times as much waits as should: then even who comes anew must not add to it. */
  get isOverfull(): boolean {
    const { length, count } = this.group;
    return this.isFailing && (length > OVERFULL * CONGESTED_BYTES || count > OVERFULL * CONGESTED_RECORDS);
  }

  get isCongested(): boolean {
    return this.isCongestedNow;
  }

  /** Number of the last group that is safe. */
  get durable(): number {
    return this.durableGroup;
  }

  /** Calls `release` when everything recorded until now is durable; at once where it is. */
  whenDurable(release: () => void): void {
    const group = this.lastRecorded;
    if (group <= this.durableGroup) release();
    else this.waiters.push({ group, release });
  }

  /** Ends the turn's records: they are on their way, or will be when the group before them is safe. */
  commit(): void {
    this.checkCongestion();
    if (this.inFlight !== null || this.whenClosed !== null) return;
    if (!this.isFailing) this.cleaner.goOn();
    if (this.group.count > 0) this.hand();
  }

  /** Cleans all segments that there are, in the course of the next groups. */
  compact(): void {
    this.cleaner.want(this.segment);
    // The current segment may then be cleaned too, for the next group begins another one.
    if (this.sizes.has(this.segment)) this.segment += 1;
    this.commit();
  }

  /** Writes and syncs what there is and ends the worker; resolves false where the last group could not be written. */
  close(): Promise<boolean> {
    if (this.syncTimer !== null) clearInterval(this.syncTimer);
    this.cleaner.stop();
    return new Promise((resolve) => {
      const finish = () => {
        if (this.retry !== null) clearTimeout(this.retry);
        this.retry = null;
        this.whenClosed = () => {
          this.port.onReply = null;
          this.port.end();
          resolve(!this.isFailing && this.group.count === 0);
        };
        this.port.send({ kind: 'close' });
      };
      if (this.isFailing || (this.inFlight === null && this.group.count === 0)) finish();
      else {
        this.whenIdle = finish;
        this.commit();
      }
    });
  }

  /** Number of the last group that has records. */
  get lastRecorded(): number {
    return this.group.count > 0 ? this.number : this.number - 1;
  }

  private hand(): void {
    // Each segment says so for itself: any of the others may be lost.
    if (!this.sizes.has(this.segment)) {
      noteBeginning(this.group, this.beginnings.get(this.oldestSegment) ?? this.number);
    }
    const records = this.group.count;
    const bytes = this.group.take(this.number, this.spare);
    // Once they are handed over, the buffer is empty on this side.
    const { length } = bytes;
    this.spare = null;
    this.inFlight = { group: this.number, segment: this.segment, records, bytes: length };
    this.port.send({
      kind: 'write',
      group: this.number,
      segment: this.segment,
      bytes: bytes.buffer as ArrayBuffer,
      length,
      isSynced: this.mode === 'always',
    });
    if (!this.sizes.has(this.segment)) this.begin(this.segment, this.number);
    this.grow(this.segment, length);
    this.number += 1;
    if (this.sizes.get(this.segment)! >= this.bounds.segment) this.segment += 1;
  }

  private onReply(reply: LogReply): void {
    // What is released goes on with its work in this turn.
    touch();
    switch (reply.kind) {
      case 'written':
        this.written(reply.group, reply.spare, reply.took);
        break;
      case 'failed':
        if (reply.what === 'write') this.writeFailed(reply.error, reply.code);
        else if (reply.what === 'close') {
          this.isFailing = true;
          this.whenClosed?.();
        } else {
          this.events.trouble(reply.what, reply.error);
          // Nobody knows what of the segment is on the disk: what counts is written anew, into another one.
          if (reply.what === 'sync') this.compact();
          else this.cleaner.refused(reply.what);
        }
        break;
      case 'content':
        this.cleaner.read(reply.bytes, reply.records);
        if (this.inFlight === null) this.commit();
        break;
      case 'removed':
        this.forget(reply.segment);
        this.cleaner.removed();
        if (this.inFlight === null) this.commit();
        break;
      case 'closed':
        this.whenClosed?.();
        break;
      default:
    }
  }

  private written(group: number, spare: ArrayBuffer, took: number): void {
    const { figures } = this;
    const inFlight = this.inFlight!;
    this.inFlight = null;
    this.spare = spare.byteLength > CONGESTED_BYTES ? null : Buffer.from(spare);
    this.durableGroup = group;
    this.isDirty = this.mode === 'interval';
    figures.groups += 1;
    figures.records += inFlight.records;
    figures.bytes += inFlight.bytes;
    figures.lastCommit = took;
    figures.longestCommit = Math.max(figures.longestCommit, took);
    figures.slowest = Math.max(figures.slowest, took);
    if (this.isFailing) {
      this.isFailing = false;
      this.events.working();
    }
    for (let next = this.waiters.at(0); next !== null && next.group <= group; next = this.waiters.at(0)) {
      this.waiters.shift();
      next.release();
    }
    this.commit();
    if (this.inFlight === null && this.group.count === 0) {
      const { whenIdle } = this;
      this.whenIdle = null;
      whenIdle?.();
    }
  }

  private writeFailed(error: string, code: string): void {
    const { segment, bytes } = this.inFlight!;
    this.grow(segment, -bytes);
    // One with no group in it was removed.
    if (this.sizes.get(segment) === HEADER_LENGTH) this.forget(segment);
    if (!this.isFailing) {
      this.isFailing = true;
      this.events.failing(error, code);
    }
    const { whenIdle } = this;
    this.whenIdle = null;
    whenIdle?.();
    if (this.whenClosed !== null) return;
    this.retry = setTimeout(() => {
      this.retry = null;
      // The segment that failed is closed for good, and what was to follow in it goes where the group goes.
      this.segment += 1;
      this.inFlight!.segment = this.segment;
      this.begin(this.segment, this.inFlight!.group);
      this.grow(this.segment, this.inFlight!.bytes);
      this.port.send({ kind: 'retry', segment: this.segment });
    }, RETRY_MS);
  }

  private begin(segment: number, group: number): void {
    this.beginnings.set(segment, group);
    this.grow(segment, HEADER_LENGTH);
  }

  private forget(segment: number): void {
    this.total -= this.sizes.get(segment) ?? 0;
    this.sizes.delete(segment);
    this.beginnings.delete(segment);
  }

  private grow(segment: number, bytes: number): void {
    this.sizes.set(segment, (this.sizes.get(segment) ?? 0) + bytes);
    this.total += bytes;
  }

  private syncNow(): void {
    if (!this.isDirty) return;
    this.isDirty = false;
    this.port.send({ kind: 'sync' });
  }

  private checkCongestion(): void {
    const isCongested = this.group.length > CONGESTED_BYTES || this.group.count > CONGESTED_RECORDS;
    if (isCongested === this.isCongestedNow) return;
    this.isCongestedNow = isCongested;
    this.events.congested(isCongested);
  }
}
