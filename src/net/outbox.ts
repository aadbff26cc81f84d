// The send queue of one peer: a control lane (acknowledgements and other ready bytes) and a message lane (references to
// publications). flush() copies both into the turn's shared buffer, patches what is this receiver's own, and writes once.
// The buffer is clever in one way only: it is reused at once when transport.write() says that the memory is free.

import { headRoom, type Publication, publishSize } from '../protocol/publish.ts';
import { wallNow } from '../util/clock.ts';
import { copyBytes, copyOut, FLAG_BITS } from './copy-out.ts';
import { type Flushable, type FlushTurn, SCRATCH_SIZE } from './flush.ts';
import type { Transport } from './transport.ts';

/** Payloads from this size on are written by reference instead of being copied. */
export const REFERENCE_SIZE = 16_384;
/** A peer with this much taken but not sent gets no more until it is writable again. */
const HIGH_WATER = 65_536;
/** So many messages leave at once, within the turn: that fills the shared buffer anyway, and bounds a turn's memory. */
const EARLY_FLUSH = 1024;

/** Gives topic aliases (flow/alias.ts): positive known, negative new, 0 none. */
export interface AliasSource {
  use(topic: object): number;
}

/** Counts what leaves; a broker's metrics. */
export interface OutboxCounters {
  sentBytes(count: number): void;
  sentPublish(count: number, payloadBytes: number): void;
}

/** The outbox of one link. */
export class Outbox implements Flushable {
  /** The encoding of messages, from the peer's profile. */
  shape: 0 | 1;
  aliases: AliasSource | null;
  /** Largest packet that the peer takes, 0 without a limit: a topic alias is not what makes one larger. */
  maximumPacketSize: number;
  private readonly turn: FlushTurn;
  private readonly transport: Transport;
  private readonly counters: OutboxCounters;
  private scheduled: boolean;
  private closed: boolean;
  private paused: boolean;
  /** The transport keeps the memory of its writes: they are copied first, so that the shared buffer is not given away. */
  private transportKeeps: boolean;
  /** The transport owes a writable(): without that promise, waiting for it would be for ever. */
  awaitsWritable: boolean;
  private control: Buffer;
  private controlLength: number;
  private publications: (Publication | null)[];
  private metas: number[];
  private extras: Buffer[];
  private head: number;
  private tail: number;
  private payloadBytes: number;

  constructor(transport: Transport, turn: FlushTurn, counters: OutboxCounters) {
    this.shape = 0;
    this.aliases = null;
    this.maximumPacketSize = 0;
    this.turn = turn;
    this.transport = transport;
    this.counters = counters;
    this.scheduled = false;
    this.closed = false;
    this.paused = false;
    this.transportKeeps = false;
    this.awaitsWritable = false;
    this.control = NOTHING;
    this.controlLength = 0;
    this.publications = [];
    this.metas = [];
    this.extras = [];
    this.head = 0;
    this.tail = 0;
    this.payloadBytes = 0;
  }

  /** Messages that wait. */
  get messages(): number {
    return this.tail - this.head;
  }

  /** Payload bytes of the messages that wait. */
  get messageBytes(): number {
    return this.payloadBytes;
  }

  /** Bytes of acknowledgements and other control packets that wait. */
  get controlBytes(): number {
    return this.controlLength;
  }

  /** Whether the peer reads too slowly for now. */
  get isPaused(): boolean {
    return this.paused;
  }

  /**
   * Adds a message. `id` 0 means QoS 0. `flags` are the first byte's low bits. `extra` are property bytes of this receiver.
   * Bounds are the caller's: it asks `messages`, `messageBytes` and `isPaused` first.
   */
  push(publication: Publication, flags: number, id: number, extra: Buffer): void {
    const at = this.tail++;
    this.publications[at] = publication;
    this.metas[at] = (id << FLAG_BITS) | flags;
    this.extras[at] = extra;
    this.payloadBytes += publication.payloadEnd - publication.payloadStart;
    if (this.paused) publication.own();
    else if (!this.scheduled) this.schedule();
    else if (this.tail - this.head >= EARLY_FLUSH) this.flush(this.turn);
  }

  /** Adds a whole encoded control packet. */
  pushControl(packet: Buffer): void {
    const at = this.reserveControl(packet.length);
    this.control.set(packet, at);
  }

  /** Adds a four-byte acknowledgement: what nearly all acknowledgements are. */
  pushAck(first: number, id: number): void {
    const at = this.reserveControl(4);
    const control = this.control;
    control[at] = first;
    control[at + 1] = 2;
    control[at + 2] = id >>> 8;
    control[at + 3] = id;
  }

