import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidRequest, PeerFault } from '../../../src/client/index.ts';
import type { Client, ReceivedMessage } from '../../../src/client/options.ts';
import {
  DISCONNECT,
  PUBACK,
  PUBCOMP,
  PUBREC,
  PUBREL,
  SUBACK,
  SUBSCRIBE,
  UNSUBACK,
  UNSUBSCRIBE,
} from '../../../src/protocol/constants.ts';
import { NO_PROPERTIES } from '../../../src/protocol/properties.ts';
import { closed, setUp, turns } from './setup.ts';

function collect(client: Client): ReceivedMessage[] {
  const messages: ReceivedMessage[] = [];
  client.on('message', (message) => messages.push(message));
  return messages;
}

for (const version of ['3.1', '3.1.1', '5'] as const) {
  test(`${version}: messages of every QoS are handed out and acknowledged`, async (context) => {
    const { client, side } = await setUp(context, { version });
    const messages = collect(client);
    side.publish({ topic: 'a', payload: 'zero', retain: true });
    side.publish({ topic: 'b', payload: 'one', qos: 1, id: 7 });
    side.publish({ topic: 'c', payload: 'two', qos: 2, id: 8 });
    assert.deepEqual(await side.next(PUBACK), { type: PUBACK, id: 7, code: 0, properties: {} });
    assert.deepEqual(await side.next(PUBREC), { type: PUBREC, id: 8, code: 0, properties: {} });
    side.send({ type: PUBREL, id: 8, code: 0, properties: NO_PROPERTIES });
    assert.deepEqual(await side.next(PUBCOMP), { type: PUBCOMP, id: 8, code: 0, properties: {} });
    assert.deepEqual(
      messages.map(({ topic, payload, qos, retain, dup, id }) => [topic, payload.toString(), qos, retain, dup, id]),
      [
        ['a', 'zero', 0, true, false, 0],
        ['b', 'one', 1, false, false, 7],
        ['c', 'two', 2, false, false, 8],
      ],
    );
  });
}

test('a QoS 2 message that comes again is handed out once; after its release the identifier is free', async (context) => {
  const { client, side } = await setUp(context);
  const messages = collect(client);
  side.publish({ topic: 'a', payload: '1', qos: 2, id: 5 });
  side.publish({ topic: 'a', payload: '1', qos: 2, id: 5, dup: true });
  await side.next(PUBREC);
  await side.next(PUBREC);
  assert.equal(messages.length, 1);
  side.send({ type: PUBREL, id: 5, code: 0, properties: NO_PROPERTIES });
  assert.equal((await side.next(PUBCOMP)).code, 0);
  side.send({ type: PUBREL, id: 5, code: 0, properties: NO_PROPERTIES });
  assert.equal((await side.next(PUBCOMP)).code, 0x92);
  side.publish({ topic: 'a', payload: '2', qos: 2, id: 5 });
  await side.next(PUBREC);
  assert.equal(messages.length, 2);
});

test('more QoS 2 messages than the receive maximum are a fault', async (context) => {
  const { client, side } = await setUp(context, { properties: { receiveMaximum: 2 } });
  const end = closed(client);
  for (const id of [1, 2, 3]) side.publish({ topic: 'a', qos: 2, id });
  await side.next(PUBREC);
  await side.next(PUBREC);
  assert.equal((await side.next(DISCONNECT)).code, 0x93);
  assert.ok((await end) instanceof PeerFault);
});

test('aliases stand for the topic they came with', async (context) => {
  const { client, side } = await setUp(context, { properties: { topicAliasMaximum: 2 } });
  const messages = collect(client);
  side.publish({ topic: 'one', properties: { topicAlias: 1 } });
  side.publish({ topic: 'two', properties: { topicAlias: 2 } });
  side.publish({ topic: '', properties: { topicAlias: 1 } });
  side.publish({ topic: 'three', properties: { topicAlias: 1 } });
  side.publish({ topic: '', properties: { topicAlias: 1 }, qos: 1, id: 1 });
  await side.next(PUBACK);
  assert.deepEqual(
    messages.map((message) => message.topic),
    ['one', 'two', 'one', 'three', 'three'],
  );
});

