// What the standards ask of a client's QoS 1 and 2, as sender and as receiver, on one connection and over several.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { ClientOptions } from '../../../src/client/options.ts';
import {
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBACK,
  SUBSCRIBE,
  UNSUBSCRIBE,
} from '../../../src/protocol/constants.ts';
import type { AckPacket } from '../../../src/protocol/packets.ts';
import type { BrokerSide } from './scripted-broker.ts';
import { closed, type Setup, setUp, turns } from './setup.ts';

const VERSIONS = ['3.1.1', '5'] as const;

const ack = (side: BrokerSide, type: AckPacket['type'], id: number, code = 0): void =>
  side.send({ type, id, code, properties: {} });

const persistent = (context: TestContext, version: '3.1.1' | '5', more: Partial<ClientOptions> = {}): Promise<Setup> =>
  setUp(context, {
    version,
    cleanStart: false,
    reconnect: { minDelayMs: 1, maxDelayMs: 1 },
    ...(version === '5' ? { properties: { sessionExpiryInterval: 100 } } : {}),
    ...more,
  });

async function reconnected({ side, broker }: Setup, sessionPresent = true): Promise<BrokerSide> {
  side.transport.destroy();
  const again = await broker.accept();
  await again.admit({ sessionPresent });
  return again;
}

test('new packets take identifiers that are not 0, also once around [MQTT-2.2.1-3, MQTT3-2.3.1-1]', async (context) => {
  for (const version of VERSIONS) {
    const session = { clientId: 'c', lastPacketId: 65_500, outgoing: [], received: [] };
    const { client, side } = await setUp(context, { version, session });
    void client.publish('held', '', { qos: 1 });
    void client.subscribe('held');
    void client.unsubscribe('held');
    const held = [(await side.next(PUBLISH)).id, (await side.next(SUBSCRIBE)).id, (await side.next(UNSUBSCRIBE)).id];
    assert.deepEqual(held, [65_501, 65_502, 65_503]);
    let last = 65_503;
    let rounds = 0;
    for (let i = 0; i < 20; i++) {
      for (let k = 0; k < 10; k++) void client.publish('t', '', { qos: 1 });
      const open = new Set(held);
      for (let k = 0; k < 10; k++) {
        const { id } = await side.next(PUBLISH);
        assert.ok(id > 0 && !open.has(id), `identifier ${id}`);
        open.add(id);
        if (id < last) rounds += 1;
        last = id;
      }
      for (const id of open) if (!held.includes(id)) ack(side, PUBACK, id);
      await client.drained(1);
    }
    assert.equal(rounds, 1);
  }
});

test('QoS 1: QoS 1 and DUP 0 at first, unacknowledged until PUBACK, which ends it [MQTT-4.3.2-2, MQTT-4.3.2-3, MQTT3-4.3.2-1]', async (context) => {
  for (const version of VERSIONS) {
    const setup = await persistent(context, version);
    const { client, side } = setup;
    const kept = client.publish('t', 'kept', { qos: 1 });
    const done = client.publish('t', 'done', { qos: 1 });
    await side.next(PUBLISH);
    assert.equal(side.lastBytes.slice(0, 2), '32');
    const { id } = await side.next(PUBLISH);
    ack(side, PUBACK, id);
    await done;
    const again = await reconnected(setup);
    const message = await again.next(PUBLISH);
    assert.deepEqual([message.payload, message.dup, message.qos, message.id], ['kept', true, 1, 1]);
    await turns();
    assert.equal(again.untaken, 0);
    ack(again, PUBACK, 1);
    await kept;
  }
});

test('QoS 2: QoS 2 and DUP 0 at first, PUBREL after PUBREC and no PUBLISH after it, until PUBCOMP [MQTT-4.3.3-2, MQTT-4.3.3-3, MQTT-4.3.3-4, MQTT-4.3.3-5, MQTT-4.3.3-6, MQTT3-4.3.3-1]', async (context) => {
  for (const version of VERSIONS) {
    const setup = await persistent(context, version);
    const { client, side } = setup;
    const first = client.publish('t', 'one', { qos: 2 });
    const second = client.publish('t', 'two', { qos: 2 });
    await side.next(PUBLISH);
    assert.equal(side.lastBytes.slice(0, 2), '34');
    await side.next(PUBLISH);
    ack(side, PUBREC, 2);
    assert.equal((await side.next(PUBREL)).id, 2);
    const again = await reconnected(setup);
    assert.equal((await again.next(PUBREL)).id, 2);
    const message = await again.next(PUBLISH);
    assert.deepEqual([message.id, message.payload, message.dup], [1, 'one', true]);
    ack(again, PUBCOMP, 2);
    await second;
    ack(again, PUBREC, 1);
    assert.equal((await again.next(PUBREL)).id, 1);
    ack(again, PUBREC, 1);
    assert.equal((await again.next(PUBREL)).id, 1, 'a PUBREC that comes again is answered again');
    ack(again, PUBCOMP, 1);
    await first;
    await turns();
    assert.equal(again.untaken, 0);
  }
});

