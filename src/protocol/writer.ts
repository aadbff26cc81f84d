// A cursor that writes the fields of one packet into a buffer that grows, and closes the packet with its fixed header.
import { MAX_STRING, MAX_VARINT } from './constants.ts';

/** Bytes of a variable byte integer (section 1.5.5). */
export function varintLength(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4;
}

/** Writes a variable byte integer into a buffer and returns the offset behind it. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  let rest = value;
  let next = at;
  while (rest > 0x7f) {
    target[next++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[next++] = rest;
  return next;
}

/** Room kept in front of the body for the longest fixed header. */
const HEADER_ROOM = 5;

/** Builds packets; one writer may build many, one after the other. */
export class Writer {
  private buffer: Buffer;
  private at: number;

  constructor(size = 256) {
    this.buffer = Buffer.allocUnsafe(size);
    this.at = HEADER_ROOM;
  }

  /** Offset of the next byte, for lengths that are inserted later. */
  get position(): number {
    return this.at;
  }

  u8(value: number): void {
    this.reserve(1);
    this.buffer[this.at++] = value;
  }

  u16(value: number): void {
    this.reserve(2);
    this.buffer[this.at++] = value >>> 8;
    this.buffer[this.at++] = value;
  }

  u32(value: number): void {
    this.reserve(4);
    this.at = this.buffer.writeUInt32BE(value, this.at);
  }

  varint(value: number): void {
    if (value > MAX_VARINT) throw new RangeError(`${value} is too large for a variable byte integer`);
    this.reserve(4);
    this.at = writeVarint(this.buffer, this.at, value);
  }

  /** Throws RangeError over 65,535 bytes of UTF-8. */
  string(text: string): void {
    const length = Buffer.byteLength(text);
    if (length > MAX_STRING) throw new RangeError(`a string of ${length} bytes is longer than MQTT's 65535`);
    this.reserve(2 + length);
    this.u16(length);
    this.at += this.buffer.write(text, this.at, 'utf8');
  }

  /** Throws RangeError over 65,535 bytes. */
  binary(bytes: Uint8Array): void {
    if (bytes.length > MAX_STRING)
      throw new RangeError(`binary data of ${bytes.length} bytes is longer than MQTT's 65535`);
    this.u16(bytes.length);
    this.bytes(bytes);
  }

  bytes(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** Puts the length of all that was written since `start` in front of it, as a variable byte integer. */
  insertLength(start: number): void {
    const length = this.at - start;
    const room = varintLength(length);
    this.reserve(room);
    this.buffer.copyWithin(start + room, start, this.at);
    writeVarint(this.buffer, start, length);
    this.at += room;
  }

  /** Bytes written so far, as a copy; the writer is empty afterwards. */
  take(): Buffer {
    const bytes = Buffer.from(this.buffer.subarray(HEADER_ROOM, this.at));
    this.at = HEADER_ROOM;
    return bytes;
  }

  /** Closes a packet: fixed header and body as a copy; the writer is empty afterwards. */
  takePacket(first: number): Buffer {
    const length = this.at - HEADER_ROOM;
    if (length > MAX_VARINT) throw new RangeError(`a packet body of ${length} bytes is longer than MQTT's 268435455`);
    const start = HEADER_ROOM - 1 - varintLength(length);
    this.buffer[start] = first;
    writeVarint(this.buffer, start + 1, length);
    const packet = Buffer.from(this.buffer.subarray(start, this.at));
    this.at = HEADER_ROOM;
    return packet;
  }

  private reserve(length: number): void {
    if (this.at + length <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.at + length));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }
}
