// Limits of the broker's own: how fast one address may connect, and how much one packet may ask for.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { ConnectionRate } from '../../src/broker/connection-rate.ts';
import { MQTT5, MQTT311, type Profile } from '../../src/protocol/version.ts';
import { makeCertificate } from '../support/certificates.ts';
import { freePorts } from '../support/free-port.ts';
import { connectBytes, RawClient } from '../support/raw-client.ts';
import { join, nothingCame, open, openFile, until } from './harness.ts';

test('an address has its connections a second, and as many at a time', () => {
  const rate = new ConnectionRate(() => undefined);
  const admitted = (address: string, perSecond: number, nowMs: number, count: number): number =>
    Array.from({ length: count }).filter(() => rate.admits(address, perSecond, nowMs)).length;
  assert.equal(admitted('192.0.2.1', 0, 0, 100), 100);
  assert.equal(admitted('192.0.2.1', 5, 0, 100), 5);
  assert.equal(admitted('192.0.2.2', 5, 0, 100), 5, 'another address has its own');
  assert.equal(admitted('192.0.2.1', 5, 199, 1), 0);
  assert.equal(admitted('192.0.2.1', 5, 201, 2), 1);
  assert.equal(admitted('192.0.2.1', 5, 60_000, 100), 5, 'waiting saves no more than one second');
  assert.equal(admitted('2001:db8::1', 3, 0, 2), 2);
  assert.equal(admitted('2001:db8:0:0:ffff::2', 3, 0, 2), 1, 'the same network of 64 bits');
  assert.equal(admitted('2001:db8:0:1::1', 3, 0, 2), 2);
});

test('the addresses that are known have a bound, and the log hears of each one now and then only', () => {
  const told: string[] = [];
  const rate = new ConnectionRate((address, refused) => told.push(`${address} ${refused}`));
  for (let i = 0; i < 30_000; i++) rate.admits(`10.0.${i >> 8}.${i & 255}`, 1, 0);
  assert.ok(rate.size <= 10_000, `${rate.size}`);
  for (let i = 0; i < 1000; i++) rate.admits('192.0.2.1', 1, 0);
  rate.admits('192.0.2.1', 1, 500);
  assert.deepEqual(told, ['192.0.2.1 1']);
  rate.admits('192.0.2.1', 1, 10_000);
  rate.admits('192.0.2.1', 1, 10_000);
  assert.deepEqual(told, ['192.0.2.1 1', '192.0.2.1 1000']);
  rate.admits('192.0.2.1', 0, 0);
  assert.equal(rate.size, 0, 'without a limit nothing is remembered');
});

test('max_connection_rate turns away who comes too often, in its words, and no other address', async (context) => {
  const { port, log } = await open(context, { listeners: [{ port: 0, maxConnectionRate: 2 }] });
  const answer = async (profile: Profile): Promise<number | null> => {
    const client = await RawClient.open(port, profile);
    client.send(connectBytes('x', { profile }));
    const packet = await client.next();
    client.socket.destroy();
    return packet?.type === 2 ? packet.code : null;
  };
  assert.equal(await answer(MQTT5), 0);
  assert.equal(await answer(MQTT311), 0);
  const answers = await Promise.all([MQTT5, MQTT311, MQTT5, MQTT5].map(answer));
  // A slow machine may let another one in meanwhile; the first that is refused is told why.
  assert.ok(answers.includes(0x9f), String(answers));
  assert.match(log.text, /Client connection from 127\.0\.0\.1 on port \d+ denied: max_connection_rate exceeded\./);
  const silent = await Promise.all(Array.from({ length: 150 }, () => RawClient.open(port)));
  const half = connectBytes('half');
  for (const client of silent.slice(0, 50)) client.send(half.subarray(0, 5));
  // A score waits to be told, and a slow machine lets some in meanwhile; all others are closed at once.
  await new Promise<void>((resolve) => {
    let ended = 0;
    for (const client of silent) {
      void client.ended().then(() => {
        ended += 1;
        if (ended === 110) resolve();
      });
    }
  });
  const endpoint = { kind: 'tcp', host: '127.0.0.1', port, localAddress: '127.0.0.2' } as const;
  await nothingCame(await join(context, port, { endpoint }));
  for (const client of silent) client.socket.destroy();
});

test('with TLS and WebSocket, who comes too often is closed before the handshake, and a reload may end it', async (context) => {
  const identity = makeCertificate({ subject: 'localhost', altNames: ['127.0.0.1'] });
  const [tls, ws, wss] = (await freePorts(3)) as [number, number, number];
  const lines = (rate: number): string[] => [
    `listener ${tls} 127.0.0.1`,
    ...['certfile FOLDER/crt', 'keyfile FOLDER/key', `max_connection_rate ${rate}`],
    `listener ${ws} 127.0.0.1`,
    ...['protocol websockets', `max_connection_rate ${rate}`],
    `listener ${wss} 127.0.0.1`,
    ...['protocol websockets', 'certfile FOLDER/crt', 'keyfile FOLDER/key', `max_connection_rate ${rate}`],
  ];
  const { log, reload } = await openFile(context, lines(1), { crt: identity.cert, key: identity.key });
  for (const [port, isSecure] of [
    [tls, true],
    [ws, false],
    [wss, true],
  ] as const) {
    const sockets = Array.from({ length: 8 }, () =>
      isSecure ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }) : connectTcp(port, '127.0.0.1'),
    );
    context.after(() => {
      for (const socket of sockets) socket.destroy();
    });
    let closed = 0;
    for (const socket of sockets)
      socket
        .on('error', () => undefined)
        .on('close', () => (closed += 1))
        .resume();
    await until(() => closed >= 5, `connections to ${port} are closed`);
    await log.seen(`Client connection from 127.0.0.1 on port ${port} denied: max_connection_rate exceeded.`);
  }
  assert.equal(log.count('failed:'), 0, 'none of them came as far as a handshake');
  await reload(lines(0));
  for (let i = 0; i < 10; i++) {
    const socket = connectTls({ port: tls, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    socket.destroy();
  }
});

