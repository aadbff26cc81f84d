// A small broker without clients, to test the store by: sessions, messages and retained values in memory, recorded as they
// change, with a picture of everything at the end of each group. After a crash another one goes on with what is left.
import { crc32 } from 'node:zlib';
import { Log, type LogBounds, type SyncMode } from '../../src/broker/store/log.ts';
import { cutTail } from '../../src/broker/store/open-log.ts';
import {
  type Identity,
  readIdentity,
  type SessionFacts,
  type SubscriptionFacts,
} from '../../src/broker/store/records.ts';
import { type Recovered, readLog } from '../../src/broker/store/recover.ts';
import type { Part } from '../../src/broker/store/segment.ts';
import type { Delivery, SessionOwner, SessionRecord } from '../../src/broker/store/session-record.ts';
import { asRead, type StateMessage, StoreState } from '../../src/broker/store/state.ts';
import { Store } from '../../src/broker/store/store.ts';
import type { LiveMessage, StoredPlace } from '../../src/broker/store/stored-place.ts';
import type { FakeFiles } from './fake-files.ts';
import { LocalPort } from './local-port.ts';

export const FOLDER = '/store';
export const SALT = 0x5eed5a17;

/** What a message is made of. */
export interface MessageParts {
  readonly topic: string;
  readonly routedAs: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly properties: Buffer;
  readonly expiryAt: number;
  readonly expiresAt: number;
  readonly payload: Part;
  readonly source: Identity | null;
}

const named = (name: string) => ({ name, bytes: Buffer.from(name) });

/** A message, as the store wants it. */
export class WorldMessage implements LiveMessage {
  readonly topic;
  readonly routedAs;
  readonly qos: number;
  readonly retain: boolean;
  readonly propertyBytes: Buffer;
  readonly expiryAt: number;
  readonly expiresAt: number;
  readonly payloadBuffer: Buffer;
  readonly payloadStart: number;
  readonly payloadEnd: number;
  readonly source: Identity | null;
  readonly size: number;
  /** All that is said of it, as text. */
  readonly content: string;
  stored: StoredPlace | null = null;

  constructor({ topic, routedAs, properties, payload, ...rest }: MessageParts) {
    this.topic = named(topic);
    this.routedAs = routedAs === topic ? this.topic : named(routedAs);
    this.propertyBytes = properties;
    this.payloadBuffer = payload.buffer;
    this.payloadStart = payload.start;
    this.payloadEnd = payload.end;
    this.qos = rest.qos;
    this.retain = rest.retain;
    this.expiryAt = rest.expiryAt;
    this.expiresAt = rest.expiresAt;
    this.source = rest.source;
    this.size = this.topic.bytes.length + properties.length + payload.end - payload.start;
    const bytes = payload.buffer.subarray(payload.start, payload.end);
    const head = bytes.toString('latin1', 0, 24);
    this.content = JSON.stringify([
      topic,
      routedAs,
      rest,
      properties.toString('hex'),
      head,
      bytes.length,
      crc32(bytes),
    ]);
  }
}

/** The parts of a message that was read. */
export function partsOf({ source, ...facts }: StateMessage): MessageParts {
  const { topic, routedAs, qos, retain, properties, expiryAt, expiresAt, payload } = facts;
  return { topic, routedAs, qos, retain, properties, expiryAt, expiresAt, payload, source: readIdentity(source) };
}

interface WorldDelivery extends Delivery {
  readonly message: WorldMessage;
  id: number;
  isReleased: boolean;
  turn: number;
}

/** A session. */
export class WorldSession implements SessionOwner {
  facts: SessionFacts;
  record: SessionRecord;
  readonly subscriptions = new Map<string, SubscriptionFacts>();
  readonly deliveries = new Map<number, WorldDelivery>();
  readonly inbound = new Map<number, number>();

  constructor(facts: SessionFacts, join: (owner: SessionOwner) => SessionRecord) {
    this.facts = facts;
    this.record = join(this);
  }

  storedFacts(): SessionFacts {
    return this.facts;
  }

  storedSubscriptions(): Iterable<SubscriptionFacts> {
    return this.subscriptions.values();
  }

  deliveryOf(seq: number): WorldDelivery | null {
    return this.deliveries.get(seq) ?? null;
  }

  get shown(): unknown {
    return [
      this.record.number,
      this.facts,
      [...this.subscriptions].sort(),
      [...this.deliveries]
        .sort(([a], [b]) => a - b)
        .map(([seq, { message, flags, extra, id, isReleased, turn }]) => [
          seq,
          message.stored?.number,
          flags,
          extra.toString('hex'),
          id,
          isReleased,
          turn,
        ]),
      [...this.inbound].sort(([a], [b]) => a - b),
    ];
  }
}

/** JSON in which the order of the fields does not matter. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, field: unknown) =>
    typeof field === 'object' && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort())
      : field,
  );
}

/** What a store had in it. */
interface Adopted {
  readonly sessions: WorldSession[];
  readonly retained: Map<string, WorldMessage>;
}

