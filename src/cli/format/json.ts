// JSON output of the tools (%j and %J). A payload may hold any bytes, so JSON is built as a string with one character per
// byte ("binary" string): what is not text passes through unchanged, and everything else is UTF-8 in the end.
import type { ReceivedMessage } from '../../client/options.ts';
import { PROPERTIES, type Properties } from '../../protocol/properties.ts';
import { isoMicroseconds, type WallTime } from '../wall-time.ts';
import { asMosquitto20, cut } from './json-2-0.ts';

/** Containers within containers that a payload may have; the same limit as in Mosquitto's parser. */
const MAX_DEPTH = 1000;

/** Bytes of a payload that is taken apart: the values in it may take forty times as much. */
export const MAX_JSON = 32 * 1024 * 1024;
/** Bytes of a larger payload that are made a string at once. */
const PIECE = 1024 * 1024;
/** Tokens that are joined at once. */
const TOKENS = 4096;
/** Characters that indented JSON may have; a small text with deep objects may need any number of tabs. */
const MAX_LENGTH = 128 * 1024 * 1024;

/** How `messageJson` lays out its result. */
export interface JsonStyle {
  /** Takes the payload for JSON instead of for a string. */
  readonly parsePayload: boolean;
  /** Several lines, indented with tabs. */
  readonly pretty: boolean;
  /** Whose JSON it is like, to the byte: that of Mosquitto 2.0 or 2.1. */
  readonly compat: JsonCompat;
}

/** Versions of Mosquitto whose JSON differs. */
export type JsonCompat = '2.0' | '2.1';

const OPTION_NAMES = new Map<string, string>(PROPERTIES.map((row) => [row.name, row.option]));

/** One character per byte of the text's UTF-8 form. */
function binary(text: string): string {
  return Buffer.from(text).toString('latin1');
}

const quoted = (text: string): string => JSON.stringify(binary(text));

/** Mosquitto 2.0 ends a text at U+0000. */
function quotedBytes(bytes: Buffer, compat: JsonCompat): string {
  const text = bytes.toString('latin1');
  return JSON.stringify(compat === '2.0' ? cut(text) : text);
}

/** The value of user properties: one object in Mosquitto 2.0, with equal keys as they come. */
function userProperties(pairs: readonly (readonly [string, string])[], compat: JsonCompat): string {
  const members = pairs.map(([key, text]) => `${quoted(key)}:${quoted(text)}`);
  return compat === '2.0' ? `{${members.join(',')}}` : `[${members.map((member) => `{${member}}`).join(',')}]`;
}

/** One member of "properties". */
function propertyJson(name: string, value: unknown, compat: JsonCompat): string {
  if (name === 'userProperties') {
    return `"user-properties":${userProperties(value as readonly (readonly [string, string])[], compat)}`;
  }
  if (name === 'subscriptionIdentifiers') {
    const ids = value as readonly number[];
    return `"subscription-identifier":${ids.length === 1 ? ids[0] : JSON.stringify(ids)}`;
  }
  const key = JSON.stringify(OPTION_NAMES.get(name) ?? name);
  if (Buffer.isBuffer(value)) return `${key}:${quotedBytes(value, compat)}`;
  return `${key}:${typeof value === 'string' ? quoted(value) : String(value)}`;
}

function propertiesJson(properties: Properties, compat: JsonCompat): string {
  const members: string[] = [];
  for (const [name, value] of Object.entries(properties)) {
    if (value !== undefined) members.push(propertyJson(name, value, compat));
  }
  return members.length === 0 ? '' : `"properties":{${members.join(',')}},`;
}

/** The payload as a JSON value; null if it had to be JSON and is not. */
function payloadJson(payload: Buffer, { parsePayload, compat }: JsonStyle): string | null {
  if (payload.length === 0) return 'null';
  if (!parsePayload) return quotedBytes(payload, compat);
  if (payload.length > MAX_JSON) return null;
  const text = payload.toString('latin1');
  return compat === '2.0' ? asMosquitto20(text) : normalised(text);
}

/**
 * A message as one JSON object, without a line end. The members are tst, topic, qos, retain, payloadlen, mid (QoS > 0
 * only), properties (if there are any) and payload. Null if the payload had to be JSON and is not. `content` may
 * take the place of the payload, but not in payloadlen.
 */
export function messageJson(
  message: ReceivedMessage,
  time: WallTime,
  style: JsonStyle,
  content: Buffer = message.payload,
): Buffer | null {
  const { compat, pretty } = style;
  const isLarge = !style.parsePayload && content.length > MAX_JSON;
  const payload = isLarge ? '""' : payloadJson(content, style);
  if (payload === null) return null;
  const mid = message.qos > 0 ? `"mid":${message.id},` : '';
  const tst = isoMicroseconds(time);
  const text =
    `{"tst":"${compat === '2.0' ? tst.replace(/(?=[-+]\d{4}$)/, 'Z') : tst}","topic":${quoted(message.topic)},` +
    `"qos":${message.qos},"retain":${compat === '2.0' ? Number(message.retain) : message.retain},` +
    `"payloadlen":${message.payload.length},${mid}` +
    `${propertiesJson(message.properties, compat)}"payload":${payload}}`;
  const whole = pretty ? indented(text) : text;
  return isLarge ? withLarge(whole, content, compat) : Buffer.from(whole, 'latin1');
}

