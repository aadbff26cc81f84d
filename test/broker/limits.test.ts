// The broker's limits, seen from the client that runs into them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MQTT5, MQTT311 } from '../../src/protocol/version.ts';
import { connectBytes, publishBytes, RawClient } from '../support/raw-client.ts';
import { join, nothingCame, open, refusal, until } from './harness.ts';

test('max_connections turns the next one away, and lets it in when a place is free', async (context) => {
  const { port, log, broker } = await open(context, { listeners: [{ port: 0, maxConnections: 2 }, { port: 0 }] });
  const first = await join(context, port);
  await join(context, port);
  const third = await RawClient.open(port);
  await third.ended();
  assert.equal(third.bytes, 0);
  await log.seen('Client connection from 127.0.0.1 denied: max_connections exceeded.');
  assert.equal(await refusal(broker.ports[1]!), 0, 'another listener has its own limit');
  await first.end();
  await log.seen('disconnected.');
  assert.equal(await refusal(port), 0);
});

test('global_max_connections counts over all listeners', async (context) => {
  const global = { globalMaxConnections: 2 };
  const { broker, log } = await open(context, { listeners: [{ port: 0 }, { port: 0 }], global });
  const [one = 0, two = 0] = broker.ports;
  const first = await join(context, one);
  await join(context, two);
  assert.equal(await refusal(one), 0x97);
  assert.equal(await refusal(two, { version: '3.1.1' }), 3);
  await first.end();
  await log.seen('disconnected.');
  assert.equal(await refusal(two), 0);
});

test('global_max_clients counts sessions, also of clients that are away', async (context) => {
  const { port } = await open(context, { global: { globalMaxClients: 2 } });
  const keeps = { clientId: 'away', cleanStart: false, properties: { sessionExpiryInterval: 100 } };
  await (await join(context, port, keeps)).end();
  await join(context, port, { clientId: 'here' });
  assert.equal(await refusal(port, { clientId: 'third' }), 0x89);
  assert.equal(await refusal(port, { clientId: 'third', version: '3.1.1' }), 3);
  assert.equal((await join(context, port, keeps)).info.sessionPresent, true, 'who has a session comes back');
});

test('max_packet_size ends the connection of who sends more', async (context) => {
  const { port, log } = await open(context, { global: { maxPacketSize: 1000 } });
  const raw = await RawClient.join(port, 'raw');
  const fits = publishBytes(MQTT5, 'a', Buffer.alloc(1000 - 7));
  assert.equal(fits.length, 1000);
  raw.send(fits);
  raw.send(publishBytes(MQTT5, 'a', Buffer.alloc(1000 - 6)));
  const reasonString = 'PUBLISH of 1001 bytes is larger than the 1000 allowed.';
  assert.deepEqual(await raw.next(), { type: 14, code: 0x95, properties: { reasonString } });
  await raw.ended();
  await log.seen(/Client raw \[127\.0\.0\.1:\d+\] disconnected: oversize packet\.\n/);
  assert.equal(log.count('Received PUBLISH from raw'), 1);
  const long = await RawClient.open(port);
  long.send(connectBytes('x'.repeat(1000)));
  await long.ended();
  const client = await join(context, port);
  await assert.rejects(client.publish('a', Buffer.alloc(2000), { qos: 1 }), { name: 'InvalidRequest' });
});

test('message_size_limit drops the payload and completes the exchange', async (context) => {
  const { port, log } = await open(context, { global: { messageSizeLimit: 10 } });
  const client = await join(context, port, { clientId: 'ann' });
  await client.subscribe({ filter: 'a', qos: 2 });
  for (const qos of [0, 1, 2] as const) {
    assert.equal((await client.publish('a', 'eleven long', { qos, retain: true })).reason.code, 0);
  }
  await log.seen("Dropped too large PUBLISH from ann (d0, q2, r1, m3, 'a', ... (11 bytes))");
  await nothingCame(client);
  await client.publish('a', 'ten. long.', { qos: 2 });
  assert.equal(await client.inbox.text(), 'a ten. long.');
});

