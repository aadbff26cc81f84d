// What a broker must not send, and what a client does about it: it says which rule was broken, to the broker too where the
// version has words for it, and closes.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { connectVia } from '../../../src/client/client.ts';
import { ConnectionLost, ConnectRefused, InvalidRequest, PeerFault } from '../../../src/client/index.ts';
import type { ClientOptions } from '../../../src/client/options.ts';
import {
  CONNACK,
  CONNECT,
  DISCONNECT,
  PUBACK,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBACK,
  SUBSCRIBE,
} from '../../../src/protocol/constants.ts';
import type { ConnackPacket } from '../../../src/protocol/packets.ts';
import type { Properties } from '../../../src/protocol/properties.ts';
import { type BrokerSide, NOWHERE, ScriptedBroker } from './scripted-broker.ts';
import { closed, setUp, turns } from './setup.ts';

interface Fault {
  readonly what: string;
  readonly bytes: string;
  /** Reason code of our DISCONNECT. */
  readonly code: number;
  readonly says: RegExp;
}

const fault = (what: string, bytes: string, code: number, says: RegExp): Fault => ({ what, bytes, code, says });

/** Faults that a client of MQTT 5 meets after CONNACK. */
const FAULTS: readonly Fault[] = [
  fault('packet type 0 [MQTT-2.1.3-1]', '0000', 0x82, /packet type 0 is reserved/),
  fault('CONNECT', `101000044d51545405020000${'0000036162'}63`, 0x82, /CONNECT is for clients/),
  fault('a second CONNACK [MQTT-3.2.0-2]', '2003000000', 0x82, /a second CONNACK/),
  fault('SUBSCRIBE', '820700010000016100', 0x82, /SUBSCRIBE is for clients/),
  fault('UNSUBSCRIBE', 'a2060001000001' + '61', 0x82, /UNSUBSCRIBE is for clients/),
  fault('PINGREQ', 'c000', 0x82, /PINGREQ is for clients/),
  fault('reserved flags in PUBACK [MQTT-2.1.3-1]', '41020001', 0x81, /reserved flags of PUBACK/),
  fault('reserved flags in PUBREL [MQTT-3.6.1-1]', '60020001', 0x81, /reserved flags of PUBREL/),
  fault('reserved flags in SUBACK [MQTT-2.1.3-1]', '92020001', 0x81, /reserved flags of SUBACK/),
  fault('reserved flags in DISCONNECT [MQTT-3.14.1-1]', 'e100', 0x81, /reserved flags of DISCONNECT/),
  fault('reserved flags in PINGRESP [MQTT-2.1.3-1]', 'd100', 0x81, /reserved flags of PINGRESP/),
  fault('a PINGRESP with a body', 'd00100', 0x81, /PINGRESP has 1 bytes behind/),
  fault('a remaining length of five bytes', '30ffffffff01', 0x81, /remaining length is longer/),
  fault('a length in more bytes than needed [MQTT-1.5.5-1]', 'd08000', 0x81, /fewest bytes/),
  fault('a property length in more bytes than needed [MQTT-1.5.5-1]', '30050001618000', 0x81, /fewest bytes/),
  fault('PUBLISH of QoS 3 [MQTT-3.3.1-4]', '36060001610001' + '00', 0x81, /QoS 3/),
  fault('PUBLISH with DUP at QoS 0 [MQTT-3.3.1-2]', '380400016100', 0x81, /DUP is set at QoS 0/),
  fault('PUBLISH with packet identifier 0 [MQTT-2.2.1-4]', '3206000161000000', 0x82, /packet identifier is 0/),
  fault('PUBLISH with a wildcard [MQTT-3.3.2-2, MQTT-4.7.0-1]', '300400012300', 0x90, /invalid topic name/),
  fault('PUBLISH with neither topic nor alias [MQTT-4.7.3-1]', '3003000000', 0x82, /neither a topic name nor/),
  fault('PUBLISH with U+0000 in its topic [MQTT-1.5.4-2, MQTT-4.7.3-2]', '300400010000', 0x81, /the topic name/),
  fault('PUBLISH with a surrogate in its topic [MQTT-1.5.4-1]', '30060003eda08000', 0x81, /the topic name/),
  fault('PUBLISH whose topic is cut short', '3003000561', 0x81, /topic name is cut short/),
  fault('PUBLISH whose properties are cut short', '300500016105' + '02', 0x81, /property length is larger/),
  fault('topic alias 0 [MQTT-3.3.2-8]', '30070001610323' + '0000', 0x94, /topic-alias must not be 0/),
  fault('a topic alias above our maximum [MQTT-3.1.2-27]', '3007000161032300' + '03', 0x94, /alias 3 is larger/),
  fault('a topic alias that stands for nothing', '30060000032300' + '02', 0x82, /nor a known alias/),
  fault('a property that comes twice', '300800016104' + '01010100', 0x82, /comes twice/),
  fault('a property of another packet', '30060001610224' + '01', 0x82, /maximum-qos must not stand in PUBLISH/),
  fault('a property that does not exist', '30050001610' + '17f', 0x81, /0x7f is no property/),
  fault('payload format indicator 2', '300600016102' + '0102', 0x82, /must be 0 or 1/),
  fault('subscription identifier 0', '30060001610' + '20b00', 0x82, /must not be 0/),
  fault('a response topic with wildcards [MQTT-3.3.2-14]', '3008000161040800' + '0123', 0x82, /response topic/),
  fault('PUBACK with packet identifier 0', '40020000', 0x82, /packet identifier is 0/),
  fault('PUBACK with a reason code of others [MQTT-3.4.2-1]', '4003000192', 0x82, /0x92 must not stand in PUBACK/),
  fault('PUBREC with a reason code of others [MQTT-3.5.2-1]', '5003000192', 0x82, /0x92 must not stand in PUBREC/),
  fault('PUBREL with a reason code of others [MQTT-3.6.2-1]', '6203000187', 0x82, /0x87 must not stand in PUBREL/),
  fault('PUBCOMP with a reason code of others [MQTT-3.7.2-1]', '7003000187', 0x82, /0x87 must not stand in PUBCOMP/),
  fault('SUBACK with a reason code of others [MQTT-3.9.3-2]', '900400010092', 0x82, /0x92 must not stand in SUBACK/),
  fault('SUBACK without reason codes', '9003000100', 0x81, /SUBACK has no reason code/),
  fault(
    'UNSUBACK with a reason code of others [MQTT-3.11.3-2]',
    'b00400010001',
    0x82,
    /0x01 must not stand in UNSUBACK/,
  ),
  fault('DISCONNECT with a reason code of others [MQTT-3.14.2-1]', 'e00185', 0x82, /0x85 must not stand in DISCONNECT/),
  fault('DISCONNECT with the will code of clients [MQTT-3.14.2-1]', 'e00104', 0x82, /0x04 of DISCONNECT/),
  fault('DISCONNECT with a session expiry [MQTT-3.14.2-2]', 'e00700051100000' + '001', 0x82, /session expiry/),
];

