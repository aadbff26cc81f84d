import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionLost, InvalidRequest } from '../../../src/client/index.ts';
import type { PublishOptions } from '../../../src/client/options.ts';
import { DISCONNECT, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL } from '../../../src/protocol/constants.ts';
import type { AckPacket } from '../../../src/protocol/packets.ts';
import { NO_PROPERTIES } from '../../../src/protocol/properties.ts';
import { reasonOf } from '../../../src/protocol/reasons.ts';
import type { BrokerSide } from './scripted-broker.ts';
import { closed, setUp, turns } from './setup.ts';

const ack = (side: BrokerSide, type: AckPacket['type'], id: number, code = 0): void =>
  side.send({ type, id, code, properties: NO_PROPERTIES });

for (const version of ['3.1', '3.1.1', '5'] as const) {
  test(`${version}: QoS 0, 1 and 2 go their ways`, async (context) => {
    const { client, side } = await setUp(context, { version });
    assert.deepEqual(await client.publish('a', 'zero'), { id: 0, reason: reasonOf(0), properties: {} });
    const zero = await side.next(PUBLISH);
    assert.deepEqual([zero.topic, zero.payload, zero.qos, zero.id, zero.retain], ['a', 'zero', 0, 0, false]);
    const one = client.publish('b', Buffer.from('one'), { qos: 1, retain: true });
    const first = await side.next(PUBLISH);
    assert.deepEqual([first.topic, first.payload, first.qos, first.retain, first.dup], ['b', 'one', 1, true, false]);
    ack(side, PUBACK, first.id);
    assert.equal((await one).id, first.id);
    const two = client.publish('c', '', { qos: 2 });
    const second = await side.next(PUBLISH);
    assert.notEqual(second.id, first.id);
    ack(side, PUBREC, second.id);
    assert.equal((await side.next(PUBREL)).id, second.id);
    ack(side, PUBCOMP, second.id);
    assert.deepEqual(await two, { id: second.id, reason: reasonOf(0), properties: {} });
  });
}

test('properties travel, and before MQTT 5 stay at home', async (context) => {
  const properties = { messageExpiryInterval: 60, contentType: 't', userProperties: [['k', 'v']] as const };
  const five = await setUp(context);
  await five.client.publish('a', 'x', { properties });
  assert.deepEqual((await five.side.next(PUBLISH)).properties, properties);
  const three = await setUp(context, { version: '3.1.1' });
  await three.client.publish('a', 'x', { properties: { ...properties, topicAlias: 3 } });
  assert.equal((await three.side.next(PUBLISH)).payload, 'x');
});

test('a refusing acknowledgement is the result, not an error', async (context) => {
  const { client, side } = await setUp(context);
  const one = client.publish('a', '', { qos: 1 });
  const { id } = await side.next(PUBLISH);
  side.send({ type: PUBACK, id, code: 0x87, properties: { reasonString: 'no' } });
  assert.deepEqual(await one, { id, reason: reasonOf(0x87), properties: { reasonString: 'no' } });
  const two = client.publish('a', '', { qos: 2 });
  const second = await side.next(PUBLISH);
  ack(side, PUBREC, second.id, 0x97);
  assert.equal((await two).reason, reasonOf(0x97));
  await turns();
  assert.equal(side.untaken, 0);
});

test('no more messages are in flight than we want, or the broker takes; the others follow in order', async (context) => {
  for (const [maxInflight, receiveMaximum, limit] of [
    [3, undefined, 3],
    [20, 2, 2],
  ] as const) {
    const properties = receiveMaximum === undefined ? {} : { receiveMaximum };
    const { client, side } = await setUp(context, { maxInflight }, { properties });
    const results = Array.from({ length: 10 }, (_, i) => client.publish('t', String(i), { qos: i % 2 === 0 ? 1 : 2 }));
    for (let done = 0; done < 10; done++) {
      await side.until(() => side.untaken > 0);
      await turns(3);
      assert.ok(side.untaken <= limit);
      const message = await side.next(PUBLISH);
      assert.equal(message.payload, String(done));
      // Let the last one of the window be answered first where there is a choice: order must not depend on it.
      if (message.qos === 1) ack(side, PUBACK, message.id);
      else ack(side, PUBREC, message.id, 0x80);
    }
    await Promise.all(results);
  }
});

