// Attacks by clients that are let in: packet identifiers, subscriptions, fan-out, and topics that are to fill the memory.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ALLOW, type Plugin } from '../../src/broker/hooks/points.ts';
import { encode } from '../../src/protocol/encode.ts';
import { NO_PROPERTIES } from '../../src/protocol/properties.ts';
import { MQTT5, MQTT311 } from '../../src/protocol/version.ts';
import { freePort } from '../support/free-port.ts';
import { memoryInUse } from '../support/memory-in-use.ts';
import { publishBytes, RawClient } from '../support/raw-client.ts';
import { watch } from './attack-watch.ts';
import { join, nothingCame, open, openFile, until } from './harness.ts';

/** A SUBSCRIBE with these filters. */
function subscribeBytes(filters: readonly string[], qos = 0, noLocal = false): Buffer {
  const subscriptions = filters.map((filter) => ({
    filter,
    qos,
    noLocal,
    retainAsPublished: false,
    retainHandling: 0,
  }));
  return encode(MQTT5, { type: 8, id: 1, subscriptions, properties: NO_PROPERTIES });
}

const unsubscribeBytes = (filters: readonly string[]): Buffer =>
  encode(MQTT5, { type: 10, id: 1, filters: [...filters], properties: NO_PROPERTIES });

/** Sends a packet and waits for the bytes of its answer. */
async function ask(client: RawClient, packet: Buffer): Promise<void> {
  client.send(packet);
  await client.next();
}

test('one identifier of QoS 2 for ever is one message that is kept [CVE-2023-28366]', async (context) => {
  const { port } = await open(context, {}, { verbosity: 'none' });
  const reader = await join(context, port);
  await reader.subscribe({ filter: 'twice', qos: 2 });
  const watching = await watch(context, port);
  const writer = await RawClient.join(port, 'writer', { profile: MQTT311, cleanStart: false });
  const packet = publishBytes(MQTT311, 'twice', Buffer.alloc(1000), 2, 7);
  const duplicate = Buffer.from(packet);
  duplicate[0] = duplicate[0]! | 0x08;
  await ask(writer, packet);
  const before = await memoryInUse();
  for (let i = 0; i < 50; i++) {
    for (let k = 0; k < 100; k++) writer.send(k % 2 === 0 ? packet : duplicate);
    await writer.until(() => writer.bytes >= 4 + 4 + (i + 1) * 400);
  }
  assert.ok((await memoryInUse()) - before < 3_000_000);
  assert.equal((await reader.inbox.next()).payload.length, 1000);
  await nothingCame(reader);
  writer.socket.destroy();
  await watching.over();
});

test('identifiers of QoS 2 that are never released have a bound, and a client of MQTT 5 is told [CVE-2023-28366]', async (context) => {
  const { port } = await open(context, {}, { verbosity: 'none' });
  const modern = await RawClient.join(port, 'modern');
  for (let id = 1; id <= 21; id++) modern.send(publishBytes(MQTT5, 'a', 'x', 2, id));
  for (let id = 1; id <= 20; id++) assert.equal((await modern.next())?.type, 5);
  const goodbye = await modern.next();
  assert.equal(goodbye?.type === 14 ? goodbye.code : -1, 0x93);
  const old = await RawClient.join(port, 'old', { profile: MQTT311, cleanStart: false });
  const before = await memoryInUse();
  // Every identifier there is, twice over: the second round adds nothing.
  for (let round = 0; round < 2; round++) {
    for (let id = 1; id <= 65_535; id++) old.send(publishBytes(MQTT311, 'a', '', 2, id));
    await old.until(() => old.bytes >= 4 + 4 * 65_535 * (round + 1));
  }
  assert.ok((await memoryInUse()) - before < 40_000_000, 'the test itself holds the answers');
  old.socket.destroy();
});