for (const { what, bytes, code, says } of FAULTS) {
  test(`5: ${what} ends in DISCONNECT 0x${code.toString(16)}`, async (context) => {
    const { client, side } = await setUp(context, { properties: { topicAliasMaximum: 2 } });
    const end = closed(client);
    side.sendBytes(bytes);
    const error = await end;
    assert.ok(error instanceof PeerFault, String(error));
    assert.match(error.message, says);
    assert.equal((await side.next(DISCONNECT)).code, code);
    await side.closed();
    assert.equal(side.untaken, 0);
  });
}

const FAULTS_3: readonly [string, string, RegExp][] = [
  ['CONNECT', '101000044d51545404020000000461626364', /CONNECT is for clients/],
  ['a second CONNACK', '20020000', /a second CONNACK/],
  ['SUBSCRIBE', '8206000100016100', /SUBSCRIBE is for clients/],
  ['PINGREQ', 'c000', /PINGREQ is for clients/],
  ['DISCONNECT', 'e000', /sends no DISCONNECT in this version/],
  ['packet type 15', 'f000', /type 15 is reserved/],
  ['reserved flags [MQTT3-2.2.2-1, MQTT3-2.2.2-2]', '41020001', /reserved flags of PUBACK/],
  ['reserved flags of PUBREL [MQTT3-3.6.1-1]', '60020001', /reserved flags of PUBREL/],
  ['PUBLISH of QoS 3 [MQTT3-3.3.1-4]', '36050001610001', /QoS 3/],
  ['PUBLISH with DUP at QoS 0 [MQTT3-3.3.1-2]', '3803000161', /DUP is set at QoS 0/],
  ['a wildcard in a topic [MQTT3-3.3.2-2, MQTT3-4.7.1-1]', '3003000123', /invalid topic name/],
  ['an empty topic [MQTT3-4.7.3-1]', '30020000', /topic name/],
  ['U+0000 in a topic [MQTT3-1.5.3-2, MQTT3-4.7.3-2]', '3003000100', /the topic name/],
  ['a topic that is no UTF-8 [MQTT3-1.5.3-1, MQTT3-3.3.2-1]', '30050003eda080', /the topic name/],
  ['packet identifier 0 [MQTT3-2.3.1-1]', '32050001610000', /packet identifier is 0/],
  ['a reserved return code in SUBACK [MQTT3-3.9.3-2]', '9003000103', /SUBACK/],
  ['a refusal with a reason in SUBACK [MQTT3-3.9.3-2]', '9003000187', /SUBACK/],
  ['PUBACK with a reason code', '4003000100', /PUBACK has 1 bytes behind/],
];

