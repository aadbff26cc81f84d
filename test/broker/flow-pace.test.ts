// Publishers and the subscribers that are slower than they: who takes its messages loses none, and who does not holds
// nobody up for longer than a moment. Time stands still but where a test moves it.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Broker } from '../../src/broker/broker.ts';
import { startBroker } from '../../src/broker/broker.ts';
import { configFrom } from '../../src/config/from-program.ts';
import { MemoryClient, turn, turnUntil } from '../support/memory-client.ts';
import { WireClock } from '../support/wire-clock.ts';

interface Rig {
  readonly broker: Broker;
  readonly clock: WireClock;
}

async function open(context: TestContext, maxQueuedMessages = 100): Promise<Rig> {
  const clock = new WireClock();
  const global = { maxQueuedMessages, sysInterval: 0 };
  const broker = await startBroker(configFrom({ listeners: [{ port: 0 }], global }), { verbosity: 'none' });
  context.after(async () => {
    await broker.stop();
    clock.restore();
  });
  return { broker, clock };
}

/** Sends messages with their number as payload, all at once. */
function blast(publisher: MemoryClient, topic: string, count: number, qos = 1, from = 0): void {
  for (let i = from; i < from + count; i++) publisher.publish(topic, String(i), qos, (i % 65_535) + 1);
}

/** A client that acknowledges so many messages a turn until it is told to stop. */
function steadily(client: MemoryClient, perTurn: number): () => void {
  let goesOn = true;
  const step = (): void => {
    if (!goesOn || client.isOver) return;
    client.acknowledge(perTurn);
    setImmediate(step);
  };
  step();
  return () => {
    goesOn = false;
  };
}

/** Resolves when a client has acknowledged its first hundred messages and the broker knows it. */
async function proved(client: MemoryClient): Promise<void> {
  await turnUntil(() => client.publishes === 100 && client.unacknowledged.length === 0, 'it proves itself');
  for (let i = 0; i < 5; i++) await turn();
}

for (const qos of [0, 1, 2]) {
  test(`a subscriber that takes its messages loses none to a faster publisher (published with QoS ${qos})`, async (context) => {
    const { broker } = await open(context);
    const got: number[] = [];
    const subscriber = new MemoryClient(broker, 'subscriber', {
      acknowledges: false,
      onPublish: ({ payload }) => got.push(Number(payload)),
    });
    subscriber.subscribe(['t'], Math.min(qos, 1));
    const publisher = new MemoryClient(broker, 'publisher');
    await turnUntil(() => subscriber.counts[9] === 1 && publisher.counts[2] === 1, 'both are there');
    const stop = steadily(subscriber, 3);
    const count = 5000;
    // The first hundred show that the subscriber takes what it gets.
    blast(publisher, 't', 100, qos);
    await turnUntil(() => got.length === 100, 'it proves itself');
    blast(publisher, 't', count - 100, qos, 100);
    await turnUntil(() => got.length === count, 'all arrived');
    stop();
    assert.deepEqual(got, [...got.keys()]);
  });
}

test('the slower of two subscribers loses nothing when the faster one has caught up', async (context) => {
  const { broker } = await open(context);
  const got: number[] = [];
  const fast = new MemoryClient(broker, 'fast', { acknowledges: false });
  const slow = new MemoryClient(broker, 'slow', {
    acknowledges: false,
    onPublish: ({ payload }) => got.push(Number(payload)),
  });
  for (const client of [fast, slow]) client.subscribe(['t'], 1);
  const publisher = new MemoryClient(broker, 'publisher');
  await turnUntil(() => fast.counts[9] === 1 && slow.counts[9] === 1 && publisher.counts[2] === 1, 'joined');
  const stops = [steadily(fast, 20), steadily(slow, 3)];
  blast(publisher, 't', 100);
  await proved(fast);
  await proved(slow);
  blast(publisher, 't', 3000, 1, 100);
  await turnUntil(() => got.length === 3100, 'all arrived');
  for (const stop of stops) stop();
});

