// Every kind of record: what is written is read again, whatever it holds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  beginMessage,
  ENTRIES,
  INBOUND,
  MESSAGE,
  RELEASES,
  readEntry,
  readIdentity,
  readMessage,
  readSession,
  readSubscription,
  SENT,
  SESSION,
  type SessionFacts,
  SUBSCRIBE,
  type SubscriptionFacts,
  WAITS,
  willSize,
  writeEntry,
  writeIdentity,
  writeInbound,
  writeSession,
  writeSubscription,
} from '../../../src/broker/store/records.ts';
import {
  endOf,
  GroupWriter,
  HEAD_LENGTH,
  RecordReader,
  stretchesOf,
  typeOf,
} from '../../../src/broker/store/segment.ts';
import { sessionCost, subscriptionCost } from '../../../src/broker/store/session-record.ts';
import { WILL } from '../../../src/protocol/properties.ts';
import { MQTT5 } from '../../../src/protocol/version.ts';
import { propertiesOf, text, topicFilter, topicName } from '../../support/arbitrary-packets.ts';
import { type MessageParts, WorldMessage } from '../../support/store-world.ts';

const SALT = 0x01020304;
const binary = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
/** Numbers of messages, sequences and milliseconds. */
const large = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const qos = fc.integer({ min: 0, max: 2 });

const will = fc.record(
  { topic: topicName, payload: binary, qos, retain: fc.boolean(), properties: propertiesOf(MQTT5, WILL) },
  { noNullPrototype: true },
);
const sessionFacts: fc.Arbitrary<SessionFacts> = fc.record(
  {
    clientId: text,
    username: fc.option(text),
    listener: text,
    mountPoint: fc.option(text),
    expiryInterval: u32,
    awaySince: large,
    will: fc.option(will),
  },
  { noNullPrototype: true },
);
const subscriptionFacts: fc.Arbitrary<SubscriptionFacts> = fc.record(
  {
    name: topicFilter,
    filter: topicFilter,
    qos,
    noLocal: fc.boolean(),
    retainAsPublished: fc.boolean(),
    identifier: fc.integer({ min: 0, max: 268_435_455 }),
    isReplaying: fc.boolean(),
  },
  { noNullPrototype: true },
);
const identity = fc.record({ clientId: text, username: fc.option(text), listener: text }, { noNullPrototype: true });
const messageParts: fc.Arbitrary<MessageParts> = fc.record({
  topic: topicName,
  routedAs: topicName,
  qos,
  retain: fc.boolean(),
  properties: binary,
  expiryAt: fc.oneof(fc.constant(-1), u32),
  expiresAt: large,
  payload: binary.map((bytes) => ({
    buffer: Buffer.concat([Buffer.from('..'), bytes, Buffer.from('.')]),
    start: 2,
    end: 2 + bytes.length,
  })),
  source: fc.option(identity),
});
const step = fc.constantFrom(WAITS, SENT, RELEASES);

/** The only record that is written, by its type and its fields; what else is in the group leads and follows. */
function written(write: (to: GroupWriter) => void): { type: number; from: RecordReader; length: number } {
  const writer = new GroupWriter(SALT, 16);
  for (const put of [() => writer.begin(99), () => write(writer), () => writer.begin(99)]) put();
  const bytes = Buffer.concat([Buffer.alloc(32), writer.take(1, null)]);
  const [group, ...others] = stretchesOf(bytes, SALT);
  assert.equal(others.length, 0);
  const [, at = 0, ...rest] = group!.records;
  assert.equal(rest.length, 1);
  const end = endOf(bytes, at);
  return { type: typeOf(bytes, at), from: new RecordReader(bytes, at + HEAD_LENGTH, end), length: end - at };
}

test('a session', () => {
  fc.assert(
    fc.property(u32, sessionFacts, (number, facts) => {
      const { type, from, length } = written((to) => writeSession(to, number, facts));
      assert.equal(type, SESSION);
      assert.equal(from.u32(), number);
      assert.deepEqual(readSession(from), facts);
      assert.equal(from.isAtEnd, true);
      const { listener, mountPoint } = facts;
      const apart = Buffer.byteLength(listener) + Buffer.byteLength(mountPoint ?? '');
      assert.ok(Math.abs(sessionCost(facts) + apart - length) < 40, 'what it costs is about its length');
      if (facts.will !== null) assert.ok(willSize(facts.will) < length);
    }),
  );
});