for (const [what, bytes, says] of FAULTS_3) {
  test(`3.1.1: ${what} closes the connection without a word [MQTT3-4.8.0-1]`, async (context) => {
    const { client, side } = await setUp(context, { version: '3.1.1' });
    const end = closed(client);
    side.sendBytes(bytes);
    const error = await end;
    assert.ok(error instanceof PeerFault, String(error));
    assert.match(error.message, says);
    await side.closed();
    assert.equal(side.untaken, 0);
  });
}

const FIRST: readonly [string, '3.1.1' | '5', string, RegExp][] = [
  ['PUBLISH', '5', '300400016100', /PUBLISH must not come now/],
  ['DISCONNECT', '5', 'e00187', /DISCONNECT must not come now/],
  ['reserved acknowledge flags [MQTT-3.2.2-1]', '5', '2003020000', /acknowledge flags/],
  ['a refusal with a session present [MQTT-3.2.2-6]', '5', '2003018700', /refuses .* session present/],
  ['a reason code of other packets [MQTT-3.2.2-8]', '5', '2003009200', /0x92 must not stand in CONNACK/],
  ['a session present after a clean start [MQTT-3.2.2-2]', '5', '2003010000', /after a clean start/],
  ['receive maximum 0', '5', '2006000003210000', /receive-maximum must not be 0/],
  ['maximum packet size 0', '5', '200800000527' + '00000000', /maximum-packet-size must not be 0/],
  ['maximum QoS 2', '5', '20050000022402', /must be 0 or 1/],
  ['a property that comes twice', '5', '20070000042501' + '2501', /comes twice/],
  ['bytes behind the properties', '5', '2004000000ff', /behind its last field/],
  ['without a property length where it admits', '5', '20020000', /property length is cut short/],
  ['a refusal with a session present [MQTT3-3.2.2-4]', '3.1.1', '20020105', /refuses .* session present/],
  ['a reserved return code', '3.1.1', '20020006', /return code 6/],
  ['a session present after a clean session', '3.1.1', '20020100', /after a clean start/],
];

for (const [what, version, bytes, says] of FIRST) {
  test(`${version}: CONNACK must not be ${what}`, async () => {
    const broker = new ScriptedBroker();
    const connecting = connectVia({ ...NOWHERE, version }, broker);
    const side = await broker.accept();
    await side.next(CONNECT);
    side.sendBytes(bytes);
    await assert.rejects(connecting, (error) => {
      assert.ok(error instanceof PeerFault, String(error));
      assert.match(error.message, says);
      return true;
    });
    await side.closed();
  });
}

test('acknowledgements of another kind than what they answer are protocol errors [MQTT-2.2.1-5, MQTT-2.2.1-6]', async (context) => {
  const answers: [1 | 2 | 'subscribe', (side: BrokerSide) => void, RegExp][] = [
    [2, (side) => side.sendBytes('40020001'), /PUBACK 1 answers a PUBLISH of QoS 2/],
    [1, (side) => side.sendBytes('50020001'), /PUBREC 1 answers a PUBLISH of QoS 1/],
    ['subscribe', (side) => side.sendBytes('40020001'), /PUBACK 1 answers a SUBSCRIBE/],
    ['subscribe', (side) => side.sendBytes('b00400010000'), /stands for no UNSUBSCRIBE/],
    [1, (side) => side.sendBytes('900400010000'), /stands for no SUBSCRIBE/],
    ['subscribe', (side) => side.sendBytes('90050001000000'), /2 reason codes came for 1 filters/],
  ];
  for (const [asked, answer, says] of answers) {
    const { client, side } = await setUp(context);
    const end = closed(client);
    if (asked === 'subscribe') void client.subscribe('a');
    else void client.publish('a', '', { qos: asked });
    await side.next(asked === 'subscribe' ? SUBSCRIBE : PUBLISH);
    answer(side);
    assert.match(String(await end), says);
    assert.equal((await side.next(DISCONNECT)).code, 0x82);
  }
});

