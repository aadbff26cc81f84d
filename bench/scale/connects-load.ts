// Clients that connect as fast as they can, so many at a time, stay until all are in, and leave again; in waves.
//
//   node connects-load.js '{"port":1883,"pid":4711,"concurrent":50,"clients":5000,"waves":5}'
import process from 'node:process';
import { cpuNanoseconds } from '../measure.ts';
import { Client, many } from './client.ts';

export interface ConnectsOptions {
  readonly port: number;
  readonly pid: number;
  readonly concurrent: number;
  readonly clients: number;
  /** The first one is not counted. */
  readonly waves: number;
}

/** One wave: CPU of the server for a client that comes and for one that leaves in nanoseconds, and clients that came in a second. */
export interface ConnectsWave {
  readonly come: number;
  readonly leave: number;
  readonly rate: number;
}

/** Addresses that connections come from, by turns: each has its own ports, and a closed connection's is taken for a while. */
const ADDRESSES = 16;

const { port, pid, clients, concurrent, waves }: ConnectsOptions = JSON.parse(process.argv[2] ?? '');

async function come(index: number): Promise<Client> {
  const client = new Client(port, `client-${index}`, true, `127.0.0.${1 + (index % ADDRESSES)}`);
  await client.connected;
  return client;
}

async function wave(): Promise<ConnectsWave> {
  const [cpu, time] = [cpuNanoseconds(pid), performance.now()];
  const all = await many(clients, concurrent, come);
  const [cpuIn, timeIn] = [cpuNanoseconds(pid), performance.now()];
  await many(clients, concurrent, (index) => all[index]!.leave());
  return {
    come: (cpuIn - cpu) / clients,
    leave: (cpuNanoseconds(pid) - cpuIn) / clients,
    rate: (clients * 1000) / (timeIn - time),
  };
}

await wave();
const results: ConnectsWave[] = [];
while (results.length < waves - 1) results.push(await wave());
process.stdout.write(JSON.stringify(results));
