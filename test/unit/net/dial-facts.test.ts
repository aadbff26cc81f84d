import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttp } from 'node:http';
import { type AddressInfo, createServer, connect as netConnect, type Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type DialAttempt, dialFacts, UpgradeRefused, watchAttempts } from '../../../src/net/dial-facts.ts';
import { dialer } from '../../../src/net/endpoint.ts';
import type { DialSpec } from '../../../src/net/specs.ts';
import { freePort } from '../../support/free-port.ts';

const dial = (spec: Omit<DialSpec, 'host'>, host = '127.0.0.1'): Promise<unknown> =>
  dialer({ ...spec, host }).dial(new AbortController().signal);

/** What the dial rejects with. */
async function failure(dialling: Promise<unknown>): Promise<Error> {
  try {
    await dialling;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it did not fail');
}

async function listening(context: TestContext, server: Server): Promise<number> {
  context.after(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

test('a dial that is refused knows the addresses that were tried', async () => {
  const port = await freePort();
  for (const kind of ['tcp', 'tls', 'ws', 'wss'] as const) {
    const facts = dialFacts(await failure(dial({ kind, port })));
    assert.equal(facts?.stage, 'connect', kind);
    assert.deepEqual(facts?.attempts, [{ address: '127.0.0.1', port, code: 'ECONNREFUSED' }]);
  }
  // The usual address is dialled without asking, and then the name is looked up.
  const local = dialFacts(await failure(dial({ kind: 'tcp', port }, 'localhost')));
  assert.equal(local?.attempts[0]?.address, '127.0.0.1');
  assert.ok((local?.attempts.length ?? 0) > 1);
});

test('every address of a name is noted, with what came of it', async () => {
  const port = await freePort();
  const attempts: DialAttempt[] = [];
  const addresses = [
    { address: '127.0.0.2', family: 4 },
    { address: '127.0.0.3', family: 4 },
  ];
  const socket = netConnect({
    host: 'broker.test',
    port,
    autoSelectFamily: true,
    lookup: (_name, _options, done) => setImmediate(() => done(null, addresses)),
  });
  await once(watchAttempts(socket, attempts), 'error');
  assert.deepEqual(
    attempts,
    addresses.map(({ address }) => ({ address, port, code: 'ECONNREFUSED' })),
  );
});

test('a dial that fails later knows how far it came', async (context) => {
  const deaf = await listening(
    context,
    createServer((socket) => socket.on('error', () => {}).once('data', () => socket.destroy())),
  );
  assert.equal(dialFacts(await failure(dial({ kind: 'tls', port: deaf })))?.stage, 'tls');
  const facts = dialFacts(await failure(dial({ kind: 'ws', port: deaf })));
  assert.deepEqual(facts, { stage: 'websocket', attempts: [{ address: '127.0.0.1', port: deaf, code: null }] });
});

test('an answer that opens no WebSocket is a refusal with its status', async (context) => {
  const web = await listening(
    context,
    createHttp((_request, response) => response.writeHead(404).end()),
  );
  const refused = await failure(dial({ kind: 'ws', port: web }));
  assert.ok(refused instanceof UpgradeRefused);
  assert.deepEqual([refused.status, refused.message], [404, '404 Not Found']);
  const other = await listening(
    context,
    createServer((socket) => socket.on('error', () => {}).end('SSH-2.0-x\r\n')),
  );
  const noise = await failure(dial({ kind: 'ws', port: other }));
  assert.ok(noise instanceof UpgradeRefused && noise.status === 0);
});
