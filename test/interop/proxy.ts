// A proxy on the way to a broker: it can write down what passes, cut connections, and swallow what one side sends.
import { once } from 'node:events';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { packetEnd } from '../support/wire-bytes.ts';
import type { RecordedConnection, Recording, Side } from './pcap.ts';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** A proxy to one port of this machine. */
export interface WireProxy {
  readonly port: number;
  /** Breaks every connection at once. */
  cut(): void;
  /**
   * Cuts a connection instead of passing on the next packet of one side that begins with this byte, and what came with
   * it; resolves when it has happened.
   */
  cutAt(from: Side, first: number): Promise<void>;
}

/** Starts a proxy, to be closed when the test ends. */
export async function startProxy(context: TestContext, target: number, recording?: Recording): Promise<WireProxy> {
  const pairs = new Set<Pair>();
  let trap: ((from: Side, chunk: Buffer) => boolean) | null = null;
  const server: Server = createServer((client) => {
    const pair: Pair = { client, server: dial(target, '127.0.0.1') };
    pairs.add(pair);
    const connection = recording?.connect() ?? null;
    const end = (): void => {
      if (!pairs.delete(pair)) return;
      connection?.close();
      client.destroy();
      pair.server.destroy();
    };
    const isTrapped = (from: Side, chunk: Buffer): boolean => trap?.(from, chunk) === true;
    pass(pair.client, pair.server, 'client', connection, isTrapped, end);
    pass(pair.server, pair.client, 'server', connection, isTrapped, end);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const { client, server: other } of pairs) {
      client.resetAndDestroy();
      other.resetAndDestroy();
    }
  };
  context.after(() => {
    cut();
    server.close();
  });
  const address = server.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    cut,
    cutAt: (side, first) =>
      new Promise((resolve) => {
        trap = (from, chunk) => {
          if (from !== side || !holdsPacket(chunk, first)) return false;
          trap = null;
          resolve();
          return true;
        };
      }),
  };
}

/** Whether a chunk of whole packets holds one that begins with this byte. */
function holdsPacket(chunk: Buffer, first: number): boolean {
  for (let at = 0; at < chunk.length; ) {
    if (chunk[at] === first) return true;
    at += packetEnd(chunk.subarray(at)) ?? chunk.length;
  }
  return false;
}

/** Passes on what comes from one socket until either ends. */
function pass(
  source: Socket,
  target: Socket,
  from: Side,
  connection: RecordedConnection | null,
  isTrapped: (from: Side, chunk: Buffer) => boolean,
  end: () => void,
): void {
  source.setNoDelay(true);
  source.on('data', (chunk: Buffer) => {
    if (isTrapped(from, chunk)) {
      source.resetAndDestroy();
      target.resetAndDestroy();
      return;
    }
    connection?.add(from, Buffer.from(chunk));
    target.write(chunk);
  });
  source.on('end', () => target.end());
  source.on('error', () => undefined);
  source.on('close', end);
}
