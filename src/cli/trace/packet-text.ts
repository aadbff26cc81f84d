// Texts and bytes of packets for people: quoted and harmless for a terminal, or in hexadecimal where they are no text.
import { isUtf8 } from 'node:buffer';

/** Bytes of a text that are shown, and of what is none. */
const MOST_TEXT = 200;
const MOST_BYTES = 32;
/** Bytes of a packet that are shown, and how many a line. */
const MOST_DUMPED = 256;
const DUMP_LINE = 16;

/** A text in quotation marks, with escape sequences for what would not show itself. */
export function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`,
  );
}

/** The length of some bytes and what they are, cut to a limit: `5 bytes, "hello"`. */
export function described(bytes: Buffer): string {
  const length = counted(bytes.length, 'byte');
  if (bytes.length === 0) return length;
  if (!isUtf8(bytes) || /[^\P{Cc}\t\n\r]/u.test(bytes.toString('utf8', 0, MOST_TEXT))) {
    const hex = bytes.toString('hex', 0, MOST_BYTES).replace(/(..)(?=.)/g, '$1 ');
    return `${length}, ${hex}${bytes.length > MOST_BYTES ? ' …' : ''}`;
  }
  if (bytes.length <= MOST_TEXT) return `${length}, ${quoted(bytes.toString())}`;
  // The cut may go through a character.
  return `${length}, ${quoted(bytes.toString('utf8', 0, MOST_TEXT).replace(/\ufffd$/, ''))} …`;
}

/** `1 byte`, `2 bytes`. */
export function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** A part of a packet that is not to be seen: from, and up to but without. */
export type Secret = readonly [start: number, end: number];

/** Lines of hexadecimal digits and characters; secrets are stars. */
export function dump(packet: Buffer, length: number, secrets: readonly Secret[]): readonly string[] {
  const lines: string[] = [];
  const end = Math.min(packet.length, MOST_DUMPED);
  for (let start = 0; start < end; start += DUMP_LINE) {
    let hex = '';
    let text = '';
    for (let at = start; at < start + DUMP_LINE; at++) {
      const byte = at < end ? packet[at] : undefined;
      const isSecret = secrets.some(([from, to]) => at >= from && at < to);
      hex += at === start + DUMP_LINE / 2 ? ' ' : '';
      if (byte === undefined) hex += '   ';
      else hex += isSecret ? '** ' : `${byte.toString(16).padStart(2, '0')} `;
      if (byte !== undefined) text += isSecret ? '*' : byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
    }
    lines.push(`${start.toString(16).padStart(4, '0')}  ${hex} |${text}|`);
  }
  if (length > end) lines.push(`… ${counted(length - end, 'more byte')}`);
  return lines;
}
