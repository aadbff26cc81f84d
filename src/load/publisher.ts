// The sending side of a client: one PUBLISH is encoded when it connects, and copied out in batches with the packet
// identifier and the stamp patched into each copy.
import { DONE, OutboundWindow, RELEASE } from '../flow/outbound.ts';
import type { Link } from '../net/link.ts';
import { PUBREL } from '../protocol/constants.ts';
import { encodeHead, type Publication, PublishFrame, publishFirst } from '../protocol/publish.ts';
import { reasonOf } from '../protocol/reasons.ts';
import type { Profile } from '../protocol/version.ts';
import { elapsed, microseconds } from './clock.ts';
import type { Measurement } from './measurement.ts';
import type { Payload } from './payload.ts';
import { writeStampHead, writeStampTail } from './stamp.ts';

/** Bytes that leave in one write. */
const BATCH_BYTES = 65_536;

/** Reason codes from here on refuse a message. */
const REFUSAL = 0x80;

/** The memory that batches are put together in, shared by all publishers of the process. */
export class BatchBuffer {
  bytes: Buffer;
  /** Whose copies stand in it, and how many. */
  owner: Publisher | null;
  filled: number;

  constructor() {
    this.bytes = Buffer.allocUnsafeSlow(BATCH_BYTES);
    this.owner = null;
    this.filled = 0;
  }

  /** The transport kept the memory. */
  renew(): void {
    this.bytes = Buffer.allocUnsafeSlow(this.bytes.length);
    this.owner = null;
    this.filled = 0;
  }

  /** Room for one packet at least. */
  grow(size: number): void {
    if (size <= this.bytes.length) return;
    this.bytes = Buffer.allocUnsafeSlow(size);
    this.owner = null;
    this.filled = 0;
  }
}

/** What a publisher sends. */
export interface Publishing {
  readonly profile: Profile;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly topic: string;
  readonly payload: Payload;
  /** Number of the publisher in stamps. */
  readonly number: number;
  /** Most messages under way, null for no limit. */
  readonly window: number | null;
  /** Whether they are under way until they are delivered. */
  readonly windowIsDelivery: boolean;
  /** Messages to send in all. */
  readonly quota: number;
}

const IN_FLIGHT = {};
const NO_EXTRA = Buffer.alloc(0);

/** A publisher on an open connection. */
export class Publisher {
  /** Messages since the measurement began. */
  sent: number;
  refused: number;
  /** Deliveries that are under way to subscribers of this process, and how many each message makes. */
  undelivered: number;
  localReceivers: number;
  /** Set while TCP takes no more. */
  blocked: boolean;
  private readonly link: Link;
  private readonly batch: BatchBuffer;
  private readonly measurement: Measurement;
  private readonly publishing: Publishing;
  private readonly packet: Buffer;
  private readonly idAt: number;
  private readonly stampAt: number;
  private readonly isText: boolean;
  private readonly flight: OutboundWindow<object>;
  private left: number;
  private acksBefore: number;

  constructor(link: Link, batch: BatchBuffer, measurement: Measurement, publishing: Publishing) {
    const { profile, qos, retain, payload } = publishing;
    this.sent = 0;
    this.refused = 0;
    this.undelivered = 0;
    this.localReceivers = 0;
    this.blocked = false;
    this.link = link;
    this.batch = batch;
    this.measurement = measurement;
    this.publishing = publishing;
    const head = encodeHead(publicationOf(publishing), profile.shape, qos > 0);
    head.bytes[head.start] = publishFirst(qos, retain, false);
    this.packet = Buffer.concat([head.bytes.subarray(head.start, head.end), payload.bytes]);
    this.idAt = head.idAt;
    this.stampAt = payload.stampAt < 0 ? -1 : head.end - head.start + payload.stampAt;
    this.isText = payload.isText;
    this.flight = new OutboundWindow(65_535);
    this.left = publishing.quota;
    this.acksBefore = 0;
    this.batch.grow(this.packet.length);
  }

  /** The broker takes no more than this under way (MQTT 5.0 section 3.2.2.3.3). */
  limit(receiveMaximum: number): void {
    this.flight.limit = Math.min(65_535, receiveMaximum);
  }

  /** Bytes of one packet. */
  get packetSize(): number {
    return this.packet.length;
  }

  get payloadSize(): number {
    return this.publishing.payload.bytes.length;
  }

  /** Whether everything that it was to send is sent. */
  get isDone(): boolean {
    return this.left === 0;
  }

