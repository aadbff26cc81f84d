// What the standards ask of a client's transports: an ordered, lossless stream, and how it lies in WebSocket frames.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Client, connect } from '../../../src/client/index.ts';
import type { ClientOptions } from '../../../src/client/options.ts';
import { closed } from './setup.ts';

const CONNACK = Buffer.from('20020000', 'hex');

/** Bytes of `count` PUBLISH packets of QoS 0 with growing payloads, of MQTT 3.1.1. */
function publishes(count: number): Buffer {
  const packets = Array.from({ length: count }, (_, i) => {
    const payload = Buffer.from(String(i).padEnd(i % 100, '.'));
    return Buffer.concat([Buffer.from([0x30, payload.length + 3, 0, 1, 0x61]), payload]);
  });
  return Buffer.concat(packets);
}

function collect(client: Client, count: number): Promise<string[]> {
  const payloads: string[] = [];
  return new Promise((resolve) => {
    client.on('message', ({ payload }) => {
      payloads.push(payload.toString().replaceAll('.', ''));
      if (payloads.length === count) resolve(payloads);
    });
  });
}

const expected = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

test('TCP carries the stream both ways in order and without loss [MQTT-4.2.0-1, MQTT3-7.1.2-1]', async (context) => {
  const received: Buffer[] = [];
  const server = createServer((socket) => {
    socket.on('data', (chunk) => received.push(chunk));
    socket.write(CONNACK);
    const bytes = publishes(500);
    for (let at = 0; at < bytes.length; at += 777) socket.write(bytes.subarray(at, at + 777));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const client = await connect({ endpoint: { kind: 'tcp', host: '127.0.0.1', port }, version: '3.1.1' });
  assert.deepEqual(await collect(client, 500), expected(500));
  for (let i = 0; i < 500; i++) void client.publish('a', String(i).padEnd(i % 100, '.'));
  await client.end();
  const sent = Buffer.concat(received);
  const from = 2 + sent[1]!;
  assert.deepEqual(sent.subarray(from), Buffer.concat([publishes(500), Buffer.from('e000', 'hex')]));
});

interface Upgrade {
  readonly protocols: string;
  readonly socket: WebSocket;
  readonly frames: { bytes: Buffer; isBinary: boolean }[];
}

/** A WebSocket server of one connection, and a client on its way to it. */
async function overWebSocket(context: TestContext): Promise<{ connecting: Promise<Client>; upgrade: Upgrade }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'mqtt' });
  await once(server, 'listening');
  context.after(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const options: ClientOptions = { endpoint: { kind: 'ws', host: '127.0.0.1', port }, version: '3.1.1' };
  const connecting = connect(options);
  connecting.catch(() => {});
  const [socket, request] = (await once(server, 'connection')) as [WebSocket, { headers: Record<string, string> }];
  const frames: Upgrade['frames'] = [];
  socket.on('message', (data, isBinary) => frames.push({ bytes: data as Buffer, isBinary }));
  return { connecting, upgrade: { protocols: request.headers['sec-websocket-protocol'] ?? '', socket, frames } };
}

test('the client offers the subprotocol mqtt and sends all in binary frames [MQTT-6.0.0-1, MQTT-6.0.0-3, MQTT3-6.0.0-1, MQTT3-6.0.0-3]', async (context) => {
  const { connecting, upgrade } = await overWebSocket(context);
  assert.ok(upgrade.protocols.split(/, */).includes('mqtt'));
  upgrade.socket.send(CONNACK);
  const client = await connecting;
  for (let i = 0; i < 50; i++) void client.publish('a', 'x'.repeat(1_000));
  await client.end();
  assert.ok(upgrade.frames.length > 0);
  assert.ok(upgrade.frames.every(({ isBinary }) => isBinary));
  assert.equal(
    Buffer.concat(upgrade.frames.map(({ bytes }) => bytes))
      .toString('hex')
      .slice(-4),
    'e000',
  );
});

test('packets need not be aligned with WebSocket frames [MQTT-6.0.0-2, MQTT3-6.0.0-2]', async (context) => {
  const { connecting, upgrade } = await overWebSocket(context);
  const bytes = Buffer.concat([CONNACK, publishes(200)]);
  for (let at = 0; at < bytes.length; at += 7) upgrade.socket.send(bytes.subarray(at, at + 7));
  const client = await connecting;
  assert.deepEqual(await collect(client, 200), expected(200));
  await client.end();
});

test('a text frame closes the connection [MQTT-6.0.0-1, MQTT3-6.0.0-1]', async (context) => {
  const { connecting, upgrade } = await overWebSocket(context);
  upgrade.socket.send(CONNACK);
  const client = await connecting;
  const end = closed(client);
  upgrade.socket.send('text');
  assert.notEqual(await end, null);
});
