// The engine in this process over real sockets: against our broker nothing is lost, and against a broker that loses, repeats
// and reorders, exactly that is told.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clockMark } from '../../../src/load/clock.ts';
import type { Counts } from '../../../src/load/counts.ts';
import { LocalCrew } from '../../../src/load/crew.ts';
import type { LoadPlan } from '../../../src/load/plan.ts';
import { plannedClient, receivers } from '../../../src/load/plan.ts';
import { merged, type Result } from '../../../src/load/team.ts';
import { MQTT5, MQTT31, MQTT311 } from '../../../src/protocol/version.ts';
import { embeddedBroker } from '../../cli/embedded-broker.ts';
import { badBroker } from './bad-broker.ts';

const PLAN: LoadPlan = {
  endpoint: { kind: 'tcp', host: '127.0.0.1', port: 0 },
  profile: MQTT311,
  cleanStart: true,
  keepAlive: 60,
  properties: {},
  clientId: { conn: 'c-%i', pub: 'p-%i', sub: 's-%i' },
  username: null,
  password: null,
  counts: { conn: 0, pub: 3, sub: 2 },
  firstNumber: 0,
  connectTimeoutMs: 5000,
  connectRate: null,
  qos: 0,
  retain: false,
  payload: { kind: 'size', size: 64, stamped: true },
  topic: 'bench/%i',
  topics: 1,
  rate: null,
  window: 20,
  windowIsDelivery: true,
  total: 300,
};

/** A run of this machine. */
const OWN_RUN = ((clockMark() << 16) | 0x1234) >>> 0;

