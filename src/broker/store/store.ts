// The store of a running broker: what changes is recorded as it changes, and what was promised to a client leaves when it is
// safe. It is written behind the broker's own state and read only at the start.
//
// A turn of the loop makes one group of records (see log.ts). Whoever answers a client takes `recorded` before and after: if
// it has grown, the answer waits by whenDurable().
import { touch, wallNow } from '../../util/clock.ts';
import { Paged } from '../../util/paged.ts';
import type { StoreLock } from './lock.ts';
import type { Log, LogFigures } from './log.ts';
import {
  beginMessage,
  CLEARED,
  ENTRIES,
  type Identity,
  INBOUND,
  MESSAGE,
  readEntry,
  readMessage,
  SESSION,
  SESSION_END,
  SUBSCRIBE,
} from './records.ts';
import type { Repeats } from './repeats.ts';
import { endOf, type GroupWriter, HEAD_LENGTH, RecordReader } from './segment.ts';
import { type SessionOwner, SessionRecord } from './session-record.ts';
import { Sources } from './sources.ts';
import type { LiveMessage, StoredPlace } from './stored-place.ts';

/** What the store tells the broker. */
export interface StoreEvents {
  /** Something was recorded: commit() must be called in this turn. */
  changed(): void;
  /** Writing fails, or works again. */
  failing(error: string, code: string): void;
  working(): void;
  /** Who records should wait, or need not any more. */
  congested(isCongested: boolean): void;
  /** Something else than writing failed; the store goes on. */
  trouble(what: string, error: string): void;
  /** Who a message's source is; null if that is not known. */
  identify(source: object): Identity | null;
}

/** Sessions are numbered in 32 bits. */
const LAST_SESSION = 0xffff_ffff;

/** Bytes that a message takes beside its own. */
export const MESSAGE_COST = 90;

/** An open store. */
export class Store {
  /** Records made since the start. */
  recorded: number;
  private readonly log: Log;
  private readonly lock: StoreLock;
  private readonly events: StoreEvents;
  private readonly sessions: Map<number, SessionRecord>;
  private readonly messages: Paged<LiveMessage>;
  private readonly sources: Sources;
  private readonly waiting: Map<object, () => void>;
  private readonly repeats: Repeats;
  private lastSession: number;
  private lastMessage: number;
  /** The record that more can be added to, as long as it is the last of the open group: its type, message and group. */
  private openType: number;
  private openMessage: number;
  private openGroup: number;

  /** @param last highest numbers that are taken, and what stands there twice */
  constructor(
    log: Log,
    lock: StoreLock,
    last: { readonly lastSession: number; readonly lastMessage: number; readonly repeats: Repeats },
    events: StoreEvents,
  ) {
    this.recorded = 0;
    this.log = log;
    this.lock = lock;
    this.events = events;
    this.sessions = new Map();
    this.messages = new Paged();
    this.sources = new Sources((source) => events.identify(source));
    this.waiting = new Map();
    this.repeats = last.repeats;
    this.lastSession = last.lastSession;
    this.lastMessage = last.lastMessage;
    this.openType = 0;
    this.openMessage = 0;
    this.openGroup = 0;
  }

  get figures(): LogFigures {
    return this.log.figures;
  }

  /** Bytes and number of the files, and bytes of what counts in them. */
  get totalBytes(): number {
    return this.log.totalBytes;
  }

  get liveBytes(): number {
    return this.log.liveBytes;
  }

  get segments(): number {
    return this.log.segments;
  }

  /** Whether the file system refuses. */
  get isFailing(): boolean {
    return this.log.isRefused;
  }

  /** Whether it refuses, and nothing more may wait for it. */
  get isOverfull(): boolean {
    return this.log.isOverfull;
  }

  /** Whether too much waits for the disk. */
  get isCongested(): boolean {
    return this.log.isCongested;
  }

  /** Number of the group that what was recorded last belongs to, and of the last one that is safe. */
  get lastNumber(): number {
    return this.log.lastRecorded;
  }

