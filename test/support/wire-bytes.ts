// The wire's own forms, written from the standard and not from src/protocol: what checks the broker must not share its
// mistakes.

/** Packet types by their number (MQTT 5.0 table 2-1). */
export const TYPES = [
  '',
  'CONNECT',
  'CONNACK',
  'PUBLISH',
  'PUBACK',
  'PUBREC',
  'PUBREL',
  'PUBCOMP',
  'SUBSCRIBE',
  'SUBACK',
  'UNSUBSCRIBE',
  'UNSUBACK',
  'PINGREQ',
  'PINGRESP',
  'DISCONNECT',
  'AUTH',
];

/** Properties by identifier: name and form (MQTT 5.0 table 2-4). */
export const PROPERTIES: ReadonlyMap<number, readonly [string, string]> = new Map([
  [0x01, ['payload-format-indicator', 'byte']],
  [0x02, ['message-expiry-interval', 'four']],
  [0x03, ['content-type', 'string']],
  [0x08, ['response-topic', 'string']],
  [0x09, ['correlation-data', 'string']],
  [0x0b, ['subscription-identifier', 'varint']],
  [0x11, ['session-expiry-interval', 'four']],
  [0x12, ['assigned-client-identifier', 'string']],
  [0x13, ['server-keep-alive', 'two']],
  [0x15, ['authentication-method', 'string']],
  [0x16, ['authentication-data', 'string']],
  [0x17, ['request-problem-information', 'byte']],
  [0x18, ['will-delay-interval', 'four']],
  [0x19, ['request-response-information', 'byte']],
  [0x1a, ['response-information', 'string']],
  [0x1c, ['server-reference', 'string']],
  [0x1f, ['reason-string', 'string']],
  [0x21, ['receive-maximum', 'two']],
  [0x22, ['topic-alias-maximum', 'two']],
  [0x23, ['topic-alias', 'two']],
  [0x24, ['maximum-qos', 'byte']],
  [0x25, ['retain-available', 'byte']],
  [0x26, ['user-property', 'pair']],
  [0x27, ['maximum-packet-size', 'four']],
  [0x28, ['wildcard-subscription-available', 'byte']],
  [0x29, ['subscription-identifier-available', 'byte']],
  [0x2a, ['shared-subscription-available', 'byte']],
] as const);

/** A number in so many bytes, the highest first. */
export function big(value: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(value, 0, length);
  return bytes;
}

/** A variable byte integer (section 1.5.5). */
export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low + 128 : low);
  } while (rest > 0);
  return Buffer.from(bytes);
}

/** A string or binary field: length and bytes. */
export function field(value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([big(bytes.length, 2), bytes]);
}

/** A whole packet around a body. */
export function packet(type: string, flags: number, body: readonly Buffer[]): Buffer {
  const number = TYPES.indexOf(type);
  if (number < 1) throw new Error(`${type} is no packet`);
  const bytes = Buffer.concat(body);
  return Buffer.concat([Buffer.from([(number << 4) | flags]), varint(bytes.length), bytes]);
}

/** Where the first packet of some bytes ends, be they all there or not; null while its length is not known. */
export function packetEnd(bytes: Buffer): number | null {
  let length = 0;
  for (let at = 1; at <= 4; at++) {
    const byte = bytes[at];
    if (byte === undefined) return null;
    length += (byte & 0x7f) * 128 ** (at - 1);
    if (byte < 128) return at + 1 + length;
  }
  throw new Error(`the broker sent a remaining length of more than four bytes: ${bytes.toString('hex').slice(0, 40)}`);
}
