// A cursor over the body of one packet. Every read checks the bounds and the field's validity, and throws MalformedPacket.
import { MalformedPacket } from './errors.ts';
import { isValidString, stringFault } from './utf8.ts';

/** Reads the fields of one packet from buffer[at, end). */
export class Reader {
  readonly buffer: Buffer;
  at: number;
  end: number;

  constructor(buffer: Buffer, at: number, end: number) {
    this.buffer = buffer;
    this.at = at;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.at;
  }

  u8(field: string): number {
    this.need(1, field);
    return this.buffer[this.at++]!;
  }

  u16(field: string): number {
    this.need(2, field);
    const value = (this.buffer[this.at]! << 8) | this.buffer[this.at + 1]!;
    this.at += 2;
    return value;
  }

  u32(field: string): number {
    this.need(4, field);
    const value = this.buffer.readUInt32BE(this.at);
    this.at += 4;
    return value;
  }

  /** A variable byte integer; one that uses more bytes than needed is malformed [MQTT-1.5.5-1]. */
  varint(field: string): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.u8(field);
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (byte === 0 && shift > 0) throw new MalformedPacket(`${field} is not encoded in the fewest bytes`);
        return value;
      }
    }
    throw new MalformedPacket(`${field} is longer than four bytes`);
  }

  /** Moves past a UTF-8 Encoded String after checking it, and returns the offset of its first byte. */
  skipString(field: string): number {
    const length = this.u16(field);
    this.need(length, field);
    const start = this.at;
    if (!isValidString(this.buffer, start, start + length)) {
      throw new MalformedPacket(`${field} ${stringFault(this.buffer, start, start + length)}`);
    }
    this.at = start + length;
    return start;
  }

  string(field: string): string {
    const start = this.skipString(field);
    return this.buffer.toString('utf8', start, this.at);
  }

  /** Binary Data as a view of the packet. */
  binary(field: string): Buffer {
    const length = this.u16(field);
    this.need(length, field);
    const start = this.at;
    this.at = start + length;
    return this.buffer.subarray(start, this.at);
  }

  /** Fails unless the whole body was read. */
  finish(packet: string): void {
    if (this.at !== this.end)
      throw new MalformedPacket(`${packet} has ${this.end - this.at} bytes behind its last field`);
  }

  private need(length: number, field: string): void {
    if (this.at + length > this.end) throw new MalformedPacket(`${field} is cut short`);
  }
}
