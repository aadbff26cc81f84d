// What the standards ask of a client that publishes and receives: the PUBLISH packet, its answers, and DISCONNECT.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidRequest } from '../../../src/client/index.ts';
import type { PublishOptions } from '../../../src/client/options.ts';
import {
  DISCONNECT,
  PINGREQ,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBSCRIBE,
} from '../../../src/protocol/constants.ts';
import { closed, setUp, turns } from './setup.ts';

const VERSIONS = ['3.1.1', '5'] as const;
const reconnect = { minDelayMs: 1, maxDelayMs: 1 };

test('a PUBLISH of QoS 0 has QoS 0, DUP 0 and no packet identifier [MQTT-2.2.1-2, MQTT-3.3.1-2, MQTT-4.3.1-1, MQTT3-2.3.1-5, MQTT3-3.3.1-2, MQTT3-4.3.1-1]', async (context) => {
  for (const version of VERSIONS) {
    const { client, side } = await setUp(context, { version });
    await client.publish('a', 'xy');
    await client.publish('a', 'xy', { retain: true });
    await side.next(PUBLISH);
    assert.equal(side.lastBytes, version === '5' ? '3006000161007879' : '30050001617879');
    await side.next(PUBLISH);
    assert.equal(side.lastBytes.slice(0, 2), '31');
  }
});

test('a QoS 0 message that waited for a connection is sent with DUP 0 [MQTT-3.3.1-2, MQTT3-3.3.1-2]', async (context) => {
  for (const version of VERSIONS) {
    const { client, side, broker } = await setUp(context, { version, reconnect });
    const lost = new Promise((resolve) => client.on('reconnecting', resolve));
    side.transport.destroy();
    await lost;
    void client.publish('a', '');
    const again = await broker.accept();
    await again.admit();
    await again.next(PUBLISH);
    assert.equal(again.lastBytes.slice(0, 2), '30');
  }
});

test('the topic name comes first and is a proper one without wildcards [MQTT-3.3.2-1, MQTT-3.3.2-2, MQTT-4.7.0-1, MQTT-4.7.3-1, MQTT-4.7.3-2, MQTT-4.7.3-3, MQTT3-3.3.2-1, MQTT3-3.3.2-2, MQTT3-4.7.1-1, MQTT3-4.7.3-1, MQTT3-4.7.3-2, MQTT3-4.7.3-3]', async (context) => {
  for (const version of VERSIONS) {
    const { client, side } = await setUp(context, { version });
    for (const topic of ['', '#', '+', 'a/#', 'a+', '\ud800', 'a\0', 'x'.repeat(65_536), `${'é'.repeat(32_767)}xx`]) {
      await assert.rejects(client.publish(topic, ''), InvalidRequest);
    }
    const longest = `${'é'.repeat(32_767)}x`;
    for (const topic of ['/', ' ', 'ü/\u{1f600}', longest]) {
      await client.publish(topic, '');
      assert.equal((await side.next(PUBLISH)).topic, topic);
    }
    await turns();
    assert.equal(side.untaken, 0);
  }
});

test('5: properties that a client must not send stay at home [MQTT-3.3.2-8, MQTT-3.3.2-13, MQTT-3.3.2-14, MQTT-3.3.2-19, MQTT-3.3.4-6]', async (context) => {
  const { client, side } = await setUp(context, {}, { properties: { topicAliasMaximum: 5 } });
  const cases: PublishOptions['properties'][] = [
    { topicAlias: 0 },
    { responseTopic: 'a\0' },
    { responseTopic: 'a/+' },
    { responseTopic: '#' },
    { contentType: '\ud800' },
    { contentType: 'a\0' },
    { subscriptionIdentifier: 1 },
  ];
  for (const properties of cases) {
    await assert.rejects(client.publish('a', '', properties === undefined ? {} : { properties }), InvalidRequest);
  }
  await turns();
  assert.equal(side.untaken, 0);
});