test('max_keepalive is granted to MQTT 5 and refused to older clients [CVE-2020-13849]', async (context) => {
  const { port, log } = await open(context, { global: { maxKeepalive: 30 } });
  for (const keepAlive of [0, 31, 65_535]) {
    const { info } = await join(context, port, { keepAlive });
    assert.equal(info.properties.serverKeepAlive, 30);
    assert.equal(await refusal(port, { keepAlive, version: '3.1.1' }), 2);
    assert.equal(await refusal(port, { keepAlive, version: '3.1' }), 2);
  }
  assert.equal((await join(context, port, { keepAlive: 30 })).info.properties.serverKeepAlive, undefined);
  assert.equal(await refusal(port, { keepAlive: 30, version: '3.1.1' }), 0);
  await log.seen('client identifier not valid');
});

test('a message that is larger than its receiver takes is left out for that one', async (context) => {
  const { port, log } = await open(context);
  const small = await RawClient.join(port, 'small', { properties: { maximumPacketSize: 40 } });
  await small.subscribe('#', 1);
  const writer = await join(context, port);
  await writer.publish('long', Buffer.alloc(100), { qos: 1 });
  await writer.publish('short', 'x', { qos: 1 });
  const packet = await small.next();
  assert.ok(packet?.type === 3);
  assert.equal(packet.topic, 'short');
  await log.seen(/Dropping too large outgoing PUBLISH for small \(\d+ bytes\)/);
});

test('names that JavaScript has a meaning for are names like any other [ours: __proto__]', async (context) => {
  const { port } = await open(context);
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const client = await join(context, port, {
      clientId: name,
      username: name,
      cleanStart: false,
      properties: { sessionExpiryInterval: 10, userProperties: [[name, name]] },
    });
    await client.subscribe([{ filter: `${name}/+/${name}`, qos: 1 }, `$share/${name}/shared/#`]);
    const userProperties: [string, string][] = [[name, 'value']];
    await client.publish(`${name}/${name}/${name}`, name, { qos: 1, retain: true, properties: { userProperties } });
    const message = await client.inbox.next();
    assert.equal(message.topic, `${name}/${name}/${name}`);
    assert.deepEqual(message.properties.userProperties, userProperties);
    await client.publish(`shared/${name}`, name, { qos: 1 });
    assert.equal(await client.inbox.text(), `shared/${name} ${name}`);
    await client.subscribe(`${name}/#`);
    assert.equal(await client.inbox.text(), `${name}/${name}/${name} ${name}`);
    await client.unsubscribe([`${name}/#`, `${name}/+/${name}`]);
    await nothingCame(client);
    await client.end();
    const again = await join(context, port, { clientId: name, cleanStart: false });
    assert.equal(again.info.sessionPresent, true);
  }
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  assert.deepEqual(Object.keys(Object.prototype), []);
});

test('a CONNECT full of user properties is read, one with too many refused [no CVE, 2.0.12: many user properties]', async (context) => {
  const { port } = await open(context);
  const pairs = (count: number): [string, string][] => Array.from({ length: count }, (_, i) => [`key${i % 10}`, 'v']);
  const client = await RawClient.join(port, 'many', { properties: { userProperties: pairs(900) } });
  assert.equal(client.over, false);
  const tooMany = await RawClient.open(port);
  tooMany.send(connectBytes('more', { properties: { userProperties: pairs(8000) } }));
  await tooMany.ended();
  const other = await join(context, port);
  await nothingCame(other);
});

test('a storm of clients with one id leaves one of them, and one session', async (context) => {
  const { port, log } = await open(context, { global: { sysInterval: 0 } });
  const bytes = connectBytes('one', { profile: MQTT311 });
  const clients = await Promise.all(Array.from({ length: 200 }, () => RawClient.open(port, MQTT311)));
  for (const client of clients) client.send(bytes);
  const answers = await Promise.all(clients.map((client) => client.next()));
  assert.ok(answers.every((answer) => answer?.type === 2 && answer.code === 0));
  const alive = () => clients.filter((client) => !client.over);
  await until(() => alive().length === 1, 'one is left');
  assert.equal(log.count('already connected, closing old connection.'), 199);
  const watcher = await join(context, port);
  await watcher.subscribe('from');
  alive()[0]!.send(publishBytes(MQTT311, 'from', 'the last one'));
  assert.equal(await watcher.inbox.text(), 'from the last one');
});
