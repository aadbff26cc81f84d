// Topics that are refused: the log says which rule they break.
import { test } from 'node:test';
import { MQTT311 } from '../../src/protocol/version.ts';
import { connectBytes, publishBytes, RawClient } from '../support/raw-client.ts';
import { open } from './harness.ts';

test('too many levels are said in the log, wherever they stand', async (context) => {
  const rig = await open(context);
  const deep = 'a/'.repeat(1024);
  const packets: readonly (readonly [name: string, bytes: Buffer, line: RegExp])[] = [
    [
      'publish',
      publishBytes(MQTT311, deep, 'x'),
      /Protocol error from publish \[.*\]: the topic name has 1025 levels, more than the 1024 allowed\./,
    ],
    [
      'subscribe',
      filterPacket(0x82, deep, [0]),
      /Protocol error from subscribe \[.*\]: a topic filter has 1025 levels, more than the 1024 allowed\./,
    ],
    [
      'unsubscribe',
      filterPacket(0xa2, deep, []),
      /Protocol error from unsubscribe \[.*\]: a topic filter has 1025 levels, more than the 1024 allowed\./,
    ],
  ];
  for (const [name, bytes, line] of packets) {
    const client = await RawClient.join(rig.port, name, { profile: MQTT311 });
    client.send(bytes);
    await client.ended();
    await rig.log.seen(line);
  }
  const client = await RawClient.open(rig.port);
  const will = { topic: deep, payload: Buffer.alloc(0), qos: 0, retain: false, properties: {} };
  client.send(connectBytes('will', { profile: MQTT311, will }));
  await client.ended();
  await rig.log.seen(/will topic.* it has 1025 levels, more than the 1024 allowed\./i);
});

/** SUBSCRIBE or UNSUBSCRIBE of MQTT 3.1.1 with one filter. */
function filterPacket(first: number, filter: string, behind: readonly number[]): Buffer {
  const body = Buffer.concat([
    Buffer.from([0, 1, filter.length >> 8, filter.length & 0xff]),
    Buffer.from(filter),
    Buffer.from(behind),
  ]);
  return Buffer.concat([Buffer.from([first, (body.length & 0x7f) | 0x80, body.length >> 7]), body]);
}