/** Puts all that was read of a store into it again. */
export function adoptAll(store: Store, state: StoreState): Adopted {
  const sessions: WorldSession[] = [];
  const retained = new Map<string, WorldMessage>();
  const messages = new Map<number, WorldMessage>();
  for (const read of state.messages.values()) {
    const message = new WorldMessage(partsOf(read));
    store.adoptMessage(message, {
      number: read.number,
      since: Math.floor(read.storedAt / 1000),
      needs: 0,
      isKept: false,
      segment: read.segment,
    });
    messages.set(read.number, message);
  }
  for (const [topic, number] of state.retained) {
    const message = messages.get(number)!;
    store.adoptKept(message);
    retained.set(topic, message);
  }
  for (const { number, facts, subscriptions, entries, inbound, lastSeq } of state.sessions.values()) {
    const session = new WorldSession(facts!, (owner) => store.adopt(owner, number, facts!.expiryInterval > 0));
    for (const [name, subscription] of subscriptions) session.subscriptions.set(name, subscription);
    for (const { seq, message: messageNumber, flags, extra, step, id, turn } of entries.values()) {
      const message = messages.get(messageNumber)!;
      session.deliveries.set(seq, { message, flags, extra, id, isReleased: step === 2, turn });
      session.record.restoreEntry(message);
    }
    for (const [id, content] of inbound) session.inbound.set(id, content);
    session.record.restore(lastSeq, inbound);
    sessions.push(session);
  }
  return { sessions, retained };
}

/** Everything that a store keeps, with the store. */
export class StoreWorld {
  readonly files: FakeFiles;
  readonly state: StoreState;
  readonly found: Recovered;
  readonly port: LocalPort;
  readonly log: Log;
  readonly store: Store;
  readonly sessions: WorldSession[];
  readonly retained: Map<string, WorldMessage>;
  readonly troubles: string[] = [];
  /** Sessions and messages that were made, so that all are different. */
  made = 0;
  /** False where nobody will ask what there was. */
  takesPictures = true;
  /** What there was at the end of each group. */
  private readonly pictures = new Map<number, string>();
  private pictured = 0;

  constructor(files: FakeFiles, mode: SyncMode, bounds: LogBounds) {
    this.files = files;
    this.state = new StoreState(asRead);
    this.found = readLog(FOLDER, files, (type, bytes, start, end, segment) =>
      this.state.take(type, bytes, start, end, segment),
    );
    this.state.finish();
    const sizes = cutTail(FOLDER, this.found, files);
    const salt = this.found.salt ?? SALT;
    this.port = new LocalPort(FOLDER, salt, files);
    const ignore = () => undefined;
    this.log = new Log(
      { ...this.found, salt, sizes },
      this.port,
      {
        failing: ignore,
        working: ignore,
        congested: ignore,
        trouble: (what, error) => this.troubles.push(`${what}: ${error}`),
        move: (type, bytes, at, segment) => this.store.move(type, bytes, at, segment),
      },
      mode,
      1000,
      bounds,
    );
    this.store = new Store(this.log, { release: ignore }, this.state, {
      changed: ignore,
      failing: ignore,
      working: ignore,
      congested: ignore,
      trouble: ignore,
      identify: (source) => source as Identity,
    });
    const { sessions, retained } = adoptAll(this.store, this.state);
    this.sessions = sessions;
    this.retained = retained;
    this.pictures.set(this.found.lastGroup, this.shown);
  }

  /** Everything that the store must bring back, as text. */
  get shown(): string {
    const messages = new Map<number, unknown>();
    const kept = [...this.retained].sort().map(([topic, message]) => [topic, message.stored?.number]);
    const all = [...this.retained.values(), ...this.sessions.flatMap((session) => this.messagesOf(session))];
    for (const { stored, content } of all) messages.set(stored!.number, [stored!.since, stored!.needs, content]);
    const sessions = [...this.sessions].sort((a, b) => a.record.number - b.record.number).map(({ shown }) => shown);
    const live = this.log.liveBytes;
    return canonical({ sessions, kept, messages: [...messages].sort(([a], [b]) => a - b), live });
  }

  messagesOf({ deliveries }: WorldSession): WorldMessage[] {
    return [...deliveries.values()].map(({ message }) => message);
  }

  /** Remembers what there is as what the open group ends with. Called before anything that may hand it over. */
  picture(): void {
    if (this.store.recorded === this.pictured || !this.takesPictures) return;
    this.pictured = this.store.recorded;
    this.pictures.set(this.log.openGroup, this.shown);
  }

  /** What there was at the end of a group: at the end of the last one before it that changed something. */
  pictureAt(group: number): string {
    for (let at = group; at >= 0; at--) {
      const picture = this.pictures.get(at);
      if (picture !== undefined) return picture;
    }
    throw new Error(`nothing is known of group ${group}`);
  }

  /** Brings all requests and replies to their end. Throws if that never comes. */
  settle(): void {
    for (let steps = 0; steps < 20_000; steps++) {
      this.picture();
      if (!this.port.work() && !this.port.tell()) return;
    }
    throw new Error('the log does not come to rest');
  }
}
