// MQTT.js with mqtt-broker: the scenarios of all libraries, also with topic aliases that it assigns by itself, and what only
// this library can be asked for.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import mqtt, { type IClientOptions, type MqttClient, Store } from 'mqtt';
import { ALLOW, type AuthStep, DEFER, DENY, type Plugin } from '../../src/broker/hooks/points.ts';
import { playLibrary } from './library-play.ts';
import { mqttJs } from './mqtt-js-player.ts';
import { startOwnBroker } from './own-broker.ts';
import { startProxy } from './proxy.ts';

playLibrary('MQTT.js', mqttJs, 'mqtt-broker', [3, 4, 5], false);

/** An in-process broker and a way to dial it. */
async function open(
  context: TestContext,
  plugins: readonly Plugin[] = [],
): Promise<{ port: number; dial: (options: IClientOptions, port?: number) => MqttClient; stop: () => Promise<void> }> {
  const broker = await startOwnBroker(context, ['listener 1883 127.0.0.1', 'allow_anonymous true'], { plugins });
  const own = broker.ports[0] ?? 0;
  const dial = (options: IClientOptions, port = own): MqttClient => {
    const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5, reconnectPeriod: 0, ...options });
    context.after(() => client.endAsync(true));
    client.on('error', () => undefined);
    return client;
  };
  return { port: own, dial, stop: () => broker.stop() };
}

const connected = (client: MqttClient): Promise<void> =>
  new Promise((resolve) => client.once('connect', () => resolve()));

/** The next messages as 'topic payload'. */
function messagesOf(client: MqttClient, count: number): Promise<string[]> {
  return new Promise((resolve) => {
    const found: string[] = [];
    client.on('message', (topic, payload) => {
      if (found.push(`${topic} ${payload.toString()}`) === count) resolve(found);
    });
  });
}

test('MQTT.js assigns topic aliases by itself', async (context) => {
  const { dial } = await open(context);
  const reader = dial({});
  await connected(reader);
  await reader.subscribeAsync('alias/#', { qos: 1 });
  const names = ['a', 'b', 'a', 'b', ...'cdefghijklmnop', 'a', 'p', 'a'].map((name) => `alias/${name}`);
  const arrived = messagesOf(reader, names.length);
  const writer = dial({ autoAssignTopicAlias: true });
  const aliases: number[] = [];
  let unnamed = 0;
  writer.on('packetsend', (packet) => {
    if (packet.cmd !== 'publish') return;
    aliases.push(packet.properties?.topicAlias ?? 0);
    if (packet.topic.length === 0) unnamed += 1;
  });
  await connected(writer);
  for (const topic of names) await writer.publishAsync(topic, 'x', { qos: 1 });
  assert.deepEqual(
    await arrived,
    names.map((topic) => `${topic} x`),
  );
  assert.ok(new Set(aliases).size > 2 && unnamed > 2, `aliases ${aliases.join()}, ${unnamed} of them without a topic`);
});

test('MQTT.js goes on with a stored session: each message of QoS 2 arrives once', async (context) => {
  const { port, dial } = await open(context);
  const reader = dial({});
  await connected(reader);
  await reader.subscribeAsync('stored/#', { qos: 2 });
  const arrived = messagesOf(reader, 3);
  const stores = { outgoingStore: new Store({ clean: false }), incomingStore: new Store({ clean: false }) };
  const lasting: IClientOptions = {
    clientId: 'stored',
    clean: false,
    properties: { sessionExpiryInterval: 600 },
    ...stores,
  };
  // What the broker has taken over and said so goes under in the cut, as if the program had ended there.
  const proxy = await startProxy(context, port);
  for (const [name, first] of [
    ['rec', 0x50],
    ['comp', 0x70],
  ] as const) {
    const before = dial(lasting, proxy.port);
    await connected(before);
    const lost = proxy.cutAt('server', first);
    before.publish(`stored/${name}`, 'once', { qos: 2 });
    await lost;
    await new Promise<void>((resolve) => before.once('close', () => resolve()));
  }
  const after = dial(lasting);
  await connected(after);
  await after.publishAsync('stored/end', 'x', { qos: 2 });
  assert.deepEqual(await arrived, ['stored/rec once', 'stored/comp once', 'stored/end x']);
});

test('MQTT.js is told that the broker shuts down', async (context) => {
  const { dial, stop } = await open(context);
  const client = dial({});
  await connected(client);
  const said = new Promise<number | undefined>((resolve) => {
    client.once('disconnect', ({ reasonCode }) => resolve(reasonCode));
  });
  await stop();
  assert.equal(await said, 0x8b);
});

/** A method of two questions, which asks anew when the client begins anew. */
const quiz: Plugin = {
  name: 'quiz',
  authStep(_client, method, data, first): AuthStep | null {
    if (method !== 'quiz') return null;
    if (first) return { decision: DEFER, data: Buffer.from('one') };
    const said = data?.toString();
    if (said === 'eins') return { decision: DEFER, data: Buffer.from('two') };
    if (said === 'zwei') return { decision: ALLOW, data: Buffer.from('welcome') };
    return { decision: DENY, data: null };
  },
};

type AuthPacket = Parameters<MqttClient['handleAuth']>[0];

/** A client that answers the questions with these words. */
function answering(client: MqttClient, words: Readonly<Record<string, string>>): MqttClient {
  client.handleAuth = (packet, callback) => {
    const asked = packet.properties?.authenticationData?.toString() ?? '';
    const authenticationData = Buffer.from(words[asked] ?? '');
    const properties = { authenticationMethod: 'quiz', authenticationData };
    callback(undefined, { cmd: 'auth', reasonCode: 24, properties } as AuthPacket);
  };
  return client;
}

test('MQTT.js logs in by the questions of a plugin', async (context) => {
  const { dial } = await open(context, [quiz]);
  const properties = { authenticationMethod: 'quiz', authenticationData: Buffer.from('hello') };
  const knowing = answering(dial({ properties }), { one: 'eins', two: 'zwei' });
  const granted = await new Promise<string | undefined>((resolve) => {
    knowing.once('connect', (packet) => resolve(packet.properties?.authenticationData?.toString()));
  });
  assert.equal(granted, 'welcome');
  await knowing.subscribeAsync('quiz', { qos: 1 });
  const wrong = answering(dial({ properties }), { one: 'eins', two: 'drei' });
  const refused = await new Promise<Error>((resolve) => wrong.once('error', resolve));
  assert.ok('code' in refused && refused.code === 0x87, refused.message);
});
