// How often a client tries to connect, and whether it does so before it was ever connected.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectVia } from '../../../src/client/client.ts';
import { ConnectionLost, ConnectRefused } from '../../../src/client/index.ts';
import { CONNACK, CONNECT } from '../../../src/protocol/constants.ts';
import { NO_PROPERTIES } from '../../../src/protocol/properties.ts';
import { NOWHERE, ScriptedBroker } from './scripted-broker.ts';
import { closed, setUp } from './setup.ts';

const reconnect = { minDelayMs: 1, maxDelayMs: 1 };

async function refuse(broker: ScriptedBroker, code: number): Promise<void> {
  const side = await broker.accept();
  await side.next(CONNECT);
  side.send({ type: CONNACK, sessionPresent: false, code, properties: NO_PROPERTIES });
}

test('attempts are bounded where they are told to be, and the last error ends the client', async (context) => {
  const { client, broker, side } = await setUp(context, { reconnect: { ...reconnect, maxAttempts: 2 } });
  const told: string[] = [];
  client.on('reconnecting', (error) => told.push(error.message));
  const ended = closed(client);
  side.transport.destroy();
  for (const code of [0x88, 0x89]) await refuse(broker, code);
  const error = await ended;
  assert.ok(error instanceof ConnectRefused);
  assert.equal(error.reason.code, 0x89);
  assert.deepEqual(told, ['The connection was lost', 'Server unavailable']);
});

test('no attempts at all may be made', async (context) => {
  const { client, side } = await setUp(context, { reconnect: { ...reconnect, maxAttempts: 0 } });
  client.on('reconnecting', () => assert.fail('another attempt'));
  const ended = closed(client);
  side.transport.destroy();
  assert.ok((await ended) instanceof ConnectionLost);
});

test('a first connection is tried again where that is asked for, and with a clean start still', async (context) => {
  const broker = new ScriptedBroker();
  const told: [string, number][] = [];
  const announce = (error: Error, _: number, attempt: number): number => told.push([error.name, attempt]);
  const connecting = connectVia({ ...NOWHERE, reconnect: { ...reconnect, first: true, announce } }, broker);
  await refuse(broker, 0x88);
  (await broker.accept()).transport.destroy();
  const side = await broker.accept();
  assert.equal((await side.admit()).cleanStart, true);
  const client = await connecting;
  assert.deepEqual(told, [
    ['ConnectRefused', 1],
    ['ConnectionLost', 2],
  ]);
  context.after(() => client.end());
});

test('a first connection is given up after a final refusal, the last attempt or the signal', async () => {
  const options = { ...NOWHERE, reconnect: { ...reconnect, first: true, maxAttempts: 1 } };
  const final = new ScriptedBroker();
  const refused = assert.rejects(connectVia(options, final), { message: 'Bad username or password' });
  await refuse(final, 0x86);
  await refused;
  const busy = new ScriptedBroker();
  const tired = assert.rejects(connectVia(options, busy), { message: 'Server busy' });
  for (const code of [0x88, 0x89]) await refuse(busy, code);
  await tired;
  const silent = new ScriptedBroker();
  const stop = new AbortController();
  const stopped = assert.rejects(connectVia({ ...options, signal: stop.signal }, silent), { message: 'enough' });
  await silent.accept();
  stop.abort(new Error('enough'));
  await stopped;
});
