// PUBLISH in both directions, without an object per field. Inwards a reusable view of offsets; outwards a frame that is
// encoded once per shape and patched while it is copied out (first byte, packet identifier, remaining expiry).
import { FLAG_QOS, FLAG_QOS_SHIFT, FLAG_RETAIN, PUBLISH } from './constants.ts';
import { MalformedPacket, ProtocolError } from './errors.ts';
import type { Properties, PropertyRow } from './properties.ts';
import {
  MAX_USER_PROPERTIES,
  propertyRow,
  readNumber,
  readProperties,
  tooManyUserProperties,
  writeProperties,
} from './property-codec.ts';
import { Reader } from './reader.ts';
import { topicNameFault } from './topic.ts';
import { varintLength, Writer, writeVarint } from './writer.ts';

const USER_PROPERTY = 0x26;
const SUBSCRIPTION_IDENTIFIER = 0x0b;
const MESSAGE_EXPIRY = 0x02;
const TOPIC_ALIAS = 0x23;
const PAYLOAD_FORMAT = 0x01;
const RESPONSE_TOPIC = 0x08;

/** The fields of one received PUBLISH, as offsets into the chunk that holds it. One view serves a peer all its life. */
export class PublishView {
  buffer: Buffer = NOTHING;
  /** The first byte of the packet. */
  first = 0;
  /** Offset of that byte: the whole packet is buffer[packetStart, end). */
  packetStart = 0;
  end = 0;
  topicStart = 0;
  topicEnd = 0;
  /** Packet identifier, 0 at QoS 0, and its offset, -1 at QoS 0. */
  id = 0;
  idAt = -1;
  /** The properties without their length; empty in versions that have none. */
  propertiesStart = 0;
  propertiesEnd = 0;
  /** Offset of the expiry's four bytes, -1 without; the interval in seconds. */
  expiryAt = -1;
  expiry = 0;
  /** Offset of the topic alias property's identifier byte, -1 without; the alias, 0 without. */
  aliasAt = -1;
  alias = 0;
  /** Whether the payload format indicator says that the payload is UTF-8. */
  isText = false;
  payloadStart = 0;

  get qos(): number {
    return (this.first & FLAG_QOS) >> FLAG_QOS_SHIFT;
  }
}

/**
 * Reads a PUBLISH into a view: structure and properties are checked, values are not materialised. The topic's UTF-8 and
 * wildcards are the caller's to check, since it keeps an index of topics that were checked before.
 * @param fromServer whether subscription identifiers may stand in it [MQTT-3.3.4-6]
 * @throws MalformedPacket, ProtocolError
 */
export function readPublish(
  view: PublishView,
  hasProperties: boolean,
  fromServer: boolean,
  buffer: Buffer,
  first: number,
  start: number,
  end: number,
): void {
  const qos = (first & FLAG_QOS) >> FLAG_QOS_SHIFT;
  if (qos === 3) throw new MalformedPacket('QoS 3 in PUBLISH'); // [MQTT-3.3.1-4]
  if (qos === 0 && (first & 0x08) !== 0) throw new MalformedPacket('DUP is set at QoS 0'); // [MQTT-3.3.1-2]
  if (start + 2 > end) throw new MalformedPacket('the topic name is cut short');
  view.buffer = buffer;
  view.first = first;
  // The framer refuses padded lengths, so the header's size follows from the body's.
  view.packetStart = start - 1 - varintLength(end - start);
  view.end = end;
  view.topicStart = start + 2;
  let at = start + 2 + ((buffer[start]! << 8) | buffer[start + 1]!);
  view.topicEnd = at;
  if (at > end) throw new MalformedPacket('the topic name is cut short');
  if (qos === 0) {
    view.id = 0;
    view.idAt = -1;
  } else {
    if (at + 2 > end) throw new MalformedPacket('the packet identifier is cut short');
    view.id = (buffer[at]! << 8) | buffer[at + 1]!;
    view.idAt = at;
    if (view.id === 0) throw new ProtocolError('the packet identifier is 0'); // [MQTT-2.2.1-3]
    at += 2;
  }
  view.expiryAt = -1;
  view.expiry = 0;
  view.aliasAt = -1;
  view.alias = 0;
  view.isText = false;
  view.propertiesStart = at;
  view.propertiesEnd = at;
  if (hasProperties) {
    if (at < end && buffer[at] === 0) at += 1;
    else at = scanProperties(view, fromServer, at);
    if (view.propertiesEnd < at) {
      view.propertiesStart = at;
      view.propertiesEnd = at;
    }
  }
  view.payloadStart = at;
}

