// The few MQTT 3.1.1 packets that the load needs, written down byte by byte. The benchmark has its own so that a fault of
// src/ can't hide from it, and so that the load costs next to nothing beside the broker.

/** Longest packet body of these loads: its length fits one byte, which keeps reading cheap. */
const LONGEST = 127;

const PUBLISH = 3;
const PUBACK = 4;

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}

function packet(first: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  if (body.length > LONGEST) throw new Error(`a packet of ${body.length} bytes is too long for this load`);
  return Buffer.concat([Buffer.from([first, body.length]), body]);
}

/** CONNECT with a clean session and no keep-alive. */
export const connectPacket = (clientId: string): Buffer =>
  packet(0x10, text('MQTT'), Buffer.from([4, 2, 0, 0]), text(clientId));

export const subscribePacket = (topic: string, qos: number): Buffer =>
  packet(0x82, Buffer.from([0, 1]), text(topic), Buffer.from([qos]));

export const disconnectPacket: Buffer = Buffer.from([0xe0, 0]);

/** A PUBLISH to be copied and completed: where its packet id (0 at QoS 0) and its payload begin. */
export interface Template {
  readonly bytes: Buffer;
  readonly id: number;
  readonly payload: number;
}

/** A PUBLISH whose payload is `size` bytes; its first four will hold a sequence number, the others a pattern. */
export function publishTemplate(topic: string, qos: number, size: number): Template {
  const head = text(topic);
  const payload = Buffer.alloc(size, 'x');
  const bytes = packet(0x30 | (qos << 1), head, Buffer.alloc(qos === 0 ? 0 : 2), payload);
  return { bytes, id: qos === 0 ? 0 : 2 + head.length, payload: bytes.length - size };
}

/** What a connection does with a packet; (buffer, start, end) is valid during the call only. */
export interface PacketSink {
  publish(buffer: Buffer, start: number, end: number): void;
  acknowledged(): void;
  other(first: number): void;
}

/** Cuts a byte stream into packets without making objects. */
export class PacketReader {
  readonly #sink: PacketSink;
  /** The beginning of a packet whose rest has not come yet. */
  readonly #held = Buffer.alloc(LONGEST + 2);
  #holding = 0;

  constructor(sink: PacketSink) {
    this.#sink = sink;
  }

  read(chunk: Buffer): void {
    let at = 0;
    while (this.#holding > 0 && at < chunk.length) {
      this.#held[this.#holding++] = chunk[at++]!;
      if (this.#holding >= 2 && this.#holding === 2 + lengthAt(this.#held, 0)) {
        const end = this.#holding;
        this.#holding = 0;
        this.#dispatch(this.#held, 0, end);
      }
    }
    while (at + 2 <= chunk.length) {
      const end = at + 2 + lengthAt(chunk, at);
      if (end > chunk.length) break;
      this.#dispatch(chunk, at, end);
      at = end;
    }
    while (at < chunk.length) this.#held[this.#holding++] = chunk[at++]!;
  }

  #dispatch(buffer: Buffer, start: number, end: number): void {
    const first = buffer[start]!;
    if (first >> 4 === PUBLISH) this.#sink.publish(buffer, start, end);
    else if (first >> 4 === PUBACK) this.#sink.acknowledged();
    else this.#sink.other(first);
  }
}

function lengthAt(buffer: Buffer, start: number): number {
  const length = buffer[start + 1]!;
  if (length > LONGEST) throw new Error('the broker sent a packet longer than any of this load');
  return length;
}
