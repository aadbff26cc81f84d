// A receiver that remembers what a transport told it, and lets a test wait for more.
import { EventEmitter, once } from 'node:events';
import type { Transport, TransportSink } from '../../../src/net/transport.ts';

/** Sees everything that one transport says. */
export class Recorder implements TransportSink {
  readonly transport: Transport;
  received = 0;
  writables = 0;
  ends: (Error | null)[] = [];
  private readonly chunks: Buffer[] = [];
  private readonly events = new EventEmitter();

  constructor(transport: Transport) {
    this.transport = transport;
    transport.attach(this);
  }

  receive(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.received += chunk.length;
    this.events.emit('change');
  }

  writable(): void {
    this.writables += 1;
    this.events.emit('change');
  }

  closed(error: Error | null): void {
    this.ends.push(error);
    this.events.emit('change');
  }

  bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  /** Waits until the condition holds; it is looked at whenever the transport says something. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await once(this.events, 'change');
  }

  untilReceived(count: number): Promise<void> {
    return this.until(() => this.received >= count);
  }

  /** The error the connection ended with, null for an orderly end. */
  async end(): Promise<Error | null> {
    await this.until(() => this.ends.length > 0);
    return this.ends[0] ?? null;
  }
}