  /** Messages that wait for their acknowledgement. */
  get unacknowledged(): number {
    return this.flight.inFlight;
  }

  /** Forgets what was counted: the measurement begins. Stamps carry the run's mark from now on. */
  begin(run: number): void {
    this.sent = 0;
    this.refused = 0;
    this.left = this.publishing.quota;
    this.acksBefore = this.flight.inFlight;
    if (this.stampAt < 0) return;
    writeStampHead(this.packet, this.stampAt, this.isText, run, this.publishing.number);
    if (this.batch.owner === this) this.batch.owner = null;
  }

  /** Sends no more. */
  halt(): void {
    this.left = 0;
  }

  /** The connection is lost: no acknowledgement will come. */
  lose(): void {
    this.halt();
    this.flight.clear();
  }

  /** How many messages may be sent at once. */
  room(): number {
    if (this.blocked || this.left === 0) return 0;
    const { window, windowIsDelivery, qos } = this.publishing;
    let room = Math.min(this.left, Math.max(1, Math.floor(this.batch.bytes.length / this.packet.length)));
    if (qos > 0) room = Math.min(room, this.flight.limit - this.flight.inFlight);
    if (window === null) return room;
    if (qos > 0) room = Math.min(room, window - this.flight.inFlight);
    if (windowIsDelivery && this.localReceivers > 0) {
      room = Math.min(room, window - Math.ceil(this.undelivered / this.localReceivers));
    }
    return Math.max(0, room);
  }

  /** Deliveries that will not come any more do not hold it up. */
  forgive(): void {
    this.undelivered = 0;
  }

  /** Sends messages, not more than room() says. */
  send(count: number): void {
    const size = this.packet.length;
    const bytes = this.copies(count);
    const { idAt, stampAt, isText, flight } = this;
    const time = microseconds() >>> 0;
    const qos = this.publishing.qos;
    for (let i = 0, at = 0; i < count; i++, at += size) {
      if (idAt >= 0) {
        const id = flight.take(IN_FLIGHT, qos, 0, NO_EXTRA, time);
        bytes[at + idAt] = id >>> 8;
        bytes[at + idAt + 1] = id;
      }
      if (stampAt >= 0) writeStampTail(bytes, at + stampAt, isText, this.sent + i, time);
    }
    this.sent += count;
    this.left -= count;
    this.undelivered += count * this.localReceivers;
    if (this.link.transport.write(bytes.subarray(0, count * size))) return;
    this.batch.renew();
    this.blocked = true;
  }

  /** A PUBACK, PUBREC or PUBCOMP came (`waitingFor` as in flow/outbound.ts). */
  acknowledged(id: number, waitingFor: number, code: number): void {
    const { measurement, flight } = this;
    const sentAt = flight.tagOf(id);
    if (code >= REFUSAL) {
      if (!flight.drop(id)) return;
      this.refused += 1;
      measurement.refused(reasonOf(code).text);
      return;
    }
    const answer = flight.acknowledge(id, waitingFor);
    if (answer === RELEASE) this.link.outbox.pushAck((PUBREL << 4) | 0x02, id);
    if (answer !== DONE) return;
    if (this.acksBefore > 0) this.acksBefore -= 1;
    else measurement.acknowledged(elapsed(sentAt, measurement.now));
  }

  /** Copies of the packet, one behind the other, at the beginning of the shared memory. */
  private copies(count: number): Buffer {
    const { batch, packet } = this;
    const size = packet.length;
    batch.grow(size);
    if (batch.owner !== this) {
      batch.bytes.set(packet, 0);
      batch.owner = this;
      batch.filled = 1;
    }
    while (batch.filled < count) {
      const more = Math.min(batch.filled, count - batch.filled);
      batch.bytes.copyWithin(batch.filled * size, 0, more * size);
      batch.filled += more;
    }
    return batch.bytes;
  }
}

/** The message as the encoder of protocol/ wants it. */
function publicationOf({ topic, payload }: Publishing): Publication {
  return {
    topicKey: IN_FLIGHT,
    topicBytes: Buffer.from(topic),
    propertyBytes: NO_EXTRA,
    expiryAt: -1,
    expiresAt: 0,
    payloadBuffer: payload.bytes,
    payloadStart: 0,
    payloadEnd: payload.bytes.length,
    frame: () => new PublishFrame(NO_EXTRA, 0, 0, -1, -1, false),
    hasFrame: () => true,
    own: () => undefined,
  };
}