  get durableNumber(): number {
    return this.log.durable;
  }

  get openSegment(): number {
    return this.log.openSegment;
  }

  /** The open record. */
  get writer(): GroupWriter {
    return this.log.records;
  }

  /** Ends the turn's records: they are on their way to the disk. */
  commit(): void {
    this.log.commit();
  }

  /** Calls `release` when all that is recorded until now is safe; at once where it is. */
  whenDurable(release: () => void): void {
    this.log.whenDurable(release);
  }

  /** Calls `resume` when no more waits for the disk than may, unless `who` has left by then. */
  whenRelieved(who: object, resume: () => void): void {
    this.waiting.set(who, resume);
  }

  leave(who: object): void {
    this.waiting.delete(who);
  }

  /** It is so. */
  relieve(): void {
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    for (const resume of waiting) resume();
  }

  /** Makes the files as small as what counts in them. */
  compact(): void {
    this.log.compact();
  }

  /** Writes what there is and lets go of the files; resolves to whether all of it could be written. */
  async close(): Promise<boolean> {
    const isWhole = await this.log.close();
    this.lock.release();
    return isWhole;
  }

  /** Gives a new session its place in the store. */
  add(owner: SessionOwner, keepsMessages: boolean): SessionRecord {
    // After many years the numbers begin anew.
    do this.lastSession = (this.lastSession % LAST_SESSION) + 1;
    while (this.sessions.has(this.lastSession));
    const record = this.adopt(owner, this.lastSession, keepsMessages);
    record.segment = this.openSegment;
    return record;
  }

  /** Takes a session that was read; so do the following two with what else was read. */
  adopt(owner: SessionOwner, number: number, keepsMessages: boolean): SessionRecord {
    const record = new SessionRecord(this, number, owner, keepsMessages);
    this.sessions.set(number, record);
    return record;
  }

  /** @param stored where it stands */
  adoptMessage(message: LiveMessage, stored: StoredPlace): void {
    message.stored = stored;
    this.messages.set(stored.number, message);
    this.grow(MESSAGE_COST + message.size);
  }

  adoptKept(message: LiveMessage): void {
    this.markKept(message);
  }

  /** Ends a session that was read and is not wanted. */
  dropSession(number: number): void {
    this.append((to) => {
      to.begin(SESSION_END);
      to.u32(number);
    });
  }

  /** A session is gone. */
  forget(session: SessionRecord): void {
    this.sessions.delete(session.number);
  }

  /** A message is the retained one of its topic now, in place of another one or of none. Before it is delivered. */
  keep(message: LiveMessage, previous: LiveMessage | null): void {
    if (message.stored === null) this.write(message, true);
    else this.writeAs(message, message.stored, true);
    if (message.stored?.isKept !== true) this.markKept(message);
    if (previous !== null && previous !== message) this.unmarkKept(previous);
  }

  /** The retained message of a topic is gone. */
  clear(message: LiveMessage): void {
    if (message.stored?.isKept !== true) return;
    this.append((to) => {
      to.begin(CLEARED);
      to.bytes(message.topic.bytes);
    });
    this.unmarkKept(message);
  }

  private markKept(message: LiveMessage): void {
    message.stored!.isKept = true;
    this.refer(message, 0);
  }

  private unmarkKept(message: LiveMessage): void {
    const { stored } = message;
    if (stored?.isKept !== true) return;
    stored.isKept = false;
    this.unrefer(message, 0);
  }

  /** One more needs a message, with an entry of this cost. */
  refer(message: LiveMessage, cost: number): void {
    message.stored!.needs += 1;
    this.grow(cost);
  }

  /** One less does. */
  unrefer(message: LiveMessage, cost: number): void {
    this.grow(-cost);
    const stored = message.stored!;
    stored.needs -= 1;
    if (stored.needs > 0) return;
    this.messages.delete(stored.number);
    message.stored = null;
    this.grow(-MESSAGE_COST - message.size);
  }