test('a subscription', () => {
  fc.assert(
    fc.property(u32, subscriptionFacts, fc.boolean(), (number, facts, isMounted) => {
      const subscription = isMounted ? facts : { ...facts, filter: facts.name };
      const { type, from, length } = written((to) => writeSubscription(to, number, subscription));
      assert.equal(type, SUBSCRIBE);
      assert.equal(from.u32(), number);
      assert.deepEqual(readSubscription(from), subscription);
      assert.equal(from.isAtEnd, true);
      if (!isMounted) assert.ok(Math.abs(subscriptionCost(facts.name) - length) < 40);
    }),
  );
});

test('a message with its first entries', () => {
  const entry = fc.tuple(u32, large, fc.nat(15), binary, step, fc.integer({ min: 1, max: 0xffff }), large);
  fc.assert(
    fc.property(
      large,
      large,
      messageParts,
      fc.boolean(),
      fc.array(entry, { maxLength: 5 }),
      (number, at, parts, isKept, entries) => {
        const message = new WorldMessage(parts);
        const source = parts.source === null ? Buffer.alloc(0) : writeIdentity(parts.source);
        const { type, from } = written((to) => {
          beginMessage(to, number, at, message, source, isKept);
          for (const [session, seq, flags, extra, where, id, turn] of entries) {
            to.u32(session);
            to.f64(seq);
            writeEntry(to, flags, extra, where, id, turn);
          }
        });
        assert.equal(type, MESSAGE);
        assert.equal(from.f64(), number);
        const { properties, payload, source: by, isKept: kept, storedAt, ...facts } = readMessage(from);
        const { topic, routedAs, qos, retain, expiryAt } = parts;
        const expiresAt = expiryAt < 0 ? 0 : parts.expiresAt;
        assert.deepEqual(facts, { topic, routedAs, qos, retain, expiryAt, expiresAt });
        assert.deepEqual([kept, storedAt, readIdentity(by)], [isKept, at, parts.source]);
        assert.deepEqual(properties.buffer.subarray(properties.start, properties.end), parts.properties);
        const sent = parts.payload;
        assert.deepEqual(
          payload.buffer.subarray(payload.start, payload.end),
          sent.buffer.subarray(sent.start, sent.end),
        );
        for (const [session, seq, flags, extra, where, id, turn] of entries) {
          assert.deepEqual([from.u32(), from.f64()], [session, seq]);
          const expected = {
            flags,
            extra,
            step: where,
            id: where === WAITS ? 0 : id,
            turn: where === RELEASES ? turn : 0,
          };
          assert.deepEqual(readEntry(from), expected);
        }
        assert.equal(from.isAtEnd, true);
      },
    ),
  );
});

test('entries by themselves', () => {
  fc.assert(
    fc.property(large, fc.array(fc.tuple(fc.nat(15), binary), { minLength: 1, maxLength: 20 }), (number, entries) => {
      const { type, from } = written((to) => {
        to.begin(ENTRIES);
        to.f64(number);
        for (const [flags, extra] of entries) writeEntry(to, flags, extra, WAITS, 0, 0);
      });
      assert.equal(type, ENTRIES);
      assert.equal(from.f64(), number);
      for (const [flags, extra] of entries)
        assert.deepEqual(readEntry(from), { flags, extra, step: WAITS, id: 0, turn: 0 });
      assert.equal(from.isAtEnd, true);
    }),
  );
});

test('an identifier of QoS 2 with what it brought', () => {
  fc.assert(
    fc.property(u32, u16, fc.integer(), (session, id, content) => {
      const { type, from } = written((to) => writeInbound(to, session, id, content));
      assert.equal(type, INBOUND);
      assert.deepEqual([from.u32(), from.u16(), from.u32() | 0, from.isAtEnd], [session, id, content, true]);
    }),
  );
});

test('who brought a message', () => {
  fc.assert(fc.property(identity, (who) => assert.deepEqual(readIdentity(`${writeIdentity(who)}`), who)));
  assert.equal(readIdentity(''), null);
});

test('a record that is shorter than its type asks is refused, not read beyond its end', () => {
  const { from } = written((to) => {
    to.begin(SESSION);
    to.u32(1);
    to.u8(0);
    to.u32(1000);
  });
  from.u32();
  assert.throws(() => readSession(from), RangeError);
});
