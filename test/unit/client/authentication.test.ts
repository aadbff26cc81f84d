import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { connectVia } from '../../../src/client/client.ts';
import { ConnectionLost, ConnectRefused, InvalidRequest, PeerFault } from '../../../src/client/index.ts';
import type { Authentication, Client, ClientOptions } from '../../../src/client/options.ts';
import { AUTH, CONNACK, CONNECT, DISCONNECT, PUBLISH } from '../../../src/protocol/constants.ts';
import type { Properties } from '../../../src/protocol/properties.ts';
import { type BrokerSide, NOWHERE, ScriptedBroker } from './scripted-broker.ts';
import { closed, turns } from './setup.ts';

const METHOD = 'COUNT';

const named = (data?: string): Properties => ({
  authenticationMethod: METHOD,
  ...(data === undefined ? {} : { authenticationData: Buffer.from(data) }),
});

/** A method that answers every number with the next one, at once or later. */
function counting(seen: string[], later = false): Authentication {
  const next = (data: Buffer | null): Buffer => Buffer.from(String(Number(data?.toString() ?? 0) + 1));
  return {
    method: METHOD,
    data: () => Buffer.from('1'),
    step: (data, reason) => {
      seen.push(`${reason.code}:${data?.toString() ?? ''}`);
      return later ? Promise.resolve(next(data)) : next(data);
    },
  };
}

const auth = (side: BrokerSide, code: number, properties: Properties): void =>
  side.send({ type: AUTH, code, properties });

async function begin(
  authentication: Authentication | null,
  options: Partial<ClientOptions> = {},
): Promise<{ connecting: Promise<Client>; side: BrokerSide; broker: ScriptedBroker }> {
  const broker = new ScriptedBroker();
  const connecting = connectVia(
    { ...NOWHERE, ...options, ...(authentication === null ? {} : { authentication }) },
    broker,
  );
  connecting.catch(() => {});
  return { connecting, broker, side: await broker.accept() };
}

async function connected(
  context: TestContext,
  authentication: Authentication,
): Promise<{ client: Client; side: BrokerSide }> {
  const { connecting, side } = await begin(authentication);
  await side.admit({ properties: named('9') });
  const client = await connecting;
  context.after(() => {
    side.transport.destroy();
    return client.end();
  });
  return { client, side };
}

for (const later of [false, true]) {
  const when = later ? 'later' : 'at once';
  test(`steps that answer ${when} lead through AUTH to CONNACK [MQTT-4.12.0-3, MQTT-4.12.0-5, MQTT-3.15.2-1, MQTT-3.1.2-30]`, async (context) => {
    const seen: string[] = [];
    const { connecting, side } = await begin(counting(seen, later));
    assert.deepEqual((await side.next(CONNECT)).properties, named('1'));
    auth(side, 0x18, named('4'));
    assert.deepEqual(await side.next(AUTH), { type: AUTH, code: 0x18, properties: named('5') });
    auth(side, 0x18, named());
    assert.deepEqual(await side.next(AUTH), { type: AUTH, code: 0x18, properties: named('1') });
    assert.equal(side.untaken, 0);
    side.send({ type: CONNACK, sessionPresent: false, code: 0, properties: named('bye') });
    side.publish({ topic: 'a' });
    const client = await connecting;
    context.after(() => client.end());
    const message = await new Promise<{ topic: string }>((resolve) => client.on('message', resolve));
    assert.equal(message.topic, 'a');
    assert.deepEqual(seen, ['24:4', '24:', '0:bye']);
    await client.publish('t', 'x');
    await side.next(PUBLISH);
  });
}

test('without data, CONNECT has a method alone, and so has the answer of a step that gives none', async () => {
  const { connecting, side } = await begin({ method: METHOD, step: () => null });
  assert.deepEqual((await side.next(CONNECT)).properties, named());
  auth(side, 0x18, named('x'));
  assert.deepEqual((await side.next(AUTH)).properties, named());
  side.send({ type: CONNACK, sessionPresent: false, code: 0, properties: named() });
  await (await connecting).end();
});

test('the connection is made only once the method is content with what CONNACK brought', async () => {
  let admit = (_: null): void => {};
  const { connecting, side } = await begin({
    method: METHOD,
    step: () => new Promise((resolve) => (admit = resolve)),
  });
  await side.admit({ properties: named('proof') });
  let isConnected = false;
  void connecting.then(() => {
    isConnected = true;
  });
  await turns();
  assert.equal(isConnected, false);
  admit(null);
  await (await connecting).end();
});

