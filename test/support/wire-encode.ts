// Scenario words to the bytes of a packet. Reason codes and properties are what MQTT 5 adds: for the older versions they are
// left out, so that one line can serve all of them.
import { big, field, PROPERTIES, packet, varint } from './wire-bytes.ts';
import { numberOf, type PacketText, textOf, type Word } from './wire-text.ts';

/** Protocol levels: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0. */
export type Version = 3 | 4 | 5;

const IDS = new Map([...PROPERTIES].map(([id, [name]]) => [name, id]));
const PUBLISH_FLAGS: Readonly<Record<string, number>> = { q0: 0, q1: 2, q2: 4, q3: 6, dup: 8, retain: 1 };

/** Encodes a packet; throws a sentence about words that describe none. */
export function encodePacket(text: PacketText, version: Version): Buffer {
  const fields = new Fields(text.words);
  const bytes = encodeBody(text.name, fields, version);
  fields.finish();
  return bytes;
}

function encodeBody(name: string, fields: Fields, version: Version): Buffer {
  const rich = version === 5;
  switch (name) {
    case 'CONNECT':
      return connect(fields, version);
    case 'CONNACK': {
      const present = fields.number('present', 0);
      // MQTT 3.1 knows no session present flag: its byte is reserved.
      const head = Buffer.from([version === 3 ? 0 : present, fields.number('code', 0)]);
      const properties = fields.properties();
      return packet(name, 0, rich ? [head, properties] : [head]);
    }
    case 'PUBLISH':
      return publish(fields, rich);
    case 'PUBACK':
    case 'PUBREC':
    case 'PUBCOMP':
    case 'PUBREL':
      return packet(name, name === 'PUBREL' ? 2 : 0, [fields.id(), reason(fields, rich)]);
    case 'DISCONNECT':
    case 'AUTH':
      return packet(name, 0, [reason(fields, rich)]);
    case 'SUBSCRIBE':
    case 'UNSUBSCRIBE': {
      const head = fields.id();
      const properties = fields.properties();
      const filters = fields.bare().map((word) => (name === 'SUBSCRIBE' ? subscription(word) : field(word.value)));
      return packet(name, 2, [head, ...(rich ? [properties] : []), ...filters]);
    }
    case 'SUBACK':
    case 'UNSUBACK': {
      const head = fields.id();
      const properties = fields.properties();
      const codes = Buffer.from(fields.bare().map((word) => numberOf(word.value)));
      if (rich) return packet(name, 0, [head, properties, codes]);
      return packet(name, 0, name === 'SUBACK' ? [head, codes] : [head]);
    }
    case 'PINGREQ':
    case 'PINGRESP':
      return packet(name, 0, []);
    default:
      throw new Error(`${name} is no packet`);
  }
}

function connect(fields: Fields, version: Version): Buffer {
  const rich = version === 5;
  const name = fields.text('name', version === 3 ? 'MQIsdp' : 'MQTT');
  const level = fields.number('level', version);
  const will = fields.take('will');
  const willPayload = fields.take('will-payload') ?? Buffer.alloc(0);
  const user = fields.take('user');
  const password = fields.take('password');
  let flags = fields.number('clean', 1) * 2;
  flags |= (fields.number('will-qos', 0) << 3) | (fields.number('will-retain', 0) << 5);
  flags |= (will === null ? 0 : 4) | (user === null ? 0 : 0x80) | (password === null ? 0 : 0x40);
  const head = [field(name), Buffer.from([level, fields.number('flags', flags)])];
  const keepAlive = big(fields.number('keepalive', 60), 2);
  const id = fields.take('id') ?? Buffer.alloc(0);
  const willProperties = fields.properties('will.');
  const properties = fields.properties();
  return packet('CONNECT', 0, [
    ...head,
    keepAlive,
    ...(rich ? [properties] : []),
    field(id),
    ...(will === null ? [] : [...(rich ? [willProperties] : []), field(will), field(willPayload)]),
    ...(user === null ? [] : [field(user)]),
    ...(password === null ? [] : [field(password)]),
  ]);
}

