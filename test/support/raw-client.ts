// A socket to a broker for what no well-behaved client does: bytes as they are, packets cut in two, silence, and a reader
// that stops reading. Packets that come back are taken apart by the project's own codec.
import { EventEmitter, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { PUBLISH } from '../../src/protocol/constants.ts';
import { decode } from '../../src/protocol/decode.ts';
import { encode } from '../../src/protocol/encode.ts';
import { Framer } from '../../src/protocol/framer.ts';
import type { ConnectPacket, ControlPacket } from '../../src/protocol/packets.ts';
import { NO_PROPERTIES } from '../../src/protocol/properties.ts';
import { PublishView, readPublish } from '../../src/protocol/publish.ts';
import { MQTT5, type Profile } from '../../src/protocol/version.ts';

/** A PUBLISH as it came. */
export interface RawPublish {
  readonly type: typeof PUBLISH;
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly retain: boolean;
  readonly id: number;
}

export type RawPacket = ControlPacket | RawPublish;

/** Every type may come, at any size. */
const ANYTHING = new Uint32Array(16).fill(0xffff_ffff);
const WAIT_MS = 20_000;

/** The bytes of a CONNECT; MQTT 5 and a clean start where nothing else is said. */
export function connectBytes(clientId: string, fields: Partial<ConnectPacket> = {}): Buffer {
  return encode(fields.profile ?? MQTT5, {
    type: 1,
    profile: MQTT5,
    bridge: false,
    clientId,
    cleanStart: true,
    keepAlive: 0,
    username: null,
    password: null,
    will: null,
    properties: NO_PROPERTIES,
    ...fields,
  });
}

/** The bytes of a PUBLISH without properties; `id` counts for QoS 1 and 2 only. */
export function publishBytes(profile: Profile, topic: string, payload: string | Buffer, qos = 0, id = 1): Buffer {
  const name = Buffer.from(topic);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(name.length);
  const identifier = qos === 0 ? [] : [id >> 8, id & 0xff];
  const rest = Buffer.from([...identifier, ...(profile.hasProperties ? [0] : [])]);
  const body = Buffer.concat([length, name, rest, Buffer.from(payload)]);
  const size: number[] = [];
  for (let left = body.length; ; left = Math.floor(left / 128)) {
    if (left < 128) {
      size.push(left);
      break;
    }
    size.push((left % 128) | 128);
  }
  return Buffer.concat([Buffer.from([0x30 | (qos << 1), ...size]), body]);
}

/** A raw connection. */
export class RawClient {
  readonly socket: Socket;
  readonly profile: Profile;
  /** Bytes that came. */
  bytes = 0;
  /** Whether the broker has closed, or broken, the connection. */
  over = false;
  private readonly framer = new Framer(ANYTHING);
  private readonly packets: RawPacket[] = [];
  private readonly events = new EventEmitter();

  constructor(socket: Socket, profile: Profile = MQTT5) {
    this.socket = socket;
    this.profile = profile;
    this.events.setMaxListeners(0);
    socket.on('data', (chunk) => this.receive(chunk));
    // A reset is an end like any other here.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.over = true;
      this.events.emit('change');
    });
  }

  /** Connects to a plain listener of this machine. */
  static async open(port: number, profile: Profile = MQTT5): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect', { signal: AbortSignal.timeout(WAIT_MS) });
    return new RawClient(socket, profile);
  }

  /** Connects, sends CONNECT and waits for CONNACK. */
  static async join(port: number, clientId: string, fields: Partial<ConnectPacket> = {}): Promise<RawClient> {
    const client = await RawClient.open(port, fields.profile ?? MQTT5);
    client.send(connectBytes(clientId, fields));
    await client.next();
    return client;
  }

  send(bytes: Buffer | ControlPacket): void {
    this.socket.write(Buffer.isBuffer(bytes) ? bytes : encode(this.profile, bytes));
  }

  /** Subscribes to one filter and waits for SUBACK. */
  async subscribe(filter: string, qos = 0): Promise<void> {
    const subscription = { filter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 };
    this.send({ type: 8, id: 1, subscriptions: [subscription], properties: NO_PROPERTIES });
    await this.next();
  }

  /** The next packet; null when the connection ended without one. Rejects if neither comes. */
  async next(): Promise<RawPacket | null> {
    await this.until(() => this.packets.length > 0 || this.over);
    return this.packets.shift() ?? null;
  }

  /** Resolves when the broker has closed the connection. */
  async ended(): Promise<void> {
    await this.until(() => this.over);
  }

  /** Resolves when what came makes this true. */
  async until(isSo: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(WAIT_MS);
    while (!isSo()) await once(this.events, 'change', { signal });
  }

  private receive(chunk: Buffer): void {
    this.bytes += chunk.length;
    this.framer.push(chunk, {
      frame: (buffer, first, start, end) => {
        this.packets.push(this.read(buffer, first, start, end));
        return true;
      },
    });
    this.events.emit('change');
  }

  private read(buffer: Buffer, first: number, start: number, end: number): RawPacket {
    if (first >> 4 !== PUBLISH) return decode(this.profile, buffer, first, start, end);
    const view = new PublishView();
    readPublish(view, this.profile.hasProperties, true, buffer, first, start, end);
    return {
      type: PUBLISH,
      topic: buffer.toString('utf8', view.topicStart, view.topicEnd),
      payload: Buffer.from(buffer.subarray(view.payloadStart, end)),
      qos: view.qos,
      retain: (first & 1) !== 0,
      id: view.id,
    };
  }
}