test('more messages than our receive maximum are a fault; after a reconnect they are counted anew [MQTT-3.3.4-9, MQTT-4.9.0-1]', async (context) => {
  const { client, side, broker } = await setUp(context, {
    cleanStart: false,
    reconnect: { minDelayMs: 1, maxDelayMs: 1 },
    properties: { receiveMaximum: 2, sessionExpiryInterval: 9 },
  });
  const ids: number[] = [];
  client.on('message', (message) => ids.push(message.id));
  for (const id of [1, 2]) side.publish({ topic: 'a', qos: 2, id });
  await side.next(PUBREC);
  await side.next(PUBREC);
  side.transport.destroy();
  const again = await broker.accept();
  await again.admit({ sessionPresent: true });
  for (const id of [3, 4]) again.publish({ topic: 'a', qos: 2, id });
  await again.next(PUBREC);
  await again.next(PUBREC);
  // One of QoS 1 on top is one too many, too.
  again.publish({ topic: 'a', qos: 1, id: 5 });
  assert.equal((await again.next(DISCONNECT)).code, 0x93);
  assert.deepEqual(ids, [1, 2, 3, 4]);
});

test('without request problem information, reasons in acknowledgements are a protocol error [MQTT-3.1.2-29]', async (context) => {
  const properties = { requestProblemInformation: 0 };
  const told = { reasonString: 'why' };
  const { client, side } = await setUp(context, { properties }, { properties: told });
  side.publish({ topic: 'a', qos: 1, id: 1, properties: { userProperties: [['k', 'v']] } });
  await side.next(PUBACK);
  const subscribed = client.subscribe('a');
  const end = closed(client);
  const { id } = await side.next(SUBSCRIBE);
  side.send({ type: SUBACK, id, codes: [0], properties: told });
  assert.match(String(await end), /SUBACK has a reason string/);
  assert.equal((await side.next(DISCONNECT)).code, 0x82);
  await assert.rejects(subscribed, PeerFault);
});

test('what has to be sent and is larger than the broker takes ends the connection [MQTT-3.2.2-15]', async (context) => {
  for (const trace of [undefined, { sending: () => {}, received: () => {} }]) {
    const options = trace === undefined ? {} : { trace };
    const { client, side } = await setUp(context, options, { properties: { maximumPacketSize: 3 } });
    const end = closed(client);
    side.publish({ topic: 'a', qos: 1, id: 1 });
    assert.match(String(await end), /takes no packet of 4 bytes, and PUBACK has to be sent/);
    await side.closed();
    assert.equal(side.untaken, 0);
  }
});

async function refusal(connack: Partial<ConnackPacket>, options: Partial<ClientOptions> = {}): Promise<unknown> {
  const broker = new ScriptedBroker();
  const connecting = connectVia({ ...NOWHERE, ...options }, broker);
  await (await broker.accept()).admit(connack);
  return connecting.then(
    () => assert.fail('connected'),
    (error: unknown) => error,
  );
}

test('a refusal and a DISCONNECT carry reason string and server reference; neither is followed unasked', async (context) => {
  const properties = { reasonString: 'full', serverReference: 'other:1884' };
  const refused = await refusal({ code: 0x9c, properties });
  assert.ok(refused instanceof ConnectRefused);
  assert.deepEqual(refused.properties, properties);
  const { client, side, broker } = await setUp(context);
  const end = closed(client);
  side.send({ type: DISCONNECT, code: 0x9d, properties });
  const lost = await end;
  assert.ok(lost instanceof ConnectionLost);
  assert.deepEqual([lost.reason?.code, lost.properties], [0x9d, properties]);
  assert.equal(lost.message, 'The broker closed the connection: Server moved');
  assert.equal(broker.dials, 1);
});

