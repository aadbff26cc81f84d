// Peers that mean no good, or do not know better: each is dealt with, and nobody else notices.
import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import process from 'node:process';
import { test } from 'node:test';
import { ALLOW } from '../../src/broker/hooks/points.ts';
import { NO_PROPERTIES } from '../../src/protocol/properties.ts';
import { MQTT5, MQTT311 } from '../../src/protocol/version.ts';
import { connectBytes, publishBytes, RawClient } from '../support/raw-client.ts';
import { join, nothingCame, open, refusal, until } from './harness.ts';

const MIB = 1024 * 1024;

test('a client that waits for a plugin is not taken for silent', async (context) => {
  let answer: (decision: typeof ALLOW) => void = () => undefined;
  const slow = { name: 'slow', authenticate: () => new Promise<typeof ALLOW>((resolve) => (answer = resolve)) };
  const { port } = await open(context, { global: { connectTimeout: 1 } }, { plugins: [slow] });
  const waits = await RawClient.open(port);
  waits.send(connectBytes('waits'));
  // When a later connection was given up for its silence, the time of this one is over, too.
  await (await RawClient.open(port)).ended();
  assert.equal(waits.over, false);
  answer(ALLOW);
  assert.equal((await waits.next())?.type, 2);
});

test('who does not say CONNECT in time is closed, whatever else was said [CVE-2020-13849]', async (context) => {
  const { port, log } = await open(context, { global: { connectTimeout: 1 } });
  const connect = connectBytes('slow');
  const clients = await Promise.all([1, 2, 3].map(() => RawClient.open(port)));
  clients[1]!.send(connect.subarray(0, 1));
  clients[2]!.send(connect.subarray(0, connect.length - 1));
  const stays = await RawClient.join(port, 'stays');
  await Promise.all(clients.map((client) => client.ended()));
  await until(() => log.count('disconnected: exceeded timeout.') === 3, 'three lines');
  assert.equal(stays.over, false);
});

test('half a packet and then silence ends with the keep alive', async (context) => {
  const { port, log } = await open(context);
  const client = await RawClient.join(port, 'half', { keepAlive: 1 });
  client.send(publishBytes(MQTT5, 'a', 'a whole message').subarray(0, 5));
  const goodbye = await client.next();
  const reasonString = 'No packet came within 1.5 seconds.';
  assert.deepEqual(goodbye, { type: 14, code: 0x8d, properties: { reasonString } });
  await client.ended();
  await log.seen(/Client half \[127\.0\.0\.1:\d+\] disconnected: exceeded timeout\./);
});

test('a thousand sockets that announce 256 MB, in CONNECT or PUBLISH, cost no memory and are closed at once [CVE-2017-7651, CVE-2023-0809]', async (context) => {
  const { port, log } = await open(context);
  const longest = [0xff, 0xff, 0xff, 0x7f];
  const rss = process.memoryUsage().rss;
  for (let batch = 0; batch < 5; batch++) {
    const clients = await Promise.all(Array.from({ length: 200 }, () => RawClient.open(port)));
    clients.forEach((client, index) => {
      client.send(Buffer.from([index % 2 === 0 ? 0x10 : 0x30, ...longest, 0, 4, 0x4d, 0x51]));
    });
    await Promise.all(clients.map((client) => client.ended()));
  }
  assert.ok(process.memoryUsage().rss - rss < 100 * MIB, 'memory stays flat');
  await until(() => log.count('disconnected') === 1000, 'all are gone');
  assert.equal(log.count('larger than the'), 500);
  assert.equal(log.count('First packet not CONNECT (30)'), 500);
  assert.equal(await refusal(port), 0);
});