test('an alias that is unknown or beyond the maximum is a fault', async (context) => {
  for (const [properties, code] of [
    [{ topicAlias: 2 }, 0x82],
    [{ topicAlias: 3 }, 0x94],
    [{}, 0x82],
  ] as const) {
    const { client, side } = await setUp(context, { properties: { topicAliasMaximum: 2 } });
    const end = closed(client);
    side.publish({ topic: '', properties });
    assert.equal((await side.next(DISCONNECT)).code, code);
    assert.ok((await end) instanceof PeerFault);
  }
});

test('properties of a message are handed out', async (context) => {
  const { client, side } = await setUp(context);
  const messages = collect(client);
  side.publish({
    topic: 'a',
    qos: 1,
    id: 1,
    properties: { responseTopic: 'r', userProperties: [['a', 'b']], subscriptionIdentifiers: [3, 4] },
  });
  await side.next(PUBACK);
  assert.deepEqual(messages[0]?.properties, {
    responseTopic: 'r',
    userProperties: [['a', 'b']],
    subscriptionIdentifiers: [3, 4],
  });
});

test('subscribe and unsubscribe say what they were asked and answer with the codes', async (context) => {
  const { client, side } = await setUp(context);
  const subscribed = client.subscribe(
    ['a/#', { filter: 'b', qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 1 }],
    {
      subscriptionIdentifier: 9,
    },
  );
  const packet = await side.next(SUBSCRIBE);
  assert.deepEqual(packet, {
    type: SUBSCRIBE,
    id: 1,
    subscriptions: [
      { filter: 'a/#', qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 },
      { filter: 'b', qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 1 },
    ],
    properties: { subscriptionIdentifier: 9 },
  });
  side.send({ type: SUBACK, id: 1, codes: [0, 0x87], properties: { reasonString: 'r' } });
  assert.deepEqual(await subscribed, { id: 1, codes: [0, 0x87], properties: { reasonString: 'r' } });
  const unsubscribed = client.unsubscribe(['a/#', 'b']);
  assert.deepEqual((await side.next(UNSUBSCRIBE)).filters, ['a/#', 'b']);
  side.send({ type: UNSUBACK, id: 2, codes: [0, 0x11], properties: NO_PROPERTIES });
  assert.deepEqual((await unsubscribed).codes, [0, 0x11]);
});

test('a 3.x UNSUBACK has no codes', async (context) => {
  const { client, side } = await setUp(context, { version: '3.1.1' });
  const unsubscribed = client.unsubscribe('a');
  const { id } = await side.next(UNSUBSCRIBE);
  side.send({ type: UNSUBACK, id, codes: [], properties: NO_PROPERTIES });
  assert.deepEqual(await unsubscribed, { id, codes: [], properties: {} });
});

test('filters that are none are refused before anything is sent', async (context) => {
  const { client, side } = await setUp(context, {}, { properties: { maximumPacketSize: 60 } });
  for (const filter of ['', 'a/#/b', 'a+', '$share/g', 'x'.repeat(65_536), 'a\0']) {
    await assert.rejects(client.subscribe(filter), InvalidRequest);
    await assert.rejects(client.unsubscribe(filter), InvalidRequest);
  }
  await assert.rejects(client.subscribe([]), InvalidRequest);
  await assert.rejects(client.subscribe('x'.repeat(60)), (error) => (error as InvalidRequest).reason.code === 0x95);
  await assert.rejects(
    client.subscribe('a', { userProperties: [['k', 'x'.repeat(70_000)]] }),
    (error) => (error as InvalidRequest).reason.code === 0x82,
  );
  await turns();
  assert.equal(side.untaken, 0);
});

test('a SUBACK with the wrong number of codes is a fault; one that nobody asked for is passed over', async (context) => {
  const { client, side } = await setUp(context);
  const end = closed(client);
  side.send({ type: SUBACK, id: 9, codes: [0, 0, 0], properties: NO_PROPERTIES });
  const subscribed = client.subscribe(['a', 'b']);
  const { id } = await side.next(SUBSCRIBE);
  side.send({ type: UNSUBACK, id, codes: [0], properties: NO_PROPERTIES });
  side.send({ type: SUBACK, id, codes: [0], properties: NO_PROPERTIES });
  await assert.rejects(subscribed, PeerFault);
  assert.ok((await end) instanceof PeerFault);
});

