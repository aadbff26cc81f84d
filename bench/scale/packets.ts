// The MQTT 3.1.1 packets of the scale loads: of any length, unlike those of ../wire.ts, and as little shared with src/.

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}

function packet(first: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = [first];
  for (let rest = body.length; ; rest >>= 7) {
    head.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return Buffer.concat([Buffer.from(head), body]);
}

export const CONNACK = 2;
export const PUBLISH = 3;
export const SUBACK = 9;

/** CONNECT without keep-alive. */
export const connectPacket = (clientId: string, isClean: boolean): Buffer =>
  packet(0x10, text('MQTT'), Buffer.from([4, isClean ? 2 : 0, 0, 0]), text(clientId));

export const subscribePacket = (filters: readonly string[], qos: number): Buffer =>
  packet(0x82, Buffer.from([0, 1]), ...filters.flatMap((filter) => [text(filter), Buffer.from([qos])]));

export const publishPacket = (topic: string, payload: Buffer, flags = 0): Buffer =>
  packet(0x30 | flags, text(topic), flags & 6 ? Buffer.from([0, 1]) : Buffer.alloc(0), payload);

export const pubackPacket = (id: number): Buffer => Buffer.from([0x40, 2, id >> 8, id & 255]);

export const disconnectPacket: Buffer = Buffer.from([0xe0, 0]);

/** Is told of a packet: its first byte, and where its body lies; valid during the call only. */
export type OnPacket = (first: number, buffer: Buffer, start: number, end: number) => void;

/** Cuts a byte stream into packets. */
export class PacketSplitter {
  readonly #onPacket: OnPacket;
  #held: Buffer | null = null;

  constructor(onPacket: OnPacket) {
    this.#onPacket = onPacket;
  }

  read(chunk: Buffer): void {
    const buffer = this.#held === null ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = null;
    let at = 0;
    while (at < buffer.length) {
      let length = 0;
      let body = at + 1;
      let shift = 0;
      let byte = 128;
      while (byte > 127 && body < buffer.length) {
        byte = buffer[body++]!;
        length |= (byte & 127) << shift;
        shift += 7;
      }
      if (byte > 127 || body + length > buffer.length) {
        this.#held = Buffer.from(buffer.subarray(at));
        return;
      }
      this.#onPacket(buffer[at]!, buffer, body, body + length);
      at = body + length;
    }
  }
}

/** The payload of a PUBLISH whose body this is. */
export function payloadStart(first: number, buffer: Buffer, start: number): number {
  return start + 2 + ((buffer[start]! << 8) | buffer[start + 1]!) + (first & 6 ? 2 : 0);
}
