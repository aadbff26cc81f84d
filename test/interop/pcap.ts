// Writes what went over connections as a capture file, so that tshark can read conversations that were never captured: no
// privileges are needed, and bytes that passed through memory can be judged as well.
import { writeFileSync } from 'node:fs';

/** Who sent bytes. */
export type Side = 'client' | 'server';

/** One connection whose bytes are written down. */
export interface RecordedConnection {
  /** The port that tshark shows for the client; every connection has its own. */
  readonly clientPort: number;
  /** Writes down bytes that one side sent. */
  add(from: Side, bytes: Buffer): void;
  /** Writes down that both sides closed. */
  close(): void;
}

/** The first connection's client port. */
const FIRST_CLIENT = 20_000;
const LINKTYPE_RAW = 101;
const FIN = 0x01;
const SYN = 0x02;
const PSH = 0x08;
const ACK = 0x10;
const CLIENT_ADDRESS = 0x7f000001;
const SERVER_ADDRESS = 0x7f000002;
/** Bytes of one segment; an IPv4 packet holds less than 65,536 with its headers. */
const LONGEST = 32_000;

/** A capture file in the making: IPv4 and TCP around the bytes of connections to one server port. */
export class Recording {
  readonly serverPort = 1883;
  private readonly frames: Buffer[] = [];
  private readonly sent: Record<Side, Buffer[]>[] = [];
  /** Of the file; the clock plays no part in what is judged. */
  private time = 0;

  /** A connection, with its handshake. */
  connect(): RecordedConnection {
    const clientPort = FIRST_CLIENT + this.sent.length;
    const sent: Record<Side, Buffer[]> = { client: [], server: [] };
    this.sent.push(sent);
    const next: Record<Side, number> = { client: 1, server: 1 };
    let isOpen = true;
    const segment = (from: Side, flags: number, bytes: Buffer): void => {
      const to: Side = from === 'client' ? 'server' : 'client';
      this.frame(from, clientPort, next[from], next[to], flags, bytes);
      next[from] = (next[from] + bytes.length + ((flags & (SYN | FIN)) === 0 ? 0 : 1)) >>> 0;
    };
    const none = Buffer.alloc(0);
    segment('client', SYN, none);
    segment('server', SYN | ACK, none);
    segment('client', ACK, none);
    return {
      clientPort,
      add(from, bytes) {
        sent[from].push(bytes);
        for (let at = 0; at < bytes.length; at += LONGEST) {
          segment(from, PSH | ACK, bytes.subarray(at, at + LONGEST));
        }
      },
      close() {
        if (!isOpen) return;
        isOpen = false;
        segment('client', FIN | ACK, none);
        segment('server', FIN | ACK, none);
        segment('client', ACK, none);
      },
    };
  }

  /** What either side of every connection sent. */
  streams(): { clientPort: number; client: Buffer; server: Buffer }[] {
    return this.sent.map(({ client, server }, i) => {
      return { clientPort: FIRST_CLIENT + i, client: Buffer.concat(client), server: Buffer.concat(server) };
    });
  }

  /** Writes the file. */
  save(file: string): void {
    const head = Buffer.alloc(24);
    head.writeUInt32LE(0xa1b2c3d4, 0);
    head.writeUInt16LE(2, 4);
    head.writeUInt16LE(4, 6);
    head.writeUInt32LE(0xffff, 16);
    head.writeUInt32LE(LINKTYPE_RAW, 20);
    writeFileSync(file, Buffer.concat([head, ...this.frames]));
  }

  private frame(from: Side, clientPort: number, sequence: number, ack: number, flags: number, bytes: Buffer): void {
    const [source, target] = from === 'client' ? [clientPort, this.serverPort] : [this.serverPort, clientPort];
    const tcp = Buffer.alloc(20);
    tcp.writeUInt16BE(source, 0);
    tcp.writeUInt16BE(target, 2);
    tcp.writeUInt32BE(sequence, 4);
    tcp.writeUInt32BE((flags & ACK) === 0 ? 0 : ack, 8);
    tcp.writeUInt16BE((5 << 12) | flags, 12);
    tcp.writeUInt16BE(0xffff, 14);
    const ip = Buffer.alloc(20);
    ip.writeUInt16BE(0x4500, 0);
    ip.writeUInt16BE(40 + bytes.length, 2);
    ip.writeUInt16BE(0x4006, 8);
    ip.writeUInt32BE(from === 'client' ? CLIENT_ADDRESS : SERVER_ADDRESS, 12);
    ip.writeUInt32BE(from === 'client' ? SERVER_ADDRESS : CLIENT_ADDRESS, 16);
    const record = Buffer.alloc(16);
    this.time += 1;
    record.writeUInt32LE(1_700_000_000 + Math.floor(this.time / 1e6), 0);
    record.writeUInt32LE(this.time % 1e6, 4);
    record.writeUInt32LE(40 + bytes.length, 8);
    record.writeUInt32LE(40 + bytes.length, 12);
    this.frames.push(record, ip, tcp, bytes);
  }
}
