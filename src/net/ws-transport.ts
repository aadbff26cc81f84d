// A Transport over an open WebSocket: MQTT packets come in binary frames, without regard to the frames' borders
// [MQTT-6.0.0-2]; a text frame ends the connection [MQTT-6.0.0-1]. Each packet is sent in a frame of its own, though the
// standard would let several share one: Paho's C library sees the second packet of a frame only when the next one comes.
import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import { PacketBorders } from './packet-borders.ts';
import type { PeerInfo, Transport, TransportSink } from './transport.ts';

/** Milliseconds a peer has to answer our close frame. */
const END_PEER_MS = 2_000;
/** Milliseconds without progress in sending what is left after end(). */
const END_IDLE_MS = 10_000;
const BINARY = { binary: true };
const NORMAL_CLOSURE = 1000;
const UNSUPPORTED_DATA = 1003;
/** Bytes that one message may have in any case: it may hold many small packets. */
const SMALL_MESSAGE = 65_536;
/** Bytes of a control frame's header with its mask. */
const CONTROL_HEADER = 6;
/** Bytes beside a message's own that are counted with it: frame headers, and the end of the one before. */
const COUNTING_SLACK = 131_072;

/** Wraps an open WebSocket and the socket below it. */
export class WebSocketTransport implements Transport {
  readonly info: PeerInfo;
  private readonly websocket: WebSocket;
  private readonly socket: Socket;
  private readonly borders: PacketBorders;
  private sink: TransportSink | null;
  /** Messages that came while nobody wanted them: before attach() and, decoded already, after pause(). */
  private readonly waiting: Buffer[];
  /** Bytes that came since the last whole message, which the library gathers, and their bound. */
  private gathered: number;
  private mostGathered: number;
  private paused: boolean;
  private handingOver: boolean;
  private owesWritable: boolean;
  private finished: boolean;
  private closed: boolean;
  private error: Error | null;
  /** The sink was told of the other side's end. */
  private toldEnd: boolean;
  private readonly sent: () => void;

  constructor(websocket: WebSocket, socket: Socket, info: PeerInfo) {
    this.info = info;
    this.websocket = websocket;
    this.socket = socket;
    this.borders = new PacketBorders();
    this.sink = null;
    this.waiting = [];
    this.gathered = 0;
    this.mostGathered = Number.POSITIVE_INFINITY;
    this.paused = false;
    this.handingOver = false;
    this.owesWritable = false;
    this.finished = false;
    this.closed = false;
    this.error = null;
    this.toldEnd = false;
    this.sent = () => this.afterSend();
    websocket.pause();
    websocket.on('message', (data, isBinary) => this.take(data, isBinary));
    // The library answers pings, and gives up who does not take the answers. They are part of no message.
    websocket.on('ping', (data) => {
      this.discount(data.length);
      if (websocket.readyState === websocket.OPEN || this.finished) return;
      this.error ??= new Error('The other side sent more WebSocket pings than it takes answers');
    });
    websocket.on('pong', (data) => this.discount(data.length));
    websocket.on('error', (error) => {
      this.error ??= error;
      this.finished = true;
      this.dropSoon();
    });
    socket.on('data', (chunk: Buffer) => {
      this.count(chunk.length);
      this.noticeEnd();
    });
    socket.on('end', () => this.noticeEnd());
    // ws keeps errors of the socket to itself; a late TLS alert is one.
    socket.on('error', (error) => {
      this.error ??= error;
    });
    websocket.on('close', () => this.close());
  }

  get backlog(): number {
    return this.websocket.bufferedAmount;
  }

  attach(sink: TransportSink): void {
    this.sink = sink;
    if (this.closed) setImmediate(() => sink.closed(this.error));
    else if (!this.paused) this.deliver();
  }

  expect(largest: number): void {
    this.mostGathered = Math.max(SMALL_MESSAGE, largest) + COUNTING_SLACK;
  }

