// Each packet has a WebSocket frame of its own, however packets are handed to the transport.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { packet } from '../../support/wire-bytes.ts';
import { openRig } from './rig.ts';

test('packets that are written together are sent in frames of their own', async (context) => {
  const rig = await openRig(context, { kind: 'ws' });
  const client = new WebSocket(`ws://127.0.0.1:${rig.listener.port}/mqtt`, 'mqtt');
  context.after(() => client.terminate());
  const messages: string[] = [];
  client.on('message', (data: Buffer) => messages.push(data.toString('hex')));
  const transport = await rig.next();
  const packets = [packet('PINGRESP', 0, []), packet('PUBACK', 0, [Buffer.from([0, 1])]), packet('PINGRESP', 0, [])];
  transport.write(Buffer.concat(packets));
  transport.end();
  await once(client, 'close');
  assert.deepEqual(
    messages,
    packets.map((bytes) => bytes.toString('hex')),
  );
});
