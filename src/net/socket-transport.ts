// A Transport over any of Node's sockets: plain TCP, Unix and TLS differ only in how the socket comes about.
//
// Three things are subtle. A small write is nothing but a system call, and the machinery of Node's streams costs as much
// again: where nothing is on its way, the bytes go to the socket past it, and only what the system does not take is left
// to the stream to wait for. Node emits 'drain' only above its high-water mark, while the contract of write() promises
// writable() whenever the answer was false, so every write carries one shared callback. And a peer that neither reads nor
// closes must not keep a socket for ever after end(): reading stops until everything left, idle time is bounded, and once
// our FIN is out the peer gets a fixed time for its own.
import type { Socket } from 'node:net';
import type { LentReads } from './lent-reads.ts';
import type { PeerInfo, Transport, TransportSink } from './transport.ts';

/** Milliseconds without progress in sending what is left after end(). */
const END_IDLE_MS = 10_000;
/** Milliseconds a peer has to close its side once ours is closed. */
const END_PEER_MS = 2_000;
/** Node's word for an encoding where there is none. */
const BYTES = 'buffer' as BufferEncoding;

/** Where a socket keeps its transport: with it, the listeners are the same functions for all sockets. */
const TRANSPORT = Symbol('transport');

/** A socket with a transport over it. */
interface Carrier extends Socket {
  [TRANSPORT]?: SocketTransport;
}

/** Wraps a connected socket. Sends and receives bytes, tells of the end exactly once, never throws for what a peer does. */
export class SocketTransport implements Transport {
  readonly info: PeerInfo;
  private readonly socket: Carrier;
  private readonly reads: LentReads | null;
  /** Whether several writes may be under way in the socket: TLS takes one at a time. */
  private readonly isPlain: boolean;
  private sink: TransportSink | null;
  /** write() answered false and writable() is owed. */
  private owesWritable: boolean;
  /** end() or destroy() was called: nothing more is taken or handed over. */
  private finished: boolean;
  private paused: boolean;
  private closed: boolean;
  private error: Error | null;
  private corked: boolean;
  /** Bytes written past the stream that have not left. */
  private direct: number;
  private readonly written: (error?: Error | null) => void;
  private readonly directWritten: (error?: Error | null) => void;

  /** @param reads where the socket's bytes come if they are lent */
  constructor(socket: Socket, info: PeerInfo, reads: LentReads | null = null) {
    this.info = info;
    this.socket = socket;
    this.reads = reads;
    this.isPlain = info.tls === null;
    this.sink = null;
    this.owesWritable = false;
    this.finished = false;
    this.paused = false;
    this.closed = false;
    this.error = null;
    this.corked = false;
    this.direct = 0;
    // After a failed write the memory is free, too, but nobody is to write more: `closed` follows.
    this.written = (error) => {
      if (error === undefined || error === null) this.afterWrite();
    };
    this.directWritten = (error) => {
      this.direct = 0;
      if (error === undefined || error === null) this.afterWrite();
      else socket.destroy(error);
    };
    if (reads !== null) reads.receiver = this;
    this.socket[TRANSPORT] = this;
    this.socket.on('error', onError);
    this.socket.on('close', onClose);
  }

  get backlog(): number {
    return this.direct + this.socket.writableLength;
  }

  attach(sink: TransportSink): void {
    this.sink = sink;
    if (this.closed) {
      setImmediate(() => sink.closed(this.error));
      return;
    }
    this.socket.on('data', onData);
    this.socket.on('end', onEnd);
    if (!this.paused) this.socket.resume();
  }

  write(bytes: Buffer): boolean {
    if (this.finished || this.closed) return true;
    if (this.isPlain && !this.corked && !this.owesWritable && this.backlog === 0) {
      this.direct = bytes.length;
      this.socket._write(bytes, BYTES, this.directWritten);
    } else {
      this.socket.write(bytes, this.written);
    }
    if (this.backlog === 0) return true;
    this.owesWritable = true;
    return false;
  }

  cork(): void {
    this.corked = true;
    this.socket.cork();
  }

  uncork(): void {
    this.corked = false;
    this.socket.uncork();
  }

  pause(): void {
    this.paused = true;
    this.hold();
  }

  resume(): void {
    this.paused = false;
    // Without a receiver the bytes stay where they are.
    if (this.sink !== null && !this.finished) this.socket.resume();
  }

  end(patienceMs: number = END_PEER_MS): void {
    if (this.finished || this.closed) return;
    this.finished = true;
    const socket = this.socket;
    this.hold();
    socket.setTimeout(END_IDLE_MS, () => socket.destroy());
    socket.once('finish', () => {
      socket.resume();
      const timer = setTimeout(() => socket.destroy(), patienceMs).unref();
      socket.once('close', () => clearTimeout(timer));
    });
    socket.end();
  }

  destroy(error?: Error): void {
    if (this.closed) return;
    this.finished = true;
    if (error !== undefined) this.error = error;
    this.socket.destroy();
  }

  /**
   * Hands nothing over any more. Node goes on reading until the stream's buffer is full, and so learns of a peer that is
   * gone; with lent reads it would stop at once.
   */
  private hold(): void {
    const socket = this.socket;
    socket.pause();
    if (this.reads !== null && socket.readableLength < socket.readableHighWaterMark) socket._read(0);
  }

  private afterWrite(): void {
    if (!this.owesWritable || this.backlog !== 0 || this.finished || this.closed) return;
    this.owesWritable = false;
    this.sink?.writable();
  }

  // What follows is for the socket's listeners alone: bytes came, the other side's end came, it failed, it is closed.

  take(chunk: Buffer): void {
    if (!this.finished) this.sink?.receive(chunk);
  }

  /** Hands lent bytes over, or has the stream keep a copy of what nobody wants now. */
  takeLent(chunk: Buffer): boolean {
    const sink = this.sink;
    if (sink === null || this.paused || this.finished || this.socket.readableLength > 0) {
      return this.socket.push(Buffer.from(chunk));
    }
    if (this.reads?.isCopied === true) sink.receive(chunk);
    else if (sink.receiveLent === undefined) sink.receive(Buffer.from(chunk));
    else sink.receiveLent(chunk);
    return true;
  }

  takeEnd(): void {
    if (!this.finished) this.sink?.ended?.();
  }

  takeError(error: Error): void {
    this.error ??= error;
  }

  takeClose(): void {
    this.closed = true;
    this.sink?.closed(this.error);
  }
}

function onData(this: Carrier, chunk: Buffer): void {
  this[TRANSPORT]!.take(chunk);
}

function onEnd(this: Carrier): void {
  this[TRANSPORT]!.takeEnd();
}

function onError(this: Carrier, error: Error): void {
  this[TRANSPORT]!.takeError(error);
}

function onClose(this: Carrier): void {
  this[TRANSPORT]!.takeClose();
}
