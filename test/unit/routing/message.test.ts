import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Message } from '../../../src/broker/routing/message.ts';
import { PublishView, readPublish } from '../../../src/protocol/publish.ts';
import { Routing } from '../../support/builders.ts';

const routing = new Routing();
const topic = routing.topics.internName('t');

/** A PUBLISH of MQTT 5, QoS 1, id 258, expiry 10 and alias 3 if wanted, in the middle of a large chunk. */
function received(withAlias: boolean, isVerbatim = true): { message: Message; chunk: Buffer } {
  const properties = `020000000a${withAlias ? '230003' : ''}`;
  const body = `0001740102${withAlias ? '08' : '05'}${properties}6869`;
  const packet = Buffer.from(`33${(body.length / 2).toString(16).padStart(2, '0')}${body}`, 'hex');
  const chunk = Buffer.alloc(60_000, 0x7a);
  packet.copy(chunk, 1000);
  const view = new PublishView();
  readPublish(view, true, false, chunk, 0x33, 1002, 1000 + packet.length);
  return { message: Message.received(view, topic, null, 1, isVerbatim, 5000), chunk };
}

test('a received message knows its fields and when it expires', () => {
  const { message } = received(false);
  assert.deepEqual(
    [message.qos, message.retain, message.expiresAt, message.payloadLength, message.size],
    [1, true, 15_000, 2, 1 + 5 + 2],
  );
  assert.deepEqual([message.hasExpired(14_999), message.hasExpired(15_000)], [false, true]);
  assert.equal(routing.message('t').hasExpired(Number.MAX_SAFE_INTEGER), false);
});

test('the packet itself serves receivers of the same shape; an alias in it, or another name, forbids that', () => {
  assert.equal(received(false).message.frame(1, true).hasPayload, true);
  for (const { message } of [received(true), received(false, false)]) {
    const frame = message.frame(1, true);
    assert.equal(frame.hasPayload, false);
    assert.equal(frame.bytes.toString('hex', frame.start, frame.end), '300d00017400' + '0105020000000a');
  }
});

test('an encoding is made once for each shape, with and without identifier', () => {
  const { message } = received(true);
  const kinds = [
    [0, false],
    [0, true],
    [1, false],
    [1, true],
  ] as const;
  const frames = kinds.map(([shape, withId]) => message.frame(shape, withId));
  assert.equal(new Set(frames).size, 4);
  kinds.forEach(([shape, withId], i) => {
    assert.equal(message.frame(shape, withId), frames[i]);
    assert.equal(frames[i]!.idAt >= 0, withId);
    assert.equal(frames[i]!.expiryAt >= 0, shape === 1);
  });
});

test('own() copies out what is borrowed and nothing of the chunk stays', () => {
  for (const withAlias of [false, true]) {
    const { message, chunk } = received(withAlias);
    message.frame(1, true);
    message.own();
    message.own();
    chunk.fill(0);
    assert.notEqual(message.payloadBuffer.buffer, chunk.buffer);
    assert.notEqual(message.propertyBytes.buffer, chunk.buffer);
    assert.equal(message.payloadBuffer.toString('utf8', message.payloadStart, message.payloadEnd), 'hi');
    const frame = message.frame(1, true);
    assert.notEqual(frame.bytes.buffer, chunk.buffer);
    const bytes = frame.bytes.subarray(frame.start, frame.end);
    assert.equal(bytes.subarray(bytes.length - 6).toString('hex'), '05020000000a');
  }
});

test('a chunk that is hardly larger than the message is kept', () => {
  const chunk = Buffer.alloc(2000);
  const message = new Message(topic, null, 0, false, Buffer.alloc(0), -1, 0, chunk, 10, 2000);
  message.own();
  assert.equal(message.payloadBuffer, chunk);
});

test('a message that a plugin gave another payload does not hold on to its chunk by the properties', () => {
  const { message, chunk } = received(false);
  const changed = message.changed(topic, { payload: Buffer.alloc(10), qos: 0, retain: false });
  assert.deepEqual([changed.qos, changed.retain, changed.expiresAt, changed.payloadLength], [0, false, 15_000, 10]);
  changed.own();
  assert.notEqual(changed.propertyBytes.buffer, chunk.buffer);
  assert.equal(changed.propertyBytes.toString('hex'), '020000000a');
});

test('under another name all but the name is the same', () => {
  const { message } = received(false);
  const renamed = message.renamed(routing.topics.internName('other'));
  const frame = renamed.frame(0, false);
  assert.equal(frame.hasPayload, false);
  assert.equal(frame.bytes.toString('latin1', frame.end - 5, frame.end), 'other');
  assert.deepEqual([renamed.expiresAt, renamed.payloadLength, renamed.qos], [15_000, 2, 1]);
});
