// A publisher sends, says goodbye and leaves while the broker does not read from it: what it sent counts all the same.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { ALLOW, createBroker, type Decision, WRITE } from '../../src/index.ts';
import { DISCONNECT } from '../../src/protocol/constants.ts';
import { encode } from '../../src/protocol/encode.ts';
import { NO_PROPERTIES } from '../../src/protocol/properties.ts';
import { MQTT5 } from '../../src/protocol/version.ts';
import { nextTurn } from '../support/fake-transport.ts';
import { connectBytes, publishBytes, RawClient } from '../support/raw-client.ts';

const MESSAGES = 300;
const WAIT_MS = 20_000;

/** A broker that holds who publishes to `held` until it is told to go on, and tells how clients left. */
async function holdingBroker(context: TestContext) {
  const goodbyes = new Map<string, number>();
  let release = (): void => undefined;
  const isReleased = new Promise<Decision>((resolve) => {
    release = () => resolve(ALLOW);
  });
  const broker = await createBroker({
    listeners: [{ port: 0 }],
    plugins: [
      {
        name: 'holds',
        authorize: (_client, access, topic) => (access === WRITE && topic === 'held' ? isReleased : ALLOW),
        disconnected: (client, code) => void goodbyes.set(client.clientId, code),
      },
    ],
  });
  context.after(() => broker.stop());
  return { broker, port: broker.ports[0] ?? 0, goodbyes, release };
}

/** Sends it all at once, ends, and waits until the broker has closed its side. */
async function sendAndLeave(port: number, bytes: Buffer): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' });
  const signal = AbortSignal.timeout(WAIT_MS);
  socket.resume().end(bytes);
  await once(socket, 'close', { signal });
  await nextTurn();
}

for (const saysGoodbye of [true, false]) {
  test(`what a publisher sent ${saysGoodbye ? 'in front of DISCONNECT' : 'before it broke off'} arrives`, async (context) => {
    const { port, goodbyes, release } = await holdingBroker(context);
    const reader = await RawClient.join(port, 'reader');
    context.after(() => reader.socket.destroy());
    await reader.subscribe('#');
    const will = {
      topic: 'will',
      payload: Buffer.from('gone'),
      qos: 0,
      retain: false,
      properties: NO_PROPERTIES,
    } as const;
    const messages = Array.from({ length: MESSAGES }, (_, i) => publishBytes(MQTT5, 'a', `message ${i}`));
    const goodbye = encode(MQTT5, { type: DISCONNECT, code: 0, properties: NO_PROPERTIES });
    await sendAndLeave(
      port,
      Buffer.concat([
        connectBytes('writer', { will }),
        publishBytes(MQTT5, 'held', 'first'),
        ...messages,
        ...(saysGoodbye ? [goodbye] : []),
      ]),
    );
    assert.equal(goodbyes.has('writer'), false, 'the publisher is held');
    release();
    const expected = ['first', ...messages.map((_, i) => `message ${i}`), ...(saysGoodbye ? [] : ['gone'])];
    for (const payload of expected) {
      const packet = await reader.next();
      assert.equal(packet?.type === 3 && 'payload' in packet && packet.payload.toString(), payload);
    }
    // A will that came in spite of DISCONNECT would stand in front of this.
    reader.send(publishBytes(MQTT5, 'a', 'last'));
    const last = await reader.next();
    assert.equal(last?.type === 3 && 'payload' in last && last.payload.toString(), 'last');
    assert.equal(goodbyes.get('writer'), saysGoodbye ? 0 : 128);
  });
}

test('a broker that stops does not wait for who is held and gone', async (context) => {
  const { broker, port, goodbyes } = await holdingBroker(context);
  const messages = [connectBytes('writer'), publishBytes(MQTT5, 'held', 'first'), publishBytes(MQTT5, 'a', 'second')];
  await sendAndLeave(port, Buffer.concat(messages));
  await broker.stop();
  assert.equal(goodbyes.has('writer'), true);
});
