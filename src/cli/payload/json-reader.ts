// Reads JSON (RFC 8259) without losing what JSON.parse does: digits of large integers, the order of keys, and the place of
// what is wrong.
import { faultAt, MAX_DEPTH, PayloadFault } from './fault.ts';
import { objectValue, type Value } from './values.ts';

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?/y;
const WORDS: readonly (readonly [string, Value])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
];

/** What the members of an object are together. */
type ObjectMaker = (pairs: readonly (readonly [string, Value])[]) => Value;

/** The value of a JSON text, and what objects with a `$` stand for. Throws PayloadFault that says what is wrong, and where. */
export function readJson(text: string): Value {
  return new Reader(text, objectValue).whole();
}

/** What is wrong with a text that JSON.parse does not take, and where. */
export function syntaxFault(text: string): PayloadFault {
  try {
    new Reader(text, () => null).whole();
  } catch (error) {
    if (error instanceof PayloadFault) return error;
    throw error;
  }
  return new PayloadFault('it has a mistake somewhere');
}

class Reader {
  readonly #text: string;
  readonly #objectOf: ObjectMaker;
  #at = 0;

  constructor(text: string, objectOf: ObjectMaker) {
    this.#text = text;
    this.#objectOf = objectOf;
  }

  whole(): Value {
    const value = this.#value(0);
    this.#match(SPACE);
    if (this.#at < this.#text.length) throw this.#unexpected();
    return value;
  }

  #value(depth: number): Value {
    this.#match(SPACE);
    const first = this.#text.charAt(this.#at);
    if (first === '"') return this.#string();
    if (first === '[' || first === '{') {
      if (depth === MAX_DEPTH) throw faultAt(this.#text, this.#at, `it nests more than ${MAX_DEPTH} deep`);
      return first === '[' ? this.#array(depth + 1) : this.#object(depth + 1);
    }
    for (const [word, value] of WORDS) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    return this.#number();
  }

  #array(depth: number): Value[] {
    const items: Value[] = [];
    this.#items(']', () => items.push(this.#value(depth)));
    return items;
  }

  #object(depth: number): Value {
    const start = this.#at;
    const pairs: [string, Value][] = [];
    this.#items('}', () => {
      if (this.#text.charAt(this.#at) !== '"') throw this.#unexpected();
      const key = this.#string();
      this.#match(SPACE);
      if (this.#text.charAt(this.#at) !== ':') throw this.#unexpected();
      this.#at += 1;
      pairs.push([key, this.#value(depth)]);
    });
    try {
      return this.#objectOf(pairs);
    } catch (error) {
      throw faultAt(this.#text, start, (error as Error).message);
    }
  }

  /** What stands in a container, between commas. */
  #items(last: string, item: () => void): void {
    this.#at += 1;
    this.#match(SPACE);
    if (this.#text.charAt(this.#at) === last) {
      this.#at += 1;
      return;
    }
    for (;;) {
      item();
      this.#match(SPACE);
      const next = this.#text.charAt(this.#at);
      if (next !== ',' && next !== last) throw this.#unexpected();
      this.#at += 1;
      if (next === last) return;
      this.#match(SPACE);
    }
  }

  #string(): string {
    const start = this.#at;
    let end = start + 1;
    while (end < this.#text.length && this.#text.charAt(end) !== '"') end += this.#text.charAt(end) === '\\' ? 2 : 1;
    this.#at = end + 1;
    const text = parsedString(this.#text.slice(start, this.#at));
    if (text === null) throw faultAt(this.#text, start, 'a string without end, or with a bad character or escape,');
    if (/\p{Surrogate}/u.test(text)) throw faultAt(this.#text, start, 'a string has half of a surrogate pair');
    return text;
  }

  /** Integers that a double does not hold come as bigint. */
  #number(): number | bigint {
    const start = this.#at;
    const match = this.#match(NUMBER);
    if (match === null) throw this.#unexpected();
    const value = Number(match[0]);
    if (match[1] === undefined && match[2] === undefined && !Number.isSafeInteger(value)) return BigInt(match[0]);
    if (!Number.isFinite(value)) throw faultAt(this.#text, start, 'a number is too large');
    return value;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    this.#at += match?.[0].length ?? 0;
    return match;
  }

  #unexpected(): Error {
    const code = this.#text.codePointAt(this.#at);
    const what = code === undefined ? 'it ends too early' : `unexpected ${JSON.stringify(String.fromCodePoint(code))}`;
    return faultAt(this.#text, this.#at, what);
  }
}

function parsedString(token: string): string | null {
  try {
    return JSON.parse(token);
  } catch {
    return null;
  }
}
