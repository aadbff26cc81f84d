// Options that change what clients see: mount points, made-up ids, versions, aliases, retained messages, expiry.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { MQTT5, MQTT31 } from '../../src/protocol/version.ts';
import { freePorts } from '../support/free-port.ts';
import { publishBytes, RawClient } from '../support/raw-client.ts';
import { join, nothingCame, open, openFile, refusal } from './harness.ts';

/** A DISCONNECT that says why. */
const goodbye = (code: number, reasonString: string) => ({ type: 14, code, properties: { reasonString } });

test('mount_point sets a listener apart, for every way of a message', async (context) => {
  const [inner, outer] = (await freePorts(2)) as [number, number];
  const { log } = await openFile(
    context,
    [
      'allow_anonymous true',
      'acl_file FOLDER/acl',
      `listener ${inner} 127.0.0.1`,
      'mount_point site/1/',
      `listener ${outer} 127.0.0.1`,
    ],
    { acl: 'topic readwrite #\ntopic deny site/1/secret\n' },
  );
  const will = { topic: 'will', payload: Buffer.from('gone'), qos: 0, retain: false, properties: {} };
  const inside = await join(context, inner, { clientId: 'inside' });
  const leaves = await join(context, inner, { will });
  const outside = await join(context, outer);
  await inside.subscribe(['a/#', '$share/g/shared', 'will', 'secret']);
  await outside.subscribe(['#']);
  await inside.publish('a/b', 'from inside', { qos: 1 });
  assert.equal(await inside.inbox.text(), 'a/b from inside');
  assert.equal(await outside.inbox.text(), 'site/1/a/b from inside');
  await outside.publish('a/b', 'outside', { qos: 1 });
  assert.equal(await outside.inbox.text(), 'a/b outside');
  await outside.publish('site/1/a/c', 'for inside', { qos: 1 });
  assert.equal(await inside.inbox.text(), 'a/c for inside');
  assert.equal(await outside.inbox.text(), 'site/1/a/c for inside');
  await inside.publish('shared', 'x', { qos: 1 });
  assert.equal(await inside.inbox.text(), 'shared x');
  assert.equal(await outside.inbox.text(), 'site/1/shared x');
  await leaves.end(4);
  assert.equal(await inside.inbox.text(), 'will gone');
  assert.equal(await outside.inbox.text(), 'site/1/will gone');
  await outside.publish('site/1/kept', 'retained', { qos: 1, retain: true });
  assert.equal(await outside.inbox.text(), 'site/1/kept retained');
  await inside.subscribe('kept');
  assert.equal(await inside.inbox.text(), 'kept retained');
  // The ACL sees the whole topic.
  assert.equal((await inside.publish('secret', 'x', { qos: 1 })).reason.code, 0x87);
  assert.equal((await outside.publish('secret', 'x', { qos: 1 })).reason.code, 0);
  assert.equal(await outside.inbox.text(), 'secret x');
  await log.seen("'site/1/secret'");
  await inside.unsubscribe(['a/#', '$share/g/shared']);
  await outside.publish('site/1/a/b', 'not for long', { qos: 1 });
  await nothingCame(inside);
});

