// The format of the store's files. A segment is a header and records; records come in groups, and a group ends with a commit
// record that says how many there were. All numbers are big-endian.
//
//   file    <number, 10 digits>-<salt, 8 hex digits>.seg
//   header  "mqttlog\n"  u32 version  u32 number  u32 salt  f64 number of its first group  u32 crc of the bytes before
//   record  u32 salt  u32 crc of all that follows  u8 type  u8 0  u16 0  u32 length of the body  body
//   note    a record of type 127: f64 number of the group that the log begins with since then; all before was cleaned away
//   commit  a record of type 0: f64 group number  u32 records in the group  u32 bytes of the group before this record
//
// The salt is drawn at random when a store is made. After damage the reader looks for the next record by its salt: without
// it a publisher could write a payload that looks like records of its own choice, and damage would bring them to life.
import { crc32 } from 'node:zlib';

export const HEADER_LENGTH = 32;
export const HEAD_LENGTH = 16;
/** Where in its head the bytes of a record begin that its check covers. */
const CHECKED_FROM = 8;
const COMMIT = 0;
/** The log's own note: which group it begins with, since all before that was cleaned away. */
export const BEGINNING = 127;
export const COMMIT_LENGTH = HEAD_LENGTH + 16;
export const VERSION = 1;
const MAGIC = Buffer.from('mqttlog\n');

/** The name of a segment's file. */
export function segmentName(number: number, salt: number): string {
  return `${String(number).padStart(10, '0')}-${salt.toString(16).padStart(8, '0')}.seg`;
}

/** Number and salt in the name of a segment's file; null for another file. */
export function parseSegmentName(name: string): { readonly number: number; readonly salt: number } | null {
  const match = /^(\d{10})-([0-9a-f]{8})\.seg$/.exec(name);
  // Segments are counted from 1 on.
  if (match === null || Number(match[1]) === 0) return null;
  return { number: Number(match[1]), salt: Number.parseInt(match[2]!, 16) };
}

/** The header of a segment whose first group will be this one. */
export function segmentHeader(number: number, salt: number, group: number): Buffer {
  const header = Buffer.alloc(HEADER_LENGTH);
  MAGIC.copy(header);
  header.writeUInt32BE(VERSION, 8);
  header.writeUInt32BE(number, 12);
  header.writeUInt32BE(salt, 16);
  header.writeDoubleBE(group, 20);
  header.writeUInt32BE(crc32(header.subarray(0, 28)), 28);
  return header;
}

/** What a header says: 'whole', 'damaged', or the version of a newer program that must not be touched. */
export function checkHeader(bytes: Buffer): 'whole' | 'damaged' | number {
  if (bytes.length < HEADER_LENGTH || !bytes.subarray(0, 8).equals(MAGIC)) return 'damaged';
  if (crc32(bytes.subarray(0, 28)) !== bytes.readUInt32BE(28)) return 'damaged';
  const version = bytes.readUInt32BE(8);
  return version === VERSION ? 'whole' : version;
}

/** The number of the segment that a header was written for. */
export const segmentOf = (header: Buffer): number => header.readUInt32BE(12);

/** The number of the first group that a segment was made for. */
export const firstGroupOf = (header: Buffer): number => header.readDoubleBE(20);

/** Builds one group after the other in a buffer that can be handed to another thread. */
export class GroupWriter {
  private buffer: Buffer;
  private at: number;
  private start: number;
  private isOpen: boolean;
  private readonly salt: number;
  /** Records of the group so far. */
  count: number;

  constructor(salt: number, size = 64 * 1024) {
    this.salt = salt;
    this.buffer = Buffer.allocUnsafeSlow(size);
    this.at = 0;
    this.start = 0;
    this.isOpen = false;
    this.count = 0;
  }

  /** Bytes of the group so far. */
  get length(): number {
    return this.at;
  }

