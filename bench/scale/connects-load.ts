// Clients that connect, are let in and leave again, as fast as they can, so many at a time.
//
//   node connects-load.js '{"port":1883,"pid":4711,"concurrent":50,"warmupSeconds":1,"seconds":3}'
import process from 'node:process';
import { cpuNanoseconds } from '../measure.ts';
import { Client, many } from './client.ts';

export interface ConnectsOptions {
  readonly port: number;
  readonly pid: number;
  readonly concurrent: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
}

export interface ConnectsResult {
  readonly connects: number;
  readonly seconds: number;
  readonly brokerNanoseconds: number;
}

/** Addresses that connections come from, by turns: each has its own ports, and a closed connection's is taken for a while. */
const ADDRESSES = 16;

const options: ConnectsOptions = JSON.parse(process.argv[2] ?? '');
let connects = 0;
let isOver = false;

async function comeAndGo(index: number): Promise<void> {
  for (let turn = 0; !isOver; turn++) {
    const client = new Client(options.port, `client-${index}-${turn}`, true, `127.0.0.${1 + (connects % ADDRESSES)}`);
    await client.connected;
    await client.leave();
    connects += 1;
  }
}

async function during(seconds: number): Promise<ConnectsResult> {
  const before = { connects, cpu: cpuNanoseconds(options.pid), time: performance.now() };
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return {
    connects: connects - before.connects,
    seconds: (performance.now() - before.time) / 1000,
    brokerNanoseconds: cpuNanoseconds(options.pid) - before.cpu,
  };
}

const all = many(options.concurrent, options.concurrent, comeAndGo);
await during(options.warmupSeconds);
const result = await during(options.seconds);
isOver = true;
await all;
process.stdout.write(JSON.stringify(result));