test('clientid_prefixes and the prefixes of made-up ids', async (context) => {
  const { broker } = await open(context, {
    listeners: [{ port: 0 }, { port: 0, listenerAutoIdPrefix: 'web-' }],
    global: { clientidPrefixes: 'dev-' },
    security: { autoIdPrefix: 'made-' },
  });
  const [one = 0, two = 0] = broker.ports;
  assert.equal(await refusal(one, { clientId: 'dev-1' }), 0);
  assert.equal(await refusal(one, { clientId: 'other' }), 0x87);
  assert.equal(await refusal(one, { clientId: 'other', version: '3.1.1' }), 5);
  const made = await join(context, one, { clientId: '' });
  assert.match(made.info.clientId, /^made-[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/);
  assert.match((await join(context, two, { clientId: '' })).info.clientId, /^web-[0-9A-F-]{36}$/);
});

test('who is given a client identifier finds its session again by it, and gets no other [MQTT-3.1.3-6, MQTT-3.1.3-7, MQTT-3.2.2-16]', async (context) => {
  const { port } = await open(context);
  const properties = { sessionExpiryInterval: 60 };
  const given: string[] = [];
  for (let i = 0; i < 2; i++) {
    const client = await join(context, port, { clientId: '', properties });
    assert.equal(client.info.sessionPresent, false);
    given.push(client.info.properties.assignedClientIdentifier ?? '');
    await client.end();
  }
  assert.notEqual(given[0], given[1]);
  for (const clientId of given) {
    const back = await join(context, port, { clientId, cleanStart: false, properties });
    assert.equal(back.info.sessionPresent, true);
    assert.equal(back.info.properties.assignedClientIdentifier, undefined);
  }
});

test('accept_protocol_versions turns other versions away, each in its words', async (context) => {
  const { broker } = await open(context, {
    listeners: [
      { port: 0, acceptProtocolVersions: [5] },
      { port: 0, acceptProtocolVersions: [3, 4] },
    ],
  });
  const [five = 0, three = 0] = broker.ports;
  assert.equal(await refusal(five), 0);
  assert.equal(await refusal(five, { version: '3.1.1' }), 1);
  assert.equal(await refusal(five, { version: '3.1' }), 1);
  assert.equal(await refusal(three, { version: '3.1.1' }), 0);
  assert.equal(await refusal(three, { version: '3.1' }), 0);
  assert.equal(await refusal(three), 0x84);
});

test('topic aliases are granted in both directions as far as the options go', async (context) => {
  const { broker, log } = await open(context, {
    listeners: [
      { port: 0, maxTopicAlias: 2, maxTopicAliasBroker: 1 },
      { port: 0, maxTopicAlias: 0 },
    ],
  });
  const [some = 0, none = 0] = broker.ports;
  assert.equal((await join(context, some)).info.properties.topicAliasMaximum, 2);
  assert.equal((await join(context, none)).info.properties.topicAliasMaximum, undefined);
  const aliased = (topic: string, alias: number): Buffer => {
    const plain = publishBytes(MQTT5, topic, 'x');
    const bytes = Buffer.concat([plain.subarray(0, -2), Buffer.from([3, 0x23, 0, alias]), plain.subarray(-1)]);
    bytes[1] = bytes.length - 2;
    return bytes;
  };
  const watcher = await join(context, some);
  await watcher.subscribe(['one', 'two']);
  const raw = await RawClient.join(some, 'raw');
  for (const [topic, alias] of [
    ['one', 1],
    ['two', 2],
    ['', 1],
    ['', 2],
  ] as const)
    raw.send(aliased(topic, alias));
  for (const topic of ['one', 'two', 'one', 'two']) assert.equal(await watcher.inbox.text(), `${topic} x`);
  raw.send(aliased('three', 3));
  assert.deepEqual(await raw.next(), goodbye(0x94, 'Topic alias 3 is above the 2 allowed.'));
  const other = await RawClient.join(none, 'other');
  other.send(aliased('one', 1));
  assert.deepEqual(await other.next(), goodbye(0x94, 'Topic alias 1 is above the 0 allowed.'));
  await log.seen('disconnected: topic alias invalid.');
  const taker = await RawClient.join(some, 'taker', { properties: { topicAliasMaximum: 10 } });
  await taker.subscribe('#');
  const names: string[] = [];
  for (const topic of ['one', 'one', 'two', 'two']) {
    await watcher.publish(topic, 'y');
    const packet = await taker.next();
    assert.ok(packet?.type === 3);
    names.push(packet.topic);
  }
  assert.deepEqual(names, ['one', '', 'two', 'two']);
});

test('max_qos lowers subscriptions, and ends who publishes above it', async (context) => {
  const { port, log } = await open(context, { listeners: [{ port: 0, maxQos: 1 }] });
  const client = await join(context, port, { clientId: 'ann' });
  assert.equal(client.info.properties.maximumQoS, 1);
  assert.deepEqual((await client.subscribe({ filter: 'a', qos: 2 })).codes, [1]);
  const raw = await RawClient.join(port, 'raw');
  raw.send(publishBytes(MQTT5, 'a', 'x', 2));
  assert.deepEqual(await raw.next(), goodbye(0x9b, 'QoS 2 is above 1, the highest here (max_qos).'));
  await log.seen('Too high QoS in PUBLISH from raw, disconnecting.');
  const will = { topic: 'w', payload: Buffer.from(''), qos: 2, retain: false, properties: {} };
  assert.equal(await refusal(port, { will }), 0x9b);
});

test('retain_available false ends who publishes a retained message', async (context) => {
  const { port, log } = await open(context, { global: { retainAvailable: false } });
  assert.equal((await join(context, port)).info.properties.retainAvailable, 0);
  const raw = await RawClient.join(port, 'raw');
  raw.send(publishBytes(MQTT5, 'a', 'x').fill(0x31, 0, 1));
  assert.deepEqual(await raw.next(), goodbye(0x9a, 'Retained messages are not available here.'));
  await log.seen(/Client raw .*disconnected: used disallowed feature/);
  const will = { topic: 'w', payload: Buffer.from(''), qos: 0, retain: true, properties: {} };
  assert.equal(await refusal(port, { will }), 0x9a);
  const older = await RawClient.join(port, 'old', { profile: MQTT31 });
  older.send(publishBytes(MQTT31, 'a', 'x').fill(0x31, 0, 1));
  await older.ended();
});

test('queue_qos0_messages keeps QoS 0 for who is away', async (context) => {
  for (const queueQos0Messages of [false, true]) {
    const { port } = await open(context, { global: { queueQos0Messages } });
    const away = { clientId: 'away', cleanStart: false, version: '3.1.1' } as const;
    const first = await join(context, port, away);
    await first.subscribe([{ filter: 'a', qos: 1 }, 'b']);
    await first.end();
    const writer = await join(context, port);
    await writer.publish('a', 'zero');
    await writer.publish('b', 'one', { qos: 1 });
    await writer.publish('a', 'last', { qos: 1 });
    const again = await join(context, port, away);
    if (queueQos0Messages) {
      assert.equal(await again.inbox.text(), 'a zero');
      assert.equal(await again.inbox.text(), 'b one');
    }
    assert.equal(await again.inbox.text(), 'a last');
  }
});

test('upgrade_outgoing_qos delivers with the QoS of the subscription', async (context) => {
  const { port } = await open(context, { global: { upgradeOutgoingQos: true } });
  const client = await join(context, port);
  await client.subscribe({ filter: 'a', qos: 2 });
  await client.publish('a', 'x');
  assert.equal((await client.inbox.next()).qos, 2);
});

test('persistent_client_expiration removes sessions of who stays away, whatever they asked for', async (context) => {
  const { port, log } = await open(context, { global: { persistentClientExpiration: 1 } });
  const old = { clientId: 'old', cleanStart: false, version: '3.1.1' } as const;
  await (await join(context, port, old)).end();
  const five = { clientId: 'five', cleanStart: false, properties: { sessionExpiryInterval: 0xffff_ffff } };
  const client = await join(context, port, five);
  assert.equal(client.info.properties.sessionExpiryInterval, 1);
  await client.end();
  await log.seen('Expiring client old due to timeout.');
  await log.seen('Expiring client five due to timeout.');
  assert.equal((await join(context, port, old)).info.sessionPresent, false);
  assert.equal((await join(context, port, five)).info.sessionPresent, false);
});

test('websockets_origin lets in pages of these origins only', async (context) => {
  const { port, log } = await open(context, {
    listeners: [{ port: 0, protocol: 'websockets', websocketsOrigin: ['https://a.example', 'https://b.example'] }],
  });
  const attempt = (origin: string | undefined): Promise<string> =>
    new Promise((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/any/path`, ['mqtt'], origin === undefined ? {} : { origin });
      socket.on('open', () => {
        resolve('open');
        socket.terminate();
      });
      socket.on('error', (error) => resolve(error.message));
    });
  assert.equal(await attempt('https://a.example'), 'open');
  assert.equal(await attempt('https://b.example'), 'open');
  assert.equal(await attempt('https://evil.example'), 'socket hang up');
  assert.equal(await attempt(undefined), 'socket hang up');
  await log.seen(
    /Client connection from 127\.0\.0\.1:\d+ failed: the origin https:\/\/evil\.example is not allowed\.\n/,
  );
});

test('a will that is too long or too deep behind the mount point is refused', async (context) => {
  const listener = `listener ${(await freePorts(1))[0]} 127.0.0.1`;
  const { port } = await openFile(context, ['allow_anonymous true', listener, 'mount_point site/']);
  const refused = (topic: string): Promise<number> =>
    refusal(port, { will: { topic, payload: Buffer.from('x'), qos: 0, retain: true, properties: {} } });
  assert.equal(await refused('x'.repeat(65_530)), 0);
  assert.equal(await refused('x'.repeat(65_531)), 0x90);
  assert.equal(await refused('/'.repeat(1_022)), 0);
  assert.equal(await refused('/'.repeat(1_023)), 0x90);
});
