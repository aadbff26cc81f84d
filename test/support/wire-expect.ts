// What a scenario expects: open values filled in from what came, and the words for what was wrong.
import { decodePacket } from './wire-decode.ts';
import type { Version } from './wire-encode.ts';
import { numberOf, type PacketText, textOf, type Word } from './wire-text.ts';

/** A packet that refuses, with its reason string left open; `unexplained` says that there is none. */
export function explained({ name, words }: PacketText): PacketText {
  const isMark = (word: Word): boolean => word.key === null && !word.quoted && textOf(word) === 'unexplained';
  if (words.some(isMark)) return { name, words: words.filter((word) => !isMark(word)) };
  if (!refuses(name, words) || words.some(({ key }) => key === 'reason-string')) return { name, words };
  return { name, words: [...words, { key: 'reason-string', value: Buffer.from('?'), quoted: false }] };
}

/** Whether a packet has a reason code that refuses something. */
function refuses(name: string, words: readonly Word[]): boolean {
  return words.some(({ key, value, quoted }) => {
    const isCode = name === 'SUBACK' || name === 'UNSUBACK' ? key === null && !quoted : key === 'rc' || key === 'code';
    return isCode && numberOf(value) >= 0x80;
  });
}

/** Bytes in hexadecimal, quoted words as they are. */
export function bytesOf(words: readonly Word[]): Buffer {
  return Buffer.concat(words.map(({ value, quoted }) => (quoted ? value : hexBytes(value.toString()))));
}

function hexBytes(text: string): Buffer {
  if (!/^([0-9a-fA-F]{2})+$/.test(text)) throw new Error(`'${text}' is not hexadecimal`);
  return Buffer.from(text, 'hex');
}

/** The QoS that a PUBLISH's words name. */
export function qosOf(words: readonly Word[]): number {
  const flag = words.find((word) => word.key === null && !word.quoted && /^q[012]$/.test(textOf(word)));
  return flag === undefined ? 0 : Number(textOf(flag)[1]);
}

/** The expected packet with the values that the scenario leaves open, written `key=*`, taken from what came. */
export function filledIn(expected: PacketText, arrival: Buffer, version: Version): PacketText {
  if (expected.words.every((word) => !isOpen(word) && !isOptional(word))) return expected;
  const { words: got } = decodePacket(arrival, version);
  const words = expected.words.flatMap((word) => {
    if (!isOpen(word) && !isOptional(word)) return [word];
    const match = got.find(({ key }) => key === word.key);
    return match ?? (isOptional(word) ? [] : [word]);
  });
  return { name: expected.name, words };
}

const isOptional = (word: Word): boolean => word.key === 'reason-string' && !word.quoted && textOf(word) === '?';
const isOpen = (word: Word): boolean => word.key !== null && !word.quoted && textOf(word) === '*';

/** What a step that failed says. */
export function different(expected: string, got: string): Error {
  return new Error(`expected  ${expected}\n  got       ${got}`);
}
