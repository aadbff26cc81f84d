// A store's state as lines of JSON, and lines as a store.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { StoreState } from '../../../src/broker/store/state.ts';
import { exportLines } from '../../../src/broker/store-tools/export-lines.ts';
import { LineImport } from '../../../src/broker/store-tools/import-lines.ts';
import { BadLine } from '../../../src/broker/store-tools/json-fields.ts';
import { groupWriter, stateOf, storeContents, writeContents } from '../../support/arbitrary-store.ts';

const NOW = Date.UTC(2026, 10, 21);

/** The state that lines amount to. */
function imported(lines: readonly string[]): StoreState {
  const to = groupWriter();
  const taker = new LineImport(to);
  for (const line of lines) taker.take(Buffer.from(line));
  taker.finish();
  return stateOf(to);
}

/** All of a state, to be compared. */
function shown(state: StoreState): unknown {
  const messages = [...state.messages.values()].map(({ payload, ...others }) => ({
    ...others,
    payload: payload.buffer.toString('hex', payload.start, payload.end),
  }));
  return {
    sessions: [...state.sessions.values()].map(({ lastSeq: _, inbound, entries, ...others }) => ({
      ...others,
      inbound: [...inbound].sort(([a], [b]) => a - b),
      entries: [...entries.values()].sort((a, b) => a.seq - b.seq),
    })),
    messages: messages.sort((a, b) => a.number - b.number),
    retained: [...state.retained].sort(),
    lost: state.lost,
  };
}

