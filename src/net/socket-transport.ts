// A Transport over any of Node's sockets: plain TCP, Unix and TLS differ only in how the socket comes about.
//
// Two things are subtle. Node emits 'drain' only above its high-water mark, while the contract of write() promises
// writable() whenever the answer was false, so every write carries one shared callback. And a peer that neither reads nor
// closes must not keep a socket for ever after end(): reading stops until everything left, idle time is bounded, and once
// our FIN is out the peer gets a fixed time for its own.
import type { Socket } from 'node:net';
import type { PeerInfo, Transport, TransportSink } from './transport.ts';

/** Milliseconds without progress in sending what is left after end(). */
const END_IDLE_MS = 10_000;
/** Milliseconds a peer has to close its side once ours is closed. */
const END_PEER_MS = 2_000;

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
  private sink: TransportSink | null;
  /** write() answered false and writable() is owed. */
  private owesWritable: boolean;
  /** end() or destroy() was called: nothing more is taken or handed over. */
  private finished: boolean;
  private paused: boolean;
  private closed: boolean;
  private error: Error | null;
  private readonly written: (error?: Error | null) => void;

  constructor(socket: Socket, info: PeerInfo) {
    this.info = info;
    this.socket = socket;
    this.sink = null;
    this.owesWritable = false;
    this.finished = false;
    this.paused = false;
    this.closed = false;
    this.error = null;
    // After a failed write the memory is free, too, but nobody is to write more: `closed` follows.
    this.written = (error) => {
      if (error === undefined || error === null) this.afterWrite();
    };
    this.socket[TRANSPORT] = this;
    this.socket.on('error', onError);
    this.socket.on('close', onClose);
  }

  get backlog(): number {
    return this.socket.writableLength;
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
    this.socket.write(bytes, this.written);
    if (this.socket.writableLength === 0) return true;
    this.owesWritable = true;
    return false;
  }

  cork(): void {
    this.socket.cork();
  }

  uncork(): void {
    this.socket.uncork();
  }

  pause(): void {
    this.paused = true;
    this.socket.pause();
  }

  resume(): void {
    this.paused = false;
    // Without a receiver the bytes stay where they are.
    if (this.sink !== null && !this.finished) this.socket.resume();
  }

  end(): void {
    if (this.finished || this.closed) return;
    this.finished = true;
    const socket = this.socket;
    socket.pause();
    socket.setTimeout(END_IDLE_MS, () => socket.destroy());
    socket.once('finish', () => {
      socket.resume();
      const timer = setTimeout(() => socket.destroy(), END_PEER_MS).unref();
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

  private afterWrite(): void {
    if (!this.owesWritable || this.socket.writableLength !== 0 || this.finished || this.closed) return;
    this.owesWritable = false;
    this.sink?.writable();
  }

  /** For the socket's listeners alone: bytes came, the other side's end came, it failed, it is closed. */
  take(chunk: Buffer): void {
    if (!this.finished) this.sink?.receive(chunk);
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
