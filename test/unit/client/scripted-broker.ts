// A broker for tests: it does nothing by itself. A test reads the packets that a client sent and says what comes back, over
// memory transports and through the codec.
import { EventEmitter, once } from 'node:events';
import type { ClientOptions } from '../../../src/client/options.ts';
import { type MemoryPairOptions, memoryPair } from '../../../src/net/memory.ts';
import type { Dialer, Transport } from '../../../src/net/transport.ts';
import { CONNACK, CONNECT, MAX_PACKET_SIZE, PUBLISH } from '../../../src/protocol/constants.ts';
import { decode, decodeConnect } from '../../../src/protocol/decode.ts';
import { encode } from '../../../src/protocol/encode.ts';
import { Framer } from '../../../src/protocol/framer.ts';
import type { AckPacket, ConnackPacket, ConnectPacket, ControlPacket } from '../../../src/protocol/packets.ts';
import type { Properties } from '../../../src/protocol/properties.ts';
import { encodePublishProperties, PublishView, publishProperties, readPublish } from '../../../src/protocol/publish.ts';
import { MQTT5, type Profile } from '../../../src/protocol/version.ts';
import { varintLength, Writer } from '../../../src/protocol/writer.ts';

/** A PUBLISH as the broker saw it. */
export interface SeenPublish {
  readonly type: typeof PUBLISH;
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly id: number;
  readonly properties: Properties;
}

export type SeenPacket = ControlPacket | SeenPublish;

/** Packets by type; several types share an interface. */
type Seen<T> = T extends typeof PUBLISH
  ? SeenPublish
  : Extract<ControlPacket, { type: T }> | (T extends AckPacket['type'] ? AckPacket : never);

/** A message to send. */
export interface Sent {
  readonly topic: string;
  readonly payload?: string;
  readonly qos?: number;
  readonly id?: number;
  readonly dup?: boolean;
  readonly retain?: boolean;
  readonly properties?: Properties;
}

/** The broker's end of one connection. */
export class BrokerSide {
  readonly transport: Transport;
  profile: Profile;
  /** Everything that came, in order. */
  readonly seen: SeenPacket[] = [];
  /** The same packets as the bytes that they came in. */
  readonly bytes: Buffer[] = [];
  chunks = 0;
  isClosed = false;
  private taken = 0;
  private readonly events = new EventEmitter();
  private readonly view = new PublishView();

  constructor(transport: Transport) {
    this.transport = transport;
    this.profile = MQTT5;
    const framer = new Framer(new Uint32Array(16).fill(MAX_PACKET_SIZE));
    const sink = {
      frame: (buffer: Buffer, first: number, start: number, end: number): boolean => {
        this.bytes.push(Buffer.from(buffer.subarray(start - 1 - varintLength(end - start), end)));
        this.seen.push(this.read(buffer, first, start, end));
        return true;
      },
    };
    transport.attach({
      receive: (chunk) => {
        this.chunks += 1;
        framer.push(chunk, sink);
        this.events.emit('change');
      },
      writable: () => {},
      closed: () => {
        this.isClosed = true;
        this.events.emit('change');
      },
    });
  }

  /** The next packet, which has to be of this type. */
  async next<T extends SeenPacket['type']>(type: T): Promise<Seen<T>> {
    await this.until(() => this.seen.length > this.taken);
    const packet = this.seen[this.taken];
    this.taken += 1;
    if (packet?.type !== type) throw new Error(`wanted type ${type}, got ${JSON.stringify(packet)}`);
    return packet as Seen<T>;
  }

  /** The bytes of the packet that next() gave last, in hexadecimal. */
  get lastBytes(): string {
    return this.bytes[this.taken - 1]?.toString('hex') ?? '';
  }

  /** Packets that came and were not taken. */
  get untaken(): number {
    return this.seen.length - this.taken;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.isClosed) throw new Error('the client closed the connection');
      await once(this.events, 'change');
    }
  }

  async closed(): Promise<void> {
    while (!this.isClosed) await once(this.events, 'change');
  }

  send(packet: ControlPacket): void {
    this.transport.write(encode(this.profile, packet));
  }

  sendBytes(hex: string): void {
    this.transport.write(Buffer.from(hex, 'hex'));
  }

  publish(message: Sent): void {
    this.transport.write(encodePublish(this.profile, message));
  }

  /** Takes CONNECT and admits the client. */
  async admit(connack: Partial<ConnackPacket> = {}): Promise<ConnectPacket> {
    const packet = await this.next(CONNECT);
    this.send({ type: CONNACK, sessionPresent: false, code: 0, properties: {}, ...connack });
    return packet;
  }

  private read(buffer: Buffer, first: number, start: number, end: number): SeenPacket {
    const type = first >> 4;
    if (type === CONNECT) {
      const packet = decodeConnect(buffer, start, end);
      this.profile = packet.profile;
      return packet;
    }
    if (type !== PUBLISH) return decode(this.profile, buffer, first, start, end);
    const view = this.view;
    readPublish(view, this.profile.hasProperties, false, buffer, first, start, end);
    return {
      type: PUBLISH,
      topic: buffer.toString('utf8', view.topicStart, view.topicEnd),
      payload: buffer.toString('utf8', view.payloadStart, end),
      qos: view.qos,
      retain: (first & 0x01) !== 0,
      dup: (first & 0x08) !== 0,
      id: view.id,
      properties: this.profile.hasProperties ? publishProperties(view) : {},
    };
  }
}

/** Encodes a PUBLISH of the broker. */
export function encodePublish(profile: Profile, message: Sent): Buffer {
  const { topic, payload = '', qos = 0, id = 0, dup = false, retain = false, properties = {} } = message;
  const writer = new Writer();
  writer.string(topic);
  if (qos > 0) writer.u16(id);
  if (profile.hasProperties) {
    const { bytes } = encodePublishProperties(properties);
    writer.varint(bytes.length);
    writer.bytes(bytes);
  }
  writer.bytes(Buffer.from(payload));
  return writer.takePacket((PUBLISH << 4) | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0));
}

/** A place to dial that hands the other ends to the test. */
export class ScriptedBroker implements Dialer {
  private readonly waiting: BrokerSide[] = [];
  private readonly events = new EventEmitter();
  private readonly options: MemoryPairOptions;
  /** Set to have dials fail. */
  refusal: Error | null = null;
  dials = 0;

  constructor(options: MemoryPairOptions = {}) {
    this.options = options;
  }

  dial(): Promise<Transport> {
    this.dials += 1;
    if (this.refusal !== null) return Promise.reject(this.refusal);
    const [near, far] = memoryPair(this.options);
    this.waiting.push(new BrokerSide(far));
    this.events.emit('change');
    return Promise.resolve(near);
  }

  /** The next connection. */
  async accept(): Promise<BrokerSide> {
    while (this.waiting.length === 0) await once(this.events, 'change');
    return this.waiting.shift() as BrokerSide;
  }
}

/** The endpoint of options whose dialer is given apart. */
export const NOWHERE: ClientOptions = { endpoint: { kind: 'tcp', host: 'nowhere.invalid', port: 1 } };
