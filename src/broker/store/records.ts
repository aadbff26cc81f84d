// What the log's records say: the kinds of facts that a broker keeps, and how each is written and read. A record stands for
// itself, so what is read of a damaged log is right as far as it goes.
//
// Sessions have numbers; each message that a session is to get is an entry, which has a number within its session. Messages
// have numbers of their own and are written once, however many sessions have entries for them; the entries that are made when
// a message comes stand in the message's own record.
import type { Will } from '../../protocol/packets.ts';
import { type Properties, WILL } from '../../protocol/properties.ts';
import { readProperties, writeProperties } from '../../protocol/property-codec.ts';
import { Reader } from '../../protocol/reader.ts';
import { Writer } from '../../protocol/writer.ts';
import type { GroupWriter, Part, RecordReader } from './segment.ts';

/** Kinds of records; they are on people's disks, so a number never gets another meaning. */
export const SESSION = 1;
export const SESSION_END = 2;
export const SUBSCRIBE = 3;
export const UNSUBSCRIBE = 4;
export const MESSAGE = 5;
export const ENTRIES = 6;
export const STATES = 7;
export const DONE = 8;
export const INBOUND = 9;
export const RELEASED = 10;
export const CLEARED = 11;

/** Who brought a message, or whose session it is. */
export interface Identity {
  readonly clientId: string;
  readonly username: string | null;
  /** The listener that the client came through, by its key. */
  readonly listener: string;
}

/** A session apart from its subscriptions and messages. */
export interface SessionFacts extends Identity {
  readonly mountPoint: string | null;
  /** Seconds; NEVER_EXPIRES for ever. */
  readonly expiryInterval: number;
  /** Wall-clock milliseconds since when the client is away, 0 while it is connected. */
  readonly awaySince: number;
  readonly will: Will | null;
}

/** A subscription. */
export interface SubscriptionFacts {
  /** As the client named it. */
  readonly name: string;
  /** As it stands in the routing: behind a mount point. */
  readonly filter: string;
  readonly qos: number;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** 0 for none. */
  readonly identifier: number;
  /** Whether its retained messages are still on their way. */
  readonly isReplaying: boolean;
}

/** A topic's name, and its bytes. */
interface Named {
  readonly name: string;
  readonly bytes: Buffer;
}

/** A message as it is written. */
export interface StorableMessage {
  readonly topic: Named;
  /** The topic that it was routed by, where a receiver knows it by another name. */
  readonly routedAs: Named;
  readonly qos: number;
  /** Whether it came with RETAIN set. */
  readonly retain: boolean;
  readonly propertyBytes: Buffer;
  /** Where the expiry stands in the properties, -1 without. */
  readonly expiryAt: number;
  /** Wall-clock milliseconds, 0 if it never expires. */
  readonly expiresAt: number;
  readonly payloadBuffer: Buffer;
  readonly payloadStart: number;
  readonly payloadEnd: number;
}

/** Where the delivery of an entry stands. */
export const WAITS = 0;
/** The PUBLISH is sent, or may be. */
export const SENT = 1;
/** The client has said that it has it: PUBREL is sent, or may be. */
export const RELEASES = 2;

/** The delivery of a message to a session. */
export interface EntryFacts {
  /** Lowest bits of the first byte of its PUBLISH. */
  readonly flags: number;
  /** Property bytes of this receiver: subscription identifiers. */
  readonly extra: Buffer;
  /** WAITS, SENT or RELEASES. */
  readonly step: number;
  /** The packet identifier, 0 while it waits. */
  readonly id: number;
  /** Order of the PUBRELs. */
  readonly turn: number;
}

const HAS_USERNAME = 1;
const HAS_MOUNT_POINT = 2;
const HAS_WILL = 4;
const WILL_RETAINS = 8;
const WILL_QOS_SHIFT = 4;

const scratch = new Writer();

