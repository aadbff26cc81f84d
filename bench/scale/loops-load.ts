// What may keep the broker's loop from turning, while a witness sees that no message is lost or comes out of order.
//
//   node loops-load.js '{"port":1883,"watch":"/tmp/…","kind":"retained","size":1000000,"seconds":5}'
import process from 'node:process';
import { ask } from '../ask.ts';
import type { Watched } from '../watch.ts';
import { Client, many, wait } from './client.ts';
import { payloadStart, publishPacket } from './packets.ts';
import { Witness } from './witness.ts';

export interface LoopsOptions {
  readonly port: number;
  readonly watch: string;
  readonly kind: 'idle' | 'takeover' | 'retained' | 'log';
  /** Clients that are taken over, retained messages, or pairs that are logged. */
  readonly size: number;
  readonly seconds: number;
}

export interface LoopsResult {
  readonly loop: Watched['loop'];
  readonly collection: Watched['collection'];
  /** What was done: take-overs, retained messages received, messages logged. */
  readonly done: number;
  /** Messages of the witness, which all came in order. */
  readonly witnessed: number;
  readonly seconds: number;
}

const options: LoopsOptions = JSON.parse(process.argv[2] ?? '');
const { port, size, seconds } = options;

/** Each client comes again and again under its id, before the broker is done with the one before. */
async function takeOver(): Promise<number> {
  let done = 0;
  const end = performance.now() + seconds * 1000;
  await many(size, size, async (index) => {
    let last: Client | null = null;
    while (performance.now() < end) {
      const next: Client = new Client(port, `taken-${index}`);
      await next.connected;
      await next.subscribe([`taken/${index}/+`, `taken/all/#`], 1);
      // The broker must have closed the one before.
      if (last !== null && !last.socket.closed) await new Promise((resolve) => last!.socket.once('close', resolve));
      last = next;
      done += 1;
    }
    await last?.leave();
  });
  return done;
}

const retainedTopic = (index: number): string =>
  `site/${index % 100}/line/${Math.floor(index / 100) % 100}/sensor/${index}`;

async function retain(): Promise<void> {
  const publisher = new Client(port, 'retainer');
  await publisher.connected;
  for (let at = 0; at < size; ) {
    const packets: Buffer[] = [];
    for (const end = Math.min(size, at + 1000); at < end; at++) {
      const payload = Buffer.alloc(32);
      payload.writeUInt32BE(at);
      packets.push(publishPacket(retainedTopic(at), payload, 1));
    }
    if (!publisher.socket.write(Buffer.concat(packets))) {
      await new Promise((resolve) => publisher.socket.once('drain', resolve));
    }
  }
  // At QoS 1 behind them, so that they are all there when it is acknowledged.
  const there = new Promise<void>((resolve) => {
    publisher.onAcknowledged = resolve;
  });
  publisher.socket.write(publishPacket('done', Buffer.alloc(1), 2));
  await there;
  await publisher.leave();
}

/** Subscribes to '#' and waits for every retained message, each once. */
async function replay(): Promise<number> {
  const subscriber = new Client(port, 'all');
  await subscriber.connected;
  const seen = new Uint8Array(size);
  let count = 0;
  await new Promise<void>((resolve) => {
    subscriber.onPublish = (first, buffer, start, end) => {
      if ((first & 1) === 0 || buffer[start + 2] === 0x24) return;
      const at = payloadStart(first, buffer, start);
      if (end - at !== 32) return;
      const number = buffer.readUInt32BE(at);
      if (seen[number] !== 0) throw new Error(`retained message ${number} came twice`);
      seen[number] = 1;
      count += 1;
      if (count === size) resolve();
    };
    void subscriber.subscribe(['#']);
  });
  await subscriber.leave();
  return count;
}

/** Pairs at QoS 1, as fast as they go with some messages on their way. */
async function exchange(): Promise<number> {
  const end = performance.now() + seconds * 1000;
  const counts = await many(size, size, async (index) => {
    const topic = `pair/${index}`;
    const [publisher, subscriber] = [new Client(port, `pub-${index}`), new Client(port, `sub-${index}`)];
    await Promise.all([publisher.connected, subscriber.connected]);
    await subscriber.subscribe([topic], 1);
    let sent = 0;
    let seen = 0;
    const send = (): void => {
      const payload = Buffer.alloc(64);
      payload.writeUInt32BE(sent++);
      publisher.socket.write(publishPacket(topic, payload, 2));
    };
    await new Promise<void>((resolve) => {
      subscriber.onPublish = (first, buffer, start) => {
        const number = buffer.readUInt32BE(payloadStart(first, buffer, start));
        if (number !== seen) throw new Error(`message ${number} came where ${seen} was to come`);
        seen += 1;
        if (performance.now() < end) send();
        else if (seen === sent) resolve();
      };
      for (let i = 0; i < 10; i++) send();
    });
    await Promise.all([publisher.leave(), subscriber.leave()]);
    return seen;
  });
  return counts.reduce((sum, count) => sum + count, 0);
}

async function act(): Promise<number> {
  if (options.kind === 'takeover') return takeOver();
  if (options.kind === 'retained') return replay();
  if (options.kind === 'log') return exchange();
  await wait(seconds);
  return 0;
}

if (options.kind === 'retained') await retain();
const witness = new Witness(port);
await witness.start();
await wait(1);
await ask(options.watch, 'clear');
const began = performance.now();
const done = await act();
const took = (performance.now() - began) / 1000;
const { loop, collection } = await ask(options.watch, 'read');
const witnessed = await witness.stop();
process.stdout.write(JSON.stringify({ loop, collection, done, witnessed, seconds: took } satisfies LoopsResult));
