import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ConnectionLost, ConnectRefused, PeerFault } from '../../../src/client/index.ts';
import type { Client, ClientOptions } from '../../../src/client/options.ts';
import {
  CONNACK,
  CONNECT,
  DISCONNECT,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBACK,
  SUBSCRIBE,
  UNSUBACK,
  UNSUBSCRIBE,
} from '../../../src/protocol/constants.ts';
import { NO_PROPERTIES } from '../../../src/protocol/properties.ts';
import { Backoff } from '../../../src/util/backoff.ts';
import { closed, type Setup, setUp, turns } from './setup.ts';

const reconnect = { minDelayMs: 1, maxDelayMs: 1 };
const persistent: Partial<ClientOptions> = { reconnect, cleanStart: false, properties: { sessionExpiryInterval: 100 } };

const setUpPersistent = (context: TestContext, options: Partial<ClientOptions> = {}): Promise<Setup> =>
  setUp(context, { ...persistent, ...options });

function collect(client: Client): string[] {
  const messages: string[] = [];
  client.on('message', (message) => messages.push(message.payload.toString()));
  return messages;
}

test('with the session present, messages are sent again as duplicates and releases go on, in order', async (context) => {
  const { client, broker, side } = await setUpPersistent(context);
  const results = [
    client.publish('t', 'one', { qos: 1 }),
    client.publish('t', 'two', { qos: 2 }),
    client.publish('t', 'released', { qos: 2 }),
    client.publish('t', 'last', { qos: 1 }),
  ];
  for (const id of [1, 2, 3, 4]) assert.equal((await side.next(PUBLISH)).id, id);
  side.send({ type: PUBREC, id: 3, code: 0, properties: NO_PROPERTIES });
  await side.next(PUBREL);
  side.transport.destroy();
  const again = await broker.accept();
  await again.admit({ sessionPresent: true });
  assert.deepEqual(await again.next(PUBREL), { type: PUBREL, id: 3, code: 0, properties: {} });
  for (const [id, payload] of [
    [1, 'one'],
    [2, 'two'],
    [4, 'last'],
  ] as const) {
    const message = await again.next(PUBLISH);
    assert.deepEqual([message.id, message.payload, message.dup], [id, payload, true]);
  }
  again.send({ type: PUBCOMP, id: 3, code: 0, properties: NO_PROPERTIES });
  again.send({ type: PUBACK, id: 1, code: 0, properties: NO_PROPERTIES });
  again.send({ type: PUBREC, id: 2, code: 0, properties: NO_PROPERTIES });
  await again.next(PUBREL);
  again.send({ type: PUBCOMP, id: 2, code: 0, properties: NO_PROPERTIES });
  again.send({ type: PUBACK, id: 4, code: 0, properties: NO_PROPERTIES });
  assert.deepEqual(
    (await Promise.all(results)).map((result) => result.id),
    [1, 2, 3, 4],
  );
  await client.drained();
});

test('without the session, messages are published as new ones and those the broker had are done', async (context) => {
  const { client, broker, side } = await setUpPersistent(context);
  const subscribed = client.subscribe({ filter: 'mine', qos: 1 }, { subscriptionIdentifier: 5 });
  await side.next(SUBSCRIBE);
  side.send({ type: SUBACK, id: 1, codes: [1], properties: NO_PROPERTIES });
  await subscribed;
  const one = client.publish('t', 'one', { qos: 1 });
  const released = client.publish('t', 'released', { qos: 2 });
  await side.next(PUBLISH);
  await side.next(PUBLISH);
  side.send({ type: PUBREC, id: 3, code: 0, properties: NO_PROPERTIES });
  await side.next(PUBREL);
  side.transport.destroy();
  const again = await broker.accept();
  await again.admit({ sessionPresent: false });
  const subscribe = await again.next(SUBSCRIBE);
  assert.deepEqual([subscribe.subscriptions[0]?.filter, subscribe.subscriptions[0]?.qos], ['mine', 1]);
  assert.deepEqual(subscribe.properties, { subscriptionIdentifier: 5 });
  const message = await again.next(PUBLISH);
  assert.deepEqual([message.payload, message.dup], ['one', false]);
  again.send({ type: PUBACK, id: message.id, code: 0, properties: NO_PROPERTIES });
  await one;
  assert.equal((await released).reason.code, 0);
  await turns();
  assert.equal(again.untaken, 0);
});