describe('export and import', () => {
  it('what was exported comes back, and is exported as the same lines', () => {
    fc.assert(
      fc.property(storeContents, (contents) => {
        const records = groupWriter();
        writeContents(records, contents);
        const state = stateOf(records);
        const lines = [...exportLines(state, NOW)];
        for (const line of lines) assert.doesNotThrow(() => JSON.parse(line));
        const again = imported(lines);
        assert.deepEqual(shown(again), shown(state));
        assert.deepEqual([...exportLines(again, NOW)], lines);
      }),
      { numRuns: 150 },
    );
  });

  it('lines that got lost, in whole or in part, are noticed', () => {
    fc.assert(
      fc.property(
        storeContents.filter(({ sessions }) => sessions.length > 0),
        fc.nat(),
        (contents, seed) => {
          const records = groupWriter();
          writeContents(records, contents);
          const lines = [...exportLines(stateOf(records), NOW)];
          const lost = seed % lines.length;
          assert.throws(() => imported(lines.filter((_, index) => index !== lost)), BadLine);
          assert.throws(() => imported(lines.slice(0, lost)), BadLine);
          const cut = lines.join('\n').slice(0, -1 - (seed % lines.at(-1)!.length));
          assert.throws(() => imported(cut.split('\n')), BadLine);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('a payload that is no text is given in base64, and so is one that is very long', () => {
    const payloads = [Buffer.from([0xff]), Buffer.alloc(1_048_577, 'a'), Buffer.from('ü\0"\n')];
    const records = groupWriter();
    writeContents(records, {
      sessions: [],
      messages: payloads.map((payload, index) => ({
        topic: `t/${index}`,
        routedAs: null,
        qos: 1,
        retain: true,
        isKept: true,
        storedAt: NOW,
        expiresAt: 0,
        properties: { correlationData: payload.subarray(0, 5) },
        payload,
        source: null,
        deliveries: [],
      })),
    });
    const lines = [...exportLines(stateOf(records), NOW)].slice(1, -1).map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.map(({ payload, payloadBase64 }) => payload ?? Buffer.from(payloadBase64, 'base64').length),
      [1, 1_048_577, 'ü\0"\n'],
    );
    assert.deepEqual(
      lines.map(({ properties }) => properties),
      [{ 'correlation-dataBase64': '/w==' }, { 'correlation-data': 'aaaaa' }, { 'correlation-data': 'ü\0"\n' }],
    );
  });
});

const STORE = { kind: 'store', version: 1 };
const SESSION = { kind: 'session', number: 1, clientId: 'c', listener: '1883', expiryInterval: 60 };
const DELIVERY = { session: 1, seq: 1, qos: 1, step: 'waiting' };
const MESSAGE = { kind: 'message', number: 1, topic: 't', qos: 1, payload: 'p', deliveries: [DELIVERY] };
const RETAINED = { kind: 'retained', number: 2, topic: 't', qos: 0, payload: 'p' };
const COUNTS = { sessions: 0, subscriptions: 0, received: 0, retained: 0, messages: 0, deliveries: 0 };
const END = { kind: 'end', counts: COUNTS };

/** Lines that are not as they have to be, and what is said of the last of them. */
const BAD: readonly (readonly [what: string, lines: readonly unknown[], sentence: string])[] = [
  ['another first line', [SESSION], '"kind" must be "store" in the first line'],
  ['a newer version', [{ ...STORE, version: 2 }], '"version" must be 1: a newer program wrote this'],
  ['a kind that is none', [STORE, { kind: 'x' }], '"kind" must be "session", "retained", "message" or "end"'],
  ['no object', [STORE, []], 'it is no object'],
  ['a line behind the end', [STORE, END, SESSION], 'nothing may stand behind the line of the kind "end"'],
  ['a count that is not so', [STORE, SESSION, END], '"counts.sessions" is 0, but there were 1'],
  ['no counts', [STORE, { kind: 'end' }], '"counts" must be an object'],
  ['a member with another name', [STORE, { ...SESSION, userName: 'u' }], '"userName" is not known here'],
  ['no client id', [STORE, { ...SESSION, clientId: null }], '"clientId" must be a text'],
  [
    'a number that leaves none to count on',
    [STORE, { ...RETAINED, number: 2 ** 53 - 1 }],
    '"number" must be a whole number from 1 to 281474976710656',
  ],
  [
    'a delivery of QoS 0',
    [STORE, SESSION, { ...RETAINED, kind: 'message', deliveries: [{ session: 1, seq: 1, qos: 0, step: 'waiting' }] }],
    '"deliveries[0].qos" must be a whole number from 1 to 2',
  ],
  ['half a character', [STORE, { ...SESSION, clientId: '\ud800' }], '"clientId" has a character that is none'],
  ['a number twice', [STORE, SESSION, SESSION], '"number" is 1, as in a line above'],
  [
    'a time that is none',
    [STORE, { ...SESSION, awaySince: '2026-11-21' }],
    '"awaySince" must be a time such as "2026-11-21T10:24:00.000Z"',
  ],
  [
    'a filter that is none',
    [
      STORE,
      {
        ...SESSION,
        subscriptions: [
          { filter: 'a', qos: 0 },
          { filter: 'a#', qos: 0 },
        ],
      },
    ],
    '"subscriptions[1].filter" is no topic filter: \'#\' must be the whole last level',
  ],
  [
    'a filter twice',
    [
      STORE,
      {
        ...SESSION,
        subscriptions: [
          { filter: 'a', qos: 0 },
          { filter: 'a', qos: 1 },
        ],
      },
    ],
    '"subscriptions" must name "a" once',
  ],
  [
    'a packet identifier twice',
    [
      STORE,
      {
        ...SESSION,
        received: [
          { packetId: 1, content: 0 },
          { packetId: 1, content: 2 },
        ],
      },
    ],
    '"received" must name 1 once',
  ],
  [
    'a will that is none',
    [STORE, { ...SESSION, will: { topic: 'a/+', qos: 0, payload: '' } }],
    "\"will.topic\" is no topic: it contains '+' or '#'",
  ],
  [
    'a property of another packet',
    [STORE, { ...RETAINED, properties: { 'will-delay-interval': 1 } }],
    '"properties.will-delay-interval" is not known here',
  ],
  [
    'a property value that is too large',
    [STORE, { ...RETAINED, properties: { 'payload-format-indicator': 2 } }],
    '"properties" the property payload-format-indicator must be 0 or 1',
  ],
  [
    'user properties in another form',
    [STORE, { ...RETAINED, properties: { 'user-properties': [{ a: 'b', c: 'd' }] } }],
    '"properties.user-properties[0]" must have one member',
  ],
  [
    'an expiry without its time',
    [STORE, { ...RETAINED, properties: { 'message-expiry-interval': 1 } }],
    '"expiresAt" and the property "message-expiry-interval" must be there both or neither',
  ],
  ['no payload', [STORE, { ...RETAINED, payload: undefined }], '"payload" must be a text, or "payloadBase64" instead'],
  ['two payloads', [STORE, { ...RETAINED, payloadBase64: '' }], '"payload" must be a text, or "payloadBase64" instead'],
  [
    'base64 that is none',
    [STORE, { ...RETAINED, payload: undefined, payloadBase64: 'a-b' }],
    '"payloadBase64" is no base64',
  ],
  [
    'two retained messages',
    [STORE, RETAINED, { ...RETAINED, number: 3 }],
    '"topic" has a retained message in a line above',
  ],
  [
    'a message for nobody',
    [STORE, SESSION, { ...MESSAGE, deliveries: [] }],
    '"deliveries" must name a session that gets the message',
  ],
  [
    'a message for a session that is not there',
    [STORE, MESSAGE],
    '"deliveries[0].session" is 1, and no line above is its session\'s',
  ],
  [
    'a delivery twice',
    [STORE, SESSION, { ...MESSAGE, deliveries: [DELIVERY, DELIVERY] }],
    '"deliveries[1].seq" is 1, as in another delivery of the session',
  ],
  [
    'a step that is none',
    [STORE, SESSION, { ...MESSAGE, deliveries: [{ ...DELIVERY, step: 'lost' }] }],
    '"deliveries[0].step" must be "waiting" or "sent" or "released"',
  ],
  [
    'a sent message without its packet identifier',
    [STORE, SESSION, { ...MESSAGE, deliveries: [{ ...DELIVERY, step: 'sent' }] }],
    '"deliveries[0].packetId" must be a whole number from 1 to 65535',
  ],
  [
    'a subscription identifier that is none',
    [STORE, SESSION, { ...MESSAGE, deliveries: [{ ...DELIVERY, subscriptionIdentifiers: [0] }] }],
    '"deliveries[0].subscriptionIdentifiers" must be numbers above 0',
  ],
];

describe('lines that are not as they have to be', () => {
  for (const [what, lines, sentence] of BAD) {
    it(what, () => {
      const taker = new LineImport(groupWriter());
      for (const line of lines.slice(0, -1)) taker.take(Buffer.from(JSON.stringify(line)));
      const last = Buffer.from(JSON.stringify(lines.at(-1)));
      assert.throws(
        () => taker.take(last),
        (error) => error instanceof BadLine && error.message === sentence,
      );
    });
  }

  it('bytes that are no JSON, or no text', () => {
    const taker = new LineImport(groupWriter());
    assert.throws(() => taker.take(Buffer.from('{')), /^Error: it is no JSON: /);
    assert.throws(() => taker.take(Buffer.from([0x22, 0xff, 0x22])), /^Error: it is not UTF-8$/);
    assert.throws(() => taker.finish(), /^Error: no line came$/);
  });

  it('hand-made lines may leave out what is usual', () => {
    const counts = { ...COUNTS, sessions: 1, messages: 1, retained: 1, deliveries: 1 };
    const state = imported([STORE, SESSION, RETAINED, MESSAGE, { ...END, counts }].map((line) => JSON.stringify(line)));
    assert.equal(state.sessions.get(1)?.facts?.clientId, 'c');
    assert.equal(state.retained.get('t'), 2);
    assert.equal(state.sessions.get(1)?.entries.get(1)?.message, 1);
  });
});
