import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectVia } from '../../../src/client/client.ts';
import { ConnectionLost, ConnectRefused, connect, InvalidRequest, PeerFault } from '../../../src/client/index.ts';
import type { ClientOptions } from '../../../src/client/options.ts';
import { CONNACK, CONNECT, DISCONNECT } from '../../../src/protocol/constants.ts';
import type { ConnectPacket } from '../../../src/protocol/packets.ts';
import { NOT_AUTHORIZED, reasonOf, UNSUPPORTED_PROTOCOL_VERSION } from '../../../src/protocol/reasons.ts';
import { MQTT31 } from '../../../src/protocol/version.ts';
import { NOWHERE, ScriptedBroker } from './scripted-broker.ts';
import { setUp } from './setup.ts';

async function connectPacketOf(options: Partial<ClientOptions>): Promise<ConnectPacket> {
  const broker = new ScriptedBroker();
  const connecting = connectVia({ ...NOWHERE, ...options }, broker);
  const side = await broker.accept();
  const packet = await side.admit();
  await (await connecting).end();
  return packet;
}

async function refusalOf(options: Partial<ClientOptions>, answer: string): Promise<unknown> {
  const broker = new ScriptedBroker();
  const connecting = connectVia({ ...NOWHERE, ...options }, broker);
  const side = await broker.accept();
  await side.next(CONNECT);
  side.sendBytes(answer);
  const error = await connecting.then(
    () => assert.fail('connected'),
    (reason: unknown) => reason,
  );
  side.transport.destroy();
  return error;
}

test('CONNECT says what the options say', async () => {
  const will = { topic: 'w', payload: Buffer.from('gone'), qos: 1, retain: true, properties: { contentType: 'x' } };
  const packet = await connectPacketOf({
    clientId: 'tom',
    keepAlive: 17,
    username: 'u',
    password: 'secret',
    cleanStart: false,
    will,
    properties: { receiveMaximum: 20, sessionExpiryInterval: 5 },
  });
  assert.deepEqual(
    { ...packet, profile: packet.profile.option },
    {
      type: CONNECT,
      profile: 'mqttv5',
      bridge: false,
      clientId: 'tom',
      cleanStart: false,
      keepAlive: 17,
      username: 'u',
      password: Buffer.from('secret'),
      will,
      properties: { receiveMaximum: 20, sessionExpiryInterval: 5 },
    },
  );
});

test('without a client id one is made up, sent and told', async (context) => {
  const first = await connectPacketOf({});
  const second = await connectPacketOf({ version: '3.1.1' });
  assert.match(first.clientId, /^mosq-[0-9A-Za-z]{18}$/);
  assert.notEqual(first.clientId, second.clientId);
  const { client, side } = await setUp(context, { version: '3.1' });
  assert.equal(side.profile, MQTT31);
  assert.equal(client.info.clientId, (side.seen[0] as ConnectPacket).clientId);
});

test('the result of CONNACK is told: session, properties, assigned identifier', async (context) => {
  const properties = { assignedClientIdentifier: 'auto-1', receiveMaximum: 7 };
  const given = await setUp(context, { clientId: '' }, { properties });
  assert.deepEqual(given.client.info, { sessionPresent: false, clientId: 'auto-1', properties });
  const known = await setUp(context, { clientId: 'mine', cleanStart: false }, { sessionPresent: true, properties });
  assert.deepEqual(known.client.info, { sessionPresent: true, clientId: 'mine', properties });
});

test('a refusal carries the return code before MQTT 5 and the reason with its properties from then on', async () => {
  const old = await refusalOf({ version: '3.1.1' }, '20020005');
  assert.ok(old instanceof ConnectRefused);
  assert.deepEqual(
    [old.returnCode, old.reason, old.message],
    [5, NOT_AUTHORIZED, 'Connection Refused: not authorised.'],
  );
  const fresh = await refusalOf({}, '200800870' + '51f00026e6f');
  assert.ok(fresh instanceof ConnectRefused);
  assert.deepEqual(
    [fresh.returnCode, fresh.reason, fresh.message, fresh.properties],
    [0, NOT_AUTHORIZED, 'Not authorized', { reasonString: 'no' }],
  );
});

test('a broker of 3.x that refuses MQTT 5 in its own words is understood', async () => {
  const error = await refusalOf({}, '20020001');
  assert.ok(error instanceof ConnectRefused);
  assert.equal(error.reason, UNSUPPORTED_PROTOCOL_VERSION);
});

test('anything but CONNACK at first is a fault of the broker', async () => {
  for (const bytes of ['d000', '300300016100', '9003000100', '2003020000', '20030000', 'ff']) {
    const broker = new ScriptedBroker();
    const connecting = connectVia({ ...NOWHERE, connectTimeoutMs: 300 }, broker);
    const side = await broker.accept();
    await side.next(CONNECT);
    side.sendBytes(bytes);
    await assert.rejects(connecting, (error) => error instanceof PeerFault || error instanceof ConnectionLost);
    side.transport.destroy();
  }
  assert.ok((await refusalOf({}, '2003020000')) instanceof PeerFault);
});

test('a TLS alert in place of CONNACK is recognised', async () => {
  const error = await refusalOf({}, '15030100020246');
  assert.ok(error instanceof ConnectionLost);
  assert.match(error.message, /speaks TLS on this port/);
});

test('a session that is present after a clean start is a fault of the broker', async () => {
  assert.ok((await refusalOf({ version: '3.1.1' }, '20020100')) instanceof PeerFault);
});

