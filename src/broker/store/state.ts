// What a log says, taken in record by record: the sessions, messages and retained values that are left when all is read.
// The broker starts from it; so do the tools that look into a store.
//
// Cleaning writes old records anew, so a record may come before what it refers to: an entry before its message. What belongs
// together is put together at the end.
import { Paged } from '../../util/paged.ts';
import { Slabs } from '../../util/slab.ts';
import { CommonTexts } from './common-texts.ts';
import { Entries } from './entries.ts';
import {
  CLEARED,
  DONE,
  ENTRIES,
  INBOUND,
  MESSAGE,
  RELEASED,
  readEntry,
  readMessage,
  readSession,
  readSubscription,
  SESSION,
  SESSION_END,
  type SessionFacts,
  STATES,
  SUBSCRIBE,
  type SubscriptionFacts,
  UNSUBSCRIBE,
} from './records.ts';
import { Repeats } from './repeats.ts';
import { type Part, RecordReader } from './segment.ts';

/** A message that was read. */
export interface StateMessage {
  readonly number: number;
  /** Wall-clock milliseconds at which it was first stored. */
  readonly storedAt: number;
  readonly topic: string;
  readonly routedAs: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly expiryAt: number;
  readonly expiresAt: number;
  readonly properties: Buffer;
  readonly payload: Part;
  /** The segment that it was last found in. */
  readonly segment: number;
  /** Who brought it, as readIdentity() takes it. */
  readonly source: string;
}

/** A session that was read. */
export interface StateSession {
  readonly number: number;
  /** Null where damage took the session's own record: what belongs to it is lost with it. */
  facts: SessionFacts | null;
  readonly subscriptions: Map<string, SubscriptionFacts>;
  /** Messages on their way to it. */
  readonly entries: Entries;
  /** Packet identifiers of QoS 2 that await PUBREL, with what they brought. */
  readonly inbound: Map<number, number>;
  lastSeq: number;
}

/** What is missing because of damage. */
export interface StateLoss {
  /** Sessions without their own record, with their subscriptions and messages. */
  sessions: number;
  subscriptions: number;
  /** Messages on their way to a session. */
  entries: number;
  /** Records that this program can't make sense of. */
  records: number;
}

/** Makes of a message that was read what is wanted of it. */
export type MessageMaker<M> = (facts: StateMessage) => M;

/** The state that a log amounts to. M is what becomes of its messages. */
export class StoreState<M extends object = StateMessage> {
  readonly sessions: Map<number, StateSession>;
  messages: Paged<M>;
  /** Topics to the numbers of their retained messages. */
  readonly retained: Map<string, number>;
  readonly lost: StateLoss;
  readonly repeats: Repeats;
  /** Highest numbers that were seen. */
  lastSession: number;
  lastMessage: number;
  private readonly slabs: Slabs;
  private readonly make: MessageMaker<M>;
  /** Texts that messages have in common. */
  private readonly texts: CommonTexts;
  private readonly textOf: (part: Part) => string;
  /** What entries add to their messages: subscriptions may have few identifiers. */
  private readonly extras: Map<string, Buffer>;

  constructor(make: MessageMaker<M>) {
    this.sessions = new Map();
    this.messages = new Paged();
    this.make = make;
    this.texts = new CommonTexts();
    this.textOf = (part) => this.texts.of(part);
    this.extras = new Map();
    this.retained = new Map();
    this.lost = { sessions: 0, subscriptions: 0, entries: 0, records: 0 };
    this.repeats = new Repeats();
    this.lastSession = 0;
    this.lastMessage = 0;
    this.slabs = new Slabs(SLAB_SIZE);
  }

  /** Takes in one record, in the order of the log. */
  take(type: number, bytes: Buffer, start: number, end: number, segment: number): void {
    try {
      this.read(type, new RecordReader(bytes, start, end), segment);
    } catch {
      // It is whole, so another program wrote it. One record that can't be read is no reason to lose the others.
      this.lost.records += 1;
    }
  }

  /** All is read: drops what nobody needs, and counts what damage made useless. */
  finish(): void {
    const { messages } = this;
    const needed = new Paged<M>();
    for (const number of this.retained.values()) {
      const message = messages.get(number);
      if (message !== undefined) needed.set(number, message);
    }
    for (const [number, session] of this.sessions) {
      const { entries } = session;
      if (session.facts === null) {
        this.lost.sessions += hasContent(session) ? 1 : 0;
        this.lost.subscriptions += session.subscriptions.size;
        this.lost.entries += entries.size;
        this.sessions.delete(number);
        continue;
      }
      entries.each((entry) => {
        const message = messages.get(entry.message);
        if (message !== undefined) {
          needed.set(entry.message, message);
          return;
        }
        entries.delete(entry.seq);
        this.lost.entries += 1;
      });
    }
    this.messages = needed;
    this.texts.clear();
    this.extras.clear();
  }