test('max_topics_per_subscribe bounds SUBSCRIBE and UNSUBSCRIBE, and may change at any time', async (context) => {
  const [port] = (await freePorts(1)) as [number];
  const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true'];
  const { log, reload } = await openFile(context, lines);
  const filters = (count: number): string[] => Array.from({ length: count }, (_, i) => `t/${i}`);
  const subscribe = (client: RawClient, count: number): void =>
    client.send({
      type: 8,
      id: 1,
      subscriptions: filters(count).map((filter) => ({
        filter,
        qos: 0,
        noLocal: false,
        retainAsPublished: false,
        retainHandling: 0,
      })),
      properties: {},
    });
  const unsubscribe = (client: RawClient, count: number): void =>
    client.send({ type: 10, id: 2, filters: filters(count), properties: {} });
  const answered = async (client: RawClient): Promise<number> => {
    const packet = await client.next();
    return packet?.type === 9 || packet?.type === 11 ? packet.codes.length : -1;
  };
  const goodbye = async (client: RawClient): Promise<number> => {
    const packet = await client.next();
    return packet?.type === 14 ? packet.code : -1;
  };
  const client = await RawClient.join(port, 'many');
  subscribe(client, 1000);
  assert.equal(await answered(client), 1000);
  unsubscribe(client, 1000);
  assert.equal(await answered(client), 1000);
  subscribe(client, 1001);
  assert.equal(await goodbye(client), 0x97);
  await client.ended();
  await log.seen(
    /Protocol error from many \[127\.0\.0\.1:\d+\]: SUBSCRIBE has 1001 topic filters, more than max_topics_per_subscribe \(1000\) allows\./,
  );
  const other = await RawClient.join(port, 'other');
  unsubscribe(other, 1001);
  assert.equal(await goodbye(other), 0x97);
  const old = await RawClient.join(port, 'old', { profile: MQTT311 });
  subscribe(old, 1001);
  assert.equal(await old.next(), null);
  await reload([...lines, 'max_topics_per_subscribe 2']);
  const strict = await RawClient.join(port, 'strict');
  subscribe(strict, 3);
  assert.equal(await goodbye(strict), 0x97);
  await reload([...lines, 'max_topics_per_subscribe 0']);
  const free = await RawClient.join(port, 'free', { profile: MQTT311 });
  subscribe(free, 10_000);
  await free.until(() => free.bytes > 10_000);
});

test('connect_timeout counts from the next connection after a reload', async (context) => {
  const [port] = (await freePorts(1)) as [number];
  const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'connect_timeout 60'];
  const { reload, log } = await openFile(context, lines);
  const patient = await RawClient.open(port);
  await reload([...lines.slice(0, 2), 'connect_timeout 1']);
  const hurried = await RawClient.open(port);
  await hurried.ended();
  await log.seen('within 1 seconds (connect_timeout)');
  assert.equal(patient.over, false);
  patient.send(connectBytes('patient'));
  assert.equal((await patient.next())?.type, 2);
});

test('max_subscriptions_per_client refuses what goes beyond, says so once, and keeps the others', async (context) => {
  const { port, log } = await open(context, { global: { maxSubscriptionsPerClient: 3 } });
  const client = await join(context, port, { clientId: 'many' });
  const codes = async (filters: readonly string[]): Promise<readonly number[]> =>
    (await client.subscribe(filters)).codes;
  assert.deepEqual(await codes(['a', 'b', '$share/g/c', 'd']), [0, 0, 0, 0x97]);
  assert.deepEqual(await codes(['d', 'e', 'a']), [0x97, 0x97, 0]);
  await client.publish('d', 'x', { qos: 1 });
  await client.publish('a', 'x', { qos: 1 });
  assert.equal(await client.inbox.text(), 'a x');
  await client.unsubscribe('b');
  assert.deepEqual(await codes(['d']), [0]);
  assert.equal(log.count('is refused more subscriptions: it has the 3 of max_subscriptions_per_client.'), 1);
  assert.match(log.text, /Client many \[127\.0\.0\.1:\d+\] is refused more subscriptions/);
  const old = await RawClient.join(port, 'old', { profile: MQTT311 });
  const subscriptions = ['a', 'b', 'c', 'd'].map((filter) => ({
    filter,
    qos: 1,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0,
  }));
  old.send({ type: 8, id: 1, subscriptions, properties: {} });
  const answer = await old.next();
  assert.deepEqual(answer?.type === 9 ? answer.codes : null, [1, 1, 1, 0x80]);
});