test('acknowledgements may come in any order, and those that nobody waits for are passed over', async (context) => {
  const { client, side } = await setUp(context);
  const [one, two] = [client.publish('a', '1', { qos: 1 }), client.publish('a', '2', { qos: 1 })];
  const [first, second] = [await side.next(PUBLISH), await side.next(PUBLISH)];
  ack(side, PUBACK, 999);
  ack(side, PUBCOMP, first.id);
  ack(side, PUBACK, second.id);
  await two;
  ack(side, PUBREC, 999);
  assert.deepEqual(await side.next(PUBREL), { type: PUBREL, id: 999, code: 0x92, properties: {} });
  ack(side, PUBACK, first.id);
  await one;
});

test('100,000 QoS 0 messages in a loop leave in few large writes', async (context) => {
  const { client, side } = await setUp(context, { version: '3.1.1' });
  const count = 100_000;
  for (let i = 0; i < count; i++) void client.publish('topic', 'payload');
  await client.drained();
  await side.until(() => side.untaken === count);
  // 16 bytes each: about 1.5 MB, written in pieces of up to 64 KiB.
  assert.ok(side.chunks < 200, `${side.chunks} chunks`);
});

test('a broker that does not read stops whoever waits for drained()', async (context) => {
  const { client, side } = await setUp(context);
  side.transport.pause();
  const payload = Buffer.alloc(10_000);
  let isDrained = false;
  for (let i = 0; i < 100; i++) void client.publish('t', payload);
  const drained = client.drained().then(() => {
    isDrained = true;
  });
  await turns(20);
  assert.equal(isDrained, false);
  side.transport.resume();
  await drained;
  await side.until(() => side.untaken === 100);
});

test('drained(count) waits for acknowledgements', async (context) => {
  const { client, side } = await setUp(context);
  void client.publish('t', '1', { qos: 1 });
  void client.publish('t', '2', { qos: 1 });
  let isDrained = false;
  const drained = client.drained(1).then(() => {
    isDrained = true;
  });
  const { id } = await side.next(PUBLISH);
  await turns();
  assert.equal(isDrained, false);
  ack(side, PUBACK, id);
  await drained;
  assert.equal(isDrained, true);
});

test('a buffer may be used again as soon as the promise of a QoS 0 message resolves', async (context) => {
  const { client, side } = await setUp(context);
  const buffer = Buffer.from('first');
  await client.publish('t', buffer);
  buffer.write('XXXXX');
  assert.equal((await side.next(PUBLISH)).payload, 'first');
});

test('what cannot be sent is refused with its reason, and nothing leaves', async (context) => {
  const properties = { maximumPacketSize: 40, maximumQoS: 1, retainAvailable: 0, topicAliasMaximum: 1 };
  const { client, side } = await setUp(context, {}, { properties });
  const cases: [string, string, PublishOptions, number][] = [
    ['', 'x', {}, 0x90],
    ['a/+', 'x', {}, 0x90],
    ['a/#', 'x', { qos: 1 }, 0x90],
    ['a\0b', 'x', {}, 0x90],
    ['x'.repeat(65_536), 'x', {}, 0x90],
    ['a', 'x'.repeat(40), {}, 0x95],
    ['a', 'x', { qos: 2 }, 0x9b],
    ['a', 'x', { retain: true }, 0x9a],
    ['a', 'x', { properties: { topicAlias: 2 } }, 0x94],
    ['', 'x', { properties: { topicAlias: 1 } }, 0x90],
    ['a', 'x', { properties: { contentType: 'x'.repeat(65_536) } }, 0x82],
    ['a', 'x', { qos: 3 as 2 }, 0x82],
  ];
  for (const [topic, payload, options, code] of cases) {
    await assert.rejects(client.publish(topic, payload, options), (error) => {
      assert.ok(error instanceof InvalidRequest);
      assert.equal(error.reason.code, code, error.message);
      return true;
    });
  }
  await client.publish('a', 'x'.repeat(34));
  assert.equal((await side.next(PUBLISH)).payload.length, 34);
});

test('an alias goes with its topic first and stands for it from then on', async (context) => {
  const { client, side } = await setUp(context, {}, { properties: { topicAliasMaximum: 2 } });
  const properties = { topicAlias: 2, contentType: 'c' };
  await client.publish('some/topic', '1', { properties });
  await client.publish('some/topic', '2', { properties });
  await client.publish('', '3', { properties });
  await client.publish('other', '4', { properties });
  await client.publish('', '5', { properties });
  const seen = [];
  for (let i = 0; i < 5; i++) {
    const message = await side.next(PUBLISH);
    assert.deepEqual({ ...message.properties }, properties);
    seen.push([message.topic, message.payload]);
  }
  assert.deepEqual(seen, [
    ['some/topic', '1'],
    ['', '2'],
    ['', '3'],
    ['other', '4'],
    ['', '5'],
  ]);
});