test('a subscriber that stops reading costs a bounded queue, and the others nothing', async (context) => {
  const { port, log, broker } = await open(context, { global: { maxQueuedMessages: 50, sysInterval: 1 } });
  const watcher = await join(context, port);
  const stalled = await RawClient.join(port, 'stalled');
  await stalled.subscribe('flood', 0);
  stalled.socket.pause();
  const readers = await Promise.all(Array.from({ length: 10 }, () => join(context, port)));
  await Promise.all(readers.map((reader) => reader.subscribe('flood')));
  const writer = await join(context, port);
  const payload = Buffer.alloc(100_000);
  const rss = process.memoryUsage().rss;
  for (let i = 0; i < 500; i++) {
    payload.writeUInt32BE(i);
    await writer.publish('flood', payload, { qos: 1 });
    for (const reader of readers) assert.equal((await reader.inbox.next()).payload.readUInt32BE(), i);
  }
  assert.ok(process.memoryUsage().rss - rss < 300 * MIB, 'memory is bounded');
  assert.equal(log.count('Outgoing messages are being dropped for client stalled.'), 1);
  assert.equal(log.count('are being dropped'), 1);
  const sent = log.count('Sending PUBLISH to stalled');
  await watcher.subscribe('$SYS/broker/publish/messages/dropped');
  const dropped = 500 - sent - 50;
  assert.ok(dropped > 300, `${dropped} of 500 were dropped`);
  while (Number((await watcher.inbox.next()).payload) !== dropped);
  await broker.stop();
});

test('a subscriber that acknowledges nothing has its queue bounded, and the oldest are kept', async (context) => {
  const { port, log } = await open(context, { global: { maxQueuedMessages: 30, maxInflightMessages: 5 } });
  const stalled = await RawClient.join(port, 'stalled', { profile: MQTT311 });
  await stalled.subscribe('flood', 1);
  const writer = await join(context, port);
  for (let i = 0; i < 100; i++) await writer.publish('flood', String(i), { qos: 1 });
  assert.equal(log.count('Sending PUBLISH to stalled'), 5);
  await log.seen('Outgoing messages are being dropped for client stalled.');
  for (let i = 0; i < 35; i++) {
    const packet = await stalled.next();
    assert.ok(packet?.type === 3);
    assert.equal(packet.payload.toString(), String(i));
    stalled.send({ type: 4, id: packet.id, code: 0, properties: NO_PROPERTIES });
  }
  await writer.publish('flood', 'next', { qos: 1 });
  const packet = await stalled.next();
  assert.ok(packet?.type === 3);
  assert.equal(packet.payload.toString(), 'next');
});

test('max_queued_bytes bounds what waits in bytes', async (context) => {
  const { port } = await open(context, { global: { maxQueuedBytes: 10_000, maxInflightMessages: 1 } });
  const stalled = await RawClient.join(port, 'stalled', { profile: MQTT311 });
  await stalled.subscribe('flood', 1);
  const writer = await join(context, port);
  for (let i = 0; i < 20; i++) await writer.publish('flood', Buffer.alloc(1000, i), { qos: 1 });
  const seen: number[] = [];
  await writer.publish('small', '');
  for (let i = 0; i < 10; i++) {
    const packet = await stalled.next();
    assert.ok(packet?.type === 3);
    seen.push(packet.payload[0]!);
    stalled.send({ type: 4, id: packet.id, code: 0, properties: NO_PROPERTIES });
  }
  assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

for (const [what, request, answerBytes] of [
  ['PINGRESP', Buffer.from([0xc0, 0x00]), 2],
  ['PUBACK', publishBytes(MQTT5, 'a', '', 1), 6],
] as const) {
  test(`who never reads its ${what} packets is not read from`, async (context) => {
    const { port } = await open(context, {}, { verbosity: 'none' });
    const socket = connectTcp({ port, host: '127.0.0.1' });
    context.after(() => socket.destroy());
    socket.on('error', () => undefined);
    socket.write(connectBytes('deaf'));
    const chunk = Buffer.concat(Array.from({ length: Math.floor(MIB / request.length) }, () => request));
    // The broker stops to read when the kernel's buffers on its way out are full; then those on its way in fill up.
    let sent = 0;
    const rss = process.memoryUsage().rss;
    const stopped = new Promise<void>((resolve) => {
      const push = (): void => {
        let idle: NodeJS.Timeout | undefined;
        const onProgress = (): void => {
          clearTimeout(idle);
          sent += 1;
          if (sent >= 200) resolve();
          else push();
        };
        idle = setTimeout(resolve, 500);
        socket.write(chunk, onProgress);
      };
      push();
    });
    await stopped;
    assert.ok(sent < 60, `${sent} MiB were taken`);
    assert.ok(process.memoryUsage().rss - rss < 100 * MIB, `${answerBytes} bytes each wait in bounds`);
    const other = await join(context, port);
    await nothingCame(other);
  });
}
