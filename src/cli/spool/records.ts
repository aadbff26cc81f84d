// The records of a spool: length (u32) and CRC-32 of both, length and body, in front of each body. A body begins with its
// kind. A message has flags, topic (u16 length), properties (as in MQTT 5) and payload; the other kind tells how many of the
// messages in front of it are done. Numbers are big-endian.
import { crc32 } from 'node:zlib';
import type { PublishOptions } from '../../client/options.ts';
import { MAX_STRING, MAX_VARINT, PUBLISH } from '../../protocol/constants.ts';
import { NO_PROPERTIES, type Properties } from '../../protocol/properties.ts';
import { readProperties, writeProperties } from '../../protocol/property-codec.ts';
import { Reader } from '../../protocol/reader.ts';
import { Writer } from '../../protocol/writer.ts';

const MESSAGE = 1;
const DONE = 2;
const FRONT = 8;
const RETAIN = 0x04;
const DONE_BYTES = 13;
/** A payload, a topic and properties, each as large as they can be. */
const MAX_BODY = 2 * MAX_VARINT + MAX_STRING + 16;

/** A message of the spool. */
export interface SpooledMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly how: PublishOptions;
}

/** What stands at a place of a spool: a record, one that goes on behind the end, or none at all. */
export type Found =
  | { readonly kind: 'message'; readonly end: number }
  | { readonly kind: 'done'; readonly end: number; readonly count: number; readonly offset: number }
  | { readonly kind: 'short'; readonly bytes: number }
  | { readonly kind: 'damaged' };

const DAMAGED: Found = { kind: 'damaged' };

/** Encodes messages that have all but the payload in common. Throws RangeError for properties that are too long. */
export class MessageEncoder {
  readonly #front: Buffer;

  constructor(topic: string, how: PublishOptions) {
    const name = Buffer.from(topic);
    const writer = new Writer();
    writer.u8(MESSAGE);
    writer.u8((how.qos ?? 0) | (how.retain === true ? RETAIN : 0));
    writer.u16(name.length);
    writer.bytes(name);
    writeProperties(writer, how.properties ?? NO_PROPERTIES);
    this.#front = Buffer.from(writer.take());
  }

  /** The records of these payloads, one behind the other. */
  encode(payloads: readonly Buffer[]): Buffer {
    const front = this.#front;
    let size = payloads.length * (FRONT + front.length);
    for (const payload of payloads) size += payload.length;
    const bytes = Buffer.allocUnsafe(size);
    let at = 0;
    for (const payload of payloads) {
      const length = front.length + payload.length;
      bytes.set(front, at + FRONT);
      bytes.set(payload, at + FRONT + front.length);
      seal(bytes, at, length);
      at += FRONT + length;
    }
    return bytes;
  }
}

/** The record that says that the first `count` messages of the spool are done, and where the next one stands. */
export function encodeDone(count: number, offset: number): Buffer {
  const bytes = Buffer.alloc(FRONT + DONE_BYTES);
  bytes[FRONT] = DONE;
  bytes.writeUIntBE(count, FRONT + 1, 6);
  bytes.writeUIntBE(offset, FRONT + 7, 6);
  seal(bytes, 0, DONE_BYTES);
  return bytes;
}

function seal(bytes: Buffer, at: number, length: number): void {
  bytes.writeUInt32BE(length, at);
  bytes.writeUInt32BE(crc32(bytes.subarray(at + FRONT, at + FRONT + length), length), at + 4);
}

/** What stands at `at` of bytes that end at `end`. */
export function recordAt(bytes: Buffer, at: number, end: number): Found {
  if (end - at < FRONT) return { kind: 'short', bytes: FRONT };
  const length = bytes.readUInt32BE(at);
  if (length === 0 || length > MAX_BODY) return DAMAGED;
  const start = at + FRONT;
  const stop = start + length;
  if (stop > end) return { kind: 'short', bytes: FRONT + length };
  if (crc32(bytes.subarray(start, stop), length) !== bytes.readUInt32BE(at + 4)) return DAMAGED;
  const kind = bytes[start];
  if (kind === MESSAGE) return { kind: 'message', end: stop };
  if (kind !== DONE || length !== DONE_BYTES) return DAMAGED;
  return {
    kind: 'done',
    end: stop,
    count: bytes.readUIntBE(start + 1, 6),
    offset: bytes.readUIntBE(start + 7, 6),
  };
}

/** The message of the record at `at`, whose checksum was right; the payload is a view. */
export function messageAt(bytes: Buffer, at: number, end: number): SpooledMessage {
  const flags = bytes[at + FRONT + 1]!;
  const reader = new Reader(bytes, at + FRONT + 2, end);
  const topic = reader.string('the topic');
  const properties: Properties = readProperties(reader, PUBLISH);
  const qos = (flags & 0x03) as 0 | 1 | 2;
  return {
    topic,
    payload: bytes.subarray(reader.at, end),
    how: {
      qos,
      retain: (flags & RETAIN) !== 0,
      properties: Object.keys(properties).length === 0 ? NO_PROPERTIES : properties,
    },
  };
}