  /** Adds a bodiless packet. */
  pushEmpty(first: number): void {
    const at = this.reserveControl(2);
    this.control[at] = first;
    this.control[at + 1] = 0;
  }

  /** Forgets what waits; nothing is sent any more. */
  close(): void {
    this.closed = true;
    this.controlLength = 0;
    this.control = NOTHING;
    this.clearMessages();
  }

  /** Forgets the messages that wait, for a peer that is told goodbye. */
  clearMessages(): void {
    if (this.publications.length === 0) return;
    this.publications = [];
    this.metas = [];
    this.extras = [];
    this.head = 0;
    this.tail = 0;
    this.payloadBytes = 0;
  }

  /** The transport is writable again. */
  writable(): void {
    this.paused = false;
    this.awaitsWritable = false;
    if ((this.controlLength > 0 || this.head < this.tail) && !this.scheduled) this.schedule();
  }

  private schedule(): void {
    if (this.closed) return;
    this.scheduled = true;
    this.turn.schedule(this);
  }

  private reserveControl(length: number): number {
    const at = this.controlLength;
    const total = at + length;
    if (total > this.control.length) {
      const larger = Buffer.allocUnsafe(Math.max(64, this.control.length * 2, total));
      this.control.copy(larger, 0, 0, at);
      this.control = larger;
    }
    this.controlLength = total;
    if (!this.scheduled && !this.paused) this.schedule();
    return at;
  }

  flush(turn: FlushTurn): void {
    this.scheduled = false;
    if (this.closed || this.paused) return;
    // Nothing of this receiver's own stands in front of its messages or in them.
    const isPlain = this.controlLength === 0 && this.aliases === null && this.head === 0;
    if (
      turn.last.begins(this.head < this.tail ? this.publications[this.head]! : null) &&
      isPlain &&
      this.repeat(turn)
    ) {
      return;
    }
    turn.last.bytes = null;
    this.flushOwn(turn);
  }

  private flushOwn(turn: FlushTurn): void {
    let at = 0;
    if (this.controlLength > 0) {
      if (this.controlLength > SCRATCH_SIZE / 2) {
        this.writeOut(this.control.subarray(0, this.controlLength));
        this.control = NOTHING;
        this.hasBacklog();
      } else {
        copyBytes(turn.scratch, 0, this.control, 0, this.controlLength);
        at = this.controlLength;
        if (this.control.length > 4096) this.control = NOTHING;
      }
      this.controlLength = 0;
    }
    const now = wallNow();
    while (this.head < this.tail && !this.paused) {
      const index = this.head;
      const publication = this.publications[index]!;
      const meta = this.metas[index]!;
      const extra = this.extras[index]!;
      const payloadLength = publication.payloadEnd - publication.payloadStart;
      const byReference = payloadLength >= REFERENCE_SIZE;
      const room = headRoom(publication, extra) + (byReference ? 0 : payloadLength);
      if (at + room > SCRATCH_SIZE) {
        if (at > 0) {
          at = this.writeScratch(turn, at);
          if (this.hasBacklog()) break;
        }
        if (room > SCRATCH_SIZE) {
          this.writeLarge(publication, meta, extra, now);
          this.shift(payloadLength);
          if (this.hasBacklog()) break;
          continue;
        }
      }
      at = this.write(turn.scratch, at, publication, meta, extra, now, !byReference);
      this.shift(payloadLength);
      if (byReference) {
        // Corked, the transport keeps the memory in any case; the head is short, so it is copied.
        this.transport.cork();
        this.writeOut(Buffer.from(turn.scratch.subarray(0, at)));
        at = 0;
        this.writeReference(publication);
        this.transport.uncork();
        if (this.hasBacklog()) break;
      }
    }
    if (at > 0) {
      this.writeScratch(turn, at);
      this.hasBacklog();
    }
    if (this.head === this.tail) this.reset();
    else this.ownWaiting();
  }

  /** Sends all messages in one piece, that of the outbox before if they are the same; false if they are too many bytes. */
  private repeat(turn: FlushTurn): boolean {
    const { last } = turn;
    const count = this.tail;
    let bytes = last.bytes;
    if (bytes === null || !last.isSame(this.publications, this.metas, this.extras, count, this.shape)) {
      bytes = this.encodeAll(turn);
      if (bytes === null) return false;
      last.note(this.publications, this.metas, this.extras, count, this.shape);
      last.bytes = bytes;
    }
    for (let i = 0; i < count; i++) this.publications[i] = null;
    this.counters.sentPublish(count, this.payloadBytes);
    this.payloadBytes = 0;
    this.sendScratch(turn, bytes);
    this.hasBacklog();
    this.reset();
    return true;
  }

