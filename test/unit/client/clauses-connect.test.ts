// What the standards ask of a client: strings, headers, CONNECT, and what CONNACK allows. Judged by the bytes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectVia } from '../../../src/client/client.ts';
import { InvalidRequest } from '../../../src/client/index.ts';
import type { ClientOptions } from '../../../src/client/options.ts';
import {
  CONNECT,
  DISCONNECT,
  PINGREQ,
  PINGRESP,
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
import { NOWHERE, ScriptedBroker } from './scripted-broker.ts';
import { setUp, turns } from './setup.ts';

/** A field with its length in front. */
const field = (text: string | Buffer): string => {
  const bytes = Buffer.from(text as string);
  return bytes.length.toString(16).padStart(4, '0') + bytes.toString('hex');
};

/** The body of the CONNECT that these options make, in hexadecimal. */
async function connectBody(options: Partial<ClientOptions>): Promise<string> {
  const broker = new ScriptedBroker();
  const connecting = connectVia({ ...NOWHERE, clientId: 'c', ...options }, broker);
  const side = await broker.accept();
  await side.admit();
  const bytes = side.bytes[0]!;
  await (await connecting).end();
  assert.equal(bytes[0], 0x10);
  assert.equal(bytes[1], bytes.length - 2);
  return bytes.toString('hex', 2);
}

async function isRefused(options: Partial<ClientOptions>): Promise<void> {
  const broker = new ScriptedBroker();
  await assert.rejects(connectVia({ ...NOWHERE, ...options }, broker), InvalidRequest);
  assert.equal(broker.dials, 0);
}

const will = { topic: 'w/t', payload: Buffer.from([1, 255]), qos: 0, retain: false, properties: {} };
const HEAD_5 = `${field('MQTT')}05`;
const HEAD_4 = `${field('MQTT')}04`;
const KEEP_ALIVE = '003c';

test('CONNECT comes first, whatever was asked for [MQTT-3.1.0-1, MQTT3-3.1.0-1]', async (context) => {
  for (const version of ['3.1.1', '5'] as const) {
    const { client, side } = await setUp(context, { version });
    void client.publish('a', '');
    await side.next(CONNECT).catch(() => {});
    assert.equal(side.seen[0]?.type, CONNECT);
    assert.equal(side.seen.filter((packet) => packet.type === CONNECT).length, 1);
  }
});

test('5: without will, user name and password neither their flags nor their fields are there [MQTT-3.1.2-11, MQTT-3.1.2-13, MQTT-3.1.2-16, MQTT-3.1.2-18, MQTT-2.2.2-1]', async () => {
  assert.equal(await connectBody({}), `${HEAD_5}02${KEEP_ALIVE}00${field('c')}`);
  assert.equal(await connectBody({ cleanStart: false }), `${HEAD_5}00${KEEP_ALIVE}00${field('c')}`);
});

test('3.1.1: without will, user name and password neither their flags nor their fields are there [MQTT3-3.1.2-11, MQTT3-3.1.2-13, MQTT3-3.1.2-15, MQTT3-3.1.2-18, MQTT3-3.1.2-20]', async () => {
  assert.equal(await connectBody({ version: '3.1.1' }), `${HEAD_4}02${KEEP_ALIVE}${field('c')}`);
});

test('5: all fields of CONNECT are there and in order, with their flags [MQTT-3.1.2-9, MQTT-3.1.2-17, MQTT-3.1.2-19, MQTT-3.1.3-1, MQTT-3.1.3-3]', async () => {
  const full = { username: 'u', password: Buffer.from([0, 1]), will: { ...will, qos: 2, retain: true } };
  const fields = `${field('c')}00${field('w/t')}${field(Buffer.from([1, 255]))}${field('u')}${field(Buffer.from([0, 1]))}`;
  assert.equal(await connectBody(full), `${HEAD_5}f6${KEEP_ALIVE}00${fields}`);
});

test('3.1.1: all fields of CONNECT are there and in order, with their flags [MQTT3-3.1.2-9, MQTT3-3.1.2-19, MQTT3-3.1.2-21, MQTT3-3.1.3-1, MQTT3-3.1.3-3]', async () => {
  const full = { username: 'u', password: Buffer.from([0, 1]), will: { ...will, qos: 1 } };
  const fields = `${field('c')}${field('w/t')}${field(Buffer.from([1, 255]))}${field('u')}${field(Buffer.from([0, 1]))}`;
  assert.equal(await connectBody({ ...full, version: '3.1.1' }), `${HEAD_4}ce${KEEP_ALIVE}${fields}`);
});

test('a will of QoS 3 is not sent [MQTT-3.1.2-12, MQTT3-3.1.2-14]', async () => {
  for (const version of ['3.1.1', '5'] as const) await isRefused({ version, will: { ...will, qos: 3 } });
});

test('3.1.1 sends no password without a user name, 5 may [MQTT3-3.1.2-22]', async () => {
  await isRefused({ version: '3.1.1', password: 'p' });
  assert.equal(await connectBody({ password: 'p' }), `${HEAD_5}42${KEEP_ALIVE}00${field('c')}${field('p')}`);
});

test('3.1.1 sends an empty client identifier with a clean session only [MQTT3-3.1.3-7]', async () => {
  await isRefused({ version: '3.1.1', clientId: '', cleanStart: false });
  const empty = await connectBody({ version: '3.1.1', clientId: '' });
  assert.equal(empty, `${HEAD_4}02${KEEP_ALIVE}0000`);
});

const BAD_STRINGS = ['\ud800', 'a\udfff', 'a\0b', 'x'.repeat(65_536)];

test('strings that are none are not sent [MQTT-1.5.4-1, MQTT-1.5.4-2, MQTT-3.1.3-4, MQTT-3.1.3-11, MQTT-3.1.3-12, MQTT3-1.5.3-1, MQTT3-1.5.3-2, MQTT3-3.1.3-4, MQTT3-3.1.3-10, MQTT3-3.1.3-11]', async () => {
  for (const version of ['3.1.1', '5'] as const) {
    for (const bad of BAD_STRINGS) {
      await isRefused({ version, clientId: bad });
      await isRefused({ version, username: bad });
      await isRefused({ version, will: { ...will, topic: bad } });
    }
  }
});

test('both halves of a string pair are proper strings, in CONNECT and in a will [MQTT-1.5.7-1]', async () => {
  for (const bad of BAD_STRINGS) {
    for (const pair of [[bad, ''] as const, ['', bad] as const]) {
      await isRefused({ properties: { userProperties: [pair] } });
      await isRefused({ will: { ...will, properties: { userProperties: [pair] } } });
    }
  }
});

test('U+FEFF stays where it is, sent and received [MQTT-1.5.4-3, MQTT3-1.5.3-3]', async (context) => {
  for (const version of ['3.1.1', '5'] as const) {
    const { client, side } = await setUp(context, { version, clientId: '\ufeffid' });
    assert.ok(side.bytes[0]?.includes(Buffer.from('efbbbf6964', 'hex')));
    await client.publish('\ufefft', '');
    await side.next(PUBLISH);
    assert.ok(side.lastBytes.includes('efbbbf74'));
    const message = new Promise<string>((resolve) => client.on('message', ({ topic }) => resolve(topic)));
    side.publish({ topic: '\ufefft\ufeff' });
    assert.equal(await message, '\ufefft\ufeff');
  }
});

test('lengths take as few bytes as they can [MQTT-1.5.5-1]', async (context) => {
  const { client, side } = await setUp(context);
  // The topic takes 3 bytes and the properties 1.
  for (const [body, length] of [
    [127, '7f'],
    [128, '8001'],
    [16_383, 'ff7f'],
    [16_384, '808001'],
    [2_097_151, 'ffff7f'],
    [2_097_152, '80808001'],
  ] as const) {
    await client.publish('t', Buffer.alloc(body - 4));
    await side.next(PUBLISH);
    assert.equal(side.lastBytes.slice(2, 2 + length.length), length);
    assert.equal(side.lastBytes.length / 2, 1 + length.length / 2 + body);
  }
  const properties = { userProperties: [['k', 'x'.repeat(122)]] as const };
  await client.publish('t', '', { properties });
  await side.next(PUBLISH);
  assert.ok(side.lastBytes.startsWith('3085010001748001'));
});

for (const [version, properties] of [
  ['3.1.1', ''],
  ['5', '00'],
] as const) {
  test(`${version}: every packet has its reserved flags, and nothing where there are no properties [MQTT-2.1.3-1, MQTT-2.2.2-1, MQTT-3.6.1-1, MQTT-3.8.1-1, MQTT-3.10.1-1, MQTT-3.14.1-1, MQTT3-2.2.2-1, MQTT3-3.6.1-1, MQTT3-3.8.1-1, MQTT3-3.10.1-1]`, async (context) => {
    const { client, side } = await setUp(context, { version, keepAlive: 1 });
    const size = (bytes: number): string => (bytes + properties.length / 2).toString(16).padStart(2, '0');
    const results = [client.subscribe('a'), client.unsubscribe('a')];
    await side.next(SUBSCRIBE);
    assert.equal(side.lastBytes, `82${size(6)}0001${properties}00016100`);
    await side.next(UNSUBSCRIBE);
    assert.equal(side.lastBytes, `a2${size(5)}0002${properties}000161`);
    side.send({ type: SUBACK, id: 1, codes: [0], properties: {} });
    side.send({ type: UNSUBACK, id: 2, codes: [0], properties: {} });
    await Promise.all(results);
    const published = client.publish('a', '', { qos: 2 });
    await side.next(PUBLISH);
    assert.equal(side.lastBytes, `34${size(5)}0001610003${properties}`);
    side.send({ type: PUBREC, id: 3, code: 0, properties: {} });
    await side.next(PUBREL);
    assert.equal(side.lastBytes, '62020003');
    side.send({ type: PUBCOMP, id: 3, code: 0, properties: {} });
    await published;
    side.publish({ topic: 'b', qos: 1, id: 258 });
    await side.next(PUBACK);
    assert.equal(side.lastBytes, '40020102');
    side.publish({ topic: 'b', qos: 2, id: 259 });
    await side.next(PUBREC);
    assert.equal(side.lastBytes, '50020103');
    side.send({ type: PUBREL, id: 259, code: 0, properties: {} });
    await side.next(PUBCOMP);
    assert.equal(side.lastBytes, '70020103');
    await side.next(PINGREQ);
    assert.equal(side.lastBytes, 'c000');
    side.send({ type: PINGRESP });
    void client.end();
    await side.next(DISCONNECT);
    assert.equal(side.lastBytes, 'e000');
  });
}

test('an authentication has its reserved flags and neither reason string nor user property [MQTT-3.15.1-1, MQTT-3.15.2-2, MQTT-3.15.2-3]', async () => {
  const broker = new ScriptedBroker();
  const authentication = { method: 'M', step: () => Buffer.from('x') };
  const connecting = connectVia({ ...NOWHERE, authentication }, broker);
  const side = await broker.accept();
  await side.next(CONNECT);
  side.sendBytes('f00618041500014d');
  await side.until(() => side.untaken > 0);
  assert.equal(side.bytes[1]?.toString('hex'), 'f00a18081500014d16000178');
  side.sendBytes('f10618041500014d');
  await assert.rejects(connecting, /reserved flags of AUTH/);
});

test('with a clean start the session begins anew on each connection and ends with it [MQTT-3.1.2-4, MQTT3-3.1.2-6]', async (context) => {
  for (const version of ['3.1.1', '5'] as const) {
    const { client, side, broker } = await setUp(context, { version, reconnect: { minDelayMs: 1, maxDelayMs: 1 } });
    const payloads: string[] = [];
    client.on('message', (message) => payloads.push(message.payload.toString()));
    side.publish({ topic: 'a', payload: 'one', qos: 2, id: 1 });
    await side.next(PUBREC);
    side.transport.destroy();
    const again = await broker.accept();
    assert.equal((await again.admit()).cleanStart, true);
    // The identifier stands for a new message: what the last session knew of it is gone.
    again.publish({ topic: 'a', payload: 'two', qos: 2, id: 1 });
    await again.next(PUBREC);
    assert.deepEqual(payloads, ['one', 'two']);
  }
});

test('without a clean start the session is kept after the connection and resumed under its identifier [MQTT-3.1.2-23, MQTT-3.1.3-2, MQTT-4.1.0-1, MQTT3-3.1.2-4, MQTT3-3.1.3-2, MQTT3-4.1.0-1, MQTT3-4.1.0-2]', async (context) => {
  for (const version of ['3.1.1', '5'] as const) {
    const { client, side, broker } = await setUp(context, {
      version,
      clientId: 'keeper',
      cleanStart: false,
      properties: { sessionExpiryInterval: 60 },
      reconnect: { minDelayMs: 1, maxDelayMs: 1 },
    });
    let count = 0;
    client.on('message', () => (count += 1));
    void client.publish('t', 'x', { qos: 1 });
    side.publish({ topic: 'a', qos: 2, id: 1 });
    await side.next(PUBLISH);
    await side.next(PUBREC);
    side.transport.destroy();
    const again = await broker.accept();
    const connect = await again.admit({ sessionPresent: true });
    assert.deepEqual([connect.clientId, connect.cleanStart], ['keeper', false]);
    assert.deepEqual([(await again.next(PUBLISH)).id, side.seen.length > 0], [1, true]);
    again.publish({ topic: 'a', qos: 2, id: 1, dup: true });
    await again.next(PUBREC);
    assert.equal(count, 1);
  }
});

test('what CONNACK does not allow is not sent [MQTT-3.2.2-11, MQTT-3.2.2-14, MQTT-3.2.2-15, MQTT-3.2.2-17, MQTT-3.2.2-18, MQTT-3.3.2-9]', async (context) => {
  const limited = { maximumQoS: 0, retainAvailable: 0, maximumPacketSize: 30, topicAliasMaximum: 2 };
  const { client, side } = await setUp(context, {}, { properties: limited });
  for (const [payload, options] of [
    ['', { qos: 1 }],
    ['', { qos: 2 }],
    ['', { retain: true }],
    ['x'.repeat(26), {}],
    ['', { properties: { topicAlias: 3 } }],
  ] as const) {
    await assert.rejects(client.publish('t', payload, options), InvalidRequest);
  }
  await assert.rejects(client.subscribe('x'.repeat(30)), InvalidRequest);
  await client.publish('t', 'x'.repeat(24));
  await client.publish('t', '', { properties: { topicAlias: 2 } });
  await side.next(PUBLISH);
  assert.equal(side.lastBytes.length / 2, 30);
  assert.equal((await side.next(PUBLISH)).properties.topicAlias, 2);
  const none = await setUp(context);
  await assert.rejects(none.client.publish('t', '', { properties: { topicAlias: 1 } }), InvalidRequest);
  await turns();
  assert.equal(side.untaken + none.side.untaken, 0);
});