  grow(bytes: number): void {
    this.log.liveBytes += bytes;
  }

  /** Records something by itself. */
  append(write: (to: GroupWriter) => void): void {
    this.count();
    this.openType = 0;
    write(this.log.records);
  }

  /** The record to which entries of a message can be added. The message is written if it is not in the store yet. */
  openFor(message: LiveMessage): GroupWriter {
    const { records } = this.log;
    const { stored } = message;
    if (stored === null) this.write(message, false);
    else if (this.canAddTo(MESSAGE, stored.number) || this.canAddTo(ENTRIES, stored.number)) this.count();
    else {
      this.count();
      this.begin(ENTRIES, stored.number);
      records.f64(stored.number);
    }
    return records;
  }

  /** The record of a type to which more of the same can be added. */
  openList(type: number): GroupWriter {
    this.count();
    if (!this.canAddTo(type, 0)) this.begin(type, 0);
    return this.log.records;
  }

  /** Writes what still counts of an old record anew. */
  move(type: number, bytes: Buffer, at: number, segment: number): void {
    const from = new RecordReader(bytes, at + HEAD_LENGTH, endOf(bytes, at));
    switch (type) {
      case SESSION:
      case SUBSCRIBE:
      case INBOUND: {
        const session = this.sessions.get(from.u32());
        if (session !== undefined && session.segment <= segment) session.rewrite();
        break;
      }
      case MESSAGE:
        this.moveMessage(from, segment);
        break;
      case ENTRIES:
        this.moveEntries(from, from.f64(), segment);
        break;
      default:
      // What tells of a change or an end came behind what it is about, and that is written as it is now.
    }
  }

  private moveMessage(from: RecordReader, segment: number): void {
    const number = from.f64();
    const message = this.messages.get(number);
    if (message === undefined) return;
    readMessage(from);
    const stored = message.stored!;
    if (stored.segment <= segment) {
      this.writeAs(message, stored, stored.isKept);
      this.rewriteEntries(from, number, segment, () => {});
    } else this.moveEntries(from, number, segment);
  }

  private moveEntries(from: RecordReader, number: number, segment: number): void {
    if (!this.messages.has(number)) return;
    let isBegun = false;
    this.rewriteEntries(from, number, segment, () => {
      if (isBegun) return;
      isBegun = true;
      this.count();
      this.begin(ENTRIES, number);
      this.log.records.f64(number);
    });
  }

  private rewriteEntries(from: RecordReader, number: number, segment: number, begin: () => void): void {
    while (!from.isAtEnd) {
      const session = from.u32();
      const seq = from.f64();
      readEntry(from);
      if (this.repeats.standsLater(session, seq, segment)) continue;
      this.sessions.get(session)?.rewriteEntry(seq, number, begin);
    }
  }

  private write(message: LiveMessage, isKept: boolean): void {
    this.lastMessage += 1;
    touch();
    const since = Math.floor(wallNow() / 1000);
    const stored = { number: this.lastMessage, since, needs: 0, isKept: false, segment: 0 };
    message.stored = stored;
    this.messages.set(this.lastMessage, message);
    this.grow(MESSAGE_COST + message.size);
    this.writeAs(message, stored, isKept);
  }

  private writeAs(message: LiveMessage, stored: StoredPlace, isKept: boolean): void {
    this.count();
    const source = this.sources.bytesOf(message.source);
    beginMessage(this.log.records, stored.number, stored.since * 1000, message, source, isKept);
    stored.segment = this.log.openSegment;
    this.openType = MESSAGE;
    this.openMessage = stored.number;
    this.openGroup = this.log.openGroup;
  }

  private begin(type: number, message: number): void {
    this.log.records.begin(type);
    this.openType = type;
    this.openMessage = message;
    this.openGroup = this.log.openGroup;
  }

  private canAddTo(type: number, message: number): boolean {
    return this.openType === type && this.openMessage === message && this.openGroup === this.log.openGroup;
  }

  private count(): void {
    this.recorded += 1;
    this.events.changed();
  }
}