test('a subscriber that stops holds a publisher for a moment, once, and then nobody', async (context) => {
  const { broker, clock } = await open(context);
  const subscriber = new MemoryClient(broker, 'subscriber', { acknowledges: false });
  const other = new MemoryClient(broker, 'other');
  subscriber.subscribe(['t'], 1);
  other.subscribe(['t'], 0);
  const publisher = new MemoryClient(broker, 'publisher');
  await turnUntil(() => subscriber.counts[9] === 1 && other.counts[9] === 1 && publisher.counts[2] === 1, 'joined');
  const stop = steadily(subscriber, 10);
  blast(publisher, 't', 100);
  await proved(subscriber);
  stop();
  blast(publisher, 't', 1000);
  for (let i = 0; i < 50; i++) await turn();
  // Twenty in flight and the mark: then the publisher waits.
  assert.equal(publisher.pubacks, 100 + 20 + 51);
  publisher.ping();
  for (let i = 0; i < 50; i++) await turn();
  assert.equal(publisher.pongs, 0);
  await clock.advance(400);
  await turnUntil(() => publisher.pongs === 1, 'the publisher goes on');
  assert.deepEqual([publisher.pubacks, other.publishes], [1100, 1100]);
  // The trust is gone: also when the queue has moved a little and is full again.
  subscriber.acknowledge(20);
  await turnUntil(() => subscriber.unacknowledged.length === 20, 'the next are in flight');
  blast(publisher, 't', 1000);
  publisher.ping();
  await turnUntil(() => publisher.pongs === 2, 'nobody is held');
  assert.equal(other.publishes, 2100);
});

test('a subscriber that caught up for long is trusted again', async (context) => {
  const { broker, clock } = await open(context);
  const got: number[] = [];
  const subscriber = new MemoryClient(broker, 'subscriber', {
    acknowledges: false,
    onPublish: ({ payload }) => got.push(Number(payload)),
  });
  subscriber.subscribe(['t'], 1);
  const publisher = new MemoryClient(broker, 'publisher');
  await turnUntil(() => subscriber.counts[9] === 1 && publisher.counts[2] === 1, 'joined');
  let stop = steadily(subscriber, 10);
  blast(publisher, 't', 100);
  await proved(subscriber);
  stop();
  blast(publisher, 't', 1000);
  await clock.advance(400);
  await turnUntil(() => publisher.pubacks === 1100, 'it was held for too long');
  stop = steadily(subscriber, 50);
  for (let i = 0; i < 250; i++) {
    blast(publisher, 't', 20);
    await turnUntil(() => subscriber.unacknowledged.length === 0 && publisher.pubacks === 1100 + 20 * (i + 1), 'taken');
  }
  for (let i = 0; i < 20; i++) await turn();
  stop();
  stop = steadily(subscriber, 3);
  got.length = 0;
  blast(publisher, 't', 3000);
  await turnUntil(() => got.length === 3000, 'none is lost');
  stop();
});

test('subscribers that never acknowledged anything hold nobody', async (context) => {
  const { broker } = await open(context);
  const stalled = Array.from({ length: 20 }, (_, i) => new MemoryClient(broker, `s${i}`, { acknowledges: false }));
  for (const client of stalled) client.subscribe(['t'], 1);
  const publisher = new MemoryClient(broker, 'publisher');
  await turnUntil(() => stalled.every((client) => client.counts[9] === 1) && publisher.counts[2] === 1, 'joined');
  blast(publisher, 't', 2000);
  publisher.ping();
  await turnUntil(() => publisher.pongs === 1, 'the publisher is done');
  assert.equal(publisher.pubacks, 2000);
});

test('a client that is its own subscriber is not held for itself', async (context) => {
  const { broker } = await open(context);
  const client = new MemoryClient(broker, 'echo');
  client.subscribe(['t'], 1);
  await turnUntil(() => client.counts[9] === 1, 'joined');
  blast(client, 't', 100);
  await proved(client);
  blast(client, 't', 3000);
  client.ping();
  await turnUntil(() => client.pongs === 1, 'it goes on');
  assert.equal(client.pubacks, 3100);
});

test('a publisher is held for four fifths of a second at the most, whoever does it', async (context) => {
  const { broker, clock } = await open(context);
  const publisher = new MemoryClient(broker, 'publisher');
  const fickle = Array.from({ length: 12 }, (_, i) => new MemoryClient(broker, `f${i}`, { acknowledges: false }));
  for (const [i, client] of fickle.entries()) client.subscribe([`t/${i}`, 'all'], 1);
  await turnUntil(() => fickle.every((client) => client.counts[9] === 1) && publisher.counts[2] === 1, 'joined');
  const stops = fickle.map((client) => steadily(client, 10));
  blast(publisher, 'all', 100);
  for (const client of fickle) await proved(client);
  for (const stop of stops) stop();
  // At the beginning of a second, all of them stop one behind the other, so that each would hold the publisher.
  await clock.advance(1000 - (performance.now() % 1000));
  for (let i = 0; i < fickle.length; i++) blast(publisher, `t/${i}`, 100);
  publisher.ping();
  let heldFor = 0;
  while (publisher.pongs === 0) {
    await clock.advance(100);
    heldFor += 100;
    assert.ok(heldFor <= 1200, 'the publisher is let go');
  }
  assert.ok(heldFor >= 600, 'and was held');
});