test('subscriptions that were refused or given up do not come back; requests on their way do', async (context) => {
  const { client, broker, side } = await setUp(context, { version: '3.1.1', reconnect });
  const subscribed = client.subscribe(['keep', 'refused', 'leave']);
  side.send({ type: SUBACK, id: (await side.next(SUBSCRIBE)).id, codes: [0, 0x80, 0], properties: NO_PROPERTIES });
  await subscribed;
  const left = client.unsubscribe('leave');
  side.send({ type: UNSUBACK, id: (await side.next(UNSUBSCRIBE)).id, codes: [], properties: NO_PROPERTIES });
  await left;
  const late = client.subscribe('late');
  await side.next(SUBSCRIBE);
  side.transport.destroy();
  const again = await broker.accept();
  assert.equal((await again.admit()).cleanStart, true);
  const first = await again.next(SUBSCRIBE);
  assert.deepEqual(
    first.subscriptions.map((subscription) => subscription.filter),
    ['late'],
  );
  assert.deepEqual(
    (await again.next(SUBSCRIBE)).subscriptions.map((subscription) => subscription.filter),
    ['keep'],
  );
  again.send({ type: SUBACK, id: first.id, codes: [0], properties: NO_PROPERTIES });
  await late;
});

test('what is asked for while there is no connection waits for the next one', async (context) => {
  const { client, broker, side } = await setUpPersistent(context);
  const lost = new Promise((resolve) => client.on('reconnecting', resolve));
  side.transport.destroy();
  assert.ok((await lost) instanceof ConnectionLost);
  const [zero, one] = [client.publish('t', 'zero'), client.publish('t', 'one', { qos: 1 })];
  const subscribed = client.subscribe('a');
  const again = await broker.accept();
  await again.admit({ sessionPresent: true });
  const { id } = await again.next(SUBSCRIBE);
  again.send({ type: SUBACK, id, codes: [0], properties: NO_PROPERTIES });
  await subscribed;
  assert.equal((await again.next(PUBLISH)).payload, 'zero');
  assert.equal((await zero).id, 0);
  const message = await again.next(PUBLISH);
  assert.deepEqual([message.payload, message.dup], ['one', false]);
  again.send({ type: PUBACK, id: message.id, code: 0, properties: NO_PROPERTIES });
  await one;
});

test('a QoS 2 message is handed out once across connections while the session lives, and anew when it does not', async (context) => {
  const { client, broker, side } = await setUpPersistent(context);
  const messages = collect(client);
  side.publish({ topic: 'a', payload: 'x', qos: 2, id: 3 });
  await side.next(PUBREC);
  side.transport.destroy();
  const again = await broker.accept();
  await again.admit({ sessionPresent: true });
  again.publish({ topic: 'a', payload: 'x', qos: 2, id: 3, dup: true });
  await again.next(PUBREC);
  assert.deepEqual(messages, ['x']);
  again.transport.destroy();
  const third = await broker.accept();
  await third.admit({ sessionPresent: false });
  third.publish({ topic: 'a', payload: 'y', qos: 2, id: 3 });
  await third.next(PUBREC);
  assert.deepEqual(messages, ['x', 'y']);
});

test('a receive maximum that shrank holds for what is sent again', async (context) => {
  const { client, broker, side } = await setUpPersistent(context);
  const results = Array.from({ length: 6 }, (_, i) => client.publish('t', String(i), { qos: 1 }));
  for (let i = 0; i < 6; i++) await side.next(PUBLISH);
  side.transport.destroy();
  const again = await broker.accept();
  await again.admit({ sessionPresent: true, properties: { receiveMaximum: 2, maximumPacketSize: 100 } });
  for (let i = 0; i < 6; i++) {
    await again.until(() => again.untaken > 0);
    await turns(3);
    assert.ok(again.untaken <= 2);
    const message = await again.next(PUBLISH);
    assert.deepEqual([message.payload, message.dup], [String(i), true]);
    again.send({ type: PUBACK, id: message.id, code: 0, properties: NO_PROPERTIES });
  }
  await Promise.all(results);
});

test('a message that the next broker does not take is refused then', async (context) => {
  const { client, broker, side } = await setUpPersistent(context);
  const large = client.publish('t', 'x'.repeat(100), { qos: 1 });
  const small = client.publish('t', 'y', { qos: 1 });
  side.transport.destroy();
  const again = await broker.accept();
  await again.admit({ sessionPresent: true, properties: { maximumPacketSize: 50 } });
  await assert.rejects(large, { name: 'InvalidRequest' });
  const message = await again.next(PUBLISH);
  again.send({ type: PUBACK, id: message.id, code: 0, properties: NO_PROPERTIES });
  await small;
});

test('aliases start over with each connection', async (context) => {
  const connack = { properties: { topicAliasMaximum: 5 } };
  const { client, broker, side } = await setUp(context, persistent, connack);
  const properties = { topicAlias: 1 };
  void client.publish('topic', '1', { properties });
  void client.publish('topic', '2', { properties, qos: 1 });
  await side.next(PUBLISH);
  assert.equal((await side.next(PUBLISH)).topic, '');
  side.transport.destroy();
  const again = await broker.accept();
  await again.admit({ sessionPresent: true, ...connack });
  assert.equal((await again.next(PUBLISH)).topic, 'topic');
});

