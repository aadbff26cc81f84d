// One client of the scale loads, on a raw socket, and many of them at once.
import { connect, type Socket } from 'node:net';
import {
  CONNACK,
  connectPacket,
  disconnectPacket,
  type OnPacket,
  PacketSplitter,
  PUBLISH,
  pubackPacket,
  SUBACK,
  subscribePacket,
} from './packets.ts';

/** Filters in one SUBSCRIBE. */
const BATCH = 100;

/** A client; what it receives as PUBLISH it gives to `onPublish`, and acknowledges at QoS 1. */
export class Client {
  readonly id: string;
  readonly socket: Socket;
  /** Resolves with CONNACK; rejects when the connection ends before. */
  readonly connected: Promise<void>;
  onPublish: OnPacket | null = null;
  onAcknowledged: (() => void) | null = null;
  #granted = 0;
  #wanted = 0;
  #onGranted: (() => void) | null = null;
  #onConnack: (() => void) | null = null;

  constructor(port: number, id: string, isClean = true, localAddress = '127.0.0.1') {
    this.id = id;
    this.socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
    const splitter = new PacketSplitter((first, buffer, start, end) => this.#take(first, buffer, start, end));
    this.socket.on('data', (chunk) => splitter.read(chunk));
    this.connected = new Promise((resolve, reject) => {
      this.#onConnack = resolve;
      this.socket.on('error', reject);
      this.socket.on('close', () => reject(new Error(`${id}: the broker closed the connection`)));
    });
    this.connected.catch(() => undefined);
    this.socket.write(connectPacket(id, isClean));
  }

  #take(first: number, buffer: Buffer, start: number, end: number): void {
    const type = first >> 4;
    if (type === PUBLISH) {
      if (first & 6) {
        const id = start + 2 + buffer.readUInt16BE(start);
        this.socket.write(pubackPacket(buffer.readUInt16BE(id)));
      }
      this.onPublish?.(first, buffer, start, end);
    } else if (type === CONNACK) {
      if (buffer[start + 1] !== 0) throw new Error(`${this.id} was refused with ${buffer[start + 1]}`);
      this.#onConnack?.();
    } else if (type === SUBACK) {
      for (let at = start + 2; at < end; at++) if (buffer[at]! > 2) throw new Error('a subscription was refused');
      this.#granted += 1;
      if (this.#granted === this.#wanted) this.#onGranted?.();
    } else this.onAcknowledged?.();
  }

  /** Resolves when the broker has granted all of the filters. */
  subscribe(filters: readonly string[], qos = 0): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.once('close', () => reject(new Error(`${this.id}: closed`)));
      this.#onGranted = resolve;
      for (let at = 0; at < filters.length; at += BATCH) {
        this.#wanted += 1;
        this.socket.write(subscribePacket(filters.slice(at, at + BATCH), qos));
      }
    });
  }

  /** Says goodbye; resolves when the connection is closed. */
  leave(): Promise<void> {
    if (this.socket.closed) return Promise.resolve();
    const closed = new Promise<void>((resolve) => this.socket.once('close', () => resolve()));
    this.socket.end(disconnectPacket);
    return closed;
  }
}

/** Does something `count` times, at most `most` at a time. */
export async function many<T>(count: number, most: number, act: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      results[index] = await act(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, count) }, worker));
  return results;
}

/** Resolves after so many seconds. */
export const wait = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