test('5: our aliases do not outlive their connection [MQTT-3.3.2-7]', async (context) => {
  const granted = { properties: { topicAliasMaximum: 5 } };
  const properties = { topicAlias: 1 };
  const { client, side, broker } = await setUp(context, { reconnect }, granted);
  await client.publish('t', '', { properties });
  await client.publish('t', '', { properties });
  assert.deepEqual([(await side.next(PUBLISH)).topic, (await side.next(PUBLISH)).topic], ['t', '']);
  side.transport.destroy();
  const again = await broker.accept();
  await again.admit(granted);
  await client.publish('t', '', { properties });
  assert.equal((await again.next(PUBLISH)).topic, 't');
  await client.end();
});

test('5: a message that was sent by its alias is sent again by its name, also where no alias is taken [MQTT-3.3.2-7]', async (context) => {
  const { client, side, broker } = await setUp(
    context,
    { reconnect, cleanStart: false },
    { properties: { topicAliasMaximum: 5 } },
  );
  const properties = { topicAlias: 1 };
  await client.publish('t', '', { properties });
  const published = client.publish('t', 'again', { qos: 1, properties });
  await side.next(PUBLISH);
  assert.equal((await side.next(PUBLISH)).topic, '');
  side.transport.destroy();
  const again = await broker.accept();
  await again.admit({ sessionPresent: true });
  const message = await again.next(PUBLISH);
  assert.deepEqual([message.topic, message.payload, message.properties], ['t', 'again', {}]);
  again.send({ type: PUBACK, id: message.id, code: 0, properties: {} });
  await published;
});

test('5: aliases of the broker do not outlive their connection, and all up to our maximum are taken [MQTT-3.3.2-7, MQTT-3.3.2-10]', async (context) => {
  const { client, side, broker } = await setUp(context, { reconnect, properties: { topicAliasMaximum: 300 } });
  const topics: string[] = [];
  client.on('message', (message) => topics.push(message.topic));
  for (let topicAlias = 1; topicAlias <= 300; topicAlias++)
    side.publish({ topic: `t${topicAlias}`, properties: { topicAlias } });
  for (let topicAlias = 1; topicAlias <= 300; topicAlias++) side.publish({ topic: '', properties: { topicAlias } });
  side.publish({ topic: 'end', qos: 1, id: 1 });
  await side.next(PUBACK);
  assert.deepEqual(topics.slice(0, 300), topics.slice(300, 600));
  assert.equal(topics[299], 't300');
  side.transport.destroy();
  const again = await broker.accept();
  await again.admit();
  again.publish({ topic: '', properties: { topicAlias: 1 } });
  assert.equal((await again.next(DISCONNECT)).code, 0x82);
});

test('each PUBLISH is answered as its QoS asks, with its identifier, whether anybody listens or not [MQTT-2.2.1-5, MQTT-3.3.4-1, MQTT-4.5.0-2, MQTT3-2.3.1-6, MQTT3-3.3.4-1, MQTT3-4.5.0-2]', async (context) => {
  for (const version of VERSIONS) {
    const { side } = await setUp(context, { version });
    side.publish({ topic: 'nobody/asked/for/this' });
    side.publish({ topic: 'nobody/asked/for/this', qos: 1, id: 65_535 });
    side.publish({ topic: 'nobody/asked/for/this', qos: 2, id: 256 });
    side.send({ type: PUBREL, id: 256, code: 0, properties: {} });
    assert.equal((await side.next(PUBACK)).id, 65_535);
    assert.equal((await side.next(PUBREC)).id, 256);
    assert.equal((await side.next(PUBCOMP)).id, 256);
    await turns();
    assert.equal(side.untaken, 0);
  }
});