test('a handler can be taken away, also by itself', async (context) => {
  const { client, side } = await setUp(context);
  const calls: string[] = [];
  const once = (): void => {
    calls.push('once');
    client.off('message', once);
  };
  client.on('message', once).on('message', () => calls.push('always'));
  side.publish({ topic: 'a' });
  side.publish({ topic: 'a', qos: 1, id: 1 });
  await side.next(PUBACK);
  assert.deepEqual(calls, ['once', 'always', 'always']);
});

test('a paused client takes no message, not even from inside a handler, and loses none', async (context) => {
  const { client, side } = await setUp(context);
  const topics: string[] = [];
  client.on('message', (message) => {
    topics.push(message.topic);
    client.pause();
  });
  for (let i = 0; i < 5; i++) side.publish({ topic: String(i), qos: 1, id: i + 1 });
  for (let i = 1; i <= 5; i++) {
    await side.next(PUBACK);
    await turns();
    assert.equal(topics.length, i);
    client.resume();
  }
  assert.deepEqual(topics, ['0', '1', '2', '3', '4']);
});

test('a handler may pause and resume in one go', async (context) => {
  const { client, side } = await setUp(context);
  const messages = collect(client);
  client.on('message', () => {
    client.pause();
    client.resume();
  });
  for (let i = 1; i <= 5; i++) side.publish({ topic: 'a', qos: 1, id: i });
  for (let i = 1; i <= 5; i++) await side.next(PUBACK);
  assert.equal(messages.length, 5);
});

test('messages() hands out what comes, ends with the client, and may be left early', async (context) => {
  const { client, side } = await setUp(context);
  const early = (async () => {
    for await (const message of client.messages()) return message.topic;
    return null;
  })();
  const all = (async () => {
    const topics = [];
    for await (const message of client.messages()) topics.push(message.topic);
    return topics;
  })();
  for (let i = 1; i <= 3; i++) side.publish({ topic: String(i), qos: 1, id: i });
  for (let i = 1; i <= 3; i++) await side.next(PUBACK);
  assert.equal(await early, '1');
  await client.end();
  assert.deepEqual(await all, ['1', '2', '3']);
  for await (const _ of client.messages()) assert.fail('a closed client has no messages');
});

test('a reader that falls behind stops the connection, and gets every message in the end', async (context) => {
  const { client, side } = await setUp(context);
  const count = 5_000;
  const stream = client.messages()[Symbol.asyncIterator]();
  let handled = 0;
  client.on('message', () => {
    handled += 1;
  });
  for (let i = 0; i < count; i++) side.publish({ topic: String(i) });
  await turns(20);
  assert.equal(handled, 1_000);
  for (let i = 0; i < count; i++) assert.equal((await stream.next()).value.topic, String(i));
  assert.equal(handled, count);
  const waiting = [stream.next(), stream.next()];
  side.publish({ topic: 'x' });
  assert.equal((await waiting[0])?.value.topic, 'x');
  await stream.return?.();
  assert.equal((await waiting[1])?.done, true);
  assert.equal((await stream.next()).done, true);
});

for (const [qos, answer] of [
  [1, PUBACK],
  [2, PUBREC],
] as const) {
  test(`a QoS ${qos} message whose handler ends the client is acknowledged in front of DISCONNECT`, async (context) => {
    const { client, side } = await setUp(context);
    const messages = collect(client);
    client.on('message', () => void client.end());
    side.publish({ topic: 'a', qos, id: 1 });
    side.publish({ topic: 'b', qos, id: 2 });
    assert.equal((await side.next(answer)).id, 1);
    await side.next(DISCONNECT);
    await side.closed();
    assert.equal(side.untaken, 0, 'the message behind it is not acknowledged');
    assert.equal(messages.length, 1);
  });
}
