// Clients that connect, subscribe once and stay idle; the memory of the broker while they are there and when they are gone.
//
//   node memory-load.js '{"port":1883,"pid":4711,"watch":"/tmp/…","clients":9000,"waves":3,"isBare":false}'

import { connect, type Socket } from 'node:net';
import process from 'node:process';
import { ask } from '../ask.ts';
import { residentMegabytes } from '../measure.ts';
import { Client, many, wait } from './client.ts';

export interface MemoryOptions {
  readonly port: number;
  readonly pid: number;
  /** Socket of watch.ts in the server's process. */
  readonly watch: string;
  readonly clients: number;
  readonly waves: number;
  /** The server is no broker but only holds sockets. */
  readonly isBare: boolean;
}

/** Memory of the server in bytes, after a collection of garbage. */
export interface MemorySample {
  readonly resident: number;
  readonly heap: number;
  readonly external: number;
}

export interface MemoryResult {
  /** Before the first wave, and after each was gone. */
  readonly empty: readonly MemorySample[];
  readonly full: readonly MemorySample[];
}

const CONCURRENT = 100;
/** Clients that come and go first, so that code is compiled and buffers are there. */
const WARMUP = 1000;

const options: MemoryOptions = JSON.parse(process.argv[2] ?? '');

async function sample(): Promise<MemorySample> {
  // What comes with timers and freed handles is done by then.
  await wait(1);
  for (let i = 0; i < 2; i++) await ask(options.watch, 'collect');
  await wait(0.2);
  const { heapUsed, external } = await ask(options.watch, 'collect');
  return { resident: residentMegabytes(options.pid).now * 1e6, heap: heapUsed, external };
}

function bareClient(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: options.port, host: '127.0.0.1' }, () => resolve(socket));
    socket.on('error', reject);
  });
}

async function join(index: number): Promise<() => Promise<void>> {
  if (options.isBare) {
    const socket = await bareClient();
    return () =>
      new Promise((resolve) =>
        socket
          .once('close', () => resolve())
          .end()
          .resume(),
      );
  }
  const client = new Client(options.port, `idle-client-${index}`);
  await client.connected;
  await client.subscribe([`devices/${index}/commands`], 1);
  return () => client.leave();
}

async function wave(clients: number): Promise<() => Promise<void>> {
  const leaves = await many(clients, CONCURRENT, join);
  return async () => {
    await many(leaves.length, CONCURRENT, (index) => leaves[index]!());
  };
}

await (await wave(Math.min(WARMUP, options.clients)))();
const empty = [await sample()];
const full: MemorySample[] = [];
for (let i = 0; i < options.waves; i++) {
  const leave = await wave(options.clients);
  full.push(await sample());
  await leave();
  empty.push(await sample());
}
process.stdout.write(JSON.stringify({ empty, full } satisfies MemoryResult));
