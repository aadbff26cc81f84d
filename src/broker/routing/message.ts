// One message on its way through the broker: made once, referred to by every queue, window and outbox. Its bytes are
// borrowed from the chunk it came in until something keeps it beyond the turn and calls own().

import type { Properties } from '../../protocol/properties.ts';
import {
  encodeHead,
  encodePublishProperties,
  forwardedExpiryAt,
  forwardedProperties,
  type Publication,
  type PublishFrame,
  type PublishView,
  receivedFrame,
} from '../../protocol/publish.ts';
import { Slabs } from '../../util/slab.ts';
import type { StoredPlace } from '../store/stored-place.ts';
import type { Topic } from './topics.ts';

const NO_BYTES = Buffer.alloc(0);

/** Payloads up to this size share buffers, which one that stays alone pins as a whole. */
const SMALL = 512;
const slabs = new Slabs(4096);

/** A borrowed buffer this much larger than what is used of it is not kept. */
const SLACK = 1024;

/** A message; implements what an outbox needs. */
export class Message implements Publication {
  readonly topic: Topic;
  /** The topic that it was routed by: rights hang on it, whatever name the receiver knows it by. */
  routedAs: Topic;
  /** The publisher's identity for no-local, null for the broker's own messages. */
  readonly source: object | null;
  readonly qos: number;
  readonly retain: boolean;
  propertyBytes: Buffer;
  readonly expiryAt: number;
  /** Wall-clock milliseconds at which it expires, 0 if never. */
  readonly expiresAt: number;
  payloadBuffer: Buffer;
  payloadStart: number;
  payloadEnd: number;
  /** Bytes that keeping the message costs, for limits: topic, properties and payload. */
  readonly size: number;
  /** Windows and queues that keep it: their count's to change (sessions/kept.ts). */
  holders: number;
  /** Where it is on disk, null while it is not. */
  stored: StoredPlace | null;
  /** Encodings by shape and presence of an identifier, made when first wanted. */
  private plain0: PublishFrame | null;
  private plain1: PublishFrame | null;
  private rich0: PublishFrame | null;
  private rich1: PublishFrame | null;
  private owned: boolean;
  private lastRenamed: Message | null;

  constructor(
    topic: Topic,
    source: object | null,
    qos: number,
    retain: boolean,
    propertyBytes: Buffer,
    expiryAt: number,
    expiresAt: number,
    payloadBuffer: Buffer,
    payloadStart: number,
    payloadEnd: number,
  ) {
    this.topic = topic;
    this.routedAs = topic;
    this.source = source;
    this.qos = qos;
    this.retain = retain;
    this.propertyBytes = propertyBytes;
    this.expiryAt = expiryAt;
    this.expiresAt = expiresAt;
    this.payloadBuffer = payloadBuffer;
    this.payloadStart = payloadStart;
    this.payloadEnd = payloadEnd;
    this.size = topic.bytes.length + propertyBytes.length + payloadEnd - payloadStart;
    this.holders = 0;
    this.stored = null;
    this.plain0 = null;
    this.plain1 = null;
    this.rich0 = null;
    this.rich1 = null;
    this.owned = false;
    this.lastRenamed = null;
  }

  /**
   * The message of a received PUBLISH, borrowing its chunk.
   * @param isVerbatim whether the packet's topic is spelled out and unchanged, so that its bytes serve receivers as they are
   * @param nowMs wall-clock time, from which the expiry counts
   */
  static received(
    view: PublishView,
    topic: Topic,
    source: object | null,
    shape: 0 | 1,
    isVerbatim: boolean,
    nowMs: number,
  ): Message {
    const hasProperties = view.propertiesEnd > view.propertiesStart;
    const message = new Message(
      topic,
      source,
      view.qos,
      (view.first & 1) !== 0,
      hasProperties ? forwardedProperties(view) : NO_BYTES,
      forwardedExpiryAt(view),
      expiryTime(view.expiryAt >= 0, view.expiry, nowMs),
      view.buffer,
      view.payloadStart,
      view.end,
    );
    if (isVerbatim && view.aliasAt < 0) {
      const frame = receivedFrame(view);
      if (shape === 0) {
        if (view.idAt < 0) message.plain0 = frame;
        else message.plain1 = frame;
      } else if (view.idAt < 0) message.rich0 = frame;
      else message.rich1 = frame;
    }
    return message;
  }

