// A pair of transports inside one process: tests, and whoever wants to talk to the broker without a socket. Bytes travel in
// later loop turns, as the contract demands; a peer that pauses makes the other side's write() answer false. For tests the
// pair can be made to behave worse than any socket: chunks cut anywhere, memory kept at random.
import type { PeerInfo, Transport, TransportSink } from './transport.ts';

/** Bytes on their way from which on writable() follows even where every write() was answered with true. */
const TELLING_BACKLOG = 16_384;

/** How a pair behaves. */
export interface MemoryPairOptions {
  /** Numbers in [0, 1) for the choices below; Math.random by default. */
  readonly random?: () => number;
  /** Probability that write() keeps the memory and answers false although the peer reads; default 0. */
  readonly refuse?: number;
  /** Longest chunk that is handed over; lengths are chosen at random up to it. Default: chunks stay whole. */
  readonly longestChunk?: number;
}

/** Makes two transports that are each other's peer. */
export function memoryPair(options: MemoryPairOptions = {}): [Transport, Transport] {
  const left = new MemoryTransport(options);
  const right = new MemoryTransport(options);
  left.peer = right;
  right.peer = left;
  return [left, right];
}

class MemoryTransport implements Transport {
  readonly info: PeerInfo;
  /** Set once, by memoryPair. */
  peer: MemoryTransport | null;
  private readonly options: MemoryPairOptions;
  private sink: TransportSink | null;
  /** What was written here and has not reached the peer. */
  private readonly outgoing: Buffer[];
  private unsent: number;
  private owesWritable: boolean;
  private paused: boolean;
  private scheduled: boolean;
  /** end() was called: the peer is told once everything arrived. */
  private ending: boolean;
  private over: boolean;
  private error: Error | null;
  private told: boolean;
  private readonly run: () => void;

  constructor(options: MemoryPairOptions) {
    this.info = { address: 'memory', port: 0, localPort: 0, kind: 'memory', tls: null };
    this.peer = null;
    this.options = options;
    this.sink = null;
    this.outgoing = [];
    this.unsent = 0;
    this.owesWritable = false;
    this.paused = false;
    this.scheduled = false;
    this.ending = false;
    this.over = false;
    this.error = null;
    this.told = false;
    this.run = () => {
      this.scheduled = false;
      this.step();
    };
  }

  get backlog(): number {
    return this.unsent;
  }

  attach(sink: TransportSink): void {
    this.sink = sink;
    this.peer?.schedule();
    this.schedule();
  }

  write(bytes: Buffer): boolean {
    if (this.over || this.ending || bytes.length === 0) return true;
    const random = this.options.random ?? Math.random;
    const isFree = this.peer?.isReading === true && !this.owesWritable && random() >= (this.options.refuse ?? 0);
    this.outgoing.push(isFree ? Buffer.from(bytes) : bytes);
    this.unsent += bytes.length;
    // Like a socket's, a backlog that somebody may be waiting for is told of when it is gone.
    this.owesWritable ||= !isFree || this.unsent >= TELLING_BACKLOG;
    this.schedule();
    return isFree;
  }

  cork(): void {}

  uncork(): void {}

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.peer?.schedule();
  }

  end(): void {
    if (this.over) return;
    this.ending = true;
    this.schedule();
  }

  destroy(error?: Error): void {
    if (this.over) return;
    if (error !== undefined) this.error = error;
    this.shut();
    this.peer?.shut();
  }

  private get isReading(): boolean {
    return this.sink !== null && !this.paused && !this.over;
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.run);
  }

  private shut(): void {
    this.over = true;
    this.outgoing.length = 0;
    this.unsent = 0;
    this.schedule();
  }

  /** One turn: hand bytes to the peer, then tell of what changed. */
  private step(): void {
    if (!this.over) this.handOver();
    if (this.owesWritable && this.unsent === 0 && !this.over) {
      this.owesWritable = false;
      this.sink?.writable();
    }
    if (this.ending && this.unsent === 0 && !this.over) {
      this.shut();
      this.peer?.shut();
    }
    if (this.over && !this.told && this.sink !== null) {
      this.told = true;
      this.sink.closed(this.error);
    }
  }

  private handOver(): void {
    const peer = this.peer;
    while (peer?.isReading === true && !this.over && this.outgoing.length > 0) {
      const bytes = this.outgoing[0]!;
      const longest = this.options.longestChunk;
      const length =
        longest === undefined
          ? bytes.length
          : Math.min(bytes.length, 1 + Math.floor((this.options.random ?? Math.random)() * longest));
      if (length === bytes.length) this.outgoing.shift();
      else this.outgoing[0] = bytes.subarray(length);
      this.unsent -= length;
      // A copy: the receiver may keep the chunk as long as it likes, the writer gets its memory back.
      if (!peer.ending) peer.sink?.receive(Buffer.from(bytes.subarray(0, length)));
    }
  }
}