test('a clean start happens once in MQTT 5 where the session is meant to last', async (context) => {
  const { broker, side } = await setUp(context, { reconnect, properties: { sessionExpiryInterval: 10 } });
  assert.equal((side.seen[0] as { cleanStart: boolean }).cleanStart, true);
  side.transport.destroy();
  const again = await broker.accept();
  assert.equal((await again.admit({ sessionPresent: true })).cleanStart, false);
});

test('failed attempts and passing refusals are followed by others; events tell of all', async (context) => {
  const { client, broker, side } = await setUpPersistent(context);
  const events: string[] = [];
  client.on('reconnecting', (error, delay) => events.push(`${error.name} ${delay}`));
  client.on('connect', (info) => events.push(`connect ${info.sessionPresent}`));
  await turns();
  broker.refusal = Object.assign(new Error('refused'), { name: 'Refused' });
  side.transport.destroy();
  while (broker.dials < 3) await turns();
  broker.refusal = null;
  const busy = await broker.accept();
  await busy.next(CONNECT);
  busy.send({ type: CONNACK, sessionPresent: false, code: 0x89, properties: NO_PROPERTIES });
  const again = await broker.accept();
  await again.admit({ sessionPresent: true });
  await turns();
  assert.deepEqual(events.slice(0, 3), ['connect false', 'ConnectionLost 1', 'Refused 1']);
  assert.deepEqual(events.slice(-2), ['ConnectRefused 1', 'connect true']);
});

test('a refusal that would come again ends the client', async (context) => {
  const { client, broker, side } = await setUpPersistent(context);
  const end = closed(client);
  const open = client.publish('t', '', { qos: 1 });
  side.transport.destroy();
  const again = await broker.accept();
  await again.next(CONNECT);
  again.send({ type: CONNACK, sessionPresent: false, code: 0x87, properties: NO_PROPERTIES });
  const error = await end;
  assert.ok(error instanceof ConnectRefused);
  await assert.rejects(open, error);
});

test('a client whose session was taken over does not come back; after other goodbyes and faults it does', async (context) => {
  const taken = await setUpPersistent(context);
  const end = closed(taken.client);
  taken.side.send({ type: DISCONNECT, code: 0x8e, properties: NO_PROPERTIES });
  assert.equal(((await end) as ConnectionLost).reason?.code, 0x8e);
  assert.equal(taken.broker.dials, 1);
  const { client, broker, side } = await setUpPersistent(context);
  const why: Error[] = [];
  client.on('reconnecting', (error) => why.push(error));
  side.send({ type: DISCONNECT, code: 0x8b, properties: NO_PROPERTIES });
  const second = await broker.accept();
  await second.admit();
  second.sendBytes('c000');
  const third = await broker.accept();
  await third.admit();
  assert.ok(why[0] instanceof ConnectionLost);
  assert.ok(why[1] instanceof PeerFault);
});

test('end() stops the attempts, before one, during one and in a handler', async (context) => {
  const slow = { minDelayMs: 60_000, maxDelayMs: 60_000 };
  const waiting = await setUp(context, { reconnect: slow });
  const end = closed(waiting.client);
  const lost = new Promise((resolve) => waiting.client.on('reconnecting', resolve));
  waiting.side.transport.destroy();
  await lost;
  await waiting.client.end();
  assert.equal(await end, null);
  const dialling = await setUpPersistent(context);
  dialling.side.transport.destroy();
  const again = await dialling.broker.accept();
  await again.next(CONNECT);
  await dialling.client.end();
  await again.closed();
  const handled = await setUpPersistent(context);
  const ended = closed(handled.client);
  handled.client.on('reconnecting', () => void handled.client.end());
  handled.side.transport.destroy();
  assert.equal(await ended, null);
  assert.equal(handled.broker.dials, 1);
});

test('pausing outlives the connection', async (context) => {
  const { client, broker, side } = await setUpPersistent(context);
  const messages = collect(client);
  client.pause();
  await turns();
  side.transport.destroy();
  const again = await broker.accept();
  await again.admit();
  again.publish({ topic: 'a', payload: 'x', qos: 1, id: 1 });
  await turns();
  assert.deepEqual(messages, []);
  client.resume();
  await again.next(PUBACK);
  assert.deepEqual(messages, ['x']);
});

test('delays double up to the greatest one, with jitter, and start over after a reset', () => {
  const middle = new Backoff(100, 1_000, () => 0.5);
  assert.deepEqual(
    [middle.next(), middle.next(), middle.next(), middle.next(), middle.next()],
    [150, 250, 450, 550, 550],
  );
  middle.reset();
  assert.equal(middle.next(), 150);
  const steady = new Backoff(1_000, 1_000);
  assert.deepEqual([steady.next(), steady.next()], [1_000, 1_000]);
  assert.equal(new Backoff(50, 10, () => 0).next(), 50);
});