/** Waits until this is so of a crew's counts. */
async function until(crew: LocalCrew, isSo: (counts: Counts) => boolean): Promise<void> {
  const limit = performance.now() + 10_000;
  for (let counts = await crew.look(); !isSo(counts); counts = await crew.look()) {
    assert.ok(performance.now() < limit, `not in time: ${JSON.stringify(counts)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Runs a plan to its total; `expected` deliveries are waited for. */
async function run(plan: LoadPlan, expected: number, number = OWN_RUN): Promise<Result> {
  const crew = new LocalCrew(plan, { worker: 0, workers: 1, run: number }, (error) => error.message);
  await crew.begin(await crew.open());
  await until(
    crew,
    (counts) => counts.sent === plan.total && counts.unacknowledged === 0 && counts.received >= expected,
  );
  return merged([await crew.close()]);
}

describe('the load engine', () => {
  for (const profile of [MQTT31, MQTT311, MQTT5]) {
    for (const qos of [0, 1, 2] as const) {
      it(`loses nothing at our broker: ${profile.option}, QoS ${qos}`, async (context) => {
        const { port } = await embeddedBroker(context);
        const plan: LoadPlan = { ...PLAN, endpoint: { ...PLAN.endpoint, port }, profile, qos };
        const { counts, deliveryTimes, ackTimes, failures } = await run(plan, 600);
        assert.deepEqual(failures, []);
        const { connected, sent, received, unique, expected, duplicated, outOfOrder, missing, foreign } = counts;
        assert.deepEqual(
          { connected, sent, received, unique, expected, duplicated, outOfOrder, missing, foreign },
          {
            connected: 5,
            sent: 300,
            received: 600,
            unique: 600,
            expected: 600,
            duplicated: 0,
            outOfOrder: 0,
            missing: 0,
            foreign: 0,
          },
        );
        assert.equal(deliveryTimes?.count, 600);
        assert.equal(ackTimes?.count, qos === 0 ? undefined : 300);
      });
    }
  }

  it('expects each message once of a share group', async (context) => {
    const { port } = await embeddedBroker(context);
    const plan: LoadPlan = {
      ...PLAN,
      endpoint: { ...PLAN.endpoint, port },
      profile: MQTT5,
      topic: '$share/g/bench/%i',
    };
    const { counts } = await run(plan, 300);
    const { unique, expected, duplicated, outOfOrder } = counts;
    assert.deepEqual([unique, expected, duplicated, outOfOrder], [300, 300, 0, 0]);
  });

  it('counts what comes from another process before it is told that the measurement begins', async (context) => {
    const { port } = await embeddedBroker(context);
    const plan: LoadPlan = { ...PLAN, endpoint: { ...PLAN.endpoint, port }, qos: 1, windowIsDelivery: false };
    const crews = [0, 1].map(
      (worker) => new LocalCrew(plan, { worker, workers: 2, run: OWN_RUN }, (error) => error.message),
    ) as [LocalCrew, LocalCrew];
    const missing = (await Promise.all(crews.map((crew) => crew.open()))).flat();
    for (const crew of crews) {
      await crew.begin(missing);
      // All that it sends is acknowledged, and there for its own subscriber, before the other one begins.
      await until(
        crew,
        (counts) => counts.busyPublishers === 0 && counts.unacknowledged === 0 && counts.received >= counts.sent,
      );
    }
    const [first, second] = crews;
    const sent = (await first.look()).sent + (await second.look()).sent;
    for (const crew of crews) await until(crew, ({ received }) => received === sent);
    await Promise.all(crews.map((crew) => crew.close()));
  });

  it('compares no stamps of another machine with the clock of this one', async (context) => {
    const { port } = await embeddedBroker(context);
    const plan: LoadPlan = { ...PLAN, endpoint: { ...PLAN.endpoint, port } };
    const { counts, deliveryTimes } = await run(plan, 600, (OWN_RUN ^ 0x10000) >>> 0);
    assert.deepEqual([counts.unique, deliveryTimes], [600, null]);
  });

  it('tells what a bad broker loses, repeats and reorders, and what is not of the run', async (context) => {
    // Of each 10 messages one is lost, one comes twice, two change places; with each tenth comes one of somebody else.
    const port = await badBroker(context);
    const plan: LoadPlan = {
      ...PLAN,
      endpoint: { ...PLAN.endpoint, port },
      counts: { conn: 0, pub: 1, sub: 1 },
      windowIsDelivery: false,
    };
    const { counts } = await run(plan, 300);
    const { received, unique, expected, duplicated, outOfOrder, missing, foreign } = counts;
    assert.deepEqual(
      { received, unique, expected, duplicated, outOfOrder, missing, foreign },
      { received: 300, unique: 270, expected: 300, duplicated: 30, outOfOrder: 30, missing: 30, foreign: 30 },
    );
  });

  it('opens connections that are refused no second time, and says why', async (context) => {
    const { port } = await embeddedBroker(context);
    const plan: LoadPlan = { ...PLAN, endpoint: { ...PLAN.endpoint, port }, username: 'nobody' };
    const crew = new LocalCrew(plan, { worker: 0, workers: 1, run: 2 }, (error) => error.message);
    assert.deepEqual(await crew.open(), [0, 1]);
    const { counts, failures } = await crew.close();
    assert.deepEqual([counts.connected, counts.connectFailed], [0, 5]);
    assert.equal(failures.length, 1);
    assert.equal(failures[0]?.[1], 5);
  });

  it('asks a broker that is not there once', async () => {
    const plan: LoadPlan = { ...PLAN, endpoint: { ...PLAN.endpoint, port: 1 } };
    const crew = new LocalCrew(plan, { worker: 0, workers: 1, run: 2 }, (error) => error.message);
    await crew.open();
    const { counts } = await crew.close();
    assert.deepEqual([counts.connected, counts.connectFailed], [0, 1]);
  });
});

describe('the shape of a load', () => {
  const shape = (pub: number, sub: number, topics: number) => {
    const plan: LoadPlan = { ...PLAN, counts: { conn: 0, pub, sub }, topics };
    return {
      topics: Array.from({ length: pub }, (_, i) => plannedClient(plan, 'pub', i).topic),
      filters: Array.from({ length: sub }, (_, i) => plannedClient(plan, 'sub', i).filters.length),
      receivers: [...receivers(plan, new Set([1]))],
    };
  };

  it('deals topics out so that each has a publisher and a subscriber', () => {
    assert.deepEqual(shape(1, 4, 1), { topics: ['bench/0'], filters: [1, 1, 1, 1], receivers: [3] });
    assert.deepEqual(shape(4, 1, 4).filters, [4]);
    assert.deepEqual(shape(3, 3, 3), {
      topics: ['bench/0', 'bench/1', 'bench/2'],
      filters: [1, 1, 1],
      receivers: [1, 0, 1],
    });
    assert.deepEqual(shape(2, 5, 2), { topics: ['bench/0', 'bench/1'], filters: [1, 1, 1, 1, 1], receivers: [3, 1] });
  });
});
