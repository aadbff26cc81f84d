// A steady, modest load for minutes: pairs at QoS 0 and 1, and clients that come and go. Looks at the broker's resident
// memory all the time.
//
//   node steady-load.js '{"port":1883,"pid":4711,"minutes":10}'
import process from 'node:process';
import { residentMegabytes } from '../measure.ts';
import { Client, many, wait } from './client.ts';
import { payloadStart, publishPacket } from './packets.ts';

export interface SteadyOptions {
  readonly port: number;
  readonly pid: number;
  readonly minutes: number;
}

export interface SteadyResult {
  /** Resident MB, every five seconds. */
  readonly resident: readonly number[];
  readonly messages: number;
  readonly visits: number;
}

const PAIRS = 50;
const BURST_MS = 50;
const BURST = 2;
const VISITS_PER_SECOND = 20;
const LOOK_SECONDS = 5;

const { port, pid, minutes }: SteadyOptions = JSON.parse(process.argv[2] ?? '');
let messages = 0;
let visits = 0;

async function pair(index: number): Promise<() => void> {
  const [publisher, subscriber] = [new Client(port, `publisher-${index}`), new Client(port, `subscriber-${index}`)];
  await Promise.all([publisher.connected, subscriber.connected]);
  const qos = index % 2;
  await subscriber.subscribe([`steady/${index}`], qos);
  let sent = 0;
  let seen = 0;
  subscriber.onPublish = (first, buffer, start) => {
    if (buffer.readUInt32BE(payloadStart(first, buffer, start)) !== seen) throw new Error('a message is out of order');
    seen += 1;
    messages += 1;
  };
  return () => {
    for (let i = 0; i < BURST; i++) {
      const payload = Buffer.alloc(200);
      payload.writeUInt32BE(sent++);
      publisher.socket.write(publishPacket(`steady/${index}`, payload, qos << 1));
    }
  };
}

async function visit(): Promise<void> {
  const client = new Client(port, `visitor-${visits++}`);
  await client.connected;
  await client.subscribe([`visitors/${visits}`, 'visitors/+/all']);
  await client.leave();
}

const sends = await many(PAIRS, PAIRS, pair);
const resident: number[] = [];
setInterval(() => {
  for (const send of sends) send();
}, BURST_MS);
setInterval(() => void visit(), 1000 / VISITS_PER_SECOND);
for (const end = performance.now() + minutes * 60_000; performance.now() < end; ) {
  await wait(LOOK_SECONDS);
  resident.push(residentMegabytes(pid).now);
}
process.stdout.write(JSON.stringify({ resident, messages, visits } satisfies SteadyResult));
process.exit(0);