test('5: an expiry interval does not end a message that was sent [MQTT-4.3.3-7, MQTT-4.3.3-13]', async (context) => {
  const setup = await persistent(context, '5');
  const { client, side } = setup;
  const properties = { messageExpiryInterval: 0 };
  const first = client.publish('t', '1', { qos: 2, properties });
  void client.publish('t', '2', { qos: 2, properties });
  await side.next(PUBLISH);
  await side.next(PUBLISH);
  ack(side, PUBREC, 1);
  await side.next(PUBREL);
  side.publish({ topic: 'a', qos: 2, id: 9, properties });
  await side.next(PUBREC);
  const again = await reconnected(setup);
  assert.equal((await again.next(PUBREL)).id, 1);
  assert.equal((await again.next(PUBLISH)).id, 2);
  ack(again, PUBREL, 9);
  assert.equal((await again.next(PUBCOMP)).code, 0);
  ack(again, PUBCOMP, 1);
  await first;
});

test('QoS 1 received: PUBACK with the identifier, after which it stands for a new message [MQTT-4.3.2-4, MQTT-4.3.2-5, MQTT3-4.3.2-2]', async (context) => {
  for (const version of VERSIONS) {
    const { client, side } = await setUp(context, { version });
    const seen: string[] = [];
    client.on('message', ({ payload, dup }) => seen.push(`${payload} ${dup}`));
    side.publish({ topic: 'a', payload: 'one', qos: 1, id: 4 });
    side.publish({ topic: 'a', payload: 'two', qos: 1, id: 4, dup: true });
    assert.equal((await side.next(PUBACK)).id, 4);
    assert.equal((await side.next(PUBACK)).id, 4);
    assert.deepEqual(seen, ['one false', 'two true']);
  }
});

test('QoS 2 received: PUBREC each time, one delivery until PUBREL, PUBCOMP, then a new message [MQTT-4.3.3-8, MQTT-4.3.3-10, MQTT-4.3.3-11, MQTT-4.3.3-12, MQTT3-4.3.3-2]', async (context) => {
  for (const version of VERSIONS) {
    const { client, side } = await setUp(context, { version });
    const seen: string[] = [];
    client.on('message', ({ payload }) => seen.push(payload.toString()));
    for (let i = 0; i < 3; i++) {
      side.publish({ topic: 'a', payload: 'one', qos: 2, id: 4, dup: i > 0 });
      assert.equal((await side.next(PUBREC)).id, 4);
    }
    ack(side, PUBREL, 4);
    assert.equal((await side.next(PUBCOMP)).id, 4);
    side.publish({ topic: 'a', payload: 'two', qos: 2, id: 4 });
    await side.next(PUBREC);
    assert.deepEqual(seen, ['one', 'two']);
  }
});

test('5: after PUBREC of 0x80 or above, ours or theirs, the identifier stands for a new message [MQTT-4.3.3-9, MQTT-4.4.0-2]', async (context) => {
  const setup = await persistent(context, '5', { checkPayloadFormat: true });
  const { client, side } = setup;
  const seen: string[] = [];
  client.on('message', ({ payload }) => seen.push(payload.toString()));
  side.sendBytes('34090001610002020101ff');
  assert.equal((await side.next(PUBREC)).code, 0x99);
  side.publish({ topic: 'a', payload: 'good', qos: 2, id: 2 });
  assert.equal((await side.next(PUBREC)).code, 0);
  assert.deepEqual(seen, ['good']);
  const refused = [client.publish('t', '1', { qos: 1 }), client.publish('t', '2', { qos: 2 })];
  await side.next(PUBLISH);
  await side.next(PUBLISH);
  ack(side, PUBACK, 1, 0x80);
  ack(side, PUBREC, 2, 0x97);
  assert.deepEqual(
    (await Promise.all(refused)).map(({ reason }) => reason.code),
    [0x80, 0x97],
  );
  const again = await reconnected(setup);
  await turns();
  assert.equal(again.untaken, 0, 'a refused message is not sent again');
});

