// The client's session as plain data: a new client, as after a restart of its process, goes on where the last one stopped.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { connectVia } from '../../../src/client/client.ts';
import { InvalidRequest, PeerFault, type SessionState } from '../../../src/client/index.ts';
import type { Client, ClientOptions } from '../../../src/client/options.ts';
import { CONNECT, DISCONNECT, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL } from '../../../src/protocol/constants.ts';
import { NO_PROPERTIES } from '../../../src/protocol/properties.ts';
import { NOWHERE, ScriptedBroker } from './scripted-broker.ts';
import { type Setup, setUp, turns } from './setup.ts';

const persistent: Partial<ClientOptions> = {
  clientId: 'keeper',
  cleanStart: false,
  properties: { sessionExpiryInterval: 1000 },
};

/** What survives the process: text. */
const restarted = (client: Client): SessionState => JSON.parse(JSON.stringify(client.session()));

async function setUpAgain(context: TestContext, session: SessionState, sessionPresent: boolean): Promise<Setup> {
  return setUp(context, { properties: { sessionExpiryInterval: 1000 }, session }, { sessionPresent });
}

for (const version of ['3.1', '3.1.1', '5'] as const) {
  test(`${version}: after a restart everything unacknowledged goes on, in order and under its identifiers [MQTT-4.1.0-1, MQTT-4.4.0-1, MQTT-4.6.0-1, MQTT3-4.1.0-1, MQTT3-4.4.0-1, MQTT3-4.6.0-1]`, async (context) => {
    const options = { ...persistent, version };
    const { client, side } = await setUp(context, { ...options, maxInflight: 4 });
    const correlationData = Buffer.from([0, 255]);
    void client.publish('t', 'one', { qos: 1, properties: { correlationData, userProperties: [['k', 'v']] } });
    void client.publish('t', Buffer.from([1, 0, 255]), { qos: 2, retain: true });
    void client.publish('t', 'released', { qos: 2 });
    void client.publish('t', 'acknowledged', { qos: 1 });
    void client.publish('t', 'queued', { qos: 1 });
    for (let i = 0; i < 4; i++) await side.next(PUBLISH);
    side.send({ type: PUBREC, id: 3, code: 0, properties: NO_PROPERTIES });
    await side.next(PUBREL);
    side.transport.destroy();
    await client.end();
    const saved = restarted(client);
    assert.equal(saved.clientId, 'keeper');
    assert.equal(saved.lastPacketId, 4);
    const profile5 = version === '5';
    const again = await setUp(
      context,
      { version, session: saved, ...(profile5 ? { properties: { sessionExpiryInterval: 1000 } } : {}) },
      { sessionPresent: version !== '3.1' },
    );
    const connect = again.side.seen[0];
    assert.ok(connect?.type === CONNECT);
    assert.deepEqual([connect.clientId, connect.cleanStart], ['keeper', false]);
    assert.equal((await again.side.next(PUBREL)).id, 3);
    const first = await again.side.next(PUBLISH);
    assert.deepEqual([first.id, first.payload, first.dup, first.qos], [1, 'one', true, 1]);
    if (profile5) assert.deepEqual(first.properties, { correlationData, userProperties: [['k', 'v']] });
    const second = await again.side.next(PUBLISH);
    assert.deepEqual([second.id, second.dup, second.qos, second.retain], [2, true, 2, true]);
    assert.equal(again.side.lastBytes.slice(-6), '0100ff');
    const fourth = await again.side.next(PUBLISH);
    assert.deepEqual([fourth.id, fourth.payload, fourth.dup], [4, 'acknowledged', true]);
    const fifth = await again.side.next(PUBLISH);
    assert.deepEqual([fifth.id, fifth.payload, fifth.dup], [5, 'queued', false]);
    for (const id of [1, 4, 5]) again.side.send({ type: PUBACK, id, code: 0, properties: NO_PROPERTIES });
    again.side.send({ type: PUBCOMP, id: 3, code: 0, properties: NO_PROPERTIES });
    again.side.send({ type: PUBREC, id: 2, code: 0, properties: NO_PROPERTIES });
    assert.equal((await again.side.next(PUBREL)).id, 2);
    again.side.send({ type: PUBCOMP, id: 2, code: 0, properties: NO_PROPERTIES });
    await again.client.drained();
    assert.deepEqual(again.client.session().outgoing, []);
  });
}

test('a QoS 2 message is handed out once although the process restarted in between [MQTT-4.3.3-10, MQTT3-4.3.3-2]', async (context) => {
  const { client, side } = await setUp(context, persistent);
  const payloads: string[] = [];
  const collect = (to: Client): unknown => to.on('message', (message) => payloads.push(message.payload.toString()));
  collect(client);
  side.publish({ topic: 'a', payload: 'x', qos: 2, id: 7 });
  side.publish({ topic: 'a', payload: 'y', qos: 2, id: 9 });
  await side.next(PUBREC);
  await side.next(PUBREC);
  side.send({ type: PUBREL, id: 9, code: 0, properties: NO_PROPERTIES });
  await side.next(PUBCOMP);
  side.transport.destroy();
  assert.deepEqual(restarted(client).received, [7]);
  const again = await setUpAgain(context, restarted(client), true);
  collect(again.client);
  again.side.publish({ topic: 'a', payload: 'x', qos: 2, id: 7, dup: true });
  await again.side.next(PUBREC);
  again.side.send({ type: PUBREL, id: 7, code: 0, properties: NO_PROPERTIES });
  assert.equal((await again.side.next(PUBCOMP)).code, 0);
  again.side.publish({ topic: 'a', payload: 'z', qos: 2, id: 7 });
  await again.side.next(PUBREC);
  assert.deepEqual(payloads, ['x', 'y', 'z']);
});