test('a server reference is followed where that is wanted, a few times at the most', async (context: TestContext) => {
  const home = new ScriptedBroker();
  const others = new ScriptedBroker();
  const places: string[] = [];
  const options: ClientOptions = {
    ...NOWHERE,
    // A server that is named is the place itself, and no domain to be looked up.
    endpoint: { ...NOWHERE.endpoint, srv: {} },
    followServerReference: true,
    reconnect: { minDelayMs: 1, maxDelayMs: 1 },
  };
  const connecting = connectVia(options, home, ({ host, port, srv }) => {
    places.push(srv === undefined ? `${host} ${port}` : 'looked up');
    return others;
  });
  const send = (properties: Properties): Partial<ConnackPacket> => ({ code: 0x9c, properties });
  await (await home.accept()).admit(send({ serverReference: 'one.example' }));
  await (await others.accept()).admit(send({ serverReference: '[::1]:1884 two.example' }));
  const side = await others.accept();
  await side.admit();
  const client = await connecting;
  context.after(() => client.end());
  side.send({ type: DISCONNECT, code: 0x9d, properties: { serverReference: '10.0.0.1:99' } });
  const moved = await others.accept();
  await moved.admit();
  await turns();
  moved.transport.destroy();
  await (await others.accept()).admit();
  assert.deepEqual(places, ['one.example 1', '::1 1884', '10.0.0.1 99']);
  assert.equal(home.dials, 1);
  const circle = connectVia({ ...options, reconnect: null }, home, () => home);
  for (let i = 0; i < 4; i++) await (await home.accept()).admit(send({ serverReference: 'x' }));
  await assert.rejects(circle, ConnectRefused);
  for (const serverReference of ['', 'a b:0', 'x:0', 'x:65536', 'a/b', '[::1', 'mqtt://x']) {
    const stuck = connectVia({ ...options, reconnect: null }, home, () => assert.fail(serverReference));
    await (await home.accept()).admit(send({ serverReference: serverReference === 'a b:0' ? 'a?' : serverReference }));
    await assert.rejects(stuck, ConnectRefused);
  }
});

test('subscriptions that the broker does not take are refused before they are sent', async (context) => {
  const properties = {
    wildcardSubscriptionAvailable: 0,
    sharedSubscriptionAvailable: 0,
    subscriptionIdentifierAvailable: 0,
  };
  const { client, side } = await setUp(context, {}, { properties });
  const cases: [Parameters<typeof client.subscribe>[0], Properties, number][] = [
    ['a/#', {}, 0xa2],
    [['a', '+/b'], {}, 0xa2],
    ['$share/g/a', {}, 0x9e],
    ['a', { subscriptionIdentifier: 1 }, 0xa1],
    [{ filter: '$share/g/a', noLocal: true }, {}, 0x82],
    [{ filter: 'a', qos: 3 }, {}, 0x82],
    [{ filter: 'a', retainHandling: 3 }, {}, 0x82],
    ['a', { subscriptionIdentifier: 0 }, 0x82],
    ['a', { topicAlias: 1 }, 0x82],
  ];
  for (const [filters, asked, code] of cases) {
    await assert.rejects(client.subscribe(filters, asked), (error) => {
      assert.ok(error instanceof InvalidRequest);
      assert.equal(error.reason.code, code, error.message);
      return true;
    });
  }
  await turns();
  assert.equal(side.untaken, 0);
});

test('properties that a client must not send are refused before they are sent', async (context) => {
  const { client, side } = await setUp(context);
  const cases: Properties[] = [
    { subscriptionIdentifier: 1 },
    { subscriptionIdentifiers: [1] },
    { topicAlias: 0 },
    { responseTopic: 'a/#' },
    { responseTopic: '' },
    { contentType: 'a\0' },
    { contentType: '\ud800' },
    { userProperties: [['\udfff', '']] },
    { payloadFormatIndicator: 2 },
    { messageExpiryInterval: -1 },
    { messageExpiryInterval: 0x1_0000_0000 },
    { correlationData: Buffer.alloc(65_536) },
    { reasonString: 'x' },
    { nonsense: 1 } as Properties,
  ];
  for (const properties of cases) {
    await assert.rejects(client.publish('a', '', { properties }), InvalidRequest, JSON.stringify(properties));
  }
  await assert.rejects(
    client.publish('a', Buffer.from([0xff]), { properties: { payloadFormatIndicator: 1 } }),
    (error) => {
      assert.ok(error instanceof InvalidRequest);
      return error.reason.code === 0x99;
    },
  );
  await turns();
  assert.equal(side.untaken, 0);
});

