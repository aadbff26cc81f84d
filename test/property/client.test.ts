// A client under a broker that sends anything at all, over a transport that cuts and refuses at random.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { connectVia } from '../../src/client/client.ts';
import { ConnectionLost, ConnectRefused, PeerFault } from '../../src/client/index.ts';
import { CONNACK, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK, UNSUBACK } from '../../src/protocol/constants.ts';
import { encode } from '../../src/protocol/encode.ts';
import type { AckPacket, ControlPacket } from '../../src/protocol/packets.ts';
import { NO_PROPERTIES } from '../../src/protocol/properties.ts';
import { MQTT5 } from '../../src/protocol/version.ts';
import { encodePublish, NOWHERE, ScriptedBroker } from '../unit/client/scripted-broker.ts';

const numbers = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));

const ackArbitrary: fc.Arbitrary<ControlPacket> = fc.record({
  type: fc.constantFrom<AckPacket['type'][]>(PUBACK, PUBREC, PUBREL, PUBCOMP),
  id: fc.integer({ min: 1, max: 6 }),
  code: fc.constant(0),
  properties: fc.constant(NO_PROPERTIES),
});

const codesArbitrary: fc.Arbitrary<ControlPacket> = fc.record({
  type: fc.constantFrom(SUBACK, UNSUBACK),
  id: fc.integer({ min: 1, max: 6 }),
  codes: fc.array(fc.constantFrom(0, 0x80, 0x87), { minLength: 1, maxLength: 3 }),
  properties: fc.constant(NO_PROPERTIES),
});

const publishArbitrary = fc
  .record({
    topic: fc.constantFrom('a', 'b/c', '', '#', '\u{1f600}'),
    payload: fc.string({ maxLength: 300 }),
    qos: fc.constantFrom(0, 1, 2),
    id: fc.integer({ min: 1, max: 6 }),
    properties: fc.constantFrom({}, { topicAlias: 1 }, { topicAlias: 9 }, { userProperties: [['k', 'v']] as const }),
  })
  .map((message) => encodePublish(MQTT5, message));

/** Good packets, good packets with a byte changed, and noise. */
const piece = fc.oneof(
  { weight: 4, arbitrary: ackArbitrary.map((packet) => encode(MQTT5, packet)) },
  { weight: 2, arbitrary: codesArbitrary.map((packet) => encode(MQTT5, packet)) },
  { weight: 4, arbitrary: publishArbitrary },
  {
    weight: 2,
    arbitrary: fc.tuple(publishArbitrary, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([bytes, at, value]) => {
      const changed = Buffer.from(bytes);
      changed[at % changed.length] = value;
      return changed;
    }),
  },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => Buffer.from(bytes)) },
);

const isExpected = (error: unknown): boolean =>
  error instanceof PeerFault || error instanceof ConnectionLost || error instanceof ConnectRefused;

test('whatever a broker sends, a client ends in order: no exception, and every call is settled [CVE-2017-7655]', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 30 }), fc.boolean(), numbers, async (pieces, admits, random) => {
      const broker = new ScriptedBroker({ refuse: 0.3, longestChunk: 50, random: () => random.next().value });
      const connecting = connectVia({ ...NOWHERE, properties: { topicAliasMaximum: 2 } }, broker);
      const side = await broker.accept();
      if (admits) side.send({ type: CONNACK, sessionPresent: false, code: 0, properties: NO_PROPERTIES });
      for (const bytes of pieces) side.transport.write(bytes);
      side.transport.end();
      const client = await connecting.catch((error: unknown) => {
        assert.ok(isExpected(error), String(error));
        return null;
      });
      if (client === null) return;
      const end = new Promise<Error | null>((resolve) => client.on('close', resolve));
      const calls = [
        client.publish('t', 'x', { qos: 1 }),
        client.publish('t', 'x', { qos: 2 }),
        client.publish('t', 'x'),
        client.subscribe(['a', 'b']),
        client.unsubscribe('a'),
      ];
      assert.ok(isExpected(await end));
      for (const result of await Promise.allSettled(calls)) {
        assert.ok(result.status === 'fulfilled' || isExpected(result.reason));
      }
    }),
    { numRuns: 300 },
  );
});

test('every message arrives once and in order, over a transport that cuts and refuses at random', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom<(0 | 1 | 2)[]>(0, 1, 2), fc.nat({ max: 30_000 })), {
        minLength: 1,
        maxLength: 40,
      }),
      fc.integer({ min: 1, max: 5 }),
      numbers,
      async (messages, maxInflight, random) => {
        const broker = new ScriptedBroker({ refuse: 0.5, longestChunk: 20_000, random: () => random.next().value });
        const connecting = connectVia({ ...NOWHERE, maxInflight }, broker);
        const side = await broker.accept();
        await side.admit();
        const client = await connecting;
        const results = messages.map(([qos, length], i) =>
          client.publish(`t${qos}`, `${i} `.padEnd(length, 'x'), { qos }),
        );
        const arrived: string[][] = [[], [], []];
        for (let open = messages.length; open > 0; ) {
          await side.until(() => side.untaken > 0);
          const packet = side.seen[side.seen.length - side.untaken]!;
          if (packet.type === PUBLISH) {
            await side.next(PUBLISH);
            arrived[packet.qos]?.push(packet.payload);
            if (packet.qos === 0) open -= 1;
            else side.send({ type: packet.qos === 1 ? PUBACK : PUBREC, id: packet.id, code: 0, properties: {} });
            if (packet.qos === 1) open -= 1;
          } else {
            const { id } = await side.next(PUBREL);
            side.send({ type: PUBCOMP, id, code: 0, properties: {} });
            open -= 1;
          }
        }
        await Promise.all(results);
        for (const qos of [0, 1, 2] as const) {
          const sent = messages.flatMap(([q, length], i) => (q === qos ? [`${i} `.padEnd(length, 'x')] : []));
          assert.deepEqual(arrived[qos], sent);
        }
        await client.end();
      },
    ),
    { numRuns: 60 },
  );
});