  write(bytes: Buffer): boolean {
    if (this.finished || this.closed) return true;
    this.socket.cork();
    for (let at = 0; at < bytes.length; ) {
      const end = this.borders.next(bytes, at);
      this.websocket.send(bytes.subarray(at, end), BINARY, this.sent);
      at = end;
    }
    this.socket.uncork();
    if (this.websocket.bufferedAmount === 0) return true;
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
    this.websocket.pause();
  }

  resume(): void {
    if (!this.paused || this.finished) return;
    this.paused = false;
    if (this.sink !== null) this.deliver();
  }

  end(): void {
    if (this.finished || this.closed) return;
    this.finished = true;
    // A paused WebSocket would never see the peer's close frame.
    this.websocket.resume();
    this.websocket.close(NORMAL_CLOSURE);
    let unsent = Number.POSITIVE_INFINITY;
    const timer = setInterval(
      () => {
        const left = this.websocket.bufferedAmount;
        if (left === 0 || left === unsent) this.websocket.terminate();
        unsent = left;
      },
      this.websocket.bufferedAmount === 0 ? END_PEER_MS : END_IDLE_MS,
    ).unref();
    this.websocket.once('close', () => clearInterval(timer));
  }

  destroy(error?: Error): void {
    if (this.closed) return;
    this.finished = true;
    if (error !== undefined) this.error = error;
    this.websocket.terminate();
  }

  private take(data: RawData, isBinary: boolean): void {
    if (this.finished) return;
    this.gathered = 0;
    if (!isBinary) {
      this.error = new Error('The other side sent a text frame; MQTT needs binary ones');
      this.finished = true;
      this.websocket.close(UNSUPPORTED_DATA);
      this.dropSoon();
      return;
    }
    // Binary messages arrive as one Buffer: that is ws's default binaryType.
    const bytes = data as Buffer;
    if (bytes.length === 0) return;
    if (this.sink === null || this.paused || this.waiting.length > 0) this.waiting.push(bytes);
    else this.sink.receive(bytes);
  }

  private discount(payload: number): void {
    this.gathered = Math.max(0, this.gathered - payload - CONTROL_HEADER);
  }

  /** A message is not gathered beyond what its packets may have: who has not logged in may send little. */
  private count(bytes: number): void {
    this.gathered += bytes;
    if (this.gathered <= this.mostGathered || this.finished) return;
    this.destroy(new Error('The other side sent a WebSocket message that is larger than any packet may be'));
  }

  /** The library has read the bytes before us: after a close frame, or without one at the end, it is open no more. */
  private noticeEnd(): void {
    if (this.websocket.readyState === this.websocket.OPEN || this.finished || this.toldEnd) return;
    this.toldEnd = true;
    this.sink?.ended?.();
  }

  /** The close frame is out; a peer that does not answer it is not waited for long. */
  private dropSoon(): void {
    const timer = setTimeout(() => this.websocket.terminate(), END_PEER_MS).unref();
    this.websocket.once('close', () => clearTimeout(timer));
  }

  /** Goes on reading, with what waited first. */
  private deliver(): void {
    if (this.waiting.length > 0) setImmediate(() => this.handOver());
    else this.websocket.resume();
  }

  /** Hands over what waited, until the receiver pauses again. */
  private handOver(): void {
    if (this.handingOver) return;
    this.handingOver = true;
    while (!this.paused && !this.finished && this.waiting.length > 0) this.sink?.receive(this.waiting.shift()!);
    this.handingOver = false;
    if (!this.paused && !this.finished) this.websocket.resume();
  }

  private afterSend(): void {
    if (!this.owesWritable || this.websocket.bufferedAmount !== 0 || this.finished || this.closed) return;
    this.owesWritable = false;
    this.sink?.writable();
  }

  private close(): void {
    this.closed = true;
    this.sink?.closed(this.error);
  }
}
