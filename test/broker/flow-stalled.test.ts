// Clients that stop reading, and those beside them.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startBroker } from '../../src/broker/broker.ts';
import { configFrom } from '../../src/config/from-program.ts';
import { MemoryClient, turn, turnUntil } from '../support/memory-client.ts';
import { connectBytes, RawClient } from '../support/raw-client.ts';
import { join, open, until } from './harness.ts';

test('1,000 of 2,000 subscribers stop reading: the others get everything', async (context) => {
  const config = configFrom({ listeners: [{ port: 0 }], global: { maxQueuedMessages: 20, sysInterval: 0 } });
  const broker = await startBroker(config, { verbosity: 'none' });
  context.after(() => broker.stop());
  const clients = Array.from({ length: 2000 }, (_, i) => {
    const client = new MemoryClient(broker, `c${i}`);
    client.subscribe(['t'], i % 4 < 2 ? 0 : 1);
    return client;
  });
  await turnUntil(() => clients.every((client) => client.counts[9] === 1), 'all are there');
  const stalled = clients.filter((_, i) => i % 2 === 0);
  const reading = clients.filter((_, i) => i % 2 === 1);
  for (const client of stalled) client.stall();
  const publisher = new MemoryClient(broker, 'publisher');
  const payload = Buffer.alloc(2000);
  for (let i = 1; i <= 100; i++) {
    publisher.publish('t', payload, 1, i);
    // Each comes to all that read before the next one is sent.
    await turnUntil(() => publisher.pubacks === i, 'the publisher has its acknowledgement', 100);
    await turnUntil(() => reading.every((client) => client.publishes === i), 'all that read have it', 100);
  }
  assert.ok(stalled.every((client) => client.publishes === 0));
  // They get what was kept for them when they read again: at QoS 1 a window and a queue of 20 each.
  for (const client of stalled) client.transport.resume();
  const atQos1 = stalled.filter((_, i) => i % 2 === 1);
  await turnUntil(() => atQos1.every((client) => client.publishes === 40), 'what waited for them');
  for (let i = 0; i < 20; i++) await turn();
  assert.ok(atQos1.every((client) => client.publishes === 40));
});

test('a peer that does not read its acknowledgements is not read from, and goes on when it does', async (context) => {
  const broker = await startBroker(configFrom({ listeners: [{ port: 0 }] }), { verbosity: 'none' });
  context.after(() => broker.stop());
  const other = new MemoryClient(broker, 'other');
  const deaf = new MemoryClient(broker, 'deaf');
  await turnUntil(() => deaf.counts[2] === 1 && other.counts[2] === 1, 'both are there');
  deaf.stall();
  const pings = Buffer.alloc(10_000, Buffer.from([0xc0, 0]));
  for (let i = 0; i < 100; i++) {
    deaf.send(pings);
    await turn();
  }
  // What has left us was read. Its answers fill the line and then the broker, 64 KiB each and a little.
  const read = 100 * pings.length - deaf.transport.backlog;
  assert.ok(read > 65_536 && read < 300_000, `${read} bytes were read`);
  other.ping();
  await turnUntil(() => other.pongs === 1, 'others are read from');
  deaf.transport.resume();
  await turnUntil(() => deaf.pongs === 500_000, 'every ping is answered');
});

test('who closes its half gets what was on its way, and is let go', async (context) => {
  const { port, log } = await open(context);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let isOver = false;
  socket.on('data', () => undefined);
  socket.on('end', () => {
    isOver = true;
  });
  context.after(() => socket.destroy());
  socket.end(connectBytes('half', { keepAlive: 0 }));
  await until(() => isOver, 'the broker closes its half, too');
  await log.seen(/Client half \[127\.0\.0\.1:\d+\] disconnected/);
});

test('a half-open peer that takes nothing is forgotten with its keep-alive, and its messages with it', async (context) => {
  const { port, log } = await open(context);
  const raw = await RawClient.join(port, 'gone', { keepAlive: 1 });
  await raw.subscribe('t', 1);
  raw.socket.pause();
  const writer = await join(context, port);
  for (let i = 0; i < 50; i++) await writer.publish('t', Buffer.alloc(100_000), { qos: 1 });
  await log.seen(/Client gone \[127\.0\.0\.1:\d+\] disconnected: exceeded timeout/);
  assert.equal((await writer.publish('t', 'x', { qos: 1 })).reason.code, 0x10);
});
