// The loads about size, in a process of their own. Prints one line of JSON when done.
//   churn: all messages pass through the queue of one slow subscriber with a persistent session, which is always so long;
//   fill:  a persistent session that is away gets all messages queued;
//   drain: that session comes back and gets all of them, in order.
import process from 'node:process';
import { fail, formOf, Publisher, Subscriber } from './durable-clients.ts';
import { Histogram } from './histogram.ts';

export interface SizeOptions {
  readonly kind: 'churn' | 'fill' | 'drain';
  readonly port: number;
  readonly messages: number;
  /** Messages in the queue all the time, for 'churn'. */
  readonly queue: number;
  readonly payload: number;
}

export interface SizeResult {
  readonly seconds: number;
  /** Time until the broker answered the CONNECT of the first client. */
  readonly connectSeconds: number;
}

const WINDOW = 500;
const TOPIC = 'bench/size';

const options: SizeOptions = JSON.parse(process.argv[2] ?? '{}');
const form = formOf(TOPIC, options.payload);
const began = performance.now();
const seconds = (): number => (performance.now() - began) / 1000;
let connectSeconds = 0;

async function openSubscriber(): Promise<Subscriber> {
  const subscriber = new Subscriber(options.port, 'size-sub', form);
  const hadSession = await subscriber.open(false);
  connectSeconds = seconds();
  if (options.kind === 'drain' && !hadSession) fail('the broker had no session any more');
  if (!hadSession) await subscriber.subscribe(TOPIC);
  return subscriber;
}

async function openPublisher(): Promise<Publisher> {
  const publisher = new Publisher(options.port, 'size-pub', form, WINDOW, new Histogram());
  await publisher.open(true);
  return publisher;
}

function receiveAll(subscriber: Subscriber): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (subscriber.received === options.messages) resolve();
    };
    subscriber.onReceived = look;
    look();
  });
}

/** The queue is as long as was asked for, and at most by one window of the publisher longer. */

async function churn(): Promise<void> {
  const subscriber = await openSubscriber();
  const publisher = await openPublisher();
  await new Promise<void>((resolve) => {
    const more = () => {
      const isPublished = publisher.acked === options.messages;
      subscriber.limit = isPublished ? options.messages : publisher.acked - options.queue;
      subscriber.release();
      const most = Math.min(options.messages, subscriber.acknowledgedCount + options.queue + WINDOW);
      publisher.send(Math.min(publisher.room, most - publisher.sent));
      if (subscriber.acknowledgedCount === options.messages) resolve();
    };
    subscriber.onReceived = more;
    publisher.onAcked = more;
    more();
  });
  await Promise.all([subscriber.close(), publisher.close()]);
}

async function fill(): Promise<void> {
  const subscriber = await openSubscriber();
  await subscriber.close();
  const publisher = await openPublisher();
  await new Promise<void>((resolve) => {
    const more = () => {
      publisher.send(Math.min(publisher.room, options.messages - publisher.sent));
      if (publisher.acked === options.messages) resolve();
    };
    publisher.onAcked = more;
    more();
  });
  await publisher.close();
}

async function drain(): Promise<void> {
  const subscriber = await openSubscriber();
  await receiveAll(subscriber);
  await subscriber.close();
}

await { churn, fill, drain }[options.kind]();
const result: SizeResult = { seconds: seconds(), connectSeconds };
process.stdout.write(`${JSON.stringify(result)}\n`);
