import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LineFault, messageLine, parseMessageLine } from '../../../src/cli/json-lines.ts';
import { type WallTime, wallTime } from '../../../src/cli/wall-time.ts';
import type { ReceivedMessage } from '../../../src/client/options.ts';
import { topicNameFault } from '../../../src/protocol/topic.ts';
import { isSendableString } from '../../../src/protocol/utf8.ts';
import { received } from './messages.ts';

const time = wallTime();
const line = (fields: Partial<ReceivedMessage>): string => messageLine(received(fields), time);
/** A line behind its time. */
const tail = (fields: Partial<ReceivedMessage>): string => line(fields).replace(/^\{"tst":"[^"]+",/, '{');

const text = fc.string({ unit: 'binary' }).filter(isSendableString);
const bytes = fc.uint8Array().map((array) => Buffer.from(array));
const payload = fc.oneof(
  bytes,
  fc.string({ unit: 'binary' }).map((words) => Buffer.from(words)),
  fc.constantFrom('', '\ufeffx', '\0', '"\\\u2028', 'null').map((words) => Buffer.from(words)),
);
const properties = fc.record(
  {
    payloadFormatIndicator: fc.constantFrom(0, 1),
    messageExpiryInterval: fc.nat(0xffff_ffff),
    contentType: text,
    responseTopic: text.filter((words) => topicNameFault(words) === null),
    correlationData: payload,
    userProperties: fc.array(
      fc.tuple(fc.oneof(text, fc.constantFrom('__proto__', '1', 'a')), text) as fc.Arbitrary<[string, string]>,
      { minLength: 1, maxLength: 6 },
    ),
  },
  { requiredKeys: [] },
);

describe('JSON lines', () => {
  it('give back exactly the message that was written', () => {
    fc.assert(
      fc.property(
        text.filter((words) => topicNameFault(words) === null),
        payload,
        fc.constantFrom(0, 1, 2),
        fc.boolean(),
        properties,
        (topic, content, qos, retain, any) => {
          const given =
            any.payloadFormatIndicator === 1 && !isUtf8(content) ? { ...any, payloadFormatIndicator: 0 } : any;
          const written = line({ topic, payload: content, qos, retain, properties: given });
          assert.ok(!written.includes('\n'));
          const { time: read, ...message } = parseMessageLine(Buffer.from(written));
          assert.deepEqual(message, { topic, payload: content, qos, retain, properties: { ...given } });
          assert.deepEqual(Object.keys(message.properties), Object.keys(given));
          assert.equal(read, time.seconds * 1_000_000 + Math.floor(time.nanoseconds / 1000));
        },
      ),
    );
  });

  it('look like %j, and say how bytes are encoded', () => {
    assert.match(line({}), /^\{"tst":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d{4}","topic":"t",/);
    assert.equal(tail({ qos: 1, id: 7 }), '{"topic":"t","qos":1,"retain":false,"encoding":"utf8","payload":"p"}');
    assert.match(tail({ payload: Buffer.alloc(0), retain: true }), /"retain":true,"encoding":"utf8","payload":""\}$/);
    assert.match(tail({ payload: Buffer.from([0xff, 0]) }), /"encoding":"base64","payload":"\/wA="\}$/);
    assert.match(
      tail({
        properties: {
          correlationData: Buffer.from([0xff]),
          userProperties: [
            ['k', '1'],
            ['k', '2'],
          ],
          topicAlias: 3,
          subscriptionIdentifiers: [4, 5],
        },
      }),
      /"properties":\{"correlation-data":\{"encoding":"base64","data":"\/w=="\},"user-properties":\[\{"k":"1"\},\{"k":"2"\}\],"topic-alias":3,"subscription-identifier":\[4,5\]\},/,
    );
  });

  it('are read without what belongs to the connection, and with null for what they do not say', () => {
    assert.deepEqual(
      parseMessageLine(
        '{"payload":"x","mid":3,"more":{},"properties":{"topic-alias":1,"subscription-identifier":[1]}}',
      ),
      { topic: null, payload: Buffer.from('x'), qos: null, retain: null, properties: {}, time: null },
    );
  });

  it('may be those of %j, of Mosquitto 2.0 too', () => {
    const read = parseMessageLine(
      '{"tst":"2026-11-21T01:58:34.448812Z+0100","topic":"f/a","qos":1,"retain":0,"payloadlen":0,"mid":1,"payload":null}',
    );
    assert.deepEqual([read.payload.length, read.retain, read.qos], [0, false, 1]);
    assert.equal(read.time, Date.UTC(2026, 10, 21, 0, 58, 34) * 1000 + 448_812);
    assert.equal(parseMessageLine('{"payload":"","tst":"2026-11-21T00:00:00Z"}').time, Date.UTC(2026, 10, 21) * 1000);
  });

  it('have the time in local time and are read in any', () => {
    const late: WallTime = {
      date: new Date(Date.UTC(2026, 6, 1)),
      seconds: Date.UTC(2026, 6, 1) / 1000,
      nanoseconds: 1999,
    };
    assert.equal(parseMessageLine(messageLine(received({}), late)).time, late.seconds * 1_000_000 + 1);
  });

  for (const [bad, sentence] of [
    ['', 'is not valid JSON'],
    ['{"payload":"x"', 'is not valid JSON'],
    [Buffer.from([0x22, 0xff, 0x22]), 'is not valid UTF-8'],
    ['[]', 'is not a JSON object'],
    ['null', 'is not a JSON object'],
    ['{}', 'has no "payload"'],
    ['{"payload":{"x":1}}', 'has a "payload" that is not a string: its exact bytes are lost (%J writes such lines)'],
    ['{"payload":"\\ud800"}', 'has a "payload" with half of a surrogate pair'],
    ['{"payload":"ab","payloadlen":3}', 'has a "payload" of 2 bytes, and its "payloadlen" says 3'],
    ['{"payload":"YQ","encoding":"base64"}', 'has a "payload" that is not base64'],
    ['{"payload":"YQ==","encoding":"hex"}', 'has an "encoding" that is not "utf8" or "base64"'],
    ['{"payload":"x","topic":7}', 'has a "topic" that is not a string'],
    ['{"payload":"x","topic":"a/#"}', `has an invalid "topic": it contains '+' or '#'`],
    ['{"payload":"x","topic":""}', 'has an invalid "topic": it is empty'],
    ['{"payload":"x","qos":3}', 'has a "qos" that is not 0, 1 or 2'],
    ['{"payload":"x","qos":"1"}', 'has a "qos" that is not 0, 1 or 2'],
    ['{"payload":"x","retain":"true"}', 'has a "retain" that is not true or false'],
    ['{"payload":"x","tst":"yesterday"}', 'has a "tst" that is no time such as "2026-11-21T01:58:34.448812+0000"'],
    [
      '{"payload":"/w==","encoding":"base64","properties":{"payload-format-indicator":1}}',
      'has a "payload" that is not UTF-8, and its "payload-format-indicator" says that it is',
    ],
    ['{"payload":"x","properties":[]}', 'has "properties" that are not an object'],
    ['{"payload":"x","properties":{"reason-string":"x"}}', 'has "reason-string", which is no property of a message'],
    ['{"payload":"x","properties":{"user-property":"x"}}', 'has "user-property", which is no property of a message'],
    [
      '{"payload":"x","properties":{"message-expiry-interval":-1}}',
      "can't be sent: the property message-expiry-interval must be a whole number from 0 to 4294967295",
    ],
    [
      '{"payload":"x","properties":{"user-properties":{"a":"b"}}}',
      'has "user-properties" that are not an array of {"key":"value"}, one for each',
    ],
    [
      '{"payload":"x","properties":{"user-properties":[{"a":"b","c":"d"}]}}',
      'has "user-properties" that are not an array of {"key":"value"}, one for each',
    ],
    [
      '{"payload":"x","properties":{"correlation-data":{"encoding":"base64"}}}',
      'has a "correlation-data" that is neither a string nor {"encoding":"base64","data":"…"}',
    ],
  ] as const) {
    it(`are not: ${bad}`, () => {
      assert.throws(
        () => parseMessageLine(bad),
        (error) => error instanceof LineFault && error.message === sentence,
      );
    });
  }

  it('never fail in another way', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.json().map((json) => `{"payload":"","properties":${json}}`),
        ),
        (json) => {
          try {
            parseMessageLine(json);
          } catch (error) {
            assert.ok(error instanceof LineFault, String(error));
          }
        },
      ),
    );
  });
});
