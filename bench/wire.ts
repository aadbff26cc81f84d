// The few MQTT 3.1.1 and 5.0 packets that the load needs, written down byte by byte. The benchmark has its own so that a
// fault of src/ can't hide from it, and so that the load costs next to nothing beside the broker.

/** Protocol levels: MQTT 3.1.1 and MQTT 5.0. */
export type Level = 4 | 5;

export const CONNACK = 2;
export const PUBLISH = 3;
export const PUBACK = 4;
export const PUBREC = 5;
export const PUBREL = 6;
export const PUBCOMP = 7;
export const SUBACK = 9;

/** Bytes at the head of a payload: the publisher's number and the message's sequence number. */
const MARKS = 8;

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}

/** A length as MQTT writes it, seven bits a byte. */
function length(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7) {
    bytes.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) return Buffer.from(bytes);
  }
}

function packet(first: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([first]), length(body.length), body]);
}

const NOTHING = Buffer.alloc(0);
const NO_PROPERTIES = Buffer.from([0]);

/** CONNECT with a clean session and no keep-alive. */
export const connectPacket = (level: Level, clientId: string): Buffer =>
  packet(0x10, text('MQTT'), Buffer.from([level, 2, 0, 0]), level === 5 ? NO_PROPERTIES : NOTHING, text(clientId));

export const subscribePacket = (level: Level, filter: string, qos: number): Buffer =>
  packet(0x82, Buffer.from([0, 1]), level === 5 ? NO_PROPERTIES : NOTHING, text(filter), Buffer.from([qos]));

export const disconnectPacket: Buffer = Buffer.from([0xe0, 0]);

/** Three properties of a PUBLISH: content type, message expiry interval (an hour), one user property. */
const PROPERTIES = Buffer.concat([
  Buffer.from([0x03]),
  text('application/json'),
  Buffer.from([0x02, 0, 0, 0x0e, 0x10]),
  Buffer.from([0x26]),
  text('unit'),
  text('degree Celsius'),
]);

/** What all messages of a load look like. */
export interface MessageForm {
  readonly level: Level;
  readonly qos: number;
  /** Payload bytes, at least eight. */
  readonly size: number;
}

/** Bytes of the property block that a PUBLISH of MQTT 5.0 carries, without its length. */
export const PROPERTY_BYTES: number = PROPERTIES.length;

/** The payload after its marks. */
export const filler = (size: number): Buffer => Buffer.alloc(size - MARKS, 'x');

/** A PUBLISH to be copied and completed: where its packet id (0 at QoS 0) and its sequence number are. */
export interface Template {
  readonly bytes: Buffer;
  readonly id: number;
  readonly sequence: number;
}

/** A PUBLISH of the publisher with this number. */
export function publishTemplate(topic: string, number: number, { level, qos, size }: MessageForm): Template {
  const marks = Buffer.alloc(MARKS);
  marks.writeUInt32BE(number);
  const properties = level === 5 ? Buffer.concat([length(PROPERTIES.length), PROPERTIES]) : NOTHING;
  const id = Buffer.alloc(qos === 0 ? 0 : 2);
  const bytes = packet(0x30 | (qos << 1), text(topic), id, properties, marks, filler(size));
  const payload = bytes.length - size;
  return { bytes, id: qos === 0 ? 0 : payload - properties.length - id.length, sequence: payload + 4 };
}

/** A big-endian number of four bytes. */
export function word(buffer: Buffer, at: number): number {
  return (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!;
}
