// --payload-format: the forms in which a person writes and reads payloads, and the bytes that they stand for.
import { isUtf8 } from 'node:buffer';
import { indented, MAX_JSON, normalised } from '../format/json.ts';
import { faultAt, MAX_DEPTH, PayloadFault } from './fault.ts';
import { readJson, syntaxFault } from './json-reader.ts';
import { jsonText, type Value } from './values.ts';

/** The names of the formats. */
export const PAYLOAD_FORMATS = {
  hex: 'hex',
  base64: 'base64',
  json: 'json',
  cbor: 'cbor',
  msgpack: 'msgpack',
} as const;

/** A name of a format. */
export type PayloadFormatName = keyof typeof PAYLOAD_FORMATS;

/** A format. Both directions throw PayloadFault. */
export interface PayloadFormat {
  /** For sentences: `is not valid CBOR`. */
  readonly title: string;
  /** What is wrong with a text that has a fault: `is not hexadecimal`. */
  readonly complaint: string;
  /** Whether what `show` gives is JSON. */
  readonly isJson: boolean;
  /** The text for a payload that is not empty; JSON on several lines if `pretty`. */
  show(payload: Buffer, pretty: boolean): Buffer;
  /** The payload that a text stands for. */
  read(text: Buffer): Buffer;
}

/** The format of a name, with the library that it needs. */
export async function payloadFormat(name: PayloadFormatName): Promise<PayloadFormat> {
  if (name === 'cbor') {
    const { loadCbor } = await import('./cbor.ts');
    const { from, to } = await loadCbor();
    return binaryJson('CBOR', from, to);
  }
  if (name === 'msgpack') {
    const { fromMessagePack, toMessagePack } = await import('./msgpack.ts');
    return binaryJson('MessagePack', fromMessagePack, toMessagePack);
  }
  return name === 'json' ? JSON_FORMAT : name === 'hex' ? HEX : BASE64;
}

/**
 * What makes the payload of a text in the format of this name. It throws PayloadFault, with a message that goes on from the
 * name of what is read: `is not hexadecimal: …`.
 */
export async function payloadReader(name: PayloadFormatName): Promise<(text: Buffer) => Buffer> {
  const format = await payloadFormat(name);
  return (text) => {
    try {
      return format.read(text);
    } catch (error) {
      if (!(error instanceof PayloadFault)) throw error;
      throw new PayloadFault(`${format.complaint}: ${error.message}`);
    }
  };
}

/** Bytes that stand for JSON. */
function binaryJson(title: string, from: (payload: Buffer) => Value, to: (value: Value) => Buffer): PayloadFormat {
  return {
    title,
    complaint: `can't become ${title}`,
    isJson: true,
    show: (payload, pretty) => {
      checkSize(payload);
      const text = jsonText(from(payload));
      return Buffer.from(pretty ? indented(text) : text);
    },
    read: (text) => to(readJson(textOf(text))),
  };
}

const JSON_FORMAT: PayloadFormat = {
  title: 'JSON',
  complaint: 'is not valid JSON',
  isJson: true,
  show: (payload, pretty) => {
    checkSize(payload);
    const fault = jsonFault(textOf(payload));
    if (fault !== null) throw fault;
    const text = normalised(payload.toString('latin1'));
    if (text === null) throw new PayloadFault(`it nests more than ${MAX_DEPTH} deep`);
    return Buffer.from(pretty ? indented(text) : text, 'latin1');
  },
  read: (text) => {
    const fault = jsonFault(textOf(text));
    if (fault !== null) throw fault;
    return text;
  },
};

function checkSize(payload: Buffer): void {
  if (payload.length > MAX_JSON) throw new PayloadFault(`it has more than ${MAX_JSON} bytes`);
}

/** What is wrong with a text that is to be JSON, and where; null for JSON. */
function jsonFault(text: string): PayloadFault | null {
  try {
    JSON.parse(text);
    return null;
  } catch {
    return syntaxFault(text);
  }
}

const HEX: PayloadFormat = {
  title: 'hexadecimal',
  complaint: 'is not hexadecimal',
  isJson: false,
  show: (payload) => inPieces(payload, 'hex'),
  read: (text) => {
    const digits = withoutSpace(text, /[^\da-fA-F]/);
    if (digits.length % 2 !== 0)
      throw new PayloadFault(`${digits.length} ${digits.length === 1 ? 'digit makes' : 'digits make'} no whole bytes`);
    return Buffer.from(digits, 'hex');
  },
};

const BASE64: PayloadFormat = {
  title: 'base64',
  complaint: 'is not base64',
  isJson: false,
  show: (payload) => inPieces(payload, 'base64'),
  read: (text) => {
    const digits = withoutSpace(text, /[^\w+/=-]/);
    const bytes = Buffer.from(digits, 'base64');
    const given = digits.replace(/=+$/, '').replaceAll('-', '+').replaceAll('_', '/');
    const fits = digits.length === given.length || digits.length % 4 === 0;
    if (!fits || bytes.toString('base64').replace(/=+$/, '') !== given) throw new PayloadFault('it is cut off');
    return bytes;
  },
};

/** The characters of a text behind each other, without white space. Throws where one does not belong. */
function withoutSpace(text: Buffer, wrong: RegExp): string {
  const whole = textOf(text);
  const digits = whole.replace(/\s+/g, '');
  if (!wrong.test(digits)) return digits;
  const at = whole.search(new RegExp(`(?!\\s)${wrong.source}`));
  throw faultAt(whole, at, `unexpected ${JSON.stringify(String.fromCodePoint(whole.codePointAt(at) ?? 0))}`);
}

function textOf(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new PayloadFault('it is not valid UTF-8');
  return bytes.toString();
}

/** Bytes of a payload that become text at once: a whole number of digits, and little enough for one string of V8. */
const PIECE = 3 * 1024 * 1024;

/** The digits of any number of bytes. */
function inPieces(payload: Buffer, encoding: 'hex' | 'base64'): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < payload.length; at += PIECE) {
    pieces.push(Buffer.from(payload.subarray(at, at + PIECE).toString(encoding), 'latin1'));
  }
  return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
}