  /** All messages in the shared buffer; null if they don't fit or don't belong there. */
  private encodeAll(turn: FlushTurn): Buffer | null {
    let room = this.payloadBytes;
    for (let i = 0; i < this.tail; i++) {
      const { payloadEnd, payloadStart } = this.publications[i]!;
      if (payloadEnd - payloadStart >= REFERENCE_SIZE) return null;
      room += headRoom(this.publications[i]!, this.extras[i]!);
    }
    if (room > SCRATCH_SIZE) return null;
    const now = wallNow();
    let at = 0;
    for (let i = 0; i < this.tail; i++) {
      at = this.write(turn.scratch, at, this.publications[i]!, this.metas[i]!, this.extras[i]!, now, true);
    }
    return turn.scratch.subarray(0, at);
  }

  private hasBacklog(): boolean {
    this.paused = this.awaitsWritable && this.transport.backlog >= HIGH_WATER;
    return this.paused;
  }

  private shift(payloadLength: number): void {
    this.publications[this.head] = null;
    this.head += 1;
    this.payloadBytes -= payloadLength;
    this.counters.sentPublish(1, payloadLength);
  }

  /** Writes one message (its payload too, if `withPayload`) into target and returns the offset behind it. */
  private write(
    target: Buffer,
    at: number,
    publication: Publication,
    meta: number,
    extra: Buffer,
    now: number,
    withPayload: boolean,
  ): number {
    const alias = this.aliases === null ? 0 : this.aliasFor(publication, meta >>> FLAG_BITS > 0, extra);
    return copyOut(target, at, publication, this.shape, meta, alias, extra, now, withPayload);
  }

  /** [MQTT-3.1.2-24]: no alias where its property would make the packet too large. */
  private aliasFor(publication: Publication, withId: boolean, extra: Buffer): number {
    const limit = this.maximumPacketSize;
    if (limit > 0 && publishSize(publication, 1, withId, extra.length + ALIAS_SIZE) > limit) return 0;
    return this.aliases!.use(publication.topicKey);
  }

  /** A message whose head alone does not fit the shared buffer (long topics and properties). */
  private writeLarge(publication: Publication, meta: number, extra: Buffer, now: number): void {
    const bytes = Buffer.allocUnsafe(publishSize(publication, this.shape, meta >>> FLAG_BITS > 0) + extra.length + 16);
    const end = this.write(bytes, 0, publication, meta, extra, now, true);
    this.writeOut(bytes.subarray(0, end));
  }

  private writeReference(publication: Publication): void {
    this.writeOut(publication.payloadBuffer.subarray(publication.payloadStart, publication.payloadEnd));
  }

  private writeScratch(turn: FlushTurn, length: number): number {
    this.sendScratch(turn, turn.scratch.subarray(0, length));
    return 0;
  }

  /** @param bytes of the shared buffer */
  private sendScratch(turn: FlushTurn, bytes: Buffer): void {
    this.counters.sentBytes(bytes.length);
    if (this.transportKeeps) {
      this.transportKeeps = !this.give(Buffer.from(bytes));
    } else if (!this.give(bytes)) {
      this.transportKeeps = true;
      turn.renewScratch();
    }
  }

  /** Writes memory that nobody changes any more. */
  private writeOut(bytes: Buffer): void {
    this.counters.sentBytes(bytes.length);
    this.give(bytes);
  }

  private give(bytes: Buffer): boolean {
    if (this.transport.write(bytes)) return true;
    this.awaitsWritable = true;
    return false;
  }

  private reset(): void {
    this.head = 0;
    this.tail = 0;
    if (this.publications.length > 256) {
      this.publications = [];
      this.metas = [];
      this.extras = [];
    }
  }

  /** What has to wait longer must not pin the chunks it came in. */
  private ownWaiting(): void {
    if (this.head > 0) {
      this.publications = this.publications.slice(this.head, this.tail);
      this.metas = this.metas.slice(this.head, this.tail);
      this.extras = this.extras.slice(this.head, this.tail);
      this.tail -= this.head;
      this.head = 0;
    }
    for (let i = 0; i < this.tail; i++) this.publications[i]!.own();
  }
}

const NOTHING = Buffer.alloc(0);
/** Bytes of a topic alias among the properties. */
const ALIAS_SIZE = 3;