test('a queue that overflows amid exchanges of QoS 2 gives all of it back [no CVE, 1.6.12: queue full during QoS 2]', async (context) => {
  const { port } = await open(
    context,
    { global: { maxQueuedMessages: 10, maxInflightMessages: 5 } },
    { verbosity: 'none' },
  );
  const fields = { cleanStart: false, properties: { sessionExpiryInterval: 100 } };
  const writer = await join(context, port);
  const round = async (): Promise<void> => {
    const reader = await RawClient.join(port, 'reader', fields);
    await reader.subscribe('full', 2);
    for (let i = 0; i < 100; i++) await writer.publish('full', Buffer.alloc(10_000), { qos: 2 });
    // Half of the exchanges are left in their middle, and carried on by the next connection.
    const first = await reader.next();
    if (first?.type === 3) reader.send({ type: 5, id: first.id, code: 0, properties: NO_PROPERTIES });
    await reader.until(() => reader.bytes > 30_000);
    reader.socket.resetAndDestroy();
  };
  await round();
  const before = await memoryInUse();
  for (let i = 0; i < 10; i++) await round();
  const growth = (await memoryInUse()) - before;
  assert.ok(growth < 3_000_000, `${growth} bytes more`);
  assert.equal((await RawClient.join(port, 'reader', { cleanStart: true })).over, false);
});

test('subscriptions that come and go leave nothing behind [no CVE, 2.0.21: malicious SUBSCRIBE]', async (context) => {
  const { port } = await open(context, {}, { verbosity: 'none' });
  const watching = await watch(context, port);
  const client = await RawClient.join(port, 'churn');
  const round = async (from: number): Promise<void> => {
    const filters = Array.from({ length: 500 }, (_, i) => `${i % 2 === 0 ? '$share/g/' : ''}churn/${from + i}/+/x/#`);
    await ask(client, subscribeBytes(filters));
    // Every second round they go with the connection's session instead, further below.
    await ask(client, unsubscribeBytes(filters));
  };
  await round(0);
  const before = await memoryInUse();
  for (let i = 0; i < 40; i++) await round(i * 500);
  assert.ok((await memoryInUse()) - before < 3_000_000);
  for (let i = 0; i < 10; i++) {
    const passing = await RawClient.join(port, 'passing');
    await ask(passing, subscribeBytes(Array.from({ length: 1000 }, (_, k) => `passing/${i}/${k}`)));
    passing.socket.destroy();
  }
  client.socket.destroy();
  await watching.over();
  assert.ok((await memoryInUse()) - before < 3_000_000);
});

test('a SUBSCRIBE that is cut at any byte, has no filters or ten thousand, leaves nothing [no CVE, 2.0.21: malicious SUBSCRIBE]', async (context) => {
  const { port } = await open(context, {}, { verbosity: 'none' });
  const watching = await watch(context, port);
  const good = subscribeBytes(['one/+/x', '$share/group/two/#', 'three']);
  const cuts = Array.from({ length: good.length - 2 }, (_, i) => {
    const cut = Buffer.from(good.subarray(0, i + 2));
    cut[1] = i;
    return cut;
  });
  const many = subscribeBytes(Array.from({ length: 10_000 }, (_, i) => `t/${i}`));
  const round = async (): Promise<void> => {
    await Promise.all(
      [...cuts, subscribeBytes([]), many].map(async (bytes) => {
        const client = await RawClient.join(port, '');
        client.send(bytes);
        client.send(Buffer.from([0xf0, 0x00]));
        await client.ended();
      }),
    );
  };
  await round();
  const before = await memoryInUse();
  for (let i = 0; i < 5; i++) await round();
  await watching.over();
  assert.ok((await memoryInUse()) - before < 3_000_000);
});

