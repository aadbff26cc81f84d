// The words of a wire scenario's line. A word is what stands between blanks, glued together as in a shell: plain
// characters, and strings in double quotes with \" \\ \n \t \xNN, which *N behind the closing quote repeats. A word
// whose plain start reads `key=` is a field, any other a bare word. Values are bytes, since packets are.

/** A word of a line. */
export interface Word {
  /** The name in front of '=', null for a bare word. */
  readonly key: string | null;
  readonly value: Buffer;
  /** Whether a part of it was quoted: only then may it be empty, and it is never a flag. */
  readonly quoted: boolean;
}

/** The packet that a line describes. */
export interface PacketText {
  /** For example 'CONNECT'. */
  readonly name: string;
  readonly words: readonly Word[];
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', '"': '"', '\\': '\\' };

/** Cuts a text into words; throws a sentence about a text that is none. */
export function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] === ' ') {
      at += 1;
      continue;
    }
    const key = /^([a-z][a-z0-9.-]*)=/.exec(text.slice(at));
    if (key !== null) at += key[0].length;
    const parts: Buffer[] = [];
    let quoted = false;
    while (at < text.length && text[at] !== ' ') {
      if (text[at] === '"') {
        const string = readString(text, at);
        parts.push(string.bytes);
        at = string.end;
        quoted = true;
      } else {
        const plain = /^[^ "]+/.exec(text.slice(at))?.[0] ?? '';
        parts.push(Buffer.from(plain));
        at += plain.length;
      }
    }
    words.push({ key: key?.[1] ?? null, value: Buffer.concat(parts), quoted });
  }
  return words;
}

function readString(text: string, start: number): { bytes: Buffer; end: number } {
  const parts: Buffer[] = [];
  let at = start + 1;
  while (text[at] !== '"') {
    const char = text[at];
    if (char === undefined) throw new Error(`the string ${text.slice(start)} has no end`);
    if (char !== '\\') {
      const plain = /^[^"\\]+/.exec(text.slice(at))?.[0] ?? '';
      parts.push(Buffer.from(plain));
      at += plain.length;
      continue;
    }
    const hex = /^\\x([0-9a-fA-F]{2})/.exec(text.slice(at));
    const named = ESCAPES[text[at + 1] ?? ''];
    if (hex !== null) parts.push(Buffer.from(hex[1] ?? '', 'hex'));
    else if (named !== undefined) parts.push(Buffer.from(named));
    else throw new Error(`\\${text[at + 1] ?? ''} is no escape`);
    at += hex === null ? 2 : 4;
  }
  const repeat = /^\*([0-9]+)/.exec(text.slice(at + 1));
  const bytes = Buffer.concat(parts);
  if (repeat === null) return { bytes, end: at + 1 };
  const copies: Buffer[] = new Array(Number(repeat[1])).fill(bytes);
  return { bytes: Buffer.concat(copies), end: at + 1 + repeat[0].length };
}

/** The packet that words describe: its name first. */
export function packetOf(words: readonly Word[]): PacketText {
  const [name, ...rest] = words;
  if (name === undefined || !/^[A-Z]+$/.test(textOf(name))) throw new Error('a packet begins with its name');
  return { name: textOf(name), words: rest };
}

/** A word's value as text. */
export const textOf = (word: Word): string => word.value.toString();

/** A whole number, decimal or 0x…; throws a sentence about anything else. */
export function numberOf(value: Buffer | string): number {
  const text = value.toString();
  if (!/^(0x[0-9a-fA-F]+|[0-9]+)$/.test(text)) throw new Error(`'${text}' is no number`);
  return Number(text);
}

/** A value as a line shows it: quoted where it must be, long runs shortened. */
export function show(value: Buffer): string {
  const text = value.toString('latin1');
  if (/^[!#-~]+$/.test(text) && text.length <= 80) return text;
  return quote(value);
}

/** A value in quotes. */
export function quote(value: Buffer): string {
  const shown = value.length > 200 ? value.subarray(0, 200) : value;
  const body = shown.toString('latin1').replace(/[^ !#-[\]-~]/g, (char) => {
    return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return shown === value ? `"${body}"` : `"${body}"… (${value.length} bytes)`;
}
