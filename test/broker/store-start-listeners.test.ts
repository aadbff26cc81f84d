// Sockets are bound before the store is read: who connects meanwhile waits, and is let in when the broker is ready. What is
// stored names the listener that it came by, and finds that one's rules again.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { Listeners } from '../../src/broker/listeners.ts';
import type { SecurityHooks } from '../../src/broker/security.ts';
import type { Core } from '../../src/broker/settings.ts';
import { type ConfigInput, configFrom } from '../../src/config/from-program.ts';
import { memoryPair } from '../../src/net/memory.ts';
import { MQTT311 } from '../../src/protocol/version.ts';
import { connectBytes } from '../support/raw-client.ts';
import { open, type Rig, scratch, until } from './harness.ts';

/** A running broker, and further listeners of it that have not been told to let anybody in. */
async function held(context: TestContext, input: ConfigInput): Promise<Rig & { readonly listeners: Listeners }> {
  const config = configFrom(input);
  const rig = await open(context, { ...input, listeners: config.listeners.map(() => ({ port: 0 })) });
  const running = rig.broker as unknown as { core: Core; security: SecurityHooks };
  running.security.prepare(config)();
  const listeners = new Listeners(running.core, running.security, null);
  context.after(() => listeners.close());
  await listeners.start(config);
  return { ...rig, listeners };
}

const waitingAt = (listeners: Listeners): number => listeners['turnstile']['waiting'].length;

async function knock(context: TestContext, port: number, clientId: string): Promise<Socket> {
  const socket = connectTcp(port, '127.0.0.1');
  context.after(() => socket.destroy());
  await once(socket, 'connect');
  socket.write(connectBytes(clientId, { profile: MQTT311 }));
  return socket;
}

test('who connects before the broker is ready waits, and is let in by the order of coming', async (context) => {
  const { listeners, log } = await held(context, { listeners: [{ port: 0 }] });
  const port = listeners.ports[0]!;
  const first = await knock(context, port, 'first');
  await until(() => waitingAt(listeners) === 1, 'the first waits');
  const [own, ours] = memoryPair();
  listeners.acceptOwn(ours);
  const left = await knock(context, port, 'left');
  await until(() => waitingAt(listeners) === 3, 'three wait');
  left.resetAndDestroy();
  const last = await knock(context, port, 'last');
  await until(() => waitingAt(listeners) === 4, 'four wait');
  assert.equal(log.count('New connection'), 0);
  const answers = Promise.all([once(first, 'data'), once(last, 'data')]);
  own.attach({ receive: () => undefined, writable: () => undefined, closed: () => undefined });
  own.write(connectBytes('own', { profile: MQTT311 }));
  listeners.letIn();
  assert.deepEqual(
    (await answers).map(([bytes]) => (bytes as Buffer).toString('hex')),
    ['20020000', '20020000'],
  );
  await log.seen(/New client connected from .* as last /);
  assert.match(log.text, /as first .* as last /s);
  own.destroy();
  // From now on nobody waits.
  const later = await knock(context, port, 'later');
  await once(later, 'data');
  assert.equal(waitingAt(listeners), 0);
});

test('a start that fails closes the connections that wait', async (context) => {
  const { listeners, log } = await held(context, { listeners: [{ port: 0 }] });
  const socket = await knock(context, listeners.ports[0]!, 'early');
  socket.on('error', () => undefined);
  await until(() => waitingAt(listeners) === 1, 'it waits');
  await listeners.close();
  await until(() => socket.closed, 'it is closed');
  assert.equal(log.count('New connection'), 0);
});

test('a listener is found again by the key of its peers, and by its port when its address changed', async (context) => {
  const unix = path.join(scratch(context), 'mqtt.sock');
  const { listeners } = await held(context, {
    listeners: [
      { port: 0, maxQos: 0 },
      { port: 0, maxQos: 1 },
      { port: 0, host: 'localhost', socketDomain: 'ipv4', maxTopicAlias: 3 },
      { path: unix, maxTopicAlias: 4 },
    ],
  });
  const keys = listeners['open'].map(({ peers }) => peers.key);
  assert.deepEqual(keys, ['0 127.0.0.1', '0 127.0.0.1 #2', '0 localhost', unix]);
  const found = (key: string): readonly number[] | null => {
    const settings = listeners.settingsByKey(key)?.settings;
    return settings === undefined ? null : [settings.maxQos, settings.maxTopicAlias];
  };
  assert.deepEqual(keys.map(found), [
    [0, 10],
    [1, 10],
    [2, 3],
    [2, 4],
  ]);
  assert.deepEqual(found('0 10.0.0.1'), [0, 10]);
  assert.deepEqual(found('0'), [0, 10]);
  assert.equal(found('1883'), null);
  assert.equal(found('/tmp/other.sock'), null);
});