for (const [what, step] of [
  ['throws', () => assert.fail('wrong proof')],
  ['rejects', () => Promise.reject(new Error('wrong proof'))],
  ['gives more data than AUTH holds', () => Buffer.alloc(65_536)],
] as const) {
  test(`a step that ${what} ends the attempt in order [MQTT-4.12.1-2]`, async () => {
    const { connecting, side } = await begin({ method: METHOD, step });
    await side.next(CONNECT);
    auth(side, 0x18, named('x'));
    await assert.rejects(connecting, (error) => {
      assert.ok(error instanceof ConnectionLost);
      assert.match(error.message, /^The authentication was given up: (wrong proof|the data of a step)/);
      return true;
    });
    assert.equal((await side.next(DISCONNECT)).code, 0x80);
    await side.closed();
  });
}

test('a method that has nothing to begin with ends the attempt', async () => {
  const data = (): Buffer => assert.fail('no nonce');
  const { connecting, side } = await begin({ method: METHOD, data, step: () => null });
  await assert.rejects(connecting, /no nonce/);
  await side.closed();
});

test('a refusal in the middle of the exchange is told [MQTT-4.12.0-4]', async () => {
  const { connecting, side } = await begin(counting([]));
  await side.next(CONNECT);
  auth(side, 0x18, named('1'));
  await side.next(AUTH);
  side.send({ type: CONNACK, sessionPresent: false, code: 0x8c, properties: { reasonString: 'no' } });
  await assert.rejects(connecting, (error) => error instanceof ConnectRefused && error.reason.code === 0x8c);
  await side.closed();
});

const wrong: [string, number, Properties, RegExp][] = [
  ['AUTH without a method', 0x18, {}, /AUTH names no authentication method/],
  ['AUTH of another method', 0x18, { authenticationMethod: 'OTHER' }, /AUTH names another method/],
  ['AUTH with success in front of CONNACK', 0x00, named(), /reason code 0x0 must not/],
  ['AUTH with the code of a client', 0x19, named(), /reason code 0x19 must not/],
];

for (const [what, code, properties, sentence] of wrong) {
  test(`${what} is a protocol error [MQTT-4.12.0-5, MQTT-3.15.2-1]`, async () => {
    const { connecting, side } = await begin(counting([]));
    await side.next(CONNECT);
    auth(side, code, properties);
    await assert.rejects(connecting, (error) => {
      assert.ok(error instanceof PeerFault);
      assert.match(error.message, sentence);
      return true;
    });
    assert.equal((await side.next(DISCONNECT)).code, 0x82);
  });
}

test('AUTH while the last one is not answered, and CONNACK then, are protocol errors', async () => {
  for (const next of [AUTH, CONNACK] as const) {
    const { connecting, side } = await begin({ method: METHOD, step: () => new Promise(() => {}) });
    await side.next(CONNECT);
    auth(side, 0x18, named('1'));
    if (next === AUTH) auth(side, 0x18, named('2'));
    else side.send({ type: CONNACK, sessionPresent: false, code: 0, properties: named() });
    await assert.rejects(connecting, PeerFault);
    assert.equal((await side.next(DISCONNECT)).code, 0x82);
  }
});

test('a CONNACK that admits without our method, or with one that nobody named, is a protocol error [MQTT-4.12.0-5, MQTT-4.12.0-6]', async () => {
  for (const [authentication, properties] of [
    [counting([]), {}],
    [counting([]), { authenticationMethod: 'OTHER' }],
    [null, named()],
  ] as const) {
    const { connecting, side } = await begin(authentication);
    await side.admit({ properties });
    await assert.rejects(connecting, PeerFault);
    assert.equal((await side.next(DISCONNECT)).code, 0x82);
  }
});

test('without a method AUTH is a protocol error, before CONNACK and after, and none is sent [MQTT-4.12.0-6, MQTT-4.12.0-7]', async () => {
  const early = await begin(null);
  await early.side.next(CONNECT);
  auth(early.side, 0x18, named());
  await assert.rejects(early.connecting, PeerFault);
  assert.equal((await early.side.next(DISCONNECT)).code, 0x82);
  const late = await begin(null);
  await late.side.admit();
  const client = await late.connecting;
  await assert.rejects(client.reauthenticate(), InvalidRequest);
  const end = closed(client);
  auth(late.side, 0x18, named());
  assert.match(String(await end), /CONNECT named no authentication method/);
  assert.equal((await late.side.next(DISCONNECT)).code, 0x82);
});

