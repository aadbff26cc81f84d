// What CBOR and MessagePack can say and JSON can't, in JSON: an object with a name that begins with `$` stands for it. Both
// directions: `jsonText` writes a value, `valueOf` reads what was written, or typed, back. What a sender's JSON says with
// such a name by chance is kept apart: a map with one of these names as a key is written as pairs.
import { PayloadFault } from './fault.ts';

/** A map, whatever its keys are, in its order and with equal keys. */
export class Entries {
  readonly pairs: readonly (readonly [Value, Value])[];

  constructor(pairs: readonly (readonly [Value, Value])[]) {
    this.pairs = pairs;
  }
}

/** A value with a number that says what it is: a tag or a simple value of CBOR, an extension of MessagePack; or undefined. */
export class Special {
  readonly name: '$tag' | '$simple' | '$ext' | '$undefined';
  readonly number: number | bigint;
  readonly content: Value;

  constructor(name: Special['name'], number: number | bigint, content: Value) {
    this.name = name;
    this.number = number;
    this.content = content;
  }
}

/** A value of JSON, CBOR or MessagePack. */
export type Value = null | boolean | number | bigint | string | Uint8Array | readonly Value[] | Entries | Special;

const NUMBERS: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);
const NAMES: readonly string[] = ['$bytes', '$number', '$map', '$tag', '$simple', '$ext', '$undefined'];

/** The JSON text of a value, without white space. */
export function jsonText(value: Value): string {
  switch (typeof value) {
    case 'number':
      return numberText(value);
    case 'string':
      return JSON.stringify(value);
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      return value === null ? 'null' : objectText(value);
  }
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) return `{"$number":"${value}"}`;
  // All digits would say that it is an integer, of which MessagePack has none so large.
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return value.toExponential();
  return Object.is(value, -0) ? '-0' : String(value);
}

function objectText(value: Uint8Array | readonly Value[] | Entries | Special): string {
  if (value instanceof Uint8Array) return `{"$bytes":"${base64(value)}"}`;
  if (value instanceof Entries) return mapText(value);
  if (!(value instanceof Special)) return `[${value.map(jsonText).join(',')}]`;
  const { name, number, content } = value;
  if (name === '$undefined') return '{"$undefined":true}';
  if (name === '$simple') return `{"$simple":${number}}`;
  if (name === '$ext') return `{"$ext":${number},"data":"${base64(content as Uint8Array)}"}`;
  return `{"$tag":${number},"value":${jsonText(content)}}`;
}

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

/** An object, if its keys are different texts that mean nothing else here; else the pairs. */
function mapText({ pairs }: Entries): string {
  const keys = new Set(pairs.map(([key]) => key));
  const isObject = keys.size === pairs.length && pairs.every(([key]) => isPlainKey(key));
  if (isObject) return `{${pairs.map(([key, value]) => `${jsonText(key)}:${jsonText(value)}`).join(',')}}`;
  return `{"$map":[${pairs.map(([key, value]) => `[${jsonText(key)},${jsonText(value)}]`).join(',')}]}`;
}

const isPlainKey = (key: Value): boolean => typeof key === 'string' && !NAMES.includes(key);

/** What an object of JSON stands for: something else where its first key is one of the names, else a map. Throws PayloadFault. */
export function objectValue(pairs: readonly (readonly [string, Value])[]): Value {
  const [name, first] = pairs[0] ?? ['', null];
  if (NAMES.includes(name)) {
    const second = pairs[1];
    const value = pairs.length > 2 ? undefined : named(name, first, second?.[0] ?? '', second?.[1] ?? null);
    if (value === undefined) throw new PayloadFault(`the object with "${name}" is not of the form ${FORMS[name]}`);
    return value;
  }
  const seen = new Set<string>();
  for (const [key] of pairs) {
    if (NAMES.includes(key)) throw new PayloadFault(`an object has "${key}" behind another key`);
    if (seen.has(key)) throw new PayloadFault(`an object has the key ${JSON.stringify(key)} twice`);
    seen.add(key);
  }
  return new Entries(pairs);
}

const FORMS: Readonly<Record<string, string>> = {
  $bytes: '{"$bytes":"BASE64"}',
  $number: '{"$number":"NaN"}, "Infinity" or "-Infinity"',
  $map: '{"$map":[[KEY,VALUE],...]}',
  $tag: '{"$tag":NUMBER,"value":VALUE}',
  $simple: '{"$simple":NUMBER}',
  $ext: '{"$ext":NUMBER,"data":"BASE64"}',
  $undefined: '{"$undefined":true}',
};

/** The value of `{name:first}` or `{name:first,second:content}`; undefined where that means nothing. */
function named(name: string, first: Value, second: string, content: Value): Value | undefined {
  if (name === '$tag') return second === 'value' && isCount(first) ? new Special(name, first, content) : undefined;
  if (name === '$ext') {
    const data = second === 'data' ? bytes(content) : undefined;
    const fits = typeof first === 'number' && Number.isInteger(first) && first >= -128 && first <= 127;
    return fits && data !== undefined ? new Special(name, first, data) : undefined;
  }
  if (second !== '') return undefined;
  switch (name) {
    case '$bytes':
      return bytes(first);
    case '$number':
      return typeof first === 'string' ? NUMBERS.get(first) : undefined;
    case '$map':
      return isPairs(first) ? new Entries(first) : undefined;
    case '$simple':
      return isSimple(first) ? new Special(name, first, null) : undefined;
    default:
      return first === true ? new Special('$undefined', 0, null) : undefined;
  }
}

/** An integer of at most 64 bits without a sign. */
function isCount(value: Value): value is number | bigint {
  if (typeof value === 'bigint') return value >= 0n && value < 2n ** 64n;
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

/** The simple values of CBOR that have no other form. */
function isSimple(value: Value): value is number {
  if (typeof value !== 'number' || !Number.isInteger(value)) return false;
  return (value >= 0 && value < 20) || (value >= 32 && value <= 255);
}

function isPairs(value: Value): value is readonly (readonly [Value, Value])[] {
  return Array.isArray(value) && value.every((pair) => Array.isArray(pair) && pair.length === 2);
}

function bytes(value: Value): Uint8Array | undefined {
  if (typeof value !== 'string') return undefined;
  const content = Buffer.from(value, 'base64');
  return content.toString('base64') === value ? new Uint8Array(content) : undefined;
}
