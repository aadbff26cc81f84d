// Cuts a byte stream into packets. Packets that lie whole in one chunk are handed out in place; one that straddles chunks
// is gathered into a buffer of its own, which grows with the bytes that came and never on the word of a length field.
// Types and sizes are judged as soon as the header is there.
import { PACKET_NAMES, PUBLISH } from './constants.ts';
import { MalformedPacket, PeerFault, TlsOnPlainConnection, UnexpectedPacket } from './errors.ts';
import type { FrameSink } from './packets.ts';
import { PACKET_TOO_LARGE } from './reasons.ts';

/** Largest packet of each type, header included, indexed by packet type; 0 means the type must not come. */
export type SizeLimits = Readonly<Uint32Array>;

/** Fixed flags of the first byte, indexed by packet type [MQTT-2.1.3-1]; PUBLISH has its own. */
const RESERVED_FLAGS: readonly number[] = [0, 0, 0, 0, 0, 0, 2, 0, 2, 0, 2, 0, 0, 0, 0, 0];

const NOTHING = Buffer.alloc(0);

/** First byte of a TLS record that opens a handshake (RFC 8446 section 5.1); as MQTT, a CONNECT with wrong flags. */
const TLS_HANDSHAKE = 0x16;

/** The framer of one connection. Throws PeerFault for a stream that is no MQTT; it must not be used after that. */
export class Framer {
  limits: SizeLimits;
  /** Whether reserved flags are let pass: from MQTT 3.1, whose clients set DUP in SUBSCRIBE, UNSUBSCRIBE and PUBREL too. */
  flagsAreLoose: boolean;
  /** Packets handed out so far. */
  frames: number;
  /** The start of a packet whose rest has not come: gathered[0, have), to be looked at again at `needed` bytes. */
  private gathered: Buffer;
  private have: number;
  private needed: number;
  /** The sink wants no frame for now; what comes waits here. */
  private stopped: boolean;
  private readonly waiting: Buffer[];

  constructor(limits: SizeLimits) {
    this.limits = limits;
    this.flagsAreLoose = false;
    this.frames = 0;
    this.gathered = NOTHING;
    this.have = 0;
    this.needed = 0;
    this.stopped = false;
    this.waiting = [];
  }

  /** Bytes that are known to be missing of a packet that has begun, 0 between packets. */
  get missing(): number {
    return this.have === 0 ? 0 : this.needed - this.have;
  }

  /** Whether bytes wait for the sink to go on. */
  get isHolding(): boolean {
    return this.waiting.length > 0;
  }

  /**
   * Takes the next chunk and hands out every whole packet.
   * @param isLent whether the chunk's memory is written to again after the call: what is handed out or kept is a copy then
   */
  push(chunk: Buffer, sink: FrameSink, isLent = false): void {
    if (this.stopped) this.waiting.push(isLent ? Buffer.from(chunk) : chunk);
    else this.consume(chunk, sink, isLent);
  }

  /** Goes on behind the frame at which the sink stopped the framer. */
  resume(sink: FrameSink): void {
    this.stopped = false;
    while (!this.stopped && this.waiting.length > 0) this.consume(this.waiting.shift()!, sink, false);
  }

  private consume(chunk: Buffer, sink: FrameSink, isLent: boolean): void {
    let at = 0;
    while (this.have > 0) {
      const taken = Math.min(this.needed - this.have, chunk.length - at);
      this.gather(chunk, at, at + taken);
      at += taken;
      if (this.have < this.needed) return;
      const whole = this.gathered.subarray(0, this.have);
      this.gathered = NOTHING;
      this.have = 0;
      this.walk(whole, 0, sink, false);
      if (this.stopped) {
        if (at < chunk.length) this.waiting.unshift(isLent ? Buffer.from(chunk.subarray(at)) : chunk.subarray(at));
        return;
      }
    }
    this.walk(chunk, at, sink, isLent);
  }

  private walk(received: Buffer, from: number, sink: FrameSink, isLent: boolean): void {
    let chunk = received;
    let length = chunk.length;
    let at = from;
    let mustCopy = isLent;
    while (at < length) {
      const first = chunk[at]!;
      const type = first >> 4;
      const limit = this.limits[type]!;
      if (limit === 0) throw new UnexpectedPacket(PACKET_NAMES[type]!, first);
      if (type !== PUBLISH && (first & 0x0f) !== RESERVED_FLAGS[type] && !this.flagsAreLoose) {
        if (first === TLS_HANDSHAKE) throw new TlsOnPlainConnection();
        throw new MalformedPacket(`the reserved flags of ${PACKET_NAMES[type]} are wrong`);
      }
      let body = at + 1;
      let size = 0;
      let shift = 0;
      let byte = 0x80;
      while (byte > 0x7f && body < length) {
        if (shift === 28) throw new MalformedPacket('the remaining length is longer than four bytes');
        byte = chunk[body++]!;
        size |= (byte & 0x7f) << shift;
        shift += 7;
      }
      if (byte > 0x7f) {
        if (shift === 28) throw new MalformedPacket('the remaining length is longer than four bytes');
        this.keep(chunk, at, body - at + 1);
        return;
      }
      // The fewest bytes are to be used [MQTT-1.5.5-1]; publish.ts relies on it to find the header in front of a body.
      if (byte === 0 && shift > 7) throw new MalformedPacket('the remaining length is not encoded in the fewest bytes');
      let end = body + size;
      if (end - at > limit) {
        throw new PeerFault(
          PACKET_TOO_LARGE,
          `${PACKET_NAMES[type]} of ${end - at} bytes is larger than the ${limit} allowed`,
        );
      }
      if (end > length) {
        this.keep(chunk, at, end - at);
        return;
      }
      if (mustCopy) {
        // A packet that straddles chunks is gathered from the lent memory; one that lies whole in it is handed out.
        mustCopy = false;
        chunk = at === 0 ? Buffer.from(chunk) : Buffer.from(chunk.subarray(at));
        body -= at;
        end -= at;
        length -= at;
        at = 0;
      }
      this.frames += 1;
      if (!sink.frame(chunk, first, body, end)) {
        this.stopped = true;
        if (end < length) this.waiting.unshift(chunk.subarray(end));
        return;
      }
      at = end;
    }
  }

  private keep(chunk: Buffer, at: number, needed: number): void {
    this.needed = needed;
    this.gather(chunk, at, chunk.length);
  }

  private gather(chunk: Buffer, start: number, end: number): void {
    const total = this.have + end - start;
    if (total > this.gathered.length) {
      // Twice what came: of a packet that is nearly there nothing has to be copied once more.
      const larger = Buffer.allocUnsafe(Math.min(this.needed, total * 2));
      this.gathered.copy(larger, 0, 0, this.have);
      this.gathered = larger;
    }
    chunk.copy(this.gathered, this.have, start, end);
    this.have = total;
  }
}
