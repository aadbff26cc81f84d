// One publisher, many subscribers of its topic, half of which stop reading. The publisher keeps a window of messages that the
// others have not got, so their rate is what the broker gives them. At the end all read again, and are asked what they missed.
//
//   node stalled-load.js '{"port":1883,"pid":4711,"log":"/tmp/…","subscribers":2000,"payload":4096,"seconds":5,"stalledSeconds":25}'
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { residentMegabytes } from '../measure.ts';
import { Client, many, wait } from './client.ts';
import { publishPacket } from './packets.ts';

export interface StalledOptions {
  readonly port: number;
  readonly pid: number;
  /** The broker's log. */
  readonly log: string;
  /** Every other one stops reading. */
  readonly subscribers: number;
  readonly payload: number;
  /** With all reading, and with half of them stopped. */
  readonly seconds: number;
  readonly stalledSeconds: number;
}

export interface StalledResult {
  /** Messages a second that each of the subscribers gets that go on reading. */
  readonly rateBefore: number;
  readonly rateStalled: number;
  readonly lastRate: number;
  /** Resident memory of the broker in MB: with all reading, and the most afterwards. */
  readonly memoryBefore: number;
  readonly memoryPeak: number;
  /** Messages that the stopped ones missed; of how many clients; the same by the broker's $SYS, and by its log. */
  readonly missed: number;
  readonly clientsMissing: number;
  readonly sysDropped: number;
  readonly clientsInLog: number;
  /** Clients whose line in the log tells the number that they missed. */
  readonly clientsRight: number;
}

const WINDOW = 20;
const TOPIC = 'fan/out';
const SYS_DROPPED = '$SYS/broker/publish/messages/dropped';

const { port, pid, log, subscribers, payload, seconds, stalledSeconds }: StalledOptions = JSON.parse(
  process.argv[2] ?? '',
);
const half = subscribers / 2;

const received = new Uint32Array(subscribers);
const message = publishPacket(TOPIC, Buffer.alloc(payload, 'x'));
let sent = 0;
let slowest = 0;
/** How many of the readers have got each message in the window. */
const got = new Map<number, number>();
let publishes = true;

const publisher = new Client(port, 'publisher');
await publisher.connected;

function send(): void {
  while (publishes && sent < slowest + WINDOW) {
    publisher.socket.write(message);
    sent += 1;
  }
}

/** A reader has got its message number `number`. */
function readerGot(number: number): void {
  const count = (got.get(number) ?? 0) + 1;
  if (count < half) {
    got.set(number, count);
    return;
  }
  got.delete(number);
  slowest = number;
  send();
}

const clients = await many(subscribers, 100, async (index) => {
  const client = new Client(port, `subscriber-${index}`);
  client.onPublish = () => {
    received[index]! += 1;
    if (index < half) readerGot(received[index]!);
  };
  await client.connected;
  await client.subscribe([TOPIC]);
  return client;
});
const observer = new Client(port, 'observer');
let sysDropped = 0;
observer.onPublish = (_first, buffer, start, end) => {
  const at = start + 2 + buffer.readUInt16BE(start);
  sysDropped = Number(buffer.toString('latin1', at, end));
};
await observer.connected;
await observer.subscribe([SYS_DROPPED]);

async function rateDuring(time: number): Promise<number> {
  const [count, began] = [slowest, performance.now()];
  await wait(time);
  return ((slowest - count) * 1000) / (performance.now() - began);
}

send();
await rateDuring(2);
const rateBefore = await rateDuring(seconds);
const memoryBefore = residentMegabytes(pid).now;
for (const client of clients.slice(half)) client.socket.pause();
const began = slowest;
const stalledAt = performance.now();
let memoryPeak = memoryBefore;
let lastRate = 0;
while (performance.now() < stalledAt + stalledSeconds * 1000) {
  lastRate = await rateDuring(1);
  memoryPeak = Math.max(memoryPeak, residentMegabytes(pid).now);
}
const rateStalled = ((slowest - began) * 1000) / (performance.now() - stalledAt);
publishes = false;
for (const client of clients.slice(half)) client.socket.resume();

/** Until nothing comes any more. */
let total = -1;
for (let now = received.reduce((sum, count) => sum + count, 0); now !== total; ) {
  total = now;
  await wait(3);
  now = received.reduce((sum, count) => sum + count, 0);
}
const told = new Map(
  [...readFileSync(log, 'utf8').matchAll(/(\d+) messages? (?:was|were) dropped for client (\S+) because/g)].map(
    ([, count, id]) => [id, Number(count)] as const,
  ),
);
const missed = clients.map((_client, index) => sent - received[index]!);
const result: StalledResult = {
  rateBefore,
  rateStalled,
  lastRate,
  memoryBefore,
  memoryPeak,
  missed: missed.reduce((sum, count) => sum + count, 0),
  clientsMissing: missed.filter((count) => count > 0).length,
  sysDropped,
  clientsInLog: told.size,
  clientsRight: missed.filter((count, index) => count > 0 && told.get(`subscriber-${index}`) === count).length,
};
process.stdout.write(JSON.stringify(result));
process.exit(0);