test('5: acknowledgements have their reason codes, and never a reason string or user property [MQTT-3.4.2-1, MQTT-3.4.2-2, MQTT-3.4.2-3, MQTT-3.5.2-1, MQTT-3.5.2-2, MQTT-3.5.2-3, MQTT-3.6.2-1, MQTT-3.6.2-2, MQTT-3.6.2-3, MQTT-3.7.2-1, MQTT-3.7.2-2, MQTT-3.7.2-3]', async (context) => {
  const { side } = await setUp(context, { checkPayloadFormat: true }, { properties: { maximumPacketSize: 5 } });
  side.sendBytes('32090001610001020101ff');
  await side.next(PUBACK);
  assert.equal(side.lastBytes, '4003000199');
  side.sendBytes('34090001610002020101ff');
  await side.next(PUBREC);
  assert.equal(side.lastBytes, '5003000299');
  side.sendBytes('50020009');
  await side.next(PUBREL);
  assert.equal(side.lastBytes, '6203000992');
  side.sendBytes('62020009');
  await side.next(PUBCOMP);
  assert.equal(side.lastBytes, '7003000992');
});

test('5: DISCONNECT has a reason code of a client, and fits what the broker takes [MQTT-3.14.2-1, MQTT-3.14.2-3, MQTT-3.14.2-4]', async (context) => {
  const { client, side } = await setUp(context, {}, { properties: { maximumPacketSize: 12 } });
  await assert.rejects(client.end(0x8b), InvalidRequest);
  await assert.rejects(client.end(4, { reasonString: 'too long' }), InvalidRequest);
  await assert.rejects(client.end(4, { userProperties: [['too', 'long']] }), InvalidRequest);
  void client.end(4, { reasonString: 'fits' });
  await side.next(DISCONNECT);
  assert.equal(side.lastBytes, `e00904071f0004${Buffer.from('fits').toString('hex')}`);
});

test('after DISCONNECT nothing is sent and the connection is closed [MQTT-3.14.4-1, MQTT-3.14.4-2, MQTT3-3.14.4-1, MQTT3-3.14.4-2]', async (context) => {
  for (const version of VERSIONS) {
    const { client, side } = await setUp(context, { version });
    const end = client.end();
    for (const late of [client.publish('a', ''), client.publish('a', '', { qos: 1 }), client.subscribe('a')]) {
      await assert.rejects(late);
    }
    side.publish({ topic: 'a', qos: 1, id: 1 });
    await end;
    await side.next(DISCONNECT);
    await side.closed();
    assert.equal(side.untaken, 0);
  }
});

test('a refusal and a DISCONNECT of 0x80 or above close the connection on our side, too [MQTT-4.13.2-1]', async (context) => {
  const { client, side } = await setUp(context);
  const end = closed(client);
  side.send({ type: DISCONNECT, code: 0x97, properties: {} });
  await end;
  await side.closed();
  const faulty = await setUp(context);
  faulty.side.sendBytes('c000');
  assert.ok((await faulty.side.next(DISCONNECT)).code >= 0x80);
  await faulty.side.closed();
});

test('no more messages than the receive maximum are unacknowledged, and nothing else waits for it [MQTT-3.3.4-7, MQTT-3.3.4-8, MQTT-4.9.0-1, MQTT-4.9.0-2, MQTT-4.9.0-3]', async (context) => {
  const { client, side } = await setUp(
    context,
    { maxInflight: 100, keepAlive: 1 },
    { properties: { receiveMaximum: 2 } },
  );
  for (let i = 0; i < 5; i++) void client.publish('t', String(i), { qos: i % 2 === 0 ? 1 : 2 });
  assert.equal((await side.next(PUBLISH)).payload, '0');
  assert.equal((await side.next(PUBLISH)).payload, '1');
  await turns();
  assert.equal(side.untaken, 0);
  void client.publish('t', 'QoS 0');
  void client.subscribe('a');
  assert.equal((await side.next(PUBLISH)).payload, 'QoS 0');
  await side.next(SUBSCRIBE);
  side.publish({ topic: 'x', qos: 1, id: 1 });
  await side.next(PUBACK);
  await side.next(PINGREQ);
  // PUBREC below 0x80 gives no place back, PUBCOMP does.
  side.send({ type: PUBREC, id: 2, code: 0, properties: {} });
  await side.next(PUBREL);
  await turns();
  assert.equal(side.untaken, 0);
  side.send({ type: PUBCOMP, id: 2, code: 0, properties: {} });
  assert.equal((await side.next(PUBLISH)).payload, '2');
  await turns();
  assert.equal(side.untaken, 0);
});
