// A transport that a test leads by the hand: it takes memory or keeps it as told, and remembers what was asked of it.
import type { Transport, TransportSink } from '../../src/net/transport.ts';

/** Accepts every byte at once until `isStuck`; then keeps what it is given until drain(). */
export class FakeTransport implements Transport {
  readonly info = { address: 'test', port: 0, localPort: 0, kind: 'memory', tls: null } as const;
  readonly calls: string[] = [];
  readonly sent: Buffer[] = [];
  isStuck = false;
  /** What backlog tells beyond the kept bytes: memory that was copied and has not left. */
  copied = 0;
  sink: TransportSink | null = null;
  private kept = 0;

  get backlog(): number {
    return this.kept + this.copied;
  }

  /** All that was written. */
  get bytes(): Buffer {
    return Buffer.concat(this.sent);
  }

  attach(sink: TransportSink): void {
    this.sink = sink;
  }

  write(bytes: Buffer): boolean {
    this.sent.push(Buffer.from(bytes));
    if (this.isStuck) this.kept += bytes.length;
    return !this.isStuck;
  }

  /** The peer reads: everything leaves, and the sink hears of it. */
  drain(): void {
    this.isStuck = false;
    this.kept = 0;
    this.sink?.writable();
  }

  cork(): void {
    this.calls.push('cork');
  }

  uncork(): void {
    this.calls.push('uncork');
  }

  pause(): void {
    this.calls.push('pause');
  }

  resume(): void {
    this.calls.push('resume');
  }

  end(): void {
    this.calls.push('end');
  }

  destroy(): void {
    this.calls.push('destroy');
  }
}

/** Lets the loop turn until what was scheduled for this turn and the next has run. */
export async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

/** Counters that count. */
export class CountedBytes {
  bytes = 0;
  publishes = 0;
  payload = 0;

  sentBytes(count: number): void {
    this.bytes += count;
  }

  sentPublish(count: number, payloadBytes: number): void {
    this.publishes += count;
    this.payload += payloadBytes;
  }
}
