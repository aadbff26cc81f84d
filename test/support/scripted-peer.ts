// A client that does what it is told and nothing else: it sends bytes and hands out what came, packet by packet. It sits on
// a real socket or on one end of an in-process pair.
import net from 'node:net';
import type { Transport } from '../../src/net/transport.ts';
import { packetEnd } from './wire-bytes.ts';

/** What comes from the broker: a packet's bytes, or null for the end of the connection. */
export type Arrival = Buffer | null;

/** A bidirectional byte stream to a broker. */
export interface Wire {
  send(bytes: Buffer): void;
  /** Closes at once, without a word. */
  drop(): void;
  /** Starts to hand out what comes. */
  attach(receive: (chunk: Buffer) => void, closed: () => void): void;
  /** Stops and goes on reading. */
  pause(): void;
  resume(): void;
}

/** Milliseconds that a scenario waits for something that must come. */
const PATIENCE_MS = 4000;

/** A scripted client. */
export class ScriptedPeer {
  private readonly wire: Wire;
  private readonly arrivals: Arrival[] = [];
  /** What came of packets that are not whole, and how many bytes it takes to go on. */
  private parts: Buffer[] = [];
  private have = 0;
  private need = 2;
  private fault: Error | null = null;
  private wake: () => void = () => undefined;
  private over = false;

  constructor(wire: Wire) {
    this.wire = wire;
    wire.attach(
      (chunk) => this.receive(chunk),
      () => this.closed(),
    );
  }

  /** Whether the connection is closed, as far as is known here. */
  get isOver(): boolean {
    return this.over;
  }

  send(bytes: Buffer): void {
    this.wire.send(bytes);
  }

  drop(): void {
    this.over = true;
    this.wire.drop();
  }

  pause(): void {
    this.wire.pause();
  }

  resume(): void {
    this.wire.resume();
  }

  /** The next packet, or null for the end; rejects when nothing comes. */
  async next(): Promise<Arrival> {
    await this.until(() => this.arrivals.length > 0);
    return this.arrivals.shift() ?? null;
  }

  /** Waits for one packet of these very bytes, wherever it stands among what came, and takes it out. */
  async await(bytes: Buffer): Promise<void> {
    let at = -1;
    await this.until(() => {
      at = this.arrivals.findIndex((arrival) => arrival === null || arrival.equals(bytes));
      return at >= 0;
    });
    if (this.arrivals[at] !== null) this.arrivals.splice(at, 1);
  }

  /** What came and nobody asked for. */
  leftOver(): Arrival[] {
    return this.arrivals.splice(0);
  }

  private async until(holds: () => boolean): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    let isLate = false;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        isLate = true;
        resolve();
      }, PATIENCE_MS);
    });
    try {
      while (!holds()) {
        if (this.fault !== null) throw this.fault;
        if (isLate) throw new Error('nothing');
        await Promise.race([late, new Promise<void>((resolve) => (this.wake = resolve))]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  private receive(chunk: Buffer): void {
    this.parts.push(chunk);
    this.have += chunk.length;
    if (this.have < this.need) return;
    let bytes = Buffer.concat(this.parts);
    try {
      let end = packetEnd(bytes);
      while (end !== null && end <= bytes.length) {
        this.arrivals.push(bytes.subarray(0, end));
        bytes = bytes.subarray(end);
        end = packetEnd(bytes);
      }
      this.need = end ?? bytes.length + 1;
    } catch (error) {
      this.fault = error as Error;
    }
    this.parts = [bytes];
    this.have = bytes.length;
    this.wake();
  }

  private closed(): void {
    if (!this.over && this.have > 0) {
      const bytes = Buffer.concat(this.parts);
      this.fault = new Error(`the connection ended within a packet: [${bytes.toString('hex', 0, 64)}…]`);
    }
    this.over = true;
    this.arrivals.push(null);
    this.wake();
  }
}

/** A wire over TCP. */
export function tcpWire(port: number): Wire {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  return {
    send: (bytes) => void socket.write(bytes),
    drop: () => void socket.destroy(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    attach(receive, closed) {
      socket.on('data', receive);
      // A reset ends the connection like any other end; 'close' follows.
      socket.on('error', () => undefined);
      socket.on('close', closed);
    },
  };
}

/** A wire over one end of an in-process pair. */
export function memoryWire(transport: Transport): Wire {
  return {
    send: (bytes) => void transport.write(Buffer.from(bytes)),
    drop: () => transport.destroy(),
    pause: () => transport.pause(),
    resume: () => transport.resume(),
    attach(receive, closed) {
      transport.attach({ receive, writable: () => undefined, closed });
    },
  };
}