/** Checks the property section at `at` and notes what routing needs; returns the offset behind it. */
function scanProperties(view: PublishView, fromServer: boolean, at: number): number {
  const reader = new Reader(view.buffer, at, view.end);
  const length = reader.varint('the property length');
  const end = reader.at + length;
  if (end > view.end) throw new MalformedPacket('the property length is larger than the packet');
  reader.end = end;
  view.propertiesStart = reader.at;
  view.propertiesEnd = end;
  let seen = 0;
  let pairs = 0;
  while (reader.at < end) {
    const idAt = reader.at;
    const row = propertyRow(reader.u8('a property identifier'), PUBLISH);
    if (row.id === USER_PROPERTY) {
      pairs += 1;
      if (pairs > MAX_USER_PROPERTIES) throw tooManyUserProperties();
      reader.skipString('a user property name');
      reader.skipString('a user property value');
      continue;
    }
    if (row.id === SUBSCRIPTION_IDENTIFIER) {
      if (!fromServer) throw new ProtocolError('a client must not send a subscription identifier in PUBLISH');
      readNumber(reader, row);
      continue;
    }
    // A bit each: identifiers are below 32 but for the alias's, and 0 is none.
    const bit = row.id === TOPIC_ALIAS ? 1 : 1 << row.id;
    if ((seen & bit) !== 0) throw new ProtocolError(`the property ${row.option} comes twice`);
    seen |= bit;
    scanValue(view, reader, row, idAt);
  }
  return end;
}

function scanValue(view: PublishView, reader: Reader, row: PropertyRow, idAt: number): void {
  if (row.type === 'string') {
    const start = reader.skipString(row.option);
    if (row.id === RESPONSE_TOPIC) {
      const fault = topicNameFault(reader.buffer.toString('utf8', start, reader.at));
      if (fault !== null) throw new ProtocolError(`invalid response topic: ${fault}`); // [MQTT-3.3.2-14]
    }
  } else if (row.type === 'binary') {
    reader.binary(row.option);
  } else {
    const valueAt = reader.at;
    const value = readNumber(reader, row);
    if (row.id === MESSAGE_EXPIRY) {
      view.expiryAt = valueAt;
      view.expiry = value;
    } else if (row.id === TOPIC_ALIAS) {
      view.aliasAt = idAt;
      view.alias = value;
    } else if (row.id === PAYLOAD_FORMAT) {
      view.isText = value === 1;
    }
  }
}

/** Materialises the properties of a PUBLISH that was read. */
export function publishProperties(view: PublishView): Properties {
  if (view.propertiesEnd === view.propertiesStart) return {};
  const start = view.propertiesStart - varintLength(view.propertiesEnd - view.propertiesStart);
  return readProperties(new Reader(view.buffer, start, view.propertiesEnd), PUBLISH);
}

const NOTHING = Buffer.alloc(0);

/**
 * One encoding of a message: bytes[start, end) is a whole PUBLISH, or all of it but the payload, which then follows from
 * the publication. Never changed once made; what differs per receiver is patched over the copy.
 */
export class PublishFrame {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Offset of the packet identifier from start, -1 at QoS 0. */
  readonly idAt: number;
  /** Offset of the expiry's four bytes from start, -1 without. */
  readonly expiryAt: number;
  /** Whether the payload is part of bytes[start, end). */
  readonly hasPayload: boolean;
  /** A view of exactly these bytes, made when first wanted: copying from it is cheaper than from a part of a chunk. */
  view: Uint8Array | null;