/** Writes a session. */
export function writeSession(to: GroupWriter, session: number, facts: SessionFacts): void {
  const { will } = facts;
  to.begin(SESSION);
  to.u32(session);
  to.u8(
    (facts.username === null ? 0 : HAS_USERNAME) |
      (facts.mountPoint === null ? 0 : HAS_MOUNT_POINT) |
      (will === null ? 0 : HAS_WILL | (will.retain ? WILL_RETAINS : 0) | (will.qos << WILL_QOS_SHIFT)),
  );
  to.text(facts.clientId);
  to.text(facts.listener);
  to.text(facts.username ?? '');
  to.text(facts.mountPoint ?? '');
  to.u32(facts.expiryInterval);
  to.f64(facts.awaySince);
  if (will === null) return;
  to.text(will.topic);
  to.bytes(propertyBytes(will.properties));
  to.bytes(will.payload);
}

/** Reads a session behind its number. */
export function readSession(from: RecordReader): SessionFacts {
  const flags = from.u8();
  const clientId = from.text();
  const listener = from.text();
  const username = from.text();
  const mountPoint = from.text();
  return {
    clientId,
    listener,
    username: (flags & HAS_USERNAME) === 0 ? null : username,
    mountPoint: (flags & HAS_MOUNT_POINT) === 0 ? null : mountPoint,
    expiryInterval: from.u32(),
    awaySince: from.f64(),
    will: (flags & HAS_WILL) === 0 ? null : readWill(from, flags),
  };
}

function readWill(from: RecordReader, flags: number): Will {
  const topic = from.text();
  const bytes = from.copy();
  return {
    topic,
    qos: (flags >> WILL_QOS_SHIFT) & 3,
    retain: (flags & WILL_RETAINS) !== 0,
    properties: readProperties(new Reader(bytes, 0, bytes.length), WILL),
    payload: from.copy(),
  };
}

/** Bytes that a will takes in its session's record. */
export function willSize({ topic, properties, payload }: Will): number {
  return Buffer.byteLength(topic) + propertyBytes(properties).length + payload.length;
}

function propertyBytes(properties: Properties): Buffer {
  scratch.take();
  writeProperties(scratch, properties);
  return scratch.take();
}

const QOS_BITS = 3;
const NO_LOCAL = 4;
const RETAIN_AS_PUBLISHED = 8;
const IS_MOUNTED = 16;
const IS_REPLAYING = 32;

/** Writes a subscription, new or changed. */
export function writeSubscription(to: GroupWriter, session: number, facts: SubscriptionFacts): void {
  const isMounted = facts.filter !== facts.name;
  to.begin(SUBSCRIBE);
  to.u32(session);
  to.u8(
    facts.qos |
      (facts.noLocal ? NO_LOCAL : 0) |
      (facts.retainAsPublished ? RETAIN_AS_PUBLISHED : 0) |
      (isMounted ? IS_MOUNTED : 0) |
      (facts.isReplaying ? IS_REPLAYING : 0),
  );
  to.u32(facts.identifier);
  to.text(facts.name);
  if (isMounted) to.text(facts.filter);
}

/** Reads a subscription behind the session's number. */
export function readSubscription(from: RecordReader): SubscriptionFacts {
  const flags = from.u8();
  const identifier = from.u32();
  const name = from.text();
  return {
    name,
    filter: (flags & IS_MOUNTED) === 0 ? name : from.text(),
    qos: flags & QOS_BITS,
    noLocal: (flags & NO_LOCAL) !== 0,
    retainAsPublished: (flags & RETAIN_AS_PUBLISHED) !== 0,
    identifier,
    isReplaying: (flags & IS_REPLAYING) !== 0,
  };
}

/** Writes a QoS 2 identifier that came and awaits its PUBREL, with what it brought. */
export function writeInbound(to: GroupWriter, session: number, id: number, content: number): void {
  to.begin(INBOUND);
  to.u32(session);
  to.u16(id);
  to.u32(content >>> 0);
}

const RETAINS = 4;
const IS_KEPT = 8;
const IS_RENAMED = 16;
const EXPIRES = 32;

/**
 * Begins a message's record; its first entries may follow by writeEntry().
 * @param source who brought it (see writeIdentity), empty for the broker itself
 * @param storedAt wall-clock milliseconds at which it was first stored
 * @param isKept whether it is the retained message of its topic from here on
 */
