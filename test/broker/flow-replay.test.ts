// Much that one client is to get at once: 100,000 retained messages, 100,000 queued ones. It goes in slices, and between
// them everybody else is served; counted in turns of the loop, not in time.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Broker, startBroker } from '../../src/broker/broker.ts';
import { type ConfigInput, configFrom } from '../../src/config/from-program.ts';
import { NEVER_EXPIRES } from '../../src/protocol/constants.ts';
import { MQTT5 } from '../../src/protocol/version.ts';
import { MemoryClient, turn, turnUntil } from '../support/memory-client.ts';

const MANY = 100_000;

async function open(context: TestContext, global: ConfigInput['global'] = {}): Promise<Broker> {
  const config = configFrom({ listeners: [{ port: 0 }], global: { sysInterval: 0, ...global } });
  const broker = await startBroker(config, { verbosity: 'none' });
  context.after(() => broker.stop());
  return broker;
}

/** A broker with so many retained messages `r/NUMBER`, each with the payload 0. */
async function withRetained(context: TestContext, count = MANY): Promise<Broker> {
  const broker = await open(context);
  for (let i = 0; i < count; i++) broker.publish(`r/${i}`, '0', { qos: 1, retain: true });
  return broker;
}

/** A client that sends a PINGREQ, and a message to itself, whenever the last ones were answered. */
class Neighbour {
  rounds = 0;
  private readonly client: MemoryClient;

  constructor(broker: Broker) {
    this.client = new MemoryClient(broker, 'neighbour', { onPublish: () => this.client.ping() });
    this.client.subscribe(['own']);
  }

  /** Goes on until told to stop. */
  async run(): Promise<() => void> {
    await turnUntil(() => this.client.counts[9] === 1, 'the neighbour is there');
    let goesOn = true;
    const step = (): void => {
      if (this.client.pongs > this.rounds) {
        this.rounds = this.client.pongs;
        this.client.publish('own', 'x');
      }
      if (goesOn) setImmediate(step);
    };
    this.client.publish('own', 'x');
    step();
    return () => {
      goesOn = false;
    };
  }
}

for (const qos of [0, 1]) {
  test(`${MANY} retained messages for one client keep nobody waiting (QoS ${qos})`, async (context) => {
    const broker = await withRetained(context);
    const neighbour = new Neighbour(broker);
    const stop = await neighbour.run();
    const client = new MemoryClient(broker, 'client');
    client.subscribe(['r/#'], qos);
    const before = neighbour.rounds;
    const turns = await turnUntil(() => client.publishes === MANY, 'all came');
    stop();
    // 500 a turn at the most; a round of the neighbour takes a few turns of both sides.
    assert.ok(turns >= MANY / 500, `${turns} turns`);
    assert.ok(neighbour.rounds - before >= MANY / 500 / 10, `${neighbour.rounds - before} rounds of the neighbour`);
  });
}

test('what changes during a replay comes live or with it, and never an older value behind a newer one', async (context) => {
  const broker = await withRetained(context, 20_000);
  const values = new Map<string, number>();
  let stale = 0;
  const client = new MemoryClient(broker, 'client', {
    onPublish: ({ topic, payload }) => {
      if (payload === '') return;
      if (Number(payload) < (values.get(topic) ?? -1)) stale += 1;
      values.set(topic, Number(payload));
    },
  });
  client.subscribe(['#'], 1);
  const kept = new Set(Array.from({ length: 20_000 }, (_, i) => `r/${i}`));
  for (let round = 1; round * 7 < 20_000; round++) {
    // Some that came already, some that are to come, and some that are new; each once more and again.
    for (const topic of [`r/${round * 7}`, `r/${19_999 - round * 3}`, `n/${round % 100}`]) {
      broker.publish(topic, String(round), { qos: 1, retain: true });
      kept.add(topic);
    }
    if (round % 10 === 0) {
      broker.publish(`r/${round}`, '', { retain: true });
      kept.delete(`r/${round}`);
    }
    await turn();
  }
  await turnUntil(() => [...kept].every((topic) => values.has(topic)), 'all came', 2000);
  const last = new Map<string, number>();
  const watcher = new MemoryClient(broker, 'watcher', {
    onPublish: ({ topic, payload }) => last.set(topic, Number(payload)),
  });
  watcher.subscribe(['#'], 0);
  await turnUntil(() => last.size === kept.size, 'what is kept in the end');
  for (let i = 0; i < 200; i++) await turn();
  assert.equal(stale, 0);
  for (const [topic, value] of last) assert.equal(values.get(topic), value, `the last value of ${topic}`);
});

