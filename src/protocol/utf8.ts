// Validity of UTF-8 Encoded Strings [MQTT-1.5.4-1, MQTT-1.5.4-2, MQTT3-1.5.3-1, MQTT3-1.5.3-2]: no ill-formed bytes (so no
// surrogates) and no U+0000. Control characters and non-characters are refused too: the standards say that strings should
// not have them and leave it to the receiver (section 1.5.4); Mosquitto takes them for malformed. U+FEFF is a character like
// any other and never taken off [MQTT-1.5.4-3, MQTT3-1.5.3-3].
import { isUtf8 } from 'node:buffer';

/** Whether buffer[start, end) may be the content of a UTF-8 Encoded String. */
export function isValidString(buffer: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = buffer[i]!;
    if (byte < 0x20 || byte === 0x7f) return false;
    if (byte > 0x7f) return isValidTail(buffer.subarray(i, end));
  }
  return true;
}

/** The slow path: from the first byte on that is not ASCII. */
function isValidTail(tail: Buffer): boolean {
  if (!isUtf8(tail)) return false;
  for (let i = 0; i < tail.length; i++) {
    const byte = tail[i]!;
    if (byte < 0x20 || byte === 0x7f) return false;
    if (byte < 0xc2) continue;
    if (byte === 0xc2 ? tail[i + 1]! < 0xa0 : byte >= 0xef && isNonCharacter(tail, i, byte)) return false;
  }
  return true;
}

/** Whether the well-formed sequence at `at` stands for U+FDD0 to U+FDEF, or for one of the last two of a plane. */
function isNonCharacter(bytes: Buffer, at: number, lead: number): boolean {
  const second = bytes[at + 1]!;
  const third = bytes[at + 2]!;
  if (lead === 0xef) {
    return (second === 0xb7 && third >= 0x90 && third <= 0xaf) || (second === 0xbf && third >= 0xbe);
  }
  return (second & 0x0f) === 0x0f && third === 0xbf && bytes[at + 3]! >= 0xbe;
}

const FORBIDDEN = /[\p{Cc}\p{Noncharacter_Code_Point}]/u;

/** What is wrong with buffer[start, end), which is no valid string: the words that go on behind the field's name. */
export function stringFault(buffer: Buffer, start: number, end: number): string {
  const bytes = buffer.subarray(start, end);
  if (!isUtf8(bytes)) return 'is not valid UTF-8';
  const found = FORBIDDEN.exec(bytes.toString('utf8'))?.[0].codePointAt(0) ?? 0;
  const kind =
    (found & 0xfffe) === 0xfffe || (found >= 0xfdd0 && found <= 0xfdef) ? 'non-character' : 'control character';
  return `contains the ${kind} U+${found.toString(16).toUpperCase().padStart(4, '0')}`;
}

/**
 * Whether a JavaScript string may be sent as a UTF-8 Encoded String: at most 65,535 bytes, well formed, without control
 * characters and non-characters.
 */
export function isSendableString(text: string): boolean {
  return isWellFormed(text) && !FORBIDDEN.test(text) && Buffer.byteLength(text) <= 65_535;
}

/** String.prototype.isWellFormed is newer than our language level: a lone surrogate does not survive encoding. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
