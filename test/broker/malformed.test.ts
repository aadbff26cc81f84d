// Crafted packets by the thousand: each ends its own connection, and nothing of it stays behind.
import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Broker } from '../../src/broker/broker.ts';
import { MQTT5 } from '../../src/protocol/version.ts';
import { FakeTransport, nextTurn } from '../support/fake-transport.ts';
import { memoryInUse } from '../support/memory-in-use.ts';
import { connectBytes, publishBytes, RawClient } from '../support/raw-client.ts';
import { join, nothingCame, open } from './harness.ts';

const good = connectBytes('client', {
  username: 'user',
  password: Buffer.from('password'),
  will: { topic: 'w', payload: Buffer.from('x'), qos: 1, retain: false, properties: { contentType: 'text' } },
  properties: { sessionExpiryInterval: 5, userProperties: [['a', 'b']] },
});

/** Packets that are wrong in ways that a decoder meets at different depths. */
const BAD: Buffer[] = [
  ...Array.from({ length: good.length - 3 }, (_, i) => {
    // Cut short, with a remaining length that fits what is left.
    const cut = Buffer.from(good.subarray(0, i + 2));
    cut[1] = i;
    return cut;
  }),
  ...Array.from({ length: good.length - 2 }, (_, i) => {
    const flipped = Buffer.from(good);
    flipped[i + 2] = flipped[i + 2]! ^ 0xff;
    return flipped;
  }),
  connectBytes('twice', { properties: {} }).fill(0x11, 12, 13),
  Buffer.from([0x10, 0x0d, 0, 4, 0x4d, 0x51, 0x54, 0x54, 5, 2, 0, 0, 0xff, 0xff, 0xff]),
];

/** Has one connection of the process send bytes, and end. */
function attempt(broker: Broker, bytes: Buffer): void {
  const transport = new FakeTransport();
  broker.accept(transport);
  transport.sink?.receive(bytes);
  // What is a packet without end, or a good one after all, is given up.
  transport.sink?.closed(null);
}

test('the heap returns after a hundred thousand malformed CONNECT packets [CVE-2017-7654] [no CVE, 2.0.11: crafted CONNECT of MQTT 5]', async (context) => {
  const { broker, port } = await open(context, {}, { verbosity: 'none' });
  const round = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      attempt(broker, BAD[i % BAD.length]!);
      // So many are let in at once.
      if (i % 25 === 0) await nextTurn();
    }
  };
  await round(2000);
  const before = await memoryInUse();
  await round(100_000);
  const growth = (await memoryInUse()) - before;
  assert.ok(growth < 2_000_000, `${growth} bytes more`);
  await nothingCame(await join(context, port));
});

test('the heap returns after sockets that come, break the rules and go', async (context) => {
  const { port } = await open(context, {}, { verbosity: 'none' });
  const round = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 50) {
      const ends = Array.from({ length: 50 }, (_, index) => {
        const socket = connectTcp({ port, host: '127.0.0.1' });
        socket.on('error', () => undefined).resume();
        socket.write(Buffer.concat([BAD[(i + index) % BAD.length]!, Buffer.alloc(20, 0xff)]));
        return new Promise((resolve) => socket.on('close', resolve));
      });
      await Promise.all(ends);
    }
  };
  await round(300);
  const before = await memoryInUse();
  await round(1000);
  const growth = (await memoryInUse()) - before;
  assert.ok(growth < 4_000_000, `${growth} bytes more`);
});

test('packets that a client must not send end its connection only [CVE-2021-28166]', async (context: TestContext) => {
  const { port, log } = await open(context);
  const other = await join(context, port);
  const packets = [
    Buffer.from([0x20, 3, 0, 0, 0]),
    Buffer.from([0x90, 4, 0, 1, 0, 0]),
    Buffer.from([0xb0, 4, 0, 1, 0, 0]),
    Buffer.from([0xd0, 0]),
    Buffer.from([0x00, 0]),
    Buffer.from([0x82, 0]),
    Buffer.from([0x82, 3, 0, 1, 0]),
    Buffer.from([0x36, 5, 0, 1, 0x61, 0, 1]),
    Buffer.from([0x62, 4, 0, 0, 0, 0]),
    Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01]),
    connectBytes('again'),
    publishBytes(MQTT5, 'a/+', 'x'),
    publishBytes(MQTT5, '', 'x'),
    publishBytes(MQTT5, 'a\0b', 'x'),
  ];
  for (const [index, bytes] of packets.entries()) {
    const client = await RawClient.join(port, `bad-${index}`);
    client.send(bytes);
    await client.ended();
  }
  for (let index = 0; index < packets.length; index++)
    await log.seen(new RegExp(`Client bad-${index} \\[.*disconnected: `));
  await nothingCame(other);
});

test('topics with a dollar sign, and topics of slashes alone, are topics or refused [CVE-2018-12543, CVE-2019-11779]', async (context) => {
  const { port } = await open(context);
  const client = await join(context, port);
  await client.subscribe('$x/#');
  for (const topic of ['$x', '$', '$share', '$CONTROL', '$CONTROL/x', '$SYS/x', '$share/g/t']) {
    await client.publish(topic, 'x', { qos: 1, retain: true });
  }
  assert.equal(await client.inbox.text(), '$x x');
  await nothingCame(client);
  const slashes = '/'.repeat(65_535);
  const publisher = await RawClient.join(port, 'slashes');
  publisher.send(publishBytes(MQTT5, slashes, 'x', 1));
  await publisher.ended();
  const subscriber = await RawClient.join(port, 'slashes');
  const subscription = { filter: slashes, qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 };
  subscriber.send({ type: 8, id: 1, subscriptions: [subscription], properties: {} });
  await subscriber.ended();
  await nothingCame(client);
});

test('a socket that is reset in the middle of a message is one that is gone', async (context) => {
  const { port, log } = await open(context);
  const client = await RawClient.join(port, 'cut', {
    will: { topic: 'will', payload: Buffer.from('gone'), qos: 0, retain: false, properties: {} },
  });
  const watcher = await join(context, port);
  await watcher.subscribe('will');
  client.send(publishBytes(MQTT5, 'a', Buffer.alloc(1000)).subarray(0, 500));
  client.socket.resetAndDestroy();
  assert.equal(await watcher.inbox.text(), 'will gone');
  await log.seen(/Client cut \[127\.0\.0\.1:\d+\] disconnected: connection closed by client\./);
});
