// How long a client that has said goodbye waits for the broker's end of the connection.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect, connectVia } from '../../../src/client/client.ts';
import type { Client } from '../../../src/client/options.ts';
import { PUBACK, PUBLISH } from '../../../src/protocol/constants.ts';
import { NO_PROPERTIES } from '../../../src/protocol/properties.ts';
import { type BrokerSide, NOWHERE, ScriptedBroker } from './scripted-broker.ts';

const PATIENCE_MS = 7;

/** Connects; `asked` gets what the transport's end() is called with. */
async function watched(asked: (number | undefined)[]): Promise<{ client: Client; side: BrokerSide }> {
  const broker = new ScriptedBroker();
  const connecting = connectVia(
    { ...NOWHERE, closeTimeoutMs: PATIENCE_MS },
    {
      async dial() {
        const transport = await broker.dial();
        const end = transport.end.bind(transport);
        transport.end = (patienceMs) => {
          asked.push(patienceMs);
          end(patienceMs);
        };
        return transport;
      },
    },
  );
  const side = await broker.accept();
  await side.admit();
  return { client: await connecting, side };
}

test('a broker that owes nothing is waited for as long as the client says', async () => {
  const asked: (number | undefined)[] = [];
  const { client, side } = await watched(asked);
  const sent = client.publish('t', 'm', { qos: 1 });
  const { id } = await side.next(PUBLISH);
  side.send({ type: PUBACK, id, code: 0, properties: NO_PROPERTIES });
  await sent;
  await client.end();
  assert.deepEqual(asked, [PATIENCE_MS]);
});

test('a broker that owes an acknowledgement has the usual time: its answer must not meet a closed socket', async () => {
  const asked: (number | undefined)[] = [];
  const { client, side } = await watched(asked);
  void client.publish('t', 'm', { qos: 1 });
  await side.next(PUBLISH);
  await client.end();
  assert.deepEqual(asked, [undefined]);
});

/** A client that has published one message and said goodbye to a server that does this with its connection then. */
async function leftWith(context: TestContext, close: (socket: Socket) => void): Promise<Client> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(Buffer.from([0x20, 2, 0, 0]));
      socket.once('data', () => close(socket));
    });
  }).listen(0, '127.0.0.1');
  context.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = await connect({ version: '3.1.1', endpoint: { kind: 'tcp', host: '127.0.0.1', port } });
  void client.publish('t', 'm');
  await client.end();
  return client;
}

test('a client knows whether the broker closed the connection behind its goodbye or reset it', async (context) => {
  const closed = await leftWith(context, (socket) => socket.end());
  assert.equal(closed.wasReset, false);
  const reset = await leftWith(context, (socket) => socket.resetAndDestroy());
  assert.equal(reset.wasReset, true);
});