test('where the broker has lost the session, ours is discarded: what it had not taken over is published as new [MQTT-3.2.2-5]', async (context) => {
  const { client, side } = await setUp(context, persistent);
  void client.publish('t', 'one', { qos: 1 });
  void client.publish('t', 'released', { qos: 2 });
  side.publish({ topic: 'a', payload: 'x', qos: 2, id: 7 });
  await side.next(PUBLISH);
  await side.next(PUBLISH);
  await side.next(PUBREC);
  side.send({ type: PUBREC, id: 2, code: 0, properties: NO_PROPERTIES });
  await side.next(PUBREL);
  const again = await setUpAgain(context, restarted(client), false);
  const message = await again.side.next(PUBLISH);
  assert.deepEqual([message.payload, message.dup], ['one', false]);
  let count = 0;
  again.client.on('message', () => (count += 1));
  again.side.publish({ topic: 'a', payload: 'new', qos: 2, id: 7 });
  await again.side.next(PUBREC);
  assert.equal(count, 1);
  await turns();
  assert.equal(again.side.untaken, 0);
});

test('identifiers go on behind the last one, and those in use are passed over [MQTT-2.2.1-3, MQTT-4.3.2-1, MQTT-4.3.3-1, MQTT3-2.3.1-2]', async (context) => {
  const saved = (id: number): SessionState['outgoing'][number] => ({
    id,
    isReleased: false,
    topic: 't',
    payload: '',
    qos: 1,
    retain: false,
    properties: {},
  });
  const outgoing = [1, 2, 65_535, 1025, 40_000].map(saved);
  const session = { clientId: 'c', lastPacketId: 65_534, outgoing, received: [] };
  const { client, side } = await setUpAgain(context, session, true);
  for (const { id } of outgoing) assert.equal((await side.next(PUBLISH)).id, id);
  void client.publish('t', '', { qos: 1 });
  assert.equal((await side.next(PUBLISH)).id, 3);
});

test('a session is taken while the client runs, and once it is closed', async (context) => {
  const { client, side } = await setUp(context, persistent);
  void client.publish('t', 'x', { qos: 1 });
  await side.next(PUBLISH);
  const running = restarted(client);
  assert.equal(running.outgoing.length, 1);
  side.transport.destroy();
  await client.end();
  assert.deepEqual(restarted(client), running);
});

test('a broker with a session for a client that has none is left [MQTT-3.2.2-4]', async () => {
  const cases: Partial<ClientOptions>[] = [
    { clientId: 'c', cleanStart: false, session: null },
    { clientId: '', cleanStart: false },
  ];
  for (const options of cases) {
    const broker = new ScriptedBroker();
    const connecting = connectVia({ ...NOWHERE, ...options }, broker);
    const side = await broker.accept();
    await side.admit({ sessionPresent: true, properties: { assignedClientIdentifier: 'x' } });
    await assert.rejects(connecting, (error) => {
      assert.ok(error instanceof PeerFault);
      assert.match(error.message, /a session is present that the client does not have/);
      return true;
    });
    assert.equal((await side.next(DISCONNECT)).code, 0x82);
    await side.closed();
  }
});

test('an assigned identifier is kept for the next connection [MQTT-3.1.3-2, MQTT-3.2.2-16]', async (context) => {
  const { client, side, broker } = await setUp(
    context,
    { clientId: '', reconnect: { minDelayMs: 1, maxDelayMs: 1 }, properties: { sessionExpiryInterval: 9 } },
    { properties: { assignedClientIdentifier: 'given' } },
  );
  assert.equal(client.session().clientId, 'given');
  side.transport.destroy();
  const again = await broker.accept();
  assert.equal((await again.admit({ sessionPresent: true })).clientId, 'given');
});

test('saved sessions that no client has written are refused before anything is dialled', async () => {
  const message = { id: 1, isReleased: false, topic: 't', payload: '', qos: 1, retain: false, properties: {} };
  const good = { clientId: 'c', lastPacketId: 1, outgoing: [message], received: [] };
  const cases: [unknown, Partial<ClientOptions>][] = [
    [good, { cleanStart: true }],
    [good, { clientId: 'other' }],
    [{ ...good, clientId: '' }, {}],
    [{ ...good, lastPacketId: -1 }, {}],
    [{ ...good, lastPacketId: '1' }, {}],
    [{ ...good, outgoing: null }, {}],
    [{ ...good, received: [0] }, {}],
    [{ ...good, received: 'x' }, {}],
    [{ ...good, outgoing: [message, message] }, {}],
    [{ ...good, outgoing: [{ ...message, id: 65_536 }] }, {}],
    [{ ...good, outgoing: [{ ...message, qos: 0 }] }, {}],
    [{ ...good, outgoing: [{ ...message, topic: 'a/#' }] }, {}],
    [{ ...good, outgoing: [{ ...message, topic: 5 }] }, {}],
    [{ ...good, outgoing: [{ ...message, payload: 5 }] }, {}],
    [{ ...good, outgoing: [{ ...message, isReleased: true }] }, {}],
    [{ ...good, outgoing: [{ ...message, properties: { maximumQoS: 1 } }] }, {}],
  ];
  for (const [session, options] of cases) {
    const broker = new ScriptedBroker();
    const connecting = connectVia({ ...NOWHERE, ...options, session: session as SessionState }, broker);
    await assert.rejects(connecting, InvalidRequest, JSON.stringify(session));
    assert.equal(broker.dials, 0);
  }
});