test('a replay ends with its subscription, and with its client', async (context) => {
  const broker = await withRetained(context, 20_000);
  const client = new MemoryClient(broker, 'client');
  client.subscribe(['#']);
  await turnUntil(() => client.publishes > 1000, 'it has begun');
  client.unsubscribe('#');
  await turnUntil(() => client.counts[11] === 1, 'UNSUBACK');
  const seen = client.publishes;
  assert.ok(seen < 15_000, `${seen} came before`);
  for (let i = 0; i < 100; i++) await turn();
  assert.equal(client.publishes, seen);
  client.subscribe(['#']);
  await turnUntil(() => client.publishes > seen + 1000, 'it has begun again');
  client.drop();
  const other = new MemoryClient(broker, 'other');
  other.subscribe(['r/1']);
  await turnUntil(() => other.publishes === 1, 'others go on');
});

test('a persistent client that comes again and again in the middle of a replay gets each message, and no flood', async (context) => {
  const broker = await withRetained(context, 5000);
  const options = { profile: MQTT5, cleanStart: false, properties: { sessionExpiryInterval: NEVER_EXPIRES } };
  const topics = new Set<string>();
  let count = 0;
  const join = (): MemoryClient =>
    new MemoryClient(broker, 'client', {
      ...options,
      onPublish: ({ topic }) => {
        topics.add(topic);
        count += 1;
      },
    });
  let client = join();
  client.subscribe(['#'], 1);
  for (let i = 0; i < 30; i++) {
    const before = count;
    await turnUntil(() => count > before + 20 || topics.size === 5000, 'some came');
    // Now and then the old connection is still there.
    if (i % 2 === 0) client.drop();
    client = join();
    await turnUntil(() => client.counts[2] === 1, 'it is back');
  }
  await turnUntil(() => topics.size === 5000, 'all came');
  // What was in flight at a break comes again, and nothing else.
  assert.ok(count <= 5000 + 30 * 20, `${count} came`);
});

test('filters that find little take their turns, too, and subscribing again and again does not pile up', async (context) => {
  const broker = await withRetained(context, 20_000);
  const neighbour = new Neighbour(broker);
  const stop = await neighbour.run();
  const client = new MemoryClient(broker, 'client');
  // Each of the first is looked for at 20,000 places in vain.
  const filters = [...Array.from({ length: 19 }, (_, i) => `r/+/none${i}`), 'r/5'];
  for (let i = 0; i < 20; i++) client.subscribe(filters, 1);
  await turnUntil(() => client.counts[9] === 20, 'all are answered');
  const before = neighbour.rounds;
  const turns = await turnUntil(() => client.publishes === 1, 'the last filter has its message');
  stop();
  const slices = (19 * 20_000) / 500;
  assert.ok(turns >= slices - 50 && turns <= slices * 2, `${turns} turns`);
  assert.ok(neighbour.rounds - before >= slices / 10, `${neighbour.rounds - before} rounds of the neighbour`);
});

for (const [name, global, qos] of [
  ['QoS 0', { queueQos0Messages: true, maxQueuedMessages: 0 }, 0],
  ['QoS 1 without a window', { maxInflightMessages: 0, maxQueuedMessages: 0 }, 1],
  ['QoS 1', { maxQueuedMessages: 0 }, 1],
] as const) {
  test(`a session with ${MANY} queued messages keeps nobody waiting when its client is back (${name})`, async (context) => {
    const broker = await open(context, global);
    const options = { profile: MQTT5, cleanStart: false, properties: { sessionExpiryInterval: NEVER_EXPIRES } };
    const first = new MemoryClient(broker, 'client', options);
    first.subscribe(['t'], 1);
    await turnUntil(() => first.counts[9] === 1, 'it subscribed');
    first.drop();
    for (let i = 0; i < 5; i++) await turn();
    for (let i = 0; i < MANY; i++) broker.publish('t', String(i), { qos });
    const neighbour = new Neighbour(broker);
    const stop = await neighbour.run();
    const before = neighbour.rounds;
    let next = 0;
    let mostAtOnce = 0;
    const client = new MemoryClient(broker, 'client', {
      ...options,
      onPublish: ({ payload }) => {
        assert.equal(Number(payload), next);
        next += 1;
      },
    });
    let seen = 0;
    await turnUntil(() => {
      mostAtOnce = Math.max(mostAtOnce, next - seen);
      seen = next;
      return next === MANY;
    }, 'all came in their order');
    stop();
    assert.ok(client.publishes === MANY);
    assert.ok(mostAtOnce <= 3000, `${mostAtOnce} messages in one turn`);
    assert.ok(neighbour.rounds - before >= 20, `${neighbour.rounds - before} rounds of the neighbour`);
  });
}
