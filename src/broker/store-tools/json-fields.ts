// Takes the members of a JSON object one by one, and says which is not as it has to be.
import { base64Name } from './export-format.ts';

/** A line that is not what it has to be; the message says why, and goes on from the line's number. */
export class BadLine extends Error {}

/** The members of an object. What is absent reads as null, false or empty where that has a meaning. */
export class Fields {
  private readonly members: Readonly<Record<string, unknown>>;
  private readonly where: string;
  private readonly left: Set<string>;

  /** @param where what the object is within its line; empty for the line itself. Throws BadLine if it is no object. */
  constructor(value: unknown, where = '') {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new BadLine(where === '' ? 'it is no object' : `"${where}" must be an object`);
    }
    this.members = value as Record<string, unknown>;
    this.where = where;
    this.left = new Set(Object.keys(value));
  }

  get names(): string[] {
    return Object.keys(this.members);
  }

  text(name: string): string {
    return this.textOrNull(name) ?? this.fail(name, 'must be a text');
  }

  textOrNull(name: string): string | null {
    const value = this.take(name);
    if (value === undefined || value === null) return null;
    if (typeof value !== 'string') return this.fail(name, 'must be a text');
    // Half of a surrogate pair is nothing that can be stored.
    return /\p{Surrogate}/u.test(value) ? this.fail(name, 'has a character that is none') : value;
  }

  /** A whole number from `least` to `most`; without `fallback` it must be there. */
  whole(name: string, least: number, most: number, fallback: number | null = null): number {
    const value = this.take(name) ?? fallback;
    if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
      return this.fail(name, `must be a whole number from ${least} to ${most}`);
    }
    return value as number;
  }

  flag(name: string): boolean {
    const value = this.take(name) ?? false;
    return typeof value === 'boolean' ? value : this.fail(name, 'must be true or false');
  }

  /** The place of a word in a list of words. */
  choice(name: string, words: readonly string[]): number {
    const place = words.indexOf(this.text(name));
    return place < 0 ? this.fail(name, `must be ${words.map((word) => `"${word}"`).join(' or ')}`) : place;
  }

  /** A time in milliseconds since 1970; 0 for none. */
  time(name: string): number {
    const text = this.textOrNull(name);
    if (text === null) return 0;
    const time = Date.parse(text);
    const isTime = /^[+-]?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text) && !Number.isNaN(time);
    return isTime ? time : this.fail(name, 'must be a time such as "2026-11-21T10:24:00.000Z"');
  }

  /** Bytes that are given as text, or in base64 under a name that ends so. */
  bytes(name: string): Buffer {
    const text = this.textOrNull(name);
    const base64 = this.textOrNull(base64Name(name));
    if ((text === null) === (base64 === null)) {
      return this.fail(name, `must be a text, or "${base64Name(name)}" instead`);
    }
    if (base64 === null) return Buffer.from(text!);
    const bytes = Buffer.from(base64, 'base64');
    return bytes.toString('base64') === base64 ? bytes : this.fail(base64Name(name), 'is no base64');
  }

  list(name: string): readonly unknown[] {
    const value = this.take(name) ?? [];
    return Array.isArray(value) ? value : this.fail(name, 'must be a list');
  }

  /** Each of a list of objects. */
  objects(name: string): Fields[] {
    return this.list(name).map((item, index) => new Fields(item, this.full(`${name}[${index}]`)));
  }

  object(name: string): Fields | null {
    const value = this.take(name);
    return value === undefined || value === null ? null : new Fields(value, this.full(name));
  }

  /** Throws BadLine if a member was not taken: it might have been meant to say something. */
  finish(): void {
    const [name] = this.left;
    if (name !== undefined) this.fail(name, 'is not known here');
  }

  /** The error that the object as a whole is. */
  fault(why: string): BadLine {
    return new BadLine(this.where === '' ? why : `"${this.where}" ${why}`);
  }

  fail(name: string, why: string): never {
    throw new BadLine(`"${this.full(name)}" ${why}`);
  }

  private take(name: string): unknown {
    this.left.delete(name);
    return Object.hasOwn(this.members, name) ? this.members[name] : undefined;
  }

  private full(name: string): string {
    return this.where === '' ? name : `${this.where}.${name}`;
  }
}
