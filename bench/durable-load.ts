// The load of one durable measurement, in a process of its own: publishers with a window of unacknowledged QoS 1 messages,
// each to a subscriber with a persistent session that acknowledges, as fast as the broker goes or at a steady rate, and then
// until everything has arrived. Every message must come once and in order. Prints one line of JSON.
import process from 'node:process';
import { ask } from './ask.ts';
import { machineSeconds, othersShare } from './calm.ts';
import { fail, formOf, Publisher, Subscriber } from './durable-clients.ts';
import { Histogram } from './histogram.ts';
import { cpuNanoseconds, mainThreadNanoseconds, residentMegabytes } from './measure.ts';
import type { Watched } from './watch.ts';

export interface DurableOptions {
  readonly port: number;
  /** Process id of the broker. */
  readonly pid: number;
  /** Socket of watch.ts in the broker's process; null where nobody watches. */
  readonly watch: string | null;
  readonly pairs: number;
  /** Unacknowledged messages of one publisher. */
  readonly window: number;
  /** Payload bytes, at least 4. */
  readonly payload: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
  /** Messages in a second of all publishers together; 0 for as many as go. */
  readonly rate: number;
}

/** What one stretch of time showed. */
export interface Stretch {
  readonly seconds: number;
  readonly acknowledged: number;
  readonly deliveries: number;
  /** CPU time, user and system: of the broker with all its threads, of its main thread, and of the load. */
  readonly brokerNanoseconds: number;
  readonly mainNanoseconds: number;
  readonly loadNanoseconds: number;
  /** From PUBLISH written to PUBACK read, in milliseconds. */
  readonly latency: { readonly p50: number; readonly p99: number; readonly longest: number };
  readonly watched: Watched | null;
  /** Share of the machine that other processes had, 0 to 1. */
  readonly others: number;
  /** Of the broker, at the end. */
  readonly residentMegabytes: number;
}

/** A publisher is never so many messages ahead of its subscriber, or a broker that prefers publishers would hoard. */
const LEAD = 1000;
/** Time that messages on their way may take to arrive at the end, in milliseconds; what is missing then counts as lost. */
const PATIENCE = 20_000;

const options: DurableOptions = JSON.parse(process.argv[2] ?? '{}');
const latency = new Histogram();
const publishers: Publisher[] = [];
const subscribers: Subscriber[] = [];
let isFull = false;
let drained: (() => void) | null = null;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const sleep = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

function pump(publisher: Publisher, subscriber: Subscriber): void {
  if (isFull) publisher.send(Math.min(publisher.room, LEAD - (publisher.sent - subscriber.received)));
  else if (drained !== null && publisher.sent === subscriber.received && underWay() === 0) drained();
}

function underWay(): number {
  return sum(publishers.map((publisher, i) => 2 * publisher.sent - publisher.acked - subscribers[i]!.received));
}

async function openAll(): Promise<void> {
  for (let i = 0; i < options.pairs; i++) {
    const topic = `bench/durable/${i}`;
    const form = formOf(topic, options.payload);
    const subscriber = new Subscriber(options.port, `durable-sub-${i}`, form);
    const publisher = new Publisher(options.port, `durable-pub-${i}`, form, options.window, latency);
    await subscriber.open(false);
    await subscriber.subscribe(topic);
    await publisher.open(true);
    publisher.onAcked = () => pump(publisher, subscriber);
    subscriber.onReceived = () => pump(publisher, subscriber);
    subscribers.push(subscriber);
    publishers.push(publisher);
  }
}

function snapshot() {
  return {
    time: performance.now(),
    acknowledged: sum(publishers.map((publisher) => publisher.acked)),
    deliveries: sum(subscribers.map((subscriber) => subscriber.received)),
    broker: cpuNanoseconds(options.pid),
    main: mainThreadNanoseconds(options.pid),
    load: cpuNanoseconds(process.pid),
    machine: machineSeconds(),
  };
}

/** What happens while `run` goes on. */
async function measure(run: () => Promise<void>): Promise<Stretch> {
  if (options.watch !== null) await ask(options.watch, 'clear');
  latency.clear();
  const before = snapshot();
  await run();
  const after = snapshot();
  const seconds = (after.time - before.time) / 1000;
  const own = (after.broker - before.broker + after.load - before.load) / 1e9;
  return {
    seconds,
    acknowledged: after.acknowledged - before.acknowledged,
    deliveries: after.deliveries - before.deliveries,
    brokerNanoseconds: after.broker - before.broker,
    mainNanoseconds: after.main - before.main,
    loadNanoseconds: after.load - before.load,
    latency: { p50: latency.milliseconds(0.5), p99: latency.milliseconds(0.99), longest: latency.milliseconds(1) },
    watched: options.watch === null ? null : await ask(options.watch, 'read'),
    others: othersShare(after.machine - before.machine, own, seconds),
    residentMegabytes: residentMegabytes(options.pid).now,
  };
}

/** Waits until everything that was sent is acknowledged and has arrived. */
async function drain(): Promise<void> {
  isFull = false;
  if (underWay() === 0) return;
  const limit = setTimeout(() => fail(`${underWay()} messages or acknowledgements did not arrive`), PATIENCE);
  await new Promise<void>((resolve) => {
    drained = resolve;
  });
  drained = null;
  clearTimeout(limit);
}

/** Sends at a steady rate, by turns; a publisher whose window is full is passed over. */
async function pace(seconds: number): Promise<void> {
  const began = performance.now();
  let given = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - began) / 1000) * options.rate);
    for (; given < due; given++) {
      const publisher = publishers[given % publishers.length]!;
      if (publisher.room > 0) publisher.send(1);
    }
  }, 1);
  await sleep(seconds);
  clearInterval(timer);
}

/** Sends as fast as the broker acknowledges; goes on until drain(). */
async function flood(seconds: number): Promise<void> {
  if (!isFull) {
    isFull = true;
    for (const [i, publisher] of publishers.entries()) pump(publisher, subscribers[i]!);
  }
  await sleep(seconds);
}

await openAll();
const run = options.rate === 0 ? flood : pace;
await run(options.warmupSeconds);
const result = await measure(() => run(options.seconds));
await drain();
process.stdout.write(`${JSON.stringify(result)}\n`);
await Promise.all([...publishers, ...subscribers].map((client) => client.close()));
