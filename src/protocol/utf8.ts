// Validity of UTF-8 Encoded Strings [MQTT-1.5.4-1, MQTT-1.5.4-2]: no ill-formed bytes (so no surrogates) and no U+0000.
import { isUtf8 } from 'node:buffer';

/** Whether buffer[start, end) may be the content of a UTF-8 Encoded String. */
export function isValidString(buffer: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = buffer[i]!;
    if (byte === 0) return false;
    if (byte > 0x7f) return isValidTail(buffer.subarray(i, end));
  }
  return true;
}

/** The slow path: from the first byte on that is not ASCII. */
function isValidTail(tail: Buffer): boolean {
  return isUtf8(tail) && !tail.includes(0);
}

/** Whether a JavaScript string may be sent as a UTF-8 Encoded String: at most 65,535 bytes, well formed, no U+0000. */
export function isSendableString(text: string): boolean {
  return isWellFormed(text) && !text.includes('\u0000') && Buffer.byteLength(text) <= 65_535;
}

/** String.prototype.isWellFormed is newer than our language level: a lone surrogate does not survive encoding. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
