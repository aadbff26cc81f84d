// The values that a -F format can print, one writer maker for each letter.
import type { ReceivedMessage } from '../../client/options.ts';
import { isoSeconds, unixTime, type WallTime, wallTime } from '../wall-time.ts';
import { type JsonCompat, messageJson } from './json.ts';

/** Takes what a format prints. */
export interface Sink {
  text(text: string): void;
  bytes(bytes: Buffer): void;
  /** One sentence for the error output. */
  warn(sentence: string): void;
}

/** The state of printing one message: where to, and one time for all of its dates. */
export class Printing {
  readonly sink: Sink;
  #time: WallTime | null = null;

  constructor(sink: Sink) {
    this.sink = sink;
  }

  get time(): WallTime {
    this.#time ??= wallTime();
    return this.#time;
  }
}

/** What holds for a whole format. */
export interface FormatStyle {
  /** JSON on several lines. */
  readonly pretty: boolean;
  /** Whose JSON to print. */
  readonly compat: JsonCompat;
  /** With --payload-format; null prints payloads as they are. */
  readonly shown: ShownPayload | null;
}

/** Makes text of payloads (--payload-format). */
export interface ShownPayload {
  /** The text of a message's payload; null, after a warning, if the payload is not of the format. */
  text(message: ReceivedMessage, sink: Sink): Buffer | null;
  /** Whether the text is JSON. */
  readonly isJson: boolean;
}

/** Prints one piece of a message. */
export type Writer = (message: ReceivedMessage, printing: Printing) => void;

/** The part of a conversion between `%` and its letter: `%[-][0][width][.precision][separator]`. */
export interface Conversion {
  readonly left: boolean;
  readonly zero: boolean;
  /** Least number of characters; 0 if not given. */
  readonly width: number;
  /** Null if not given. */
  readonly precision: number | null;
  /** Stands between groups of hexadecimal digits; empty for none. */
  readonly separator: string;
}

const BLANK = ' '.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);

/** Fills up to the width, on the left or the right; with zeros only where `zero` says so. */
function padded(text: string, how: Conversion, zero: boolean): string {
  if (text.length >= how.width) return text;
  if (how.left) return text.padEnd(how.width);
  if (!zero || !how.zero) return text.padStart(how.width);
  const sign = text.startsWith('-') ? '-' : '';
  return sign + text.slice(sign.length).padStart(how.width - sign.length, '0');
}

/** Text: cut at the precision, counted in characters, and padded with blanks. */
function shaped(text: string, how: Conversion): string {
  const cut =
    how.precision === null || text.length <= how.precision ? text : [...text].slice(0, how.precision).join('');
  return padded(cut, how, false);
}

const isPlain = (how: Conversion): boolean => how.width === 0 && how.precision === null;

type TextOf = (message: ReceivedMessage, printing: Printing) => string;

function textWriter(how: Conversion, textOf: TextOf): Writer {
  if (isPlain(how)) return (message, printing) => printing.sink.text(textOf(message, printing));
  return (message, printing) => printing.sink.text(shaped(textOf(message, printing), how));
}

/** A number that may be missing: then as many blanks (or zeros) as the width. */
function numberWriter(how: Conversion, numberOf: (message: ReceivedMessage) => number | undefined): Writer {
  return (message, printing) => {
    const value = numberOf(message);
    const text = value === undefined ? '' : String(value);
    if (value === undefined && how.zero) printing.sink.text('0'.repeat(how.width));
    else printing.sink.text(padded(text, how, true));
  };
}

/** The payload, or the text for it: the width is the least and the greatest number of bytes. */
function payloadWriter(how: Conversion, { shown }: FormatStyle): Writer {
  return (message, printing) => {
    const payload = shown === null ? message.payload : shown.text(message, printing.sink);
    if (payload === null) return;
    if (how.width === 0 || payload.length >= how.width) {
      printing.sink.bytes(how.width === 0 ? payload : payload.subarray(0, how.width));
      return;
    }
    const pad = Buffer.alloc(how.width - payload.length, how.zero && !how.left ? ZERO : BLANK);
    if (!how.left) printing.sink.bytes(pad);
    printing.sink.bytes(payload);
    if (how.left) printing.sink.bytes(pad);
  };
}

/** Bytes of a payload that become digits at once. */
const HEX_PIECE = 65_536;

/** Hexadecimal digits, with the separator behind every `precision` of them (two if not given). */
function hexText(payload: Buffer, how: Conversion, upper: boolean): string {
  const bytes = how.width === 0 ? payload : payload.subarray(0, Math.floor(how.width / 2));
  const lower = bytes.toString('hex');
  const digits = upper ? lower.toUpperCase() : lower;
  if (how.separator === '') return digits;
  const size = how.precision || 2;
  let text = digits.slice(0, size);
  for (let at = size; at < digits.length; at += size) {
    const more = how.separator + digits.slice(at, at + size);
    if (how.width > 0 && text.length + more.length > how.width) break;
    text += more;
  }
  return text;
}