  /** A message made by the broker itself or from a will. */
  static made(
    topic: Topic,
    payload: Buffer,
    qos: number,
    retain: boolean,
    properties: Properties,
    source: object | null,
    nowMs: number,
  ): Message {
    const { bytes, expiryAt } = encodePublishProperties(properties);
    const expiresAt = expiryTime(expiryAt >= 0, properties.messageExpiryInterval ?? 0, nowMs);
    const message = new Message(topic, source, qos, retain, bytes, expiryAt, expiresAt, payload, 0, payload.length);
    message.owned = true;
    return message;
  }

  /** A message that an earlier process kept. */
  static restored(
    topic: Topic,
    routedAs: Topic,
    source: object | null,
    qos: number,
    retain: boolean,
    propertyBytes: Buffer,
    expiryAt: number,
    expiresAt: number,
    payload: { readonly buffer: Buffer; readonly start: number; readonly end: number },
  ): Message {
    const { buffer, start, end } = payload;
    const message = new Message(topic, source, qos, retain, propertyBytes, expiryAt, expiresAt, buffer, start, end);
    message.routedAs = routedAs;
    message.owned = true;
    return message;
  }

  /** The same message under another topic name; those who ask for the same one share it. */
  renamed(topic: Topic): Message {
    if (this.lastRenamed?.topic !== topic) {
      this.lastRenamed = this.copy(
        topic,
        this.qos,
        this.retain,
        this.payloadBuffer,
        this.payloadStart,
        this.payloadEnd,
      );
      this.lastRenamed.routedAs = this.routedAs;
    }
    return this.lastRenamed;
  }

  /** The message as a plugin changed it. */
  changed(topic: Topic, to: { readonly payload: Buffer; readonly qos: number; readonly retain: boolean }): Message {
    return this.copy(topic, to.qos, to.retain, to.payload, 0, to.payload.length);
  }

  private copy(
    topic: Topic,
    qos: number,
    retain: boolean,
    payload: Buffer,
    payloadStart: number,
    payloadEnd: number,
  ): Message {
    const { source, propertyBytes, expiryAt, expiresAt } = this;
    return new Message(
      topic,
      source,
      qos,
      retain,
      propertyBytes,
      expiryAt,
      expiresAt,
      payload,
      payloadStart,
      payloadEnd,
    );
  }

  get topicKey(): object {
    return this.topic;
  }

  get topicBytes(): Buffer {
    return this.topic.bytes;
  }

  get payloadLength(): number {
    return this.payloadEnd - this.payloadStart;
  }

  hasExpired(nowMs: number): boolean {
    return this.expiresAt !== 0 && this.expiresAt <= nowMs;
  }

  frame(shape: 0 | 1, withId: boolean): PublishFrame {
    if (shape === 0) {
      if (withId) {
        this.plain1 ??= encodeHead(this, 0, true);
        return this.plain1;
      }
      this.plain0 ??= encodeHead(this, 0, false);
      return this.plain0;
    }
    if (withId) {
      this.rich1 ??= encodeHead(this, 1, true);
      return this.rich1;
    }
    this.rich0 ??= encodeHead(this, 1, false);
    return this.rich0;
  }

  hasFrame(shape: 0 | 1, withId: boolean): boolean {
    if (shape === 0) return (withId ? this.plain1 : this.plain0) !== null;
    return (withId ? this.rich1 : this.rich0) !== null;
  }

  own(): void {
    if (this.owned) return;
    this.owned = true;
    // Properties that a plugin left alone stay in the chunk they came in, wherever the payload is.
    const borrowed = Math.max(this.payloadBuffer.buffer.byteLength, this.propertyBytes.buffer.byteLength);
    const length = this.payloadEnd - this.payloadStart;
    if (borrowed <= this.size + SLACK && length > SMALL) return;
    if (length <= SMALL) {
      slabs.copy(this.payloadBuffer, this.payloadStart, this.payloadEnd);
      this.payloadBuffer = slabs.buffer;
      this.payloadStart = slabs.start;
      this.payloadEnd = slabs.end;
    } else {
      const payload = Buffer.allocUnsafeSlow(length);
      this.payloadBuffer.copy(payload, 0, this.payloadStart, this.payloadEnd);
      this.payloadBuffer = payload;
      this.payloadStart = 0;
      this.payloadEnd = length;
    }
    if (this.propertyBytes.length > 0) this.propertyBytes = Buffer.from(this.propertyBytes);
    if (this.plain0?.hasPayload === true) this.plain0 = null;
    if (this.plain1?.hasPayload === true) this.plain1 = null;
    if (this.rich0?.hasPayload === true) this.rich0 = null;
    if (this.rich1?.hasPayload === true) this.rich1 = null;
  }
}

function expiryTime(expires: boolean, interval: number, nowMs: number): number {
  return expires ? nowMs + interval * 1000 : 0;
}
