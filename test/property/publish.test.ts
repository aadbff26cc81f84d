// A PUBLISH keeps its meaning whichever way it goes: read in place, encoded anew in either shape, patched for a receiver.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Message } from '../../src/broker/routing/message.ts';
import { TopicTable } from '../../src/broker/routing/topics.ts';
import { PUBLISH } from '../../src/protocol/constants.ts';
import { PeerFault } from '../../src/protocol/errors.ts';
import { Framer } from '../../src/protocol/framer.ts';
import { writeProperties } from '../../src/protocol/property-codec.ts';
import {
  encodePublishProperties,
  encodeSubscriptionIdentifiers,
  headRoom,
  PublishView,
  publishFirst,
  publishProperties,
  publishSize,
  readPublish,
  writeHead,
} from '../../src/protocol/publish.ts';
import { MQTT5 } from '../../src/protocol/version.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { propertiesOf, topicName } from '../support/arbitrary-packets.ts';
import type { PublishParts } from '../support/fuzz-packets.ts';

const topics = new TopicTable();

const publish: fc.Arbitrary<PublishParts> = fc
  .record(
    {
      topic: topicName,
      payload: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      qos: fc.nat(2),
      retain: fc.boolean(),
      dup: fc.boolean(),
      id: fc.integer({ min: 1, max: 65_535 }),
      properties: propertiesOf(MQTT5, PUBLISH),
    },
    { noNullPrototype: true },
  )
  .map((parts) => ({ ...parts, dup: parts.dup && parts.qos > 0, id: parts.qos > 0 ? parts.id : 0 }));

/** The packet, straight from the standard. */
function build({ topic, payload, qos, retain, dup, id, properties }: PublishParts, shape: 0 | 1): Buffer {
  const writer = new Writer();
  writer.string(topic);
  if (qos > 0) writer.u16(id);
  if (shape === 1) writeProperties(writer, properties);
  writer.bytes(payload);
  return writer.takePacket(publishFirst(qos, retain, dup));
}

/** Reads one whole packet that stands somewhere in a chunk. */
function read(packet: Buffer, shape: 0 | 1): { view: PublishView; found: PublishParts } {
  const chunk = Buffer.concat([Buffer.alloc(9, 0xee), packet, Buffer.alloc(7, 0xdd)]);
  const view = new PublishView();
  let frames = 0;
  new Framer(new Uint32Array(16).fill(268_435_460)).push(chunk.subarray(9, 9 + packet.length), {
    frame(_, first, start, end) {
      readPublish(view, shape === 1, true, chunk, first, start + 9, end + 9);
      frames += 1;
      return true;
    },
  });
  assert.equal(frames, 1);
  assert.deepEqual([view.packetStart, view.end], [9, 9 + packet.length]);
  return {
    view,
    found: {
      topic: chunk.toString('utf8', view.topicStart, view.topicEnd),
      payload: Buffer.from(chunk.subarray(view.payloadStart, view.end)),
      qos: view.qos,
      retain: (view.first & 1) !== 0,
      dup: (view.first & 8) !== 0,
      id: view.id,
      properties: publishProperties(view),
    },
  };
}

for (const shape of [0, 1] as const) {
  test(`reading a PUBLISH gives its fields back (shape ${shape})`, () => {
    fc.assert(
      fc.property(publish, (packet) => {
        const { view, found } = read(build(packet, shape), shape);
        const properties = shape === 1 ? packet.properties : {};
        assert.deepEqual(found, { ...packet, properties });
        assert.equal(view.alias, properties.topicAlias ?? 0);
        assert.equal(view.expiry, properties.messageExpiryInterval ?? 0);
        assert.equal(view.expiryAt >= 0, properties.messageExpiryInterval !== undefined);
        if (view.expiryAt >= 0) assert.equal(view.buffer.readUInt32BE(view.expiryAt), view.expiry);
        if (view.idAt >= 0) assert.equal(view.buffer.readUInt16BE(view.idAt), view.id);
      }),
      { numRuns: 500 },
    );
  });

  test(`a received message goes on unchanged in either shape (from shape ${shape})`, () => {
    fc.assert(
      fc.property(publish, fc.constantFrom(0, 1), fc.boolean(), fc.boolean(), (packet, to, withId, owned) => {
        const { view } = read(build(packet, shape), shape);
        const topic = topics.internName(packet.topic);
        const message = Message.received(view, topic, null, shape, true, 0);
        if (owned) message.own();
        const target = to === 0 ? 0 : 1;
        const frame = message.frame(target, withId);
        assert.equal(frame, message.frame(target, withId));
        const bytes = Buffer.concat([
          frame.bytes.subarray(frame.start, frame.end),
          frame.hasPayload ? Buffer.alloc(0) : payloadOf(message),
        ]);
        assert.equal(bytes.length, publishSize(message, target, withId));
        // What differs for each receiver is patched over the copy.
        bytes[0] = publishFirst(withId ? 1 : 0, packet.retain, false);
        assert.equal(frame.idAt >= 0, withId);
        if (withId) bytes.writeUInt16BE(4711, frame.idAt);
        const { topicAlias: _, ...forwarded } = shape === 1 ? packet.properties : {};
        const hasExpiry = target === 1 && 'messageExpiryInterval' in forwarded;
        assert.equal(frame.expiryAt >= 0, hasExpiry);
        if (hasExpiry) assert.equal(bytes.readUInt32BE(frame.expiryAt), forwarded.messageExpiryInterval);
        assert.deepEqual(read(bytes, target).found, {
          ...packet,
          qos: withId ? 1 : 0,
          dup: false,
          id: withId ? 4711 : 0,
          properties: target === 1 ? forwarded : {},
        });
      }),
      { numRuns: 500 },
    );
  });
}