test('a connection that ends, and one that stays silent, end the attempt', async () => {
  const broker = new ScriptedBroker();
  const connecting = connectVia(NOWHERE, broker);
  const side = await broker.accept();
  await side.next(CONNECT);
  side.transport.end();
  await assert.rejects(connecting, {
    name: 'ConnectionLost',
    message: /^The connection was lost before .* CONNECT: it may expect TLS/,
  });
  const silent = connectVia({ ...NOWHERE, connectTimeoutMs: 20 }, broker);
  await assert.rejects(silent, { name: 'ConnectionLost', message: 'No connection was made within 0.02 seconds' });
});

test('a dial that hangs is given up in time; a failing one rejects with its own error', async () => {
  const hanging = {
    dial: (signal: AbortSignal) =>
      new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  };
  await assert.rejects(connectVia({ ...NOWHERE, connectTimeoutMs: 20 }, hanging), ConnectionLost);
  const broker = new ScriptedBroker();
  broker.refusal = Object.assign(new Error('no way'), { code: 'ECONNREFUSED' });
  await assert.rejects(connectVia({ ...NOWHERE, reconnect: { minDelayMs: 1, maxDelayMs: 1 } }, broker), broker.refusal);
  assert.equal(broker.dials, 1);
});

test('options that make no CONNECT are refused before anything is dialled', async () => {
  const long = 'x'.repeat(65_536);
  const cases: Partial<ClientOptions>[] = [
    { keepAlive: -1 },
    { keepAlive: 65_536 },
    { keepAlive: 1.5 },
    { maxInflight: 0 },
    { clientId: long },
    { username: long },
    { properties: { userProperties: [['a', long]] } },
    { version: '3.1.1', password: 'p' },
    { will: { topic: 'a/#', payload: Buffer.alloc(0), qos: 0, retain: false, properties: {} } },
  ];
  for (const options of cases) {
    const broker = new ScriptedBroker();
    await assert.rejects(connectVia({ ...NOWHERE, ...options }, broker), InvalidRequest);
    assert.equal(broker.dials, 0);
  }
});

test('connect() itself dials the endpoint', async () => {
  const endpoint = { kind: 'unix', host: '/nowhere/at/all', port: 0 } as const;
  await assert.rejects(connect({ endpoint }), { code: 'ENOENT' });
});

test("the broker's DISCONNECT is told and ends the client", async (context) => {
  const { client, side } = await setUp(context);
  const told: unknown[] = [];
  client.on('disconnect', (reason, properties) => told.push(reason, properties));
  const end = new Promise<Error | null>((resolve) => client.on('close', resolve));
  side.send({ type: DISCONNECT, code: 0x8b, properties: { reasonString: 'later' } });
  const error = await end;
  assert.ok(error instanceof ConnectionLost);
  assert.equal(error.reason, reasonOf(0x8b));
  assert.deepEqual(told, [reasonOf(0x8b), { reasonString: 'later' }]);
  await side.closed();
  assert.equal(side.untaken, 0);
});

test('before MQTT 5 a DISCONNECT of the broker is a fault', async (context) => {
  const { client, side } = await setUp(context, { version: '3.1.1' });
  const end = new Promise<Error | null>((resolve) => client.on('close', resolve));
  side.sendBytes('e000');
  assert.ok((await end) instanceof PeerFault);
});

test('faults of the broker end in DISCONNECT with the reason, in MQTT 5 only', async (context) => {
  const cases: [string, number][] = [
    ['3603000161ff', 0x81], // QoS 3
    ['30030001ff00', 0x81], // a topic that is no UTF-8
    ['30040001230' + '0', 0x90], // a topic with a wildcard
    ['c000', 0x82], // PINGREQ
    ['2003000000', 0x82], // a second CONNACK
    ['f000', 0x82], // AUTH
    ['40020000', 0x82], // packet identifier 0
    ['300600000323000' + '1', 0x94], // an alias that was not announced
  ];
  for (const [bytes, code] of cases) {
    const { client, side } = await setUp(context);
    const end = new Promise<Error | null>((resolve) => client.on('close', resolve));
    side.sendBytes(bytes);
    const error = await end;
    assert.ok(error instanceof PeerFault, `${bytes}: ${error}`);
    assert.equal((await side.next(DISCONNECT)).code, code, bytes);
  }
  const { client, side } = await setUp(context, { version: '3.1.1' });
  const end = new Promise<Error | null>((resolve) => client.on('close', resolve));
  side.sendBytes('c000');
  assert.ok((await end) instanceof PeerFault);
  await side.closed();
  assert.equal(side.untaken, 0);
});

test('a packet larger than we announced is refused', async (context) => {
  const { client, side } = await setUp(context, { properties: { maximumPacketSize: 30 } });
  const end = new Promise<Error | null>((resolve) => client.on('close', resolve));
  side.publish({ topic: 'a', payload: 'x'.repeat(30) });
  assert.equal(((await end) as PeerFault).reason, reasonOf(0x95));
  assert.equal((await side.next(DISCONNECT)).code, 0x95);
});

test('CONNACK and what follows it in one chunk are both seen', async (context) => {
  const broker = new ScriptedBroker();
  const connecting = connectVia({ ...NOWHERE, version: '3.1.1' }, broker);
  const side = await broker.accept();
  await side.next(CONNECT);
  side.sendBytes(`20020000${'3003000161'}`);
  const client = await connecting;
  context.after(() => client.end());
  const message = await new Promise<{ topic: string }>((resolve) => client.on('message', resolve));
  assert.equal(message.topic, 'a');
});

test("'connect' is told to whoever listens after connect()", async (context) => {
  const { client } = await setUp(context);
  const info = await new Promise((resolve) => client.on('connect', resolve));
  assert.deepEqual(info, client.info);
  assert.equal(CONNACK, 2);
});