function publish(fields: Fields, rich: boolean): Buffer {
  let flags = 0;
  const rest: Word[] = [];
  for (const word of fields.bare()) {
    const flag = word.quoted ? undefined : PUBLISH_FLAGS[textOf(word)];
    if (flag === undefined) rest.push(word);
    else flags |= flag;
  }
  const [topic, payload, surplus] = rest;
  if (topic === undefined || payload === undefined || surplus !== undefined) {
    throw new Error('PUBLISH has a topic and a payload');
  }
  const id = (flags & 6) === 0 ? [] : [fields.id()];
  const properties = fields.properties();
  return packet('PUBLISH', flags, [field(topic.value), ...id, ...(rich ? [properties] : []), payload.value]);
}

/** A filter and its options: `t/#:2,nl,rap,rh1`, or `t:0x17` for the byte itself. */
function subscription(word: Word): Buffer {
  const colon = word.value.lastIndexOf(':');
  if (colon < 0) throw new Error(`'${textOf(word)}' has no options: FILTER:QOS`);
  const [qos = '', ...marks] = word.value.toString('utf8', colon + 1).split(',');
  let options = numberOf(qos);
  for (const mark of marks) {
    if (mark === 'nl') options |= 4;
    else if (mark === 'rap') options |= 8;
    else if (/^rh[0-3]$/.test(mark)) options |= Number(mark[2]) << 4;
    else throw new Error(`'${mark}' is no subscription option`);
  }
  return Buffer.concat([field(word.value.subarray(0, colon)), Buffer.from([options])]);
}

/** Reason code and properties in their shortest form. */
function reason(fields: Fields, rich: boolean): Buffer {
  const code = fields.number('rc', 0);
  const properties = fields.properties();
  if (!rich || (code === 0 && properties.length === 1)) return Buffer.alloc(0);
  return properties.length === 1 ? Buffer.from([code]) : Buffer.concat([Buffer.from([code]), properties]);
}

/** The words of one packet, each to be taken once. */
class Fields {
  private left: Word[];

  constructor(words: readonly Word[]) {
    this.left = [...words];
  }

  take(key: string): Buffer | null {
    const found = this.left.find((word) => word.key === key);
    if (found === undefined) return null;
    this.left = this.left.filter((word) => word !== found);
    return found.value;
  }

  text(key: string, otherwise: string): string {
    return this.take(key)?.toString() ?? otherwise;
  }

  number(key: string, otherwise: number): number {
    const value = this.take(key);
    return value === null ? otherwise : numberOf(value);
  }

  /** The packet identifier, which must be given. */
  id(): Buffer {
    const value = this.take('id');
    if (value === null) throw new Error('the packet identifier is missing: id=N');
    return big(numberOf(value), 2);
  }

  /** All bare words. */
  bare(): Word[] {
    const bare = this.left.filter((word) => word.key === null);
    this.left = this.left.filter((word) => word.key !== null);
    return bare;
  }

  /** A property section of the words that name properties, in their order. */
  properties(prefix = ''): Buffer {
    const mine = this.left.filter((word) => word.key?.startsWith(prefix) && IDS.has(word.key.slice(prefix.length)));
    this.left = this.left.filter((word) => !mine.includes(word));
    const bytes = Buffer.concat(
      mine.map((word) => property(IDS.get((word.key ?? '').slice(prefix.length)) ?? 0, word.value)),
    );
    return Buffer.concat([varint(bytes.length), bytes]);
  }

  finish(): void {
    const [first] = this.left;
    if (first !== undefined) throw new Error(`'${first.key ?? textOf(first)}' means nothing here`);
  }
}

function property(id: number, value: Buffer): Buffer {
  const head = Buffer.from([id]);
  switch (PROPERTIES.get(id)?.[1]) {
    case 'byte':
      return Buffer.concat([head, big(numberOf(value), 1)]);
    case 'two':
      return Buffer.concat([head, big(numberOf(value), 2)]);
    case 'four':
      return Buffer.concat([head, big(numberOf(value), 4)]);
    case 'varint':
      return Buffer.concat([head, varint(numberOf(value))]);
    case 'pair': {
      const colon = value.indexOf(':');
      return Buffer.concat([head, field(value.subarray(0, colon)), field(value.subarray(colon + 1))]);
    }
    default:
      return Buffer.concat([head, field(value)]);
  }
}