  /** Begins a record, which ends the one before; types are 1 to 126. */
  begin(type: number): void {
    this.end();
    this.reserve(HEAD_LENGTH);
    const { buffer, at } = this;
    this.start = at;
    buffer.writeUInt32BE(this.salt, at);
    buffer.writeUInt32BE((type << 24) >>> 0, at + 8);
    this.at = at + HEAD_LENGTH;
    this.isOpen = true;
    this.count += 1;
  }

  /** Ends the record, if one is open: fields can be added to it until then. Returns its length with its head. */
  end(): number {
    if (!this.isOpen) return 0;
    this.isOpen = false;
    const { buffer, start, at } = this;
    buffer.writeUInt32BE(at - start - HEAD_LENGTH, start + 12);
    buffer.writeUInt32BE(crc32(buffer.subarray(start + CHECKED_FROM, at)), start + 4);
    return at - start;
  }

  u8(value: number): void {
    this.reserve(1);
    this.buffer[this.at++] = value;
  }

  u16(value: number): void {
    this.reserve(2);
    this.at = this.buffer.writeUInt16BE(value, this.at);
  }

  u32(value: number): void {
    this.reserve(4);
    this.at = this.buffer.writeUInt32BE(value, this.at);
  }

  /** A number beyond 32 bits: an identity, a sequence or a time in milliseconds. */
  f64(value: number): void {
    this.reserve(8);
    this.at = this.buffer.writeDoubleBE(value, this.at);
  }

  /** Bytes with their length in front. */
  bytes(source: Uint8Array, start = 0, end = source.length): void {
    this.reserve(4 + end - start);
    this.at = this.buffer.writeUInt32BE(end - start, this.at);
    this.buffer.set(start === 0 && end === source.length ? source : source.subarray(start, end), this.at);
    this.at += end - start;
  }

  /** Text with its length in front. */
  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.reserve(4 + length);
    this.at = this.buffer.writeUInt32BE(length, this.at);
    this.at += this.buffer.write(value, this.at, 'utf8');
  }

  /** Closes the group and gives its bytes away; `spare` is the buffer of a group that is done with, for the next one. */
  take(group: number, spare: Buffer | null): Buffer {
    this.end();
    const count = this.count;
    const length = this.at;
    this.begin(COMMIT);
    this.f64(group);
    this.u32(count);
    this.u32(length);
    this.end();
    const bytes = this.buffer.subarray(0, this.at);
    this.buffer = spare ?? Buffer.allocUnsafeSlow(64 * 1024);
    this.at = 0;
    this.count = 0;
    return bytes;
  }

  private reserve(length: number): void {
    if (this.at + length <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.at + length));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }
}

/** Notes in a group which one the log begins with. */
export function noteBeginning(to: GroupWriter, group: number): void {
  to.begin(BEGINNING);
  to.f64(group);
  to.end();
}

/** Kinds of stretches. */
export const GROUP = 0;
export const LOOSE = 1;
export const DAMAGE = 2;

/** A part of a segment. */
export interface Stretch {
  /** GROUP: whole, with its commit record. LOOSE: whole records of a group that is not whole. DAMAGE: neither. */
  readonly kind: typeof GROUP | typeof LOOSE | typeof DAMAGE;
  /** Number of the group; of LOOSE, that of the commit record at its end, which speaks for more than is left; 0 without. */
  readonly group: number;
  readonly start: number;
  readonly end: number;
  /** Where its records begin. */
  readonly records: readonly number[];
}

