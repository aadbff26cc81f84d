// MQTT.js, the client library of most Node and browser programs, with mqtt-broker.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import { freePorts } from '../support/free-port.ts';
import { startBroker } from '../support/mosquitto.ts';

/** Connects; `before` sees the client before anything can have come in. */
type Dial = (options?: IClientOptions, before?: (client: MqttClient) => void) => Promise<MqttClient>;

/** The next messages of a client, as 'topic payload qos retain'. */
function nextMessages(client: MqttClient, count: number): Promise<string[]> {
  return new Promise((resolve) => {
    const found: string[] = [];
    const take = (topic: string, payload: Buffer, packet: IPublishPacket) => {
      found.push(`${topic} ${payload.toString()} ${packet.qos} ${packet.retain ? 'retained' : 'live'}`);
      if (found.length < count) return;
      client.off('message', take);
      resolve(found);
    };
    client.on('message', take);
  });
}

async function everyQos(dial: Dial): Promise<void> {
  const client = await dial();
  await client.subscribeAsync('js/#', { qos: 2 });
  const messages = nextMessages(client, 3);
  await client.publishAsync('js/0', 'a', { qos: 0 });
  await client.publishAsync('js/1', 'b', { qos: 1 });
  await client.publishAsync('js/2', 'c', { qos: 2 });
  assert.deepEqual((await messages).sort(), ['js/0 a 0 live', 'js/1 b 1 live', 'js/2 c 2 live']);
  await client.unsubscribeAsync('js/#');
}

async function retainedAndWill(dial: Dial): Promise<void> {
  const client = await dial();
  await client.publishAsync('kept/js', 'state', { qos: 1, retain: true });
  const dying = await dial({ will: { topic: 'kept/will', payload: Buffer.from('gone'), qos: 1, retain: true } });
  const watcher = await dial();
  const messages = nextMessages(watcher, 2);
  await watcher.subscribeAsync('kept/#', { qos: 1 });
  dying.stream.destroy();
  assert.deepEqual((await messages).sort(), ['kept/js state 1 retained', 'kept/will gone 1 live']);
  await client.publishAsync('kept/js', '', { retain: true, qos: 1 });
  await client.publishAsync('kept/will', '', { retain: true, qos: 1 });
}

async function waitingMessages(dial: Dial, properties: IClientOptions): Promise<void> {
  const lasting: IClientOptions = { clientId: 'js-lasting', clean: false, ...properties };
  const first = await dial(lasting);
  await first.subscribeAsync('queue/js', { qos: 1 });
  await first.endAsync();
  const publisher = await dial();
  for (const text of ['1', '2', '3']) await publisher.publishAsync('queue/js', text, { qos: 1 });
  let messages: Promise<string[]> = Promise.resolve([]);
  await dial(lasting, (client) => {
    messages = nextMessages(client, 3);
  });
  assert.deepEqual(await messages, ['queue/js 1 1 live', 'queue/js 2 1 live', 'queue/js 3 1 live']);
}

async function properties5(dial: Dial): Promise<void> {
  const client = await dial();
  await client.subscribeAsync('props/js', { qos: 1, properties: { subscriptionIdentifier: 7 } });
  const arrival = new Promise<IPublishPacket>((resolve) => {
    client.once('message', (_topic, _payload, packet) => resolve(packet));
  });
  const properties = {
    contentType: 'text/plain',
    responseTopic: 'answers/js',
    correlationData: Buffer.from('c-17'),
    messageExpiryInterval: 60,
    userProperties: { colour: 'red' },
  };
  await client.publishAsync('props/js', 'body', { qos: 1, properties });
  const packet = await arrival;
  assert.equal(packet.properties?.contentType, 'text/plain');
  assert.equal(packet.properties?.responseTopic, 'answers/js');
  assert.equal(packet.properties?.correlationData?.toString(), 'c-17');
  assert.equal(packet.properties?.subscriptionIdentifier, 7);
  assert.deepEqual({ ...packet.properties?.userProperties }, { colour: 'red' });
}

async function play(context: TestContext, url: string, protocolVersion: 3 | 4 | 5): Promise<void> {
  const clients: MqttClient[] = [];
  context.after(() => Promise.all(clients.map((client) => client.endAsync(true))));
  let count = 0;
  const dial: Dial = async (options = {}, before) => {
    const version: IClientOptions = { protocolVersion, protocolId: protocolVersion === 3 ? 'MQIsdp' : 'MQTT' };
    const clientId = `js-${protocolVersion}-${url.slice(0, 2)}-${++count}`;
    const client = mqtt.connect(url, { ...version, clientId, reconnectPeriod: 0, ...options });
    clients.push(client);
    before?.(client);
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve());
      client.once('error', reject);
    });
    return client;
  };
  await context.test('QoS 0, 1 and 2', () => everyQos(dial));
  await context.test('retained messages and a will', () => retainedAndWill(dial));
  const lasting: IClientOptions = protocolVersion === 5 ? { properties: { sessionExpiryInterval: 3600 } } : {};
  await context.test('a persistent session', () => waitingMessages(dial, lasting));
  if (protocolVersion === 5) await context.test('properties', () => properties5(dial));
}

test('MQTT.js with mqtt-broker', async (context) => {
  const [tcp, ws] = await freePorts(2);
  const lines = [
    `listener ${tcp} 127.0.0.1`,
    `listener ${ws} 127.0.0.1`,
    'protocol websockets',
    'allow_anonymous true',
  ];
  await startBroker(context, 'mqtt-broker', lines);
  for (const version of [3, 4, 5] as const) {
    await context.test(`protocol version ${version} over TCP`, (inner) =>
      play(inner, `mqtt://127.0.0.1:${tcp}`, version),
    );
  }
  await context.test('protocol version 5 over WebSocket', (inner) => play(inner, `ws://127.0.0.1:${ws}/mqtt`, 5));
});
