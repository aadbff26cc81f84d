// A connection on raw packets: the harness sends and sees every acknowledgement itself.
import { connect, type Socket } from 'node:net';
import { PUBLISH } from '../../src/protocol/constants.ts';
import { decode } from '../../src/protocol/decode.ts';
import { encode } from '../../src/protocol/encode.ts';
import { Framer } from '../../src/protocol/framer.ts';
import type { ControlPacket } from '../../src/protocol/packets.ts';
import { PublishView, readPublish } from '../../src/protocol/publish.ts';
import type { Profile } from '../../src/protocol/version.ts';
import { varintLength, writeVarint } from '../../src/protocol/writer.ts';

/** A PUBLISH as it came. */
export interface Delivery {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly id: number;
  /** The remaining expiry in seconds; null without. */
  readonly expiry: number | null;
}

/** What a connection tells its client. */
export interface Listener {
  packet(packet: ControlPacket): void;
  delivery(delivery: Delivery): void;
  /** The connection is over; `fault` says what came that is no MQTT. */
  closed(fault: string | null): void;
}

const ANYTHING = new Uint32Array(16).fill(0xffff_ffff);
const MESSAGE_EXPIRY = 0x02;

/** The bytes of a PUBLISH of QoS 1 or 2. */
export function publishPacket(
  profile: Profile,
  message: { topic: string; qos: number; retain: boolean; expiry: number | null },
  payload: Buffer,
  id: number,
  isDuplicate: boolean,
): Buffer {
  const topic = Buffer.from(message.topic);
  const expires = message.expiry !== null && profile.hasProperties;
  const properties = profile.hasProperties ? (expires ? 6 : 1) : 0;
  const body = 2 + topic.length + 2 + properties + payload.length;
  const bytes = Buffer.alloc(1 + varintLength(body) + body);
  bytes[0] = (PUBLISH << 4) | (isDuplicate ? 8 : 0) | (message.qos << 1) | (message.retain ? 1 : 0);
  let at = bytes.writeUInt16BE(topic.length, writeVarint(bytes, 1, body));
  at += topic.copy(bytes, at);
  at = bytes.writeUInt16BE(id, at);
  if (expires) {
    bytes[at] = 5;
    bytes[at + 1] = MESSAGE_EXPIRY;
    at = bytes.writeUInt32BE(message.expiry!, at + 2);
  } else at += properties;
  payload.copy(bytes, at);
  return bytes;
}

export class Connection {
  /** Whether it is over. */
  isOver = false;
  private readonly socket: Socket;
  private readonly profile: Profile;
  private readonly listener: Listener;
  private readonly framer = new Framer(ANYTHING);
  private readonly view = new PublishView();

  constructor(port: number, profile: Profile, listener: Listener, onOpen: () => void) {
    this.profile = profile;
    this.listener = listener;
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('connect', onOpen);
    this.socket.on('data', (chunk) => this.receive(chunk));
    // A reset is an end like any other here.
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => this.finish(null));
  }

  /** Whether something can still be said. */
  get isOpen(): boolean {
    return !this.isOver && !this.socket.writableEnded;
  }

  send(packet: Buffer | ControlPacket): void {
    if (!this.isOpen) return;
    this.socket.write(Buffer.isBuffer(packet) ? packet : encode(this.profile, packet));
  }

  /** Says no more; what the broker still says is heard. */
  end(): void {
    this.socket.end();
  }

  /** Breaks the connection. What came and was not read yet is not heard any more. */
  destroy(): void {
    this.socket.destroy();
    this.finish(null);
  }

  private finish(fault: string | null): void {
    if (this.isOver) return;
    this.isOver = true;
    this.socket.destroy();
    this.listener.closed(fault);
  }

  private receive(chunk: Buffer): void {
    if (this.isOver) return;
    try {
      this.framer.push(chunk, {
        frame: (buffer, first, start, end) => {
          this.read(buffer, first, start, end);
          return !this.isOver;
        },
      });
    } catch (error) {
      this.finish(String(error));
    }
  }

  private read(buffer: Buffer, first: number, start: number, end: number): void {
    if (first >> 4 !== PUBLISH) {
      this.listener.packet(decode(this.profile, buffer, first, start, end));
      return;
    }
    const { view } = this;
    readPublish(view, this.profile.hasProperties, true, buffer, first, start, end);
    this.listener.delivery({
      topic: buffer.toString('utf8', view.topicStart, view.topicEnd),
      payload: Buffer.from(buffer.subarray(view.payloadStart, end)),
      qos: view.qos,
      retain: (first & 1) !== 0,
      dup: (first & 8) !== 0,
      id: view.id,
      expiry: view.expiryAt < 0 ? null : view.expiry,
    });
  }
}