  private read(type: number, from: RecordReader, segment: number): void {
    switch (type) {
      case SESSION:
        this.session(from.u32()).facts = readSession(from);
        break;
      case SESSION_END:
        this.sessions.delete(this.session(from.u32()).number);
        break;
      case SUBSCRIBE: {
        const session = this.session(from.u32());
        const subscription = readSubscription(from);
        session.subscriptions.set(subscription.name, subscription);
        break;
      }
      case UNSUBSCRIBE:
        this.session(from.u32()).subscriptions.delete(from.text());
        break;
      case MESSAGE:
        this.readMessage(from, segment);
        break;
      case ENTRIES:
        this.readEntries(from, from.f64(), segment);
        break;
      case STATES:
        this.readStates(from);
        break;
      case DONE:
        this.readDone(from);
        break;
      case INBOUND: {
        const { inbound } = this.session(from.u32());
        inbound.set(from.u16(), from.u32() | 0);
        break;
      }
      case RELEASED:
        this.session(from.u32()).inbound.delete(from.u16());
        break;
      case CLEARED:
        this.retained.delete(from.text());
        break;
      default:
        this.lost.records += 1;
    }
  }

  private readMessage(from: RecordReader, segment: number): void {
    const number = from.f64();
    const read = readMessage(from, this.textOf);
    const { topic, properties } = read;
    const message = this.make({
      number,
      segment,
      storedAt: read.storedAt,
      topic,
      routedAs: read.routedAs,
      source: read.source,
      qos: read.qos,
      retain: read.retain,
      expiryAt: read.expiryAt,
      expiresAt: read.expiresAt,
      properties: properties.end === properties.start ? NO_BYTES : Buffer.from(viewOf(properties)),
      payload: this.copy(read.payload),
    });
    this.messages.set(number, message);
    if (read.isKept) this.retained.set(topic, number);
    this.readEntries(from, number, segment);
  }

  /** The same bytes once. */
  private sharedBytes(bytes: Buffer): Buffer {
    if (bytes.length === 0) return NO_BYTES;
    const text = bytes.toString('latin1');
    const known = this.extras.get(text);
    if (known !== undefined) return known;
    this.extras.set(text, bytes);
    return bytes;
  }

  private readEntries(from: RecordReader, message: number, segment: number): void {
    this.lastMessage = Math.max(this.lastMessage, message);
    while (!from.isAtEnd) {
      const session = this.session(from.u32());
      const seq = from.f64();
      session.lastSeq = Math.max(session.lastSeq, seq);
      const { flags, extra, step, id, turn } = readEntry(from);
      if (session.entries.has(seq)) this.repeats.note(session.number, seq, segment);
      session.entries.set({ seq, message, flags, extra: this.sharedBytes(extra), step, id, turn });
    }
  }

  private readStates(from: RecordReader): void {
    while (!from.isAtEnd) {
      const { entries } = this.session(from.u32());
      const entry = entries.get(from.f64());
      const step = from.u8();
      const id = from.u16();
      const turn = from.f64();
      if (entry !== undefined) entries.set({ ...entry, step, id, turn });
    }
  }

  private readDone(from: RecordReader): void {
    while (!from.isAtEnd) {
      const session = this.session(from.u32());
      const seq = from.f64();
      session.lastSeq = Math.max(session.lastSeq, seq);
      session.entries.delete(seq);
    }
  }

  private session(number: number): StateSession {
    let session = this.sessions.get(number);
    if (session === undefined) {
      this.lastSession = Math.max(this.lastSession, number);
      session = {
        number,
        facts: null,
        subscriptions: new Map(),
        entries: new Entries(),
        inbound: new Map(),
        lastSeq: 0,
      };
      this.sessions.set(number, session);
    }
    return session;
  }

  /** Copies a payload out of the file. */
  private copy({ buffer, start, end }: Part): Part {
    const { slabs } = this;
    slabs.copy(buffer, start, end);
    return { buffer: slabs.buffer, start: slabs.start, end: slabs.end };
  }
}

/** Whether something is left of a session; one that ended may still be spoken of where damage took its end. */
const hasContent = ({ subscriptions, entries, inbound }: StateSession): boolean =>
  subscriptions.size + entries.size + inbound.size > 0;

const SLAB_SIZE = 16_384;
const NO_BYTES = Buffer.alloc(0);

const viewOf = ({ buffer, start, end }: Part): Buffer => buffer.subarray(start, end);

/** A message of which nothing else is made. */
export const asRead: MessageMaker<StateMessage> = (facts) => facts;
