// The bytes of a packet from the broker to scenario words: to say what came instead of what was expected, and to read the
// values that a scenario leaves open with *.
import { PROPERTIES, TYPES } from './wire-bytes.ts';
import type { Version } from './wire-encode.ts';
import { type PacketText, quote, show, type Word } from './wire-text.ts';

/** Decodes a packet that a broker may send; throws a sentence about bytes that are none. */
export function decodePacket(bytes: Buffer, version: Version): PacketText {
  const cursor = new Cursor(bytes);
  const first = cursor.number(1);
  const name = TYPES[first >> 4] ?? '';
  const length = cursor.varint();
  if (length !== bytes.length - cursor.at) throw new Error('the remaining length is not that of the packet');
  const words = [...decodeBody(name, first & 15, cursor, version === 5)];
  if (cursor.at < bytes.length) throw new Error(`${name} has bytes behind its end`);
  return { name, words };
}

function* decodeBody(name: string, flags: number, cursor: Cursor, rich: boolean): Generator<Word> {
  const expected = name === 'PUBREL' ? 2 : 0;
  if (name !== 'PUBLISH' && flags !== expected) throw new Error(`the flags of ${name} are ${flags}`);
  switch (name) {
    case 'CONNACK':
      yield keyed('present', cursor.number(1));
      yield keyed('code', hex(cursor.number(1)));
      if (rich) yield* properties(cursor);
      break;
    case 'PUBLISH': {
      const qos = (flags >> 1) & 3;
      const topic = cursor.field();
      if ((flags & 8) !== 0) yield bare('dup');
      if ((flags & 1) !== 0) yield bare('retain');
      yield bare(`q${qos}`);
      if (qos > 0) yield keyed('id', cursor.number(2));
      const received = rich ? [...properties(cursor)] : [];
      yield { key: null, value: topic, quoted: true };
      yield { key: null, value: cursor.rest(), quoted: true };
      yield* received;
      break;
    }
    case 'PUBACK':
    case 'PUBREC':
    case 'PUBREL':
    case 'PUBCOMP':
      yield keyed('id', cursor.number(2));
      yield* reason(cursor);
      break;
    case 'DISCONNECT':
    case 'AUTH':
      yield* reason(cursor);
      break;
    case 'SUBACK':
    case 'UNSUBACK':
      yield keyed('id', cursor.number(2));
      if (rich) yield* properties(cursor);
      for (const code of cursor.rest()) yield bare(hex(code));
      break;
    case 'PINGRESP':
      break;
    default:
      throw new Error(`a broker must not send ${name === '' ? 'packet type 0' : name}`);
  }
}

function* reason(cursor: Cursor): Generator<Word> {
  if (cursor.left === 0) return;
  yield keyed('rc', hex(cursor.number(1)));
  if (cursor.left > 0) yield* properties(cursor);
}

function* properties(cursor: Cursor): Generator<Word> {
  const end = cursor.varint() + cursor.at;
  while (cursor.at < end) {
    const id = cursor.number(1);
    const [name, form] = PROPERTIES.get(id) ?? [];
    if (name === undefined) throw new Error(`0x${id.toString(16)} is no property`);
    switch (form) {
      case 'byte':
        yield keyed(name, cursor.number(1));
        break;
      case 'two':
        yield keyed(name, cursor.number(2));
        break;
      case 'four':
        yield keyed(name, cursor.number(4));
        break;
      case 'varint':
        yield keyed(name, cursor.varint());
        break;
      case 'pair':
        yield { key: name, value: Buffer.concat([cursor.field(), Buffer.from(':'), cursor.field()]), quoted: true };
        break;
      default:
        yield { key: name, value: cursor.field(), quoted: true };
    }
  }
  if (cursor.at !== end) throw new Error('the property length cuts a property');
}

const hex = (value: number): string => (value < 3 ? String(value) : `0x${value.toString(16).padStart(2, '0')}`);
const bare = (text: string): Word => ({ key: null, value: Buffer.from(text), quoted: false });
const keyed = (key: string, value: number | string): Word => ({
  key,
  value: Buffer.from(String(value)),
  quoted: false,
});

/** What a packet says, for a person; bytes that are no packet are shown as such. */
export function describePacket(bytes: Buffer, version: Version): string {
  const raw = `${bytes.toString('hex', 0, 64)}${bytes.length > 64 ? `… (${bytes.length} bytes)` : ''}`;
  try {
    const { name, words } = decodePacket(bytes, version);
    const shown = words.map(({ key, value, quoted }) => {
      const text = quoted && key === null ? quote(value) : show(value);
      return key === null ? text : `${key}=${text}`;
    });
    return `${[name, ...shown].join(' ')}   [${raw}]`;
  } catch (error) {
    return `[${raw}], which is no packet: ${(error as Error).message}`;
  }
}

class Cursor {
  at = 0;
  private readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  number(length: number): number {
    return this.take(length).readUIntBE(0, length);
  }

  field(): Buffer {
    return this.take(this.number(2));
  }

  rest(): Buffer {
    return this.take(this.left);
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 128 ** 3; factor *= 128) {
      const byte = this.number(1);
      value += (byte & 0x7f) * factor;
      if (byte < 128) return value;
    }
    throw new Error('a variable byte integer has more than four bytes');
  }

  private take(length: number): Buffer {
    if (length > this.left) throw new Error('the packet is cut short');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}