test('on a new connection, and then only, all unacknowledged goes out again, in order, with DUP and the same identifiers [MQTT-3.3.1-1, MQTT-4.4.0-1, MQTT-4.6.0-1, MQTT-4.6.0-4, MQTT3-2.3.1-3, MQTT3-3.3.1-1, MQTT3-4.4.0-1, MQTT3-4.6.0-1, MQTT3-4.6.0-4]', async (context) => {
  for (const version of VERSIONS) {
    const setup = await persistent(context, version);
    const { client, side } = setup;
    for (let i = 1; i <= 9; i++) void client.publish('t', String(i), { qos: i % 2 === 0 ? 1 : 2 });
    for (let i = 1; i <= 9; i++) await side.next(PUBLISH);
    for (const id of [5, 3]) {
      ack(side, PUBREC, id);
      await side.next(PUBREL);
    }
    await turns(50);
    assert.equal(side.untaken, 0, 'nothing is sent again on the same connection');
    const again = await reconnected(setup);
    // PUBRELs in the order of their PUBRECs, PUBLISHes in the order in which they were sent.
    assert.deepEqual([(await again.next(PUBREL)).id, (await again.next(PUBREL)).id], [5, 3]);
    for (const id of [1, 2, 4, 6, 7, 8, 9]) {
      const message = await again.next(PUBLISH);
      assert.deepEqual([message.id, message.payload, message.dup], [id, String(id), true]);
    }
    await turns();
    assert.equal(again.untaken, 0);
  }
});

test('acknowledgements come in the order of what they answer [MQTT-4.6.0-2, MQTT-4.6.0-3, MQTT-4.6.0-4, MQTT3-4.6.0-2, MQTT3-4.6.0-3, MQTT3-4.6.0-4]', async (context) => {
  for (const version of VERSIONS) {
    const { client, side } = await setUp(context, { version });
    for (const id of [7, 3, 9]) side.publish({ topic: 'a', qos: 1, id });
    for (const id of [8, 2, 5]) side.publish({ topic: 'a', qos: 2, id });
    for (const id of [7, 3, 9]) assert.equal((await side.next(PUBACK)).id, id);
    for (const id of [8, 2, 5]) assert.equal((await side.next(PUBREC)).id, id);
    for (let i = 0; i < 3; i++) void client.publish('t', '', { qos: 2 });
    for (let i = 0; i < 3; i++) await side.next(PUBLISH);
    for (const id of [2, 3, 1]) ack(side, PUBREC, id);
    for (const id of [2, 3, 1]) assert.equal((await side.next(PUBREL)).id, id);
  }
});

test('SUBSCRIBE that is sent again keeps its identifier [MQTT3-2.3.1-3, MQTT-2.2.1-6]', async (context) => {
  for (const version of VERSIONS) {
    const setup = await persistent(context, version);
    const subscribed = setup.client.subscribe('a');
    assert.equal((await setup.side.next(SUBSCRIBE)).id, 1);
    const again = await reconnected(setup);
    assert.equal((await again.next(SUBSCRIBE)).id, 1);
    again.send({ type: SUBACK, id: 1, codes: [0], properties: {} });
    await subscribed;
  }
});

test('a fault of the connection itself closes it, and is told [MQTT3-4.8.0-2]', async (context) => {
  const { client, side } = await setUp(context, { version: '3.1.1' });
  const end = closed(client);
  side.transport.destroy();
  assert.match(String(await end), /The connection was lost/);
});

test('a conversation needs nothing but the packets of the standard [MQTT3-7.0.0-2]', async (context) => {
  const { client, side } = await setUp(context, { version: '3.1.1', keepAlive: 0 });
  const subscribed = client.subscribe({ filter: 'a', qos: 1 });
  await side.next(SUBSCRIBE);
  side.sendBytes('9003000101');
  assert.deepEqual((await subscribed).codes, [1]);
  const message = new Promise<string>((resolve) => client.on('message', ({ payload }) => resolve(payload.toString())));
  side.sendBytes('3206000161000978');
  await side.next(PUBACK);
  assert.equal(side.lastBytes, '40020009');
  assert.equal(await message, 'x');
});