function hexWriter(how: Conversion, upper: boolean): Writer {
  if (how.width > 0) return ({ payload }, { sink }) => sink.text(padded(hexText(payload, how, upper), how, true));
  // The digits of a large payload are more than one string of V8 holds; a piece ends with a group.
  const group = how.precision || 2;
  const piece = group * Math.ceil(HEX_PIECE / group);
  return ({ payload }, { sink }) => {
    for (let at = 0; at < payload.length; at += piece) {
      if (at > 0) sink.text(how.separator);
      sink.text(hexText(payload.subarray(at, at + piece), how, upper));
    }
  };
}

/** A double as C's printf("%.*f") writes it. */
function fixed(value: number, precision: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  if (Math.abs(value) < 1e21) return (Object.is(value, -0) ? '-' : '') + value.toFixed(Math.min(precision, 100));
  return precision === 0 ? String(BigInt(value)) : `${BigInt(value)}.${'0'.repeat(precision)}`;
}

/** The payload as an IEEE 754 number in this machine's byte order. */
function floatWriter(how: Conversion, size: 4 | 8): Writer {
  const name = size === 4 ? 'float' : 'double';
  return ({ payload }, printing) => {
    if (payload.length !== size) {
      printing.sink.warn(`requested ${name} printing, but non-${name} data received`);
      return;
    }
    const bytes = new Uint8Array(payload).buffer;
    const value = (size === 4 ? new Float32Array(bytes) : new Float64Array(bytes))[0] as number;
    printing.sink.text(padded(fixed(value, how.precision ?? 6), how, Number.isFinite(value)));
  };
}

function jsonWriter(parsePayload: boolean, { pretty, compat, shown }: FormatStyle): Writer {
  const style = { parsePayload, pretty, compat };
  // %J has the JSON that a payload stands for.
  const decoded = parsePayload && shown?.isJson === true ? shown : null;
  return (message, printing) => {
    const payload = decoded === null ? message.payload : decoded.text(message, printing.sink);
    if (payload === null) return;
    const json = messageJson(message, printing.time, style, payload);
    if (json === null) printing.sink.warn(`Error: Message payload is not valid JSON on topic ${message.topic}.`);
    else printing.sink.bytes(json);
  };
}

/** Absent text prints nothing, whatever the width. */
function optionalText(how: Conversion, textOf: (message: ReceivedMessage) => string | undefined): Writer {
  return (message, printing) => {
    const text = textOf(message);
    if (text !== undefined) printing.sink.text(shaped(text, how));
  };
}

function userProperties(message: ReceivedMessage): string {
  const pairs = message.properties.userProperties;
  return pairs === undefined ? '' : pairs.map(([key, value]) => `${key}:${value}`).join(' ');
}

function subscriptionIdentifier({ properties }: ReceivedMessage): number | undefined {
  return properties.subscriptionIdentifiers?.[0] ?? properties.subscriptionIdentifier;
}

/** What each letter prints. */
const LETTERS: Readonly<Record<string, (how: Conversion, style: FormatStyle) => Writer>> = {
  A: (how) => numberWriter(how, (message) => message.properties.topicAlias),
  C: (how) => textWriter(how, (message) => message.properties.contentType ?? ''),
  D: () => (message, printing) => {
    if (message.properties.correlationData !== undefined) printing.sink.bytes(message.properties.correlationData);
  },
  E: (how) => numberWriter(how, (message) => message.properties.messageExpiryInterval),
  F: (how) => numberWriter(how, (message) => message.properties.payloadFormatIndicator),
  I: (how) => textWriter(how, (_message, printing) => isoSeconds(printing.time)),
  J: (_how, style) => jsonWriter(true, style),
  P: () => (message, printing) => printing.sink.text(userProperties(message)),
  R: (how) => optionalText(how, (message) => message.properties.responseTopic),
  S: (how) => numberWriter(how, subscriptionIdentifier),
  U: () => (_message, printing) => printing.sink.text(unixTime(printing.time)),
  X: (how) => hexWriter(how, true),
  d: (how) => floatWriter(how, 8),
  f: (how) => floatWriter(how, 4),
  j: (_how, style) => jsonWriter(false, style),
  l: (how) => numberWriter(how, (message) => message.payload.length),
  m: (how) => numberWriter(how, (message) => message.id),
  p: payloadWriter,
  q: () => (message, printing) => printing.sink.text(String(message.qos)),
  r: () => (message, printing) => printing.sink.text(message.retain ? '1' : '0'),
  t: (how) => textWriter(how, (message) => message.topic),
  x: (how) => hexWriter(how, false),
};

/** The writer of a conversion; null if the letter has no meaning. */
export function valueWriter(letter: string, how: Conversion, style: FormatStyle): Writer | null {
  return Object.hasOwn(LETTERS, letter) ? (LETTERS[letter]?.(how, style) ?? null) : null;
}
