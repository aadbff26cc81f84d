// JSON output of the tools (%j and %J). A payload may hold any bytes, so JSON is built as a string with one character per
// byte ("binary" string): what is not text passes through unchanged, and everything else is UTF-8 in the end.
import type { ReceivedMessage } from '../client/options.ts';
import { PROPERTIES, type Properties } from '../protocol/properties.ts';
import { isoMicroseconds, type WallTime } from './wall-time.ts';

/** Containers within containers that a payload may have; the same limit as in Mosquitto's parser. */
const MAX_DEPTH = 1000;

/** How `messageJson` lays out its result. */
export interface JsonStyle {
  /** Takes the payload for JSON instead of for a string. */
  readonly parsePayload: boolean;
  /** Several lines, indented with tabs. */
  readonly pretty: boolean;
}

const OPTION_NAMES = new Map<string, string>(PROPERTIES.map((row) => [row.name, row.option]));

/** One character per byte of the text's UTF-8 form. */
function binary(text: string): string {
  return Buffer.from(text).toString('latin1');
}

const quoted = (text: string): string => JSON.stringify(binary(text));
const quotedBytes = (bytes: Buffer): string => JSON.stringify(bytes.toString('latin1'));

/** One member of "properties". */
function propertyJson(name: string, value: unknown): string {
  if (name === 'userProperties') {
    const pairs = value as readonly (readonly [string, string])[];
    return `"user-properties":[${pairs.map(([key, text]) => `{${quoted(key)}:${quoted(text)}}`).join(',')}]`;
  }
  if (name === 'subscriptionIdentifiers') {
    const ids = value as readonly number[];
    return `"subscription-identifier":${ids.length === 1 ? ids[0] : JSON.stringify(ids)}`;
  }
  const key = JSON.stringify(OPTION_NAMES.get(name) ?? name);
  if (Buffer.isBuffer(value)) return `${key}:${quotedBytes(value)}`;
  return `${key}:${typeof value === 'string' ? quoted(value) : String(value)}`;
}

function propertiesJson(properties: Properties): string {
  const members: string[] = [];
  for (const [name, value] of Object.entries(properties)) {
    if (value !== undefined) members.push(propertyJson(name, value));
  }
  return members.length === 0 ? '' : `"properties":{${members.join(',')}},`;
}

/** The payload as a JSON value; null if it had to be JSON and is not. */
function payloadJson(payload: Buffer, parse: boolean): string | null {
  if (payload.length === 0) return 'null';
  return parse ? normalised(payload.toString('latin1')) : quotedBytes(payload);
}

/**
 * A message as one JSON object, without a line end. The members are tst, topic, qos, retain, payloadlen, mid (QoS > 0
 * only), properties (if there are any) and payload. Null if the payload had to be JSON and is not.
 */
export function messageJson(message: ReceivedMessage, time: WallTime, style: JsonStyle): Buffer | null {
  const payload = payloadJson(message.payload, style.parsePayload);
  if (payload === null) return null;
  const mid = message.qos > 0 ? `"mid":${message.id},` : '';
  const text =
    `{"tst":"${isoMicroseconds(time)}","topic":${quoted(message.topic)},"qos":${message.qos},` +
    `"retain":${message.retain},"payloadlen":${message.payload.length},${mid}` +
    `${propertiesJson(message.properties)}"payload":${payload}}`;
  return Buffer.from(style.pretty ? layOut(text, true) : text, 'latin1');
}

/** JSON text without white space between its tokens; null if it is not JSON. */
function normalised(text: string): string | null {
  try {
    JSON.parse(text);
    return layOut(text, false);
  } catch {
    return null;
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
 * Writes valid JSON text anew, token by token (so that the order of members, equal keys and large numbers survive):
 * without white space, or indented with tabs. Throws RangeError if it nests too deeply.
 */
function layOut(json: string, pretty: boolean): string {
  const open: string[] = [];
  const indent = (): string => '\t'.repeat(open.length);
  let out = '';
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
        if (open.length >= MAX_DEPTH) throw new RangeError('nested too deeply');
        if (pretty && first && open.at(-1) === '{') out += indent();
        out += pretty && char === '{' ? '{\n' : char;
        open.push(char);
        isEmpty = true;
        break;
      case '}':
        open.pop();
        if (pretty) out += first ? indent() : `\n${indent()}`;
        out += char;
        break;
      case ']':
        open.pop();
        out += char;
        break;
      case ',':
        out += !pretty ? ',' : open.at(-1) === '{' ? `,\n${indent()}` : ', ';
        break;
      case ':':
        out += pretty ? ':\t' : ':';
        break;
      case '"': {
        const end = endOfString(json, at);
        if (pretty && first && open.at(-1) === '{') out += indent();
        out += plainString(json.slice(at, end));
        at = end;
        continue;
      }
      default: {
        const word = /[^\s,\]}]+/y;
        word.lastIndex = at;
        const token = (word.exec(json) as RegExpExecArray)[0];
        out += /^[-\d]/.test(token) ? plainNumber(token) : token;
        at = word.lastIndex;
        continue;
      }
    }
    at += 1;
  }
  return out;
}