test('options that make no CONNECT of their version are refused', async () => {
  const will = { topic: 'w', payload: Buffer.alloc(0), qos: 0, retain: false, properties: {} };
  const cases: Partial<ClientOptions>[] = [
    { version: '3.1', clientId: '' },
    { version: '3.1.1', clientId: '', cleanStart: false },
    { clientId: 'a\0' },
    { clientId: '\ud800' },
    { username: '\ud800' },
    { topicAliases: -1 },
    { will: { ...will, qos: 3 } },
    { will: { ...will, properties: { topicAlias: 1 } } },
    { properties: { receiveMaximum: 0 } },
    { properties: { authenticationData: Buffer.alloc(1) } },
    { properties: { topicAlias: 1 } },
    { properties: { sessionExpiryInterval: 0x1_0000_0000 } },
  ];
  for (const options of cases) {
    const broker = new ScriptedBroker();
    await assert.rejects(connectVia({ ...NOWHERE, ...options }, broker), InvalidRequest, JSON.stringify(options));
    assert.equal(broker.dials, 0);
  }
});

test('a DISCONNECT that cannot be sent is refused, and the client goes on [MQTT-3.14.2-1, MQTT-3.14.2-3, MQTT-3.14.2-4]', async (context) => {
  const { client, side } = await setUp(context, {}, { properties: { maximumPacketSize: 20 } });
  const cases: [number, Properties][] = [
    [0x8e, {}],
    [0x01, {}],
    [0x85, {}],
    [0, { sessionExpiryInterval: 1 }],
    [0, { topicAlias: 1 }],
    [0, { reasonString: 'x'.repeat(20) }],
    [0, { userProperties: [['k', 'x'.repeat(20)]] }],
  ];
  for (const [code, properties] of cases) await assert.rejects(client.end(code, properties), InvalidRequest);
  await client.publish('a', '');
  await side.next(PUBLISH);
  await client.end(0, { sessionExpiryInterval: 0 });
  assert.deepEqual((await side.next(DISCONNECT)).properties, { sessionExpiryInterval: 0 });
});

test('messages that say to be text and are none are refused where that is wanted', async (context) => {
  for (const checkPayloadFormat of [true, false]) {
    const { client, side } = await setUp(context, { checkPayloadFormat });
    const ids: number[] = [];
    client.on('message', (message) => ids.push(message.id));
    // Type, flags, topic "a", identifier, payload format indicator 1, payload ff.
    side.sendBytes('300700016102' + '0101ff');
    side.sendBytes('32090001610001' + '020101ff');
    side.sendBytes('34090001610002' + '020101ff');
    side.sendBytes('34090001610002' + '02010161');
    const code = checkPayloadFormat ? 0x99 : 0;
    assert.equal((await side.next(PUBACK)).code, code);
    assert.equal((await side.next(PUBREC)).code, code);
    assert.equal((await side.next(PUBREC)).code, 0);
    assert.deepEqual(ids, checkPayloadFormat ? [2] : [0, 1, 2]);
  }
});

test('the client uses topic aliases by itself, as many as both sides allow [MQTT-3.2.2-17, MQTT-3.3.2-7]', async (context) => {
  const granted = { properties: { topicAliasMaximum: 2 } };
  const { client, side, broker } = await setUp(
    context,
    { topicAliases: 9, cleanStart: false, reconnect: { minDelayMs: 1, maxDelayMs: 1 } },
    granted,
  );
  const seen = async (from: BrokerSide): Promise<unknown> => {
    const { topic, payload, properties } = await from.next(PUBLISH);
    return [topic, payload, properties.topicAlias];
  };
  for (const [topic, payload] of [
    ['one', '1'],
    ['two', '2'],
    ['one', '3'],
    ['three', '4'],
    ['two', '5'],
  ] as const) {
    await client.publish(topic, payload);
  }
  assert.deepEqual(await seen(side), ['one', '1', 1]);
  assert.deepEqual(await seen(side), ['two', '2', 2]);
  assert.deepEqual(await seen(side), ['', '3', 1]);
  assert.deepEqual(await seen(side), ['three', '4', undefined]);
  assert.deepEqual(await seen(side), ['', '5', 2]);
  await assert.rejects(client.publish('x', '', { properties: { topicAlias: 1 } }), InvalidRequest);
  void client.publish('one', 'again', { qos: 1 });
  assert.deepEqual(await seen(side), ['', 'again', 1]);
  side.transport.destroy();
  const again = await broker.accept();
  await again.admit({ sessionPresent: true, ...granted });
  assert.deepEqual(await seen(again), ['one', 'again', 1]);
  assert.equal(CONNACK, 2);
});

test('an unknown PUBREC and PUBREL are answered with 0x92', async (context) => {
  const { side } = await setUp(context);
  side.sendBytes('50020009');
  assert.deepEqual(await side.next(PUBREL), { type: PUBREL, id: 9, code: 0x92, properties: {} });
  side.sendBytes('62020009');
  assert.equal((await side.next(7)).code, 0x92);
});
