// What the tools of Mosquitto 2.0 make of a payload that is JSON (%J with --json-compat 2.0). Their parser takes more than
// JSON: leading zeros, a byte order mark, control characters in strings and as white space; and it loses what does not fit a
// double, and what follows U+0000 in a string. All of it is matched, as it is what the option is for.

/** Containers within containers. */
const MAX_DEPTH = 1000;
const BYTE_ORDER_MARK = '\u00ef\u00bb\u00bf';

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** The text is none that Mosquitto 2.0 takes. */
class NotJson extends Error {}

/**
 * The text of a JSON value as Mosquitto 2.0 prints it, without white space; null if it takes it for none. Both have one
 * character for each byte.
 */
export function asMosquitto20(text: string): string | null {
  try {
    return new Reader(text).whole();
  } catch (error) {
    if (error instanceof NotJson) return null;
    throw error;
  }
}

/** Walks through a text once, and writes it anew. */
class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): string {
    if (this.#text.includes('\0')) throw new NotJson();
    if (this.#text.startsWith(BYTE_ORDER_MARK)) this.#at = BYTE_ORDER_MARK.length;
    this.#skipSpace();
    const value = this.#value();
    this.#skipSpace();
    if (this.#at < this.#text.length) throw new NotJson();
    return value;
  }

  #skipSpace(): void {
    while (this.#text.charCodeAt(this.#at) <= 0x20) this.#at += 1;
  }

  #value(): string {
    const first = this.#text.charAt(this.#at);
    if (first === '"') return this.#string();
    if (first === '[') return this.#container(']', () => this.#value());
    if (first === '{') return this.#container('}', () => this.#member());
    for (const word of ['null', 'false', 'true']) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return word;
    }
    return this.#number();
  }

  #container(last: ']' | '}', item: () => string): string {
    if (this.#depth === MAX_DEPTH) throw new NotJson();
    this.#depth += 1;
    const first = this.#text.charAt(this.#at);
    const items: string[] = [];
    do {
      this.#at += 1;
      this.#skipSpace();
      if (items.length === 0 && this.#text.charAt(this.#at) === last) break;
      items.push(item());
      this.#skipSpace();
    } while (this.#text.charAt(this.#at) === ',');
    if (this.#text.charAt(this.#at) !== last) throw new NotJson();
    this.#at += 1;
    this.#depth -= 1;
    return `${first}${items.join(',')}${last}`;
  }

  #member(): string {
    const name = this.#string();
    this.#skipSpace();
    if (this.#text.charAt(this.#at) !== ':') throw new NotJson();
    this.#at += 1;
    this.#skipSpace();
    return `${name}:${this.#value()}`;
  }

  #number(): string {
    // strtod(3) takes as much as makes a number.
    const characters = /-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/y;
    characters.lastIndex = this.#at;
    const number = this.#text[this.#at] === '.' ? null : characters.exec(this.#text);
    if (number === null) throw new NotJson();
    this.#at += number[0].length;
    return numberText(Number(number[0]));
  }

  #string(): string {
    if (this.#text.charAt(this.#at) !== '"') throw new NotJson();
    let end = this.#at + 1;
    while (this.#text.charAt(end) !== '"') {
      if (end >= this.#text.length) throw new NotJson();
      end += this.#text.charAt(end) === '\\' ? 2 : 1;
    }
    const content = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return JSON.stringify(cut(content.includes('\\') ? unescaped(content) : content));
  }
}

/** The text up to its first U+0000, where a string of C ends. */
export function cut(text: string): string {
  const end = text.indexOf('\0');
  return end === -1 ? text : text.slice(0, end);
}

/** The content of a string without escape sequences. */
function unescaped(content: string): string {
  let text = '';
  for (let at = 0; at < content.length; ) {
    const next = content.indexOf('\\', at);
    if (next === -1) return text + content.slice(at);
    text += content.slice(at, next);
    const letter = content.charAt(next + 1);
    const plain = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
    if (plain !== undefined) {
      text += plain;
      at = next + 2;
      continue;
    }
    const [character, length] = unicode(content, next);
    text += Buffer.from(character).toString('latin1');
    at = next + length;
  }
  return text;
}

/** The character of `\uXXXX`, or of a pair of them, and the length of the sequence. */
function unicode(content: string, at: number): [string, number] {
  const first = codeUnit(content, at);
  if (first < 0xd800 || first > 0xdfff) return [String.fromCharCode(first), 6];
  const second = first < 0xdc00 ? codeUnit(content, at + 6) : 0;
  if (second < 0xdc00 || second > 0xdfff) throw new NotJson();
  return [String.fromCharCode(first, second), 12];
}

/** Four characters that are no hexadecimal digits count as zero. */
function codeUnit(content: string, at: number): number {
  if (content.charAt(at) !== '\\' || content.charAt(at + 1) !== 'u' || content.length < at + 6) throw new NotJson();
  const digits = content.slice(at + 2, at + 6);
  return /^[0-9a-fA-F]{4}$/.test(digits) ? Number.parseInt(digits, 16) : 0;
}

/** 15 digits where they make the same number but for the last bit, else 17; null for what is infinite. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  // Most numbers are small integers, and the way below takes microseconds for each.
  if (Number.isInteger(value) && Math.abs(value) < 1e15 && value !== 0) return String(value);
  const short = general(value, 15);
  const again = Number(short);
  const size = Math.max(Math.abs(value), Math.abs(again));
  return Math.abs(value - again) <= size * Number.EPSILON ? short : general(value, 17);
}

/** A finite number as printf("%.*g") writes it. */
function general(value: number, precision: number): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  if (value === 0) return `${sign}0`;
  const [mantissa = '', power = ''] = rounded(Math.abs(value), precision).split('e');
  const exponent = Number(power);
  const digits = mantissa.replace('.', '');
  if (exponent < -4 || exponent >= precision) {
    const size = String(Math.abs(exponent)).padStart(2, '0');
    return `${sign}${withoutZeros(mantissa)}e${exponent < 0 ? '-' : '+'}${size}`;
  }
  if (exponent < 0) return `${sign}${withoutZeros(`0.${'0'.repeat(-exponent - 1)}${digits}`)}`;
  return sign + withoutZeros(`${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`);
}

/** `toExponential` with ties to the even digit, as in C. More than 60 digits that end in a 5 no such tie has. */
function rounded(value: number, precision: number): string {
  const text = value.toExponential(precision - 1);
  const exact = value.toExponential(60);
  const end = precision + 1;
  if (!/^50*e/.test(exact.slice(end)) || Number(exact.charAt(end - 1)) % 2 === 1) return text;
  return exact.slice(0, end) + exact.slice(exact.indexOf('e'));
}

/** A number with a point loses the zeros at its end, and the point. */
const withoutZeros = (text: string): string => text.replace(/\.?0*$/, '');