/** Divides a segment into its stretches. What is damaged goes on to the next record that is whole. */
export function stretchesOf(bytes: Buffer, salt: number): Stretch[] {
  const mark = Buffer.alloc(4);
  mark.writeUInt32BE(salt);
  const found: Stretch[] = [];
  let records: number[] = [];
  let start = Math.min(HEADER_LENGTH, bytes.length);
  const close = (kind: Stretch['kind'], group: number, end: number) => {
    if (end > start) found.push({ kind, group, start, end, records });
    records = [];
    start = end;
  };
  for (let at = start; at < bytes.length; ) {
    const end = recordEnd(bytes, at, salt);
    if (end === 0) {
      close(LOOSE, 0, at);
      at = nextRecord(bytes, at + 1, salt, mark);
      close(DAMAGE, 0, at);
      continue;
    }
    if (typeOf(bytes, at) === COMMIT) {
      const body = at + HEAD_LENGTH;
      const group = bytes.readDoubleBE(body);
      const isWhole = bytes.readUInt32BE(body + 8) === records.length && bytes.readUInt32BE(body + 12) === at - start;
      // A group that lost its beginning keeps what is left; the gap in the numbers tells of the loss.
      if (isWhole) close(GROUP, group, end);
      else close(LOOSE, group, end);
    } else records.push(at);
    at = end;
  }
  close(LOOSE, 0, bytes.length);
  return found;
}

/** Type of the record that begins at `at`. */
export const typeOf = (bytes: Buffer, at: number): number => bytes[at + 8]!;

/** Offset behind the record that begins at `at`, which is known to be whole. */
export const endOf = (bytes: Buffer, at: number): number => at + HEAD_LENGTH + bytes.readUInt32BE(at + 12);

/** Offset behind the whole record that begins at `at`; 0 where there is none. */
function recordEnd(bytes: Buffer, at: number, salt: number): number {
  if (at + HEAD_LENGTH > bytes.length || bytes.readUInt32BE(at) !== salt) return 0;
  const end = endOf(bytes, at);
  if (end > bytes.length) return 0;
  if (typeOf(bytes, at) === COMMIT && end - at !== COMMIT_LENGTH) return 0;
  return crc32(bytes.subarray(at + CHECKED_FROM, end)) === bytes.readUInt32BE(at + 4) ? end : 0;
}

/** Whether the bytes from `at` on are the beginning of a record whose rest is not there any more, or not yet. */
export function isBeginning(bytes: Buffer, at: number, salt: number): boolean {
  if (at + HEAD_LENGTH > bytes.length) return true;
  return bytes.readUInt32BE(at) === salt && endOf(bytes, at) > bytes.length;
}

function nextRecord(bytes: Buffer, from: number, salt: number, mark: Buffer): number {
  for (let at = bytes.indexOf(mark, from); at >= 0; at = bytes.indexOf(mark, at + 1)) {
    if (recordEnd(bytes, at, salt) !== 0) return at;
  }
  return bytes.length;
}

/** Bytes where they lie in a file. */
export interface Part {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Reads the fields of a record in the order in which GroupWriter wrote them. */
export class RecordReader {
  private readonly bytes: Buffer;
  private at: number;
  private readonly end: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get isAtEnd(): boolean {
    return this.at >= this.end;
  }

  u8(): number {
    return this.bytes[this.step(1)]!;
  }

  u16(): number {
    return this.bytes.readUInt16BE(this.step(2));
  }

  u32(): number {
    return this.bytes.readUInt32BE(this.step(4));
  }

  f64(): number {
    return this.bytes.readDoubleBE(this.step(8));
  }

  /** A copy, so that the file's bytes are not kept. */
  copy(): Buffer {
    const length = this.u32();
    const start = this.step(length);
    const copy = Buffer.allocUnsafeSlow(length);
    this.bytes.copy(copy, 0, start, start + length);
    return copy;
  }

  /** Not a copy: the caller makes one of what it keeps. */
  part(): Part {
    const length = this.u32();
    const start = this.step(length);
    return { buffer: this.bytes, start, end: start + length };
  }

  text(): string {
    const length = this.u32();
    const start = this.step(length);
    return this.bytes.toString('utf8', start, start + length);
  }

  private step(length: number): number {
    const start = this.at;
    // A record that is whole but too short comes from a program with another idea of it.
    if (start + length > this.end) throw new RangeError('a record of the store is shorter than its type asks');
    this.at = start + length;
    return start;
  }
}