  constructor(bytes: Buffer, start: number, end: number, idAt: number, expiryAt: number, hasPayload: boolean) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.idAt = idAt;
    this.expiryAt = expiryAt;
    this.hasPayload = hasPayload;
    this.view = null;
  }
}

/** What an outbox sends: a message that gives its encodings. */
export interface Publication {
  /** Identity of the topic, for topic aliases: equal topics of one broker or client are the same object. */
  readonly topicKey: object;
  /** The topic name's UTF-8. */
  readonly topicBytes: Buffer;
  /** Properties without length, alias and subscription identifiers. */
  readonly propertyBytes: Buffer;
  /** Offset of the expiry's four bytes in propertyBytes, -1 without. */
  readonly expiryAt: number;
  /** Wall-clock milliseconds at which the message expires, 0 if never. */
  readonly expiresAt: number;
  readonly payloadBuffer: Buffer;
  readonly payloadStart: number;
  readonly payloadEnd: number;
  /** The encoding for a profile's shape, with or without packet identifier. */
  frame(shape: 0 | 1, withId: boolean): PublishFrame;
  /** Whether that has been made already, or is to be made even for one receiver. */
  hasFrame(shape: 0 | 1, withId: boolean): boolean;
  /** Copies out what is borrowed from a received chunk, so that the chunk can go. */
  own(): void;
}

/** Bytes of the whole packet that a publication becomes, with so many property bytes of the receiver's own. */
export function publishSize(publication: Publication, shape: 0 | 1, withId: boolean, additions = 0): number {
  const properties = publication.propertyBytes.length + additions;
  const body =
    2 +
    publication.topicBytes.length +
    (withId ? 2 : 0) +
    (shape === 1 ? varintLength(properties) + properties : 0) +
    (publication.payloadEnd - publication.payloadStart);
  return 1 + varintLength(body) + body;
}

/** Encodes all of a PUBLISH but its payload; first byte and identifier are the receiver's to patch. */
export function encodeHead(publication: Publication, shape: 0 | 1, withId: boolean): PublishFrame {
  const size = publishSize(publication, shape, withId) - (publication.payloadEnd - publication.payloadStart);
  const bytes = Buffer.allocUnsafe(size);
  const end = writeHead(bytes, 0, publication, shape, PUBLISH << 4, withId ? 1 : 0, NOTHING, 0, true);
  const idAt = withId ? end - 2 - (shape === 1 ? propertySection(publication, 0) : 0) : -1;
  const expiryAt =
    shape === 1 && publication.expiryAt >= 0 ? end - publication.propertyBytes.length + publication.expiryAt : -1;
  return new PublishFrame(bytes, 0, end, idAt, expiryAt, false);
}

function propertySection(publication: Publication, extra: number): number {
  const length = publication.propertyBytes.length + extra;
  return varintLength(length) + length;
}

/** Bytes that writeHead() needs at most for this publication and additions. */
export function headRoom(publication: Publication, extra: Buffer): number {
  return 5 + 2 + publication.topicBytes.length + 2 + 4 + extra.length + 3 + publication.propertyBytes.length;
}

/**
 * Writes all of a PUBLISH but its payload into target at `at`, with one receiver's own additions, and returns the offset
 * behind it. `id` 0 means QoS 0. `extra` are property bytes of this receiver (subscription identifiers); `alias` > 0 adds
 * a topic alias, and `withTopic` false leaves the topic name empty because the alias stands for it.
 */