function payloadOf(message: Message): Buffer {
  return message.payloadBuffer.subarray(message.payloadStart, message.payloadEnd);
}

test("a receiver's own identifiers and alias stand before the message's properties, in the room that was asked for", () => {
  const aliases = fc.record({ alias: fc.nat(65_535), withTopic: fc.boolean() });
  const identifiers = fc.array(fc.integer({ min: 1, max: 268_435_455 }), { maxLength: 40 });
  fc.assert(
    fc.property(publish, aliases, identifiers, (packet, { alias, withTopic }, ids) => {
      const { topicAlias: _, ...properties } = packet.properties;
      const topic = topics.internName(packet.topic);
      const message = Message.made(topic, packet.payload, packet.qos, packet.retain, properties, null, 0);
      const extra = encodeSubscriptionIdentifiers(ids);
      const showsTopic = withTopic || alias === 0;
      const room = headRoom(message, extra);
      const head = Buffer.alloc(room + 1, 0xee);
      const first = publishFirst(packet.qos, packet.retain, packet.dup);
      const end = writeHead(head, 0, message, 1, first, packet.id, extra, alias, showsTopic);
      assert.ok(end <= room, `${end} bytes in a room of ${room}`);
      if (showsTopic) {
        const additions = extra.length + (alias > 0 ? 3 : 0);
        assert.equal(end + packet.payload.length, publishSize(message, 1, packet.qos > 0, additions));
      }
      const { found } = read(Buffer.concat([head.subarray(0, end), packet.payload]), 1);
      assert.deepEqual(found, {
        ...packet,
        topic: showsTopic ? packet.topic : '',
        properties: {
          ...properties,
          ...(ids.length > 0 ? { subscriptionIdentifiers: ids } : {}),
          ...(alias > 0 ? { topicAlias: alias } : {}),
        },
      });
    }),
    { numRuns: 500 },
  );
});

test('the expiry of a made message is found wherever it stands', () => {
  fc.assert(
    fc.property(propertiesOf(MQTT5, PUBLISH), (properties) => {
      const { bytes, expiryAt } = encodePublishProperties(properties);
      if (properties.messageExpiryInterval === undefined) assert.equal(expiryAt, -1);
      else {
        assert.equal(bytes[expiryAt - 1], 0x02);
        assert.equal(bytes.readUInt32BE(expiryAt), properties.messageExpiryInterval);
      }
    }),
    { numRuns: 500 },
  );
});

test('a PUBLISH that is changed in one byte, or any other bytes, is read or is a fault', () => {
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.tuple(publish, fc.nat(), fc.nat(255)).map(([packet, at, value]) => {
      const bytes = build(packet, 1);
      bytes[2 + (at % (bytes.length - 2))] = value;
      return bytes.subarray(2);
    }),
  );
  const view = new PublishView();
  fc.assert(
    fc.property(bodies, fc.nat(15), fc.boolean(), fc.boolean(), (body, flags, hasProperties, fromServer) => {
      const buffer = Buffer.concat([Buffer.alloc(2), body]);
      try {
        readPublish(view, hasProperties, fromServer, buffer, 0x30 | flags, 2, buffer.length);
      } catch (error) {
        assert.ok(error instanceof PeerFault, String(error));
        return;
      }
      assert.ok(view.topicStart <= view.topicEnd && view.topicEnd <= view.propertiesStart);
      assert.ok(view.propertiesStart <= view.propertiesEnd && view.propertiesEnd <= view.payloadStart);
      assert.ok(view.payloadStart <= view.end);
      publishProperties(view);
    }),
    { numRuns: 2000 },
  );
});