test('re-authentication goes through the same steps [MQTT-4.12.1-1]', async (context) => {
  const seen: string[] = [];
  const { client, side } = await connected(context, counting(seen, true));
  const again = client.reauthenticate();
  await assert.rejects(client.reauthenticate(), InvalidRequest);
  assert.deepEqual(await side.next(AUTH), { type: AUTH, code: 0x19, properties: named('1') });
  // Other packets go on meanwhile.
  await client.publish('t', 'x');
  await side.next(PUBLISH);
  auth(side, 0x18, named('7'));
  assert.deepEqual(await side.next(AUTH), { type: AUTH, code: 0x18, properties: named('8') });
  auth(side, 0x00, named('done'));
  await again;
  assert.deepEqual(seen, ['0:9', '24:7', '0:done']);
  const third = client.reauthenticate();
  await side.next(AUTH);
  auth(side, 0x00, named());
  await third;
});

test('a re-authentication that fails on either side ends the connection [MQTT-4.12.1-2]', async (context) => {
  const broker = await connected(context, counting([]));
  const refused = broker.client.reauthenticate();
  await broker.side.next(AUTH);
  broker.side.send({ type: DISCONNECT, code: 0x87, properties: {} });
  await assert.rejects(refused, ConnectionLost);
  await broker.side.closed();
  const ours = await connected(context, {
    method: METHOD,
    step: (data) => (data?.toString() === 'bad' ? assert.fail('not you') : null),
  });
  const given = ours.client.reauthenticate();
  await ours.side.next(AUTH);
  auth(ours.side, 0x18, named('bad'));
  await assert.rejects(given, /not you/);
  assert.equal((await ours.side.next(DISCONNECT)).code, 0x80);
  await ours.side.closed();
});

test('AUTH that nobody asked for after CONNACK is a protocol error', async (context) => {
  for (const code of [0x00, 0x18, 0x19]) {
    const { client, side } = await connected(context, counting([]));
    const end = closed(client);
    auth(side, code, named());
    assert.ok((await end) instanceof PeerFault);
    assert.equal((await side.next(DISCONNECT)).code, 0x82);
  }
});

test('a re-authentication that the broker does not go on with ends in time', async () => {
  const { connecting, side } = await begin(counting([]), { connectTimeoutMs: 30 });
  await side.admit({ properties: named() });
  const client = await connecting;
  await assert.rejects(client.reauthenticate(), /did not finish the authentication in time/);
  await side.closed();
});

test('authentication needs MQTT 5, a connection, and an open client', async () => {
  await assert.rejects(
    connectVia({ ...NOWHERE, version: '3.1.1', authentication: counting([]) }, new ScriptedBroker()),
    InvalidRequest,
  );
  const broker = new ScriptedBroker();
  const connecting = connectVia(
    { ...NOWHERE, authentication: counting([]), reconnect: { minDelayMs: 60_000, maxDelayMs: 60_000 } },
    broker,
  );
  const side = await broker.accept();
  await side.admit({ properties: named() });
  const client = await connecting;
  const lost = new Promise((resolve) => client.on('reconnecting', resolve));
  side.transport.destroy();
  await lost;
  await assert.rejects(client.reauthenticate(), InvalidRequest);
  await client.end();
  await assert.rejects(client.reauthenticate(), ConnectionLost);
});

test('each connection begins the authentication anew', async () => {
  let nonce = 0;
  const authentication = { method: METHOD, data: () => Buffer.from(String(++nonce)), step: () => null };
  const { connecting, broker, side } = await begin(authentication, { reconnect: { minDelayMs: 1, maxDelayMs: 1 } });
  assert.deepEqual((await side.admit({ properties: named() })).properties, named('1'));
  const client = await connecting;
  side.transport.destroy();
  const again = await broker.accept();
  assert.deepEqual((await again.admit({ properties: named() })).properties, named('2'));
  await client.end();
});

test('a method among the properties alone goes out with CONNECT and has no further step', async () => {
  const options = { properties: { receiveMaximum: 5, ...named('x') } };
  const { connecting, side } = await begin(null, options);
  assert.deepEqual((await side.admit({ properties: named() })).properties, options.properties);
  await (await connecting).end();
  const more = await begin(null, options);
  await more.side.next(CONNECT);
  auth(more.side, 0x18, named('y'));
  await assert.rejects(more.connecting, /another step of COUNT/);
});