test('end() sends what is written before, then DISCONNECT', async (context) => {
  const { client, side } = await setUp(context);
  for (let i = 0; i < 50; i++) void client.publish('t', Buffer.alloc(20_000, 'x'));
  const end = client.end(4, { reasonString: 'bye' });
  for (let i = 0; i < 50; i++) assert.equal((await side.next(PUBLISH)).payload.length, 20_000);
  assert.deepEqual(await side.next(DISCONNECT), { type: DISCONNECT, code: 4, properties: { reasonString: 'bye' } });
  await end;
  await client.end();
});

test('the end takes everything that is open with it', async (context) => {
  const { client, side } = await setUp(context);
  const lost = closed(client);
  const open = [
    client.publish('t', '', { qos: 1 }),
    client.subscribe('a'),
    client.unsubscribe('a'),
    client.drained(),
    ...Array.from({ length: 30 }, () => client.publish('t', '', { qos: 2 })),
  ];
  await side.until(() => side.untaken > 3);
  side.transport.destroy();
  for (const call of open) await assert.rejects(call, ConnectionLost);
  assert.ok((await lost) instanceof ConnectionLost);
  for (const late of [client.publish('t', ''), client.subscribe('a'), client.unsubscribe('a'), client.drained()]) {
    await assert.rejects(late, ConnectionLost);
  }
  await client.end();
});

test('after end() the close is an orderly one, and what was open rejects', async (context) => {
  const { client } = await setUp(context);
  const end = closed(client);
  const open = client.publish('t', '', { qos: 1 });
  await client.end();
  assert.equal(await end, null);
  await assert.rejects(open, ConnectionLost);
});

test('the trace shows packets in the order of the wire', async (context) => {
  const lines: string[] = [];
  const line = (arrow: string, packet: { type: number }): void => {
    lines.push(`${arrow}${packet.type}${'id' in packet ? `/${packet.id}` : ''}`);
  };
  const { client, side } = await setUp(context, {
    trace: { sending: (packet) => line('>', packet), received: (packet) => line('<', packet) },
  });
  void client.publish('a', '');
  const one = client.publish('a', '', { qos: 1 });
  const subscribed = client.subscribe('x');
  void client.publish('a', '');
  const order = [];
  for (let i = 0; i < 4; i++) {
    await side.until(() => side.untaken > 0);
    const packet = side.seen[i + 1];
    assert.ok(packet !== undefined);
    order.push(packet.type);
    await side.next(packet.type);
  }
  assert.deepEqual(order, [3, 3, 8, 3]);
  ack(side, PUBACK, 1);
  side.send({ type: 9, id: 2, codes: [0], properties: {} });
  side.publish({ topic: 'x', qos: 1, id: 9 });
  await Promise.all([one, subscribed]);
  await side.next(PUBACK);
  await client.end();
  assert.deepEqual(lines, ['>1', '<2', '>3/0', '>3/1', '>8/2', '>3/0', '<4/1', '<9/2', '<3/9', '>4/9', '>14']);
});

test('the trace has the bytes of every packet, as they are on the wire', async (context) => {
  const sent: Buffer[] = [];
  const received: Buffer[] = [];
  const order: string[] = [];
  const { client, side } = await setUp(
    context,
    {
      trace: {
        sending: () => order.push('sending'),
        received: () => order.push('received'),
        bytes: (isSent, head, rest) => {
          (isSent ? sent : received).push(Buffer.concat([head, rest]));
          order.push('bytes');
        },
      },
    },
    { properties: { topicAliasMaximum: 5 } },
  );
  const properties = { topicAlias: 3, contentType: 'text', messageExpiryInterval: 60 };
  await client.publish('topic', 'payload', { retain: true, properties });
  await client.publish('topic', 'x'.repeat(100_000), { properties });
  const answered = client.publish('other', '', { qos: 1 });
  await side.until(() => side.seen.length === 4);
  ack(side, PUBACK, 1);
  await answered;
  side.publish({ topic: 'x', qos: 1, id: 9, payload: 'y'.repeat(200) });
  await side.until(() => side.seen.length === 5);
  await client.end();
  await side.until(() => side.seen.length === 6);
  assert.deepEqual(sent, side.bytes);
  assert.deepEqual(
    received.map((packet) => [packet[0], packet.length]),
    [
      [0x20, received[0]?.length],
      [0x40, 4],
      [0x32, 1 + 2 + 3 + 2 + 1 + 200],
    ],
  );
  assert.equal(order.length, 18);
  assert.ok(
    order.every((what, i) => (what === 'bytes') === (i % 2 === 0)),
    order.join(' '),
  );
});
