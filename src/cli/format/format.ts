// -F formats: compiled once to an array of writers, then run for every message.
import type { ReceivedMessage } from '../../client/options.ts';
import { dateField } from '../../util/strftime.ts';
import { nanoseconds } from '../wall-time.ts';
import type { JsonCompat } from './json.ts';
import {
  type Conversion,
  type FormatStyle,
  Printing,
  type ShownPayload,
  type Sink,
  valueWriter,
  type Writer,
} from './values.ts';

/** Longest padding; keeps a mistyped width from filling the memory. */
const MAX_WIDTH = 1_000_000;
const SEPARATORS = '!"#$&\'()*+,-./:;<=>?@[\\]^_`{|}~';
const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\',
  '0': '\0',
  a: '\x07',
  e: '\x1b',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** A format that cannot be used; the message is a sentence for people. */
export class FormatError extends Error {}

/** Prints a message to a sink. */
export type MessagePrinter = (message: ReceivedMessage, sink: Sink) => void;

/** Collects writers and joins neighbouring constant text. */
class Program {
  readonly writers: Writer[] = [];
  #constant = '';

  literal(text: string): void {
    this.#constant += text;
  }

  add(writer: Writer): void {
    this.seal();
    this.writers.push(writer);
  }

  seal(): void {
    if (this.#constant === '') return;
    const bytes = Buffer.from(this.#constant);
    this.#constant = '';
    this.writers.push((_message, printing) => printing.sink.bytes(bytes));
  }
}

/** The character at an index, whole even outside the basic plane; empty at the end. */
function characterAt(format: string, at: number): string {
  const code = format.codePointAt(at);
  return code === undefined ? '' : String.fromCodePoint(code);
}

const CONVERSION = /%(-?)(0*)(\d*)(?:\.(\d*))?/y;

/** Compiles what follows a percent sign; returns the index behind it. */
function compileConversion(format: string, at: number, style: FormatStyle, program: Program): number {
  CONVERSION.lastIndex = at;
  const [matched, dash, zeros, width, precision] = CONVERSION.exec(format) as RegExpExecArray;
  let next = at + (matched as string).length;
  let letter = characterAt(format, next);
  if (letter === '') throw new FormatError('Incomplete format specifier.');
  let separator = '';
  if (letter.length === 1 && SEPARATORS.includes(letter)) {
    separator = letter;
    next += 1;
    const hex = characterAt(format, next);
    if (hex === '') throw new FormatError('Incomplete format specifier.');
    if (hex !== 'x' && hex !== 'X') throw new FormatError(`Invalid format specifier '${separator}'.`);
    letter = hex;
  }
  const how: Conversion = {
    left: dash === '-',
    zero: zeros !== '',
    width: Math.min(Number(width || 0), MAX_WIDTH),
    precision: precision === undefined ? null : Math.min(Number(precision || 0), MAX_WIDTH),
    separator,
  };
  if (letter === '%') {
    program.literal('%');
    return next + 1;
  }
  const writer = valueWriter(letter, how, style);
  if (writer === null) throw new FormatError(`Invalid format specifier '${letter}'.`);
  program.add(writer);
  return next + 1;
}

/** Compiles what follows an at sign; returns the index behind it. */
function compileDate(format: string, at: number, program: Program): number {
  const letter = characterAt(format, at + 1);
  if (letter === '') throw new FormatError('Incomplete format specifier.');
  if (letter === '@') program.literal('@');
  else if (letter === 'N') program.add((_message, printing) => printing.sink.text(nanoseconds(printing.time)));
  else program.add((_message, printing) => printing.sink.text(dateField(letter, printing.time.date)));
  return at + 1 + letter.length;
}

/** Takes in the escape sequence at an index; returns the index behind it. */
function compileEscape(format: string, at: number, program: Program): number {
  const letter = characterAt(format, at + 1);
  if (letter === '') throw new FormatError('Incomplete escape specifier.');
  const text = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
  if (text === undefined) throw new FormatError(`Invalid escape specifier '${letter}'.`);
  program.literal(text);
  return at + 2;
}

/**
 * Compiles a format. `pretty` spreads JSON over several lines; `newline` ends every message with a line end; `compat` is the
 * Mosquitto whose JSON it prints, `shown` makes text of payloads.
 * Throws FormatError with Mosquitto's sentence for the first thing that has no meaning.
 */
export function compileFormat(
  format: string,
  pretty: boolean,
  newline: boolean,
  compat: JsonCompat = '2.1',
  shown: ShownPayload | null = null,
): MessagePrinter {
  const style = { pretty, compat, shown };
  const program = new Program();
  for (let at = 0; at < format.length; ) {
    const char = format[at] as string;
    if (char === '%') at = compileConversion(format, at, style, program);
    else if (char === '@') at = compileDate(format, at, program);
    else if (char === '\\') at = compileEscape(format, at, program);
    else {
      const text = characterAt(format, at);
      program.literal(text);
      at += text.length;
    }
  }
  if (newline) program.literal('\n');
  program.seal();
  const { writers } = program;
  return (message, sink) => {
    const printing = new Printing(sink);
    for (let i = 0; i < writers.length; i++) (writers[i] as Writer)(message, printing);
  };
}

const LINE_END = Buffer.from('\n');

/** What is printed without -F and -v: the payload on a line of its own; nothing at all for an empty one. */
export function payloadPrinter(newline: boolean): MessagePrinter {
  return (message, sink) => {
    if (message.payload.length === 0) return;
    sink.bytes(message.payload);
    if (newline) sink.bytes(LINE_END);
  };
}

/** What -v prints: topic and payload, `(null)` for an empty one. `paint` colours the topic. */
export function verbosePrinter(newline: boolean, paint: (topic: string) => string): MessagePrinter {
  return (message, sink) => {
    const { topic, payload } = message;
    sink.text(`${paint(topic)} `);
    if (payload.length === 0) sink.text('(null)');
    else sink.bytes(payload);
    if (newline) sink.bytes(LINE_END);
  };
}
