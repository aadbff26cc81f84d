// A transport whose bytes are written down as they pass.
import type { PeerInfo, Transport, TransportSink } from '../../src/net/transport.ts';
import type { RecordedConnection, Side } from './pcap.ts';

/** A transport that works like this one and is written down; `side` is the one that holds it. */
export function recorded(transport: Transport, connection: RecordedConnection, side: Side): Transport {
  const other: Side = side === 'client' ? 'server' : 'client';
  return new RecordedTransport(transport, connection, side, other);
}

class RecordedTransport implements Transport {
  readonly info: PeerInfo;
  private readonly inner: Transport;
  private readonly connection: RecordedConnection;
  private readonly here: Side;
  private readonly there: Side;

  constructor(inner: Transport, connection: RecordedConnection, here: Side, there: Side) {
    this.info = inner.info;
    this.inner = inner;
    this.connection = connection;
    this.here = here;
    this.there = there;
  }

  get backlog(): number {
    return this.inner.backlog;
  }

  attach(sink: TransportSink): void {
    this.inner.attach({
      receive: (chunk) => {
        this.connection.add(this.there, Buffer.from(chunk));
        sink.receive(chunk);
      },
      writable: () => sink.writable(),
      closed: (error) => {
        this.connection.close();
        sink.closed(error);
      },
    });
  }

  write(bytes: Buffer): boolean {
    this.connection.add(this.here, Buffer.from(bytes));
    return this.inner.write(bytes);
  }

  expect(largest: number): void {
    this.inner.expect?.(largest);
  }

  cork(): void {
    this.inner.cork();
  }

  uncork(): void {
    this.inner.uncork();
  }

  pause(): void {
    this.inner.pause();
  }

  resume(): void {
    this.inner.resume();
  }

  end(): void {
    this.inner.end();
  }

  destroy(error?: Error): void {
    if (error === undefined) this.inner.destroy();
    else this.inner.destroy(error);
  }
}