export function writeHead(
  target: Uint8Array,
  at: number,
  publication: Publication,
  shape: 0 | 1,
  first: number,
  id: number,
  extra: Buffer,
  alias: number,
  withTopic: boolean,
): number {
  const topic = withTopic ? publication.topicBytes : NOTHING;
  const additions = shape === 1 ? extra.length + (alias > 0 ? 3 : 0) : 0;
  const body =
    2 +
    topic.length +
    (id > 0 ? 2 : 0) +
    (shape === 1 ? propertySection(publication, additions) : 0) +
    (publication.payloadEnd - publication.payloadStart);
  target[at] = first;
  let next = writeVarint(target, at + 1, body);
  target[next++] = topic.length >>> 8;
  target[next++] = topic.length;
  target.set(topic, next);
  next += topic.length;
  if (id > 0) {
    target[next++] = id >>> 8;
    target[next++] = id;
  }
  if (shape === 0) return next;
  next = writeVarint(target, next, publication.propertyBytes.length + additions);
  target.set(extra, next);
  next += extra.length;
  if (alias > 0) {
    target[next++] = TOPIC_ALIAS;
    target[next++] = alias >>> 8;
    target[next++] = alias;
  }
  target.set(publication.propertyBytes, next);
  return next + publication.propertyBytes.length;
}

const propertyWriter = new Writer(128);

/** Property bytes of a message made here (a will, a client's publish, $SYS), and where its expiry stands in them. */
export function encodePublishProperties(properties: Properties): { bytes: Buffer; expiryAt: number } {
  // A value that was too long may have left its predecessors behind.
  propertyWriter.take();
  writeProperties(propertyWriter, properties);
  const section = propertyWriter.take();
  const reader = new Reader(section, 0, section.length);
  reader.varint('the property length');
  const bytes = section.subarray(reader.at);
  return { bytes, expiryAt: findExpiry(properties, bytes) };
}

/** The expiry's value stands behind the properties that come before it. */
function findExpiry(properties: Properties, bytes: Buffer): number {
  if (properties.messageExpiryInterval === undefined) return -1;
  const behind: Properties = {};
  let found = false;
  for (const [name, value] of Object.entries(properties)) {
    if (found) Object.assign(behind, { [name]: value });
    if (name === 'messageExpiryInterval') found = true;
  }
  writeProperties(propertyWriter, behind);
  const section = propertyWriter.take();
  const reader = new Reader(section, 0, section.length);
  const length = reader.varint('the property length');
  return bytes.length - length - 4;
}

/** Property bytes of a received PUBLISH without its topic alias; a view of the chunk where there is none. */
export function forwardedProperties(view: PublishView): Buffer {
  if (view.aliasAt < 0) return view.buffer.subarray(view.propertiesStart, view.propertiesEnd);
  return Buffer.concat([
    view.buffer.subarray(view.propertiesStart, view.aliasAt),
    view.buffer.subarray(view.aliasAt + 3, view.propertiesEnd),
  ]);
}

/** Where the expiry stands in what forwardedProperties() returns, -1 without. */
export function forwardedExpiryAt(view: PublishView): number {
  if (view.expiryAt < 0) return -1;
  const at = view.expiryAt - view.propertiesStart;
  return view.aliasAt >= 0 && view.aliasAt < view.expiryAt ? at - 3 : at;
}

/** The frame that a received packet is by itself, for receivers of the same shape. Only without a topic alias in it. */
export function receivedFrame(view: PublishView): PublishFrame {
  const start = view.packetStart;
  return new PublishFrame(
    view.buffer,
    start,
    view.end,
    view.idAt < 0 ? -1 : view.idAt - start,
    view.expiryAt < 0 ? -1 : view.expiryAt - start,
    true,
  );
}

/** Subscription identifiers as property bytes, made once per subscription. */
export function encodeSubscriptionIdentifiers(identifiers: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(identifiers.length * 5);
  let at = 0;
  for (const identifier of identifiers) {
    bytes[at++] = SUBSCRIPTION_IDENTIFIER;
    at = writeVarint(bytes, at, identifier);
  }
  return bytes.subarray(0, at);
}

/** A first byte from its parts. */
export function publishFirst(qos: number, retain: boolean, dup: boolean): number {
  return (PUBLISH << 4) | (qos << FLAG_QOS_SHIFT) | (retain ? FLAG_RETAIN : 0) | (dup ? 0x08 : 0);
}