test('shared and plain subscriptions to the same topic end one by one [no CVE, 2.0.19: shared and plain]', async (context) => {
  const { port, broker } = await open(context);
  const client = await join(context, port);
  await client.subscribe(['$share/g/t', 't', '$share/h/t']);
  const copies = async (): Promise<number> => {
    broker.publish('t', 'x');
    await client.publish('end', '', { qos: 1 });
    let count = 0;
    while ((await client.inbox.next()).topic === 't') count += 1;
    return count;
  };
  await client.subscribe('end');
  assert.equal(await copies(), 3);
  await client.unsubscribe('$share/g/t');
  assert.equal(await copies(), 2);
  await client.unsubscribe('t');
  assert.equal(await copies(), 1);
  await client.subscribe('$share/g/t');
  await client.unsubscribe(['$share/h/t', '$share/g/t']);
  assert.equal(await copies(), 0);
});

test('a right that is taken away amid an exchange of QoS 2 counts for what comes after [no CVE, 2.0.12: resumed QoS 2]', async (context) => {
  const lines = [`listener ${await freePort()} 127.0.0.1`, 'allow_anonymous true', 'acl_file FOLDER/acl'];
  const open = 'topic a\ntopic end\ntopic round/trip\n';
  const { port, write, reload, log } = await openFile(context, lines, { acl: open });
  const reader = await join(context, port);
  await reader.subscribe(['a', 'end']);
  const fields = { profile: MQTT311, cleanStart: false };
  const writer = await RawClient.join(port, 'writer', fields);
  const packet = publishBytes(MQTT311, 'a', 'first', 2, 1);
  await ask(writer, packet);
  assert.equal(await reader.inbox.text(), 'a first');
  write('acl', open.replace('topic a', 'topic read a'));
  await reload();
  writer.socket.destroy();
  await log.seen('Client writer [');
  const again = await RawClient.join(port, 'writer', fields);
  packet[0] = packet[0]! | 0x08;
  await ask(again, packet);
  await ask(again, publishBytes(MQTT311, 'a', 'second', 2, 2));
  again.send({ type: 6, id: 1, code: 0, properties: NO_PROPERTIES });
  again.send({ type: 6, id: 2, code: 0, properties: NO_PROPERTIES });
  assert.equal((await again.next())?.type, 7);
  assert.equal((await again.next())?.type, 7);
  await log.seen("Denied PUBLISH from writer (d0, q2, r0, m2, 'a', ... (6 bytes))");
  await nothingCame(reader);
});

/** Subscribes one client to every filter of so many levels that are `x` or `+`: each matches all that is below x/x/…. */
async function entangle(context: TestContext, port: number, levels: number, tail: string): Promise<RawClient> {
  const client = await RawClient.join(port, 'entangled');
  context.after(() => client.socket.destroy());
  const filters = Array.from({ length: 2 ** levels }, (_, i) =>
    Array.from({ length: levels }, (_level, bit) => ((i >> bit) & 1 ? '+/' : 'x/'))
      .join('')
      .concat(tail),
  );
  for (let at = 0; at < filters.length; at += 500) {
    await ask(client, subscribeBytes(filters.slice(at, at + 500), 0, true));
  }
  return client;
}

for (const [what, tail] of [
  ['match', '#'],
  ['nearly match', 'never'],
] as const) {
  test(`many small messages that ${what} very many subscriptions stop nobody else`, async (context) => {
    const { port } = await open(context, {}, { verbosity: 'none' });
    const levels = 11;
    const client = await entangle(context, port, levels, tail);
    const watching = await watch(context, port);
    const topic = 'x/'.repeat(levels);
    const flood = Buffer.concat(Array.from({ length: 1500 }, (_, i) => publishBytes(MQTT5, topic + i, '')));
    client.send(Buffer.concat([flood, Buffer.from([0xc0, 0])]));
    const before = watching.trips;
    // All of it came in a few chunks: the others had their turns in between.
    const answer = await client.next();
    assert.equal(answer?.type, 13);
    assert.ok(watching.trips - before >= 5, `${watching.trips - before} turns of somebody else's`);
    client.socket.destroy();
    await watching.over();
  });
}