export function beginMessage(
  to: GroupWriter,
  number: number,
  storedAt: number,
  message: StorableMessage,
  source: Uint8Array,
  isKept: boolean,
): void {
  const isRenamed = message.routedAs !== message.topic;
  const expires = message.expiryAt >= 0;
  to.begin(MESSAGE);
  to.f64(number);
  to.u8(
    message.qos |
      (message.retain ? RETAINS : 0) |
      (isKept ? IS_KEPT : 0) |
      (isRenamed ? IS_RENAMED : 0) |
      (expires ? EXPIRES : 0),
  );
  to.f64(storedAt);
  to.bytes(message.topic.bytes);
  if (isRenamed) to.bytes(message.routedAs.bytes);
  to.bytes(source);
  if (expires) {
    to.u32(message.expiryAt);
    to.f64(message.expiresAt);
  }
  to.bytes(message.propertyBytes);
  to.bytes(message.payloadBuffer, message.payloadStart, message.payloadEnd);
}

/** A message as it was read; properties and payload still lie in the file's bytes. */
export interface ReadMessage {
  /** Wall-clock milliseconds at which it was first stored. */
  readonly storedAt: number;
  readonly topic: string;
  readonly routedAs: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly expiryAt: number;
  readonly expiresAt: number;
  readonly properties: Part;
  readonly payload: Part;
  readonly source: string;
  readonly isKept: boolean;
}

/**
 * Reads a message behind its number; what is left of the record are entries.
 * @param textOf makes its texts, where other messages may have the same ones
 */
export function readMessage(from: RecordReader, textOf: (part: Part) => string = decoded): ReadMessage {
  const flags = from.u8();
  const storedAt = from.f64();
  const topic = textOf(from.part());
  const routedAs = (flags & IS_RENAMED) === 0 ? topic : textOf(from.part());
  const source = textOf(from.part());
  const expires = (flags & EXPIRES) !== 0;
  return {
    storedAt,
    topic,
    routedAs,
    qos: flags & QOS_BITS,
    retain: (flags & RETAINS) !== 0,
    expiryAt: expires ? from.u32() : -1,
    expiresAt: expires ? from.f64() : 0,
    properties: from.part(),
    payload: from.part(),
    source,
    isKept: (flags & IS_KEPT) !== 0,
  };
}

const decoded = ({ buffer, start, end }: Part): string => buffer.toString('utf8', start, end);

/** An identity as messages carry it. */
export function writeIdentity({ clientId, username, listener }: Identity): Buffer {
  return Buffer.from(JSON.stringify([clientId, username, listener]));
}

/** Reads it; null for the broker itself. */
export function readIdentity(text: string): Identity | null {
  if (text === '') return null;
  const [clientId, username, listener] = JSON.parse(text) as [string, string | null, string];
  return { clientId, username, listener };
}

const PUBLISH_FLAGS = 0x0f;
const HAS_EXTRA = 0x10;
const STEP_SHIFT = 6;

/** Adds an entry to a record of the type MESSAGE or ENTRIES, behind session and sequence number. */
export function writeEntry(
  to: GroupWriter,
  flags: number,
  extra: Buffer,
  step: number,
  id: number,
  turn: number,
): void {
  to.u8((flags & PUBLISH_FLAGS) | (extra.length > 0 ? HAS_EXTRA : 0) | (step << STEP_SHIFT));
  if (step !== WAITS) to.u16(id);
  if (step === RELEASES) to.f64(turn);
  if (extra.length > 0) to.bytes(extra);
}

/** Reads an entry behind session and sequence number. */
export function readEntry(from: RecordReader): EntryFacts {
  const flags = from.u8();
  const step = flags >> STEP_SHIFT;
  return {
    flags: flags & PUBLISH_FLAGS,
    step,
    id: step === WAITS ? 0 : from.u16(),
    turn: step === RELEASES ? from.f64() : 0,
    extra: (flags & HAS_EXTRA) === 0 ? NO_BYTES : from.copy(),
  };
}

const NO_BYTES = Buffer.alloc(0);