/** Puts a payload into the empty string at the end of a message: its characters may be more than one string of V8 holds. */
function withLarge(text: string, content: Buffer, compat: JsonCompat): Buffer {
  const at = text.lastIndexOf('""') + 1;
  const end = compat === '2.0' ? content.indexOf(0) : -1;
  const bytes = end < 0 ? content : content.subarray(0, end);
  const pieces = [Buffer.from(text.slice(0, at), 'latin1')];
  for (let start = 0; start < bytes.length; start += PIECE) {
    pieces.push(Buffer.from(JSON.stringify(bytes.toString('latin1', start, start + PIECE)).slice(1, -1), 'latin1'));
  }
  return Buffer.concat([...pieces, Buffer.from(text.slice(at), 'latin1')]);
}

/** JSON text without white space between its tokens; null if it is not JSON. */
export function normalised(text: string): string | null {
  try {
    JSON.parse(text);
    return layOut(text, false, MAX_DEPTH);
  } catch {
    return null;
  }
}

/** JSON text that `normalised` made, on several lines; as it is where that would take too many tabs. */
export function indented(text: string): string {
  try {
    return layOut(text, true, Number.POSITIVE_INFINITY);
  } catch {
    return text;
  }
}

/** The character that an escape sequence stands for where JSON lets it stand for itself, else the sequence. */
function plainEscape(sequence: string): string {
  return binary(JSON.stringify(JSON.parse(`"${sequence}"`)).slice(1, -1));
}

/** A string token with only the escape sequences that are needed. */
function plainString(token: string): string {
  if (!token.includes('\\')) return token;
  return token.replace(/(?:\\u[0-9a-f]{4})+|\\./gi, plainEscape);
}

/** A number token in its shortest form; one that is too large or too exact for a double stays as written. */
function plainNumber(token: string): string {
  const value = Number(token);
  const fits = Number.isFinite(value) && (/[.eE]/.test(token) || Number.isSafeInteger(value));
  if (Object.is(value, -0)) return '-0';
  return fits ? String(value) : token;
}

/** The index behind the string token that begins at `start`. */
function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at + 1;
}

/**
 * Writes valid JSON text anew, token by token (so that the order of members, equal keys and large numbers survive): in its
 * plainest form without white space, or with the tokens as they are and indented with tabs. Throws RangeError if it nests
 * more deeply than `deepest`, or gets too long.
 */
function layOut(json: string, pretty: boolean, deepest: number): string {
  const open: string[] = [];
  const indent = (): string => '\t'.repeat(open.length);
  const out = new Pieces();
  let isEmpty = false;
  for (let at = 0; at < json.length; ) {
    const char = json[at] as string;
    const first: boolean = isEmpty;
    isEmpty = false;
    switch (char) {
      case ' ':
      case '\t':
      case '\n':
      case '\r':
        isEmpty = first;
        at += 1;
        continue;
      case '{':
      case '[':
        if (open.length >= deepest) throw new RangeError('nested too deeply');
        if (pretty && first && open.at(-1) === '{') out.add(indent());
        out.add(pretty && char === '{' ? '{\n' : char);
        open.push(char);
        isEmpty = true;
        break;
      case '}':
        open.pop();
        if (pretty) out.add(first ? indent() : `\n${indent()}`);
        out.add(char);
        break;
      case ']':
        open.pop();
        out.add(char);
        break;
      case ',':
        out.add(!pretty ? ',' : open.at(-1) === '{' ? `,\n${indent()}` : ', ');
        if (out.length > MAX_LENGTH) throw new RangeError('too long');
        break;
      case ':':
        out.add(pretty ? ':\t' : ':');
        break;
      case '"': {
        const end = endOfString(json, at);
        if (pretty && first && open.at(-1) === '{') out.add(indent());
        out.add(pretty ? json.slice(at, end) : plainString(json.slice(at, end)));
        at = end;
        continue;
      }
      default: {
        const word = /[^\s,\]}]+/y;
        word.lastIndex = at;
        const token = (word.exec(json) as RegExpExecArray)[0];
        out.add(!pretty && /^[-\d]/.test(token) ? plainNumber(token) : token);
        at = word.lastIndex;
        continue;
      }
    }
    at += 1;
  }
  return out.text();
}

/** Text that is put together of very many tokens, which would take many times its memory if they were just added. */
class Pieces {
  readonly #pieces: string[] = [];
  #tokens: string[] = [];
  length = 0;

  add(token: string): void {
    this.length += token.length;
    if (this.#tokens.push(token) < TOKENS) return;
    this.#pieces.push(this.#tokens.join(''));
    this.#tokens = [];
  }

  text(): string {
    return this.#pieces.join('') + this.#tokens.join('');
  }
}