test('messages whose rights take long to find out stop nobody else', async (context) => {
  const rules: Plugin = {
    name: 'very many rules',
    cacheable: false,
    authorize: (_client, _access, topic) => {
      const end = performance.now() + (topic === 'slow' ? 0.3 : 0);
      while (performance.now() < end);
      return ALLOW;
    },
  };
  const { port } = await open(context, {}, { verbosity: 'none', plugins: [rules] });
  const watching = await watch(context, port);
  const client = await RawClient.join(port, 'hasty');
  const message = publishBytes(MQTT5, 'slow', '');
  client.send(Buffer.concat([...Array.from({ length: 4000 }, () => message), Buffer.from([0xc0, 0])]));
  const before = watching.trips;
  assert.equal((await client.next())?.type, 13);
  assert.ok(watching.trips - before >= 5, `${watching.trips - before} turns of somebody else's`);
  client.socket.destroy();
  await watching.over();
});

test('topics that are used once are not remembered at any price', async (context) => {
  const { port } = await open(context, {}, { verbosity: 'none' });
  const writer = await RawClient.join(port, 'writer');
  const before = await memoryInUse();
  // Each of the greatest length: kept in a table of topics, they would take a gigabyte.
  for (let i = 0; i < 1000; i++) {
    writer.send(publishBytes(MQTT5, String(i).padEnd(65_535, 'x'), ''));
    if (i % 50 === 0) await ask(writer, Buffer.from([0xc0, 0]));
  }
  await ask(writer, Buffer.from([0xc0, 0]));
  const growth = (await memoryInUse()) - before;
  assert.ok(growth < 10_000_000, `${growth} bytes`);
  const reader = await join(context, port);
  const long = 'long/'.padEnd(65_535, 'x');
  await reader.subscribe(['long/+', 'end']);
  for (let i = 0; i < 2; i++) {
    writer.send(publishBytes(MQTT5, long, 'seen'));
    assert.equal((await reader.inbox.next()).topic, long);
  }
});

test('the plans of many topics with many receivers are not kept at any price', async (context) => {
  const { port } = await open(context, {}, { verbosity: 'none' });
  const levels = 11;
  const client = await entangle(context, port, levels, '#');
  const before = await memoryInUse();
  const topic = 'x/'.repeat(levels);
  for (let i = 0; i < 6000; i += 500) {
    for (let k = 0; k < 500; k++) client.send(publishBytes(MQTT5, `${topic}${i + k}`, ''));
    await ask(client, Buffer.from([0xc0, 0]));
  }
  const growth = (await memoryInUse()) - before;
  // 6,000 plans of 2,048 subscriptions each would be 110 million bytes and more.
  assert.ok(growth < 60_000_000, `${growth} bytes`);
});

test('one number for another message each time does not fill the log', async (context) => {
  const { port, log } = await open(context, {}, { verbosity: 'configured' });
  const writer = await RawClient.join(port, 'writer', { profile: MQTT311 });
  for (let i = 0; i < 1000; i++) writer.send(publishBytes(MQTT311, 'a', String(i), 2, 7));
  await writer.until(() => writer.bytes >= 4 + 4000);
  await until(() => log.count('packet identifier 7') > 0, 'a line');
  assert.ok(log.count('packet identifier 7') < 10, `${log.count('packet identifier 7')} lines`);
});

test('a client that takes hardly anything does not fill the log', async (context) => {
  const { port, log } = await open(context, {}, { verbosity: 'configured' });
  const tiny = await RawClient.join(port, 'tiny', { properties: { maximumPacketSize: 20 } });
  await tiny.subscribe('#');
  const writer = await join(context, port);
  for (let i = 0; i < 200; i++) await writer.publish('long/enough', 'not to fit into that', { qos: 1 });
  await log.seen('Dropping too large outgoing PUBLISH for tiny');
  const lines = log.count('Dropping too large outgoing PUBLISH for tiny');
  assert.ok(lines < 10, `${lines} lines`);
});
