// PUBLISH as bytes, written by hand from the standards: what is read from each, what is refused, and what is written.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Publication, PublishView, publishFirst, readPublish, writeHead } from '../../../src/protocol/publish.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

/** Reads a PUBLISH with a one-byte remaining length. */
function read(hasProperties: boolean, hex: string, fromServer = false): PublishView {
  const packet = bytes(hex);
  assert.equal(packet[1], packet.length - 2, 'the vector is whole');
  const view = new PublishView();
  readPublish(view, hasProperties, fromServer, packet, packet[0]!, 2, packet.length);
  return view;
}

const fields = (view: PublishView): unknown[] => [
  view.qos,
  view.id,
  view.buffer.toString('utf8', view.topicStart, view.topicEnd),
  view.buffer.toString('utf8', view.payloadStart, view.end),
];

test('a PUBLISH is read: topic name, identifier if there is a QoS, properties of MQTT 5, payload [MQTT-2.2.1-2, MQTT3-2.3.1-5]', () => {
  assert.deepEqual(fields(read(false, '30 05 0001 61 7879')), [0, 0, 'a', 'xy']);
  assert.deepEqual(fields(read(true, '30 06 0001 61 00 7879')), [0, 0, 'a', 'xy']);
  assert.deepEqual(fields(read(false, '32 07 0001 61 1234 7879')), [1, 0x1234, 'a', 'xy']);
  assert.deepEqual(fields(read(true, '3d 08 0001 61 ffff 00 7879')), [2, 0xffff, 'a', 'xy']);
  // At QoS 0 what looks like an identifier is payload.
  assert.deepEqual(fields(read(false, '30 05 0001 61 0007')), [0, 0, 'a', '\0\u0007']);
  assert.deepEqual(fields(read(false, '30 03 0001 61')), [0, 0, 'a', '']);
});

const FAULTS: readonly (readonly [name: string, hasProperties: boolean, hex: string, code: number])[] = [
  ['QoS 3 [MQTT-3.3.1-4, MQTT3-3.3.1-4]', true, '36 07 0001 61 0001 00 78', 0x81],
  ['DUP at QoS 0 [MQTT-3.3.1-2, MQTT3-3.3.1-2]', true, '38 05 0001 61 00 78', 0x81],
  ['an identifier of 0 [MQTT3-2.3.1-1]', false, '32 06 0001 61 0000 78', 0x82],
  ['a topic name that is cut short', false, '30 03 0002 61', 0x81],
  ['no topic name at all', false, '30 01 00', 0x81],
  ['an identifier that is cut short', false, '32 04 0001 61 00', 0x81],
  ['no property length', true, '30 03 0001 61', 0x81],
  ['a property length beyond the packet', true, '30 05 0001 61 05 01', 0x81],
  ['a property length in more bytes than needed [MQTT-1.5.5-1]', true, '30 06 0001 61 8000 78', 0x81],
  ['a response topic with a wildcard [MQTT-3.3.2-14]', true, '30 08 0001 61 04 08 0001 2b', 0x82],
  ['a response topic that is no string [MQTT-3.3.2-13]', true, '30 08 0001 61 04 08 0001 ff', 0x81],
  ['a content type that is no string [MQTT-3.3.2-19]', true, '30 08 0001 61 04 03 0001 00', 0x81],
  ['a user property whose name is no string [MQTT-1.5.7-1]', true, '30 0b 0001 61 07 26 0001 ff 0001 62', 0x81],
  ['a user property whose value is no string [MQTT-1.5.7-1]', true, '30 0b 0001 61 07 26 0001 62 0001 00', 0x81],
];

for (const [name, hasProperties, hex, code] of FAULTS) {
  test(`${name} is a fault of PUBLISH`, () => {
    assert.throws(
      () => read(hasProperties, hex, true),
      (error: { reason?: { code: number } }) => error.reason?.code === code,
      `0x${code.toString(16)} is the reason`,
    );
  });
}

test('a PUBLISH is written: no identifier and no DUP at QoS 0, a property length of 0 for none [MQTT-2.2.1-2, MQTT-2.2.2-1, MQTT3-2.3.1-5]', () => {
  const publication = {
    topicBytes: Buffer.from('a'),
    propertyBytes: Buffer.alloc(0),
    payloadStart: 0,
    payloadEnd: 2,
  } as Publication;
  const head = (shape: 0 | 1, qos: number, id: number): string => {
    const target = Buffer.alloc(20);
    const end = writeHead(target, 0, publication, shape, publishFirst(qos, false, false), id, Buffer.alloc(0), 0, true);
    return target.toString('hex', 0, end);
  };
  assert.equal(head(0, 0, 0), '3005000161');
  assert.equal(head(1, 0, 0), '300600016100');
  assert.equal(head(0, 1, 0xabcd), '3207000161abcd');
  assert.equal(head(1, 2, 0xabcd), '3408000161abcd00');
});
