// The stamp in a payload: which run, which publisher, the message's number and when it was sent. Twenty bytes, or forty
// hexadecimal digits where the payload is text:
//
//   0  the letters "mqbs"                      8  number of the publisher
//   4  mark of the clock (clock.ts), 16 bits  12  number of the message, from 0
//   6  number of the run, 16 bits             16  microseconds of the clock, the lowest 32 bits

/** Bytes of a stamp. */
export const STAMP_SIZE = 20;
/** Digits of a stamp in text. */
export const STAMP_DIGITS = 40;

const MAGIC = 0x6d716273;
const MAGIC_DIGITS = MAGIC.toString(16);

/** What a stamp says. One object is filled again and again. */
export interface Stamp {
  /** Clock and run as one number of 32 bits. */
  run: number;
  publisher: number;
  sequence: number;
  time: number;
}

/** Writes all of a stamp but its number and time, which change with every message. */
export function writeStampHead(bytes: Buffer, at: number, isText: boolean, run: number, publisher: number): void {
  const stamp = Buffer.alloc(STAMP_SIZE);
  stamp.writeUInt32BE(MAGIC, 0);
  stamp.writeUInt32BE(run >>> 0, 4);
  stamp.writeUInt32BE(publisher, 8);
  if (isText) bytes.write(stamp.toString('hex'), at, 'latin1');
  else bytes.set(stamp, at);
}

const DIGITS: Uint8Array = Buffer.from('0123456789abcdef');

/** Writes a message's number and time into its stamp at `at`. */
export function writeStampTail(bytes: Uint8Array, at: number, isText: boolean, sequence: number, time: number): void {
  if (isText) {
    writeDigits(bytes, at + 24, sequence);
    writeDigits(bytes, at + 32, time);
    return;
  }
  bytes[at + 12] = sequence >>> 24;
  bytes[at + 13] = sequence >>> 16;
  bytes[at + 14] = sequence >>> 8;
  bytes[at + 15] = sequence;
  bytes[at + 16] = time >>> 24;
  bytes[at + 17] = time >>> 16;
  bytes[at + 18] = time >>> 8;
  bytes[at + 19] = time;
}

function writeDigits(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 7, rest = value; i >= 0; i--, rest >>>= 4) bytes[at + i] = DIGITS[rest & 15]!;
}

/** Reads the stamp of a payload, bytes[start, end): at its beginning, or as text anywhere in it. False where there is none. */
export function readStamp(stamp: Stamp, bytes: Buffer, start: number, end: number): boolean {
  if (end - start < STAMP_SIZE) return false;
  if (bytes[start] === 0x6d && word(bytes, start) === MAGIC) {
    stamp.run = word(bytes, start + 4);
    stamp.publisher = word(bytes, start + 8);
    stamp.sequence = word(bytes, start + 12);
    stamp.time = word(bytes, start + 16);
    return true;
  }
  return end - start >= STAMP_DIGITS && readText(stamp, bytes.subarray(start, end));
}

function readText(stamp: Stamp, payload: Buffer): boolean {
  const at = payload.indexOf(MAGIC_DIGITS, 0, 'latin1');
  if (at < 0 || at + STAMP_DIGITS > payload.length) return false;
  const digits = payload.toString('latin1', at, at + STAMP_DIGITS);
  if (!/^[0-9a-f]+$/.test(digits)) return false;
  stamp.run = Number.parseInt(digits.slice(8, 16), 16);
  stamp.publisher = Number.parseInt(digits.slice(16, 24), 16);
  stamp.sequence = Number.parseInt(digits.slice(24, 32), 16);
  stamp.time = Number.parseInt(digits.slice(32, 40), 16);
  return true;
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
