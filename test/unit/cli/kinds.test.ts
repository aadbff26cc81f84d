import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { choice, FLAG, integer, type Kind, seconds, TEXT } from '../../../src/cli/kinds.ts';
import { UsageError } from '../../../src/cli/messages.ts';
import { gatherProperties, PROPERTY, propertiesFor } from '../../../src/cli/property-option.ts';

const read = <T>(kind: Kind<T>, ...words: string[]): T => kind.parse(words);
const fault = (word: string) => `bad ${word}`;

describe('kinds of values', () => {
  it('a switch takes no word, a value one', () => {
    assert.equal(
      FLAG.words(['a'], () => false),
      0,
    );
    assert.equal(
      TEXT.words([], () => false),
      1,
    );
  });

  it('integer takes decimal digits within its bounds', () => {
    const kind = integer(-1, 10, fault);
    for (const [word, value] of [
      ['-1', -1],
      ['+3', 3],
      ['010', 10],
      ['0', 0],
      // Lines of options files have blanks at their ends, and Mosquitto does not mind.
      [' 1 ', 1],
    ] as const)
      assert.equal(read(kind, word), value);
    for (const word of ['', ' ', '1 1', '0x1', '1.0', '1e1', '11', '-2', 'NaN', 'Infinity', '٣']) {
      assert.throws(() => read(kind, word), new UsageError(`bad ${word}`), word);
    }
  });

  it('seconds may have a fraction', () => {
    const kind = seconds(0, fault);
    for (const [word, value] of [
      ['0', 0],
      ['0.25', 0.25],
      ['.5', 0.5],
      ['3.', 3],
    ] as const)
      assert.equal(read(kind, word), value);
    for (const word of ['', '-1', '.', '1s', '2147484', '1e3']) assert.throws(() => read(kind, word), UsageError, word);
  });

  it('choice knows its own words only', () => {
    const kind = choice({ always: 0, never: 2 }, fault);
    assert.equal(read(kind, 'never'), 2);
    for (const word of ['Never', 'toString', '']) assert.throws(() => read(kind, word), UsageError, word);
  });

  it('integer agrees with Number for all that it takes', () => {
    const kind = integer(-100, 100, fault);
    fc.assert(fc.property(fc.integer({ min: -100, max: 100 }), (value) => read(kind, String(value)) === value));
  });
});

describe('-D', () => {
  it('knows the properties of each packet', () => {
    const names = (command: Parameters<typeof propertiesFor>[0]) =>
      propertiesFor(command)
        .map((row) => row.option)
        .sort();
    assert.deepEqual(names('connect'), [
      'authentication-data',
      'authentication-method',
      'maximum-packet-size',
      'receive-maximum',
      'request-problem-information',
      'request-response-information',
      'session-expiry-interval',
      'topic-alias-maximum',
      'user-property',
    ]);
    assert.deepEqual(names('publish'), [
      'content-type',
      'correlation-data',
      'message-expiry-interval',
      'payload-format-indicator',
      'response-topic',
      'topic-alias',
      'user-property',
    ]);
    assert.deepEqual(names('will'), [
      'content-type',
      'correlation-data',
      'message-expiry-interval',
      'payload-format-indicator',
      'response-topic',
      'user-property',
      'will-delay-interval',
    ]);
    assert.deepEqual(names('subscribe'), ['subscription-identifier', 'user-property']);
    assert.deepEqual(names('unsubscribe'), ['user-property']);
    assert.deepEqual(names('disconnect'), ['reason-string', 'session-expiry-interval', 'user-property']);
  });

  it('gathers the properties of one packet', () => {
    const list = [
      read(PROPERTY, 'publish', 'user-property', 'a', '1'),
      read(PROPERTY, 'publish', 'content-type', 'old'),
      read(PROPERTY, 'will', 'content-type', 'other'),
      read(PROPERTY, 'publish', 'user-property', 'a', '2'),
      read(PROPERTY, 'publish', 'content-type', 'new'),
      read(PROPERTY, 'publish', 'correlation-data', 'é'),
      read(PROPERTY, 'publish', 'message-expiry-interval', '4294967295'),
    ];
    assert.deepEqual(gatherProperties(list, 'publish'), {
      userProperties: [
        ['a', '1'],
        ['a', '2'],
      ],
      contentType: 'new',
      correlationData: Buffer.from('é'),
      messageExpiryInterval: 4_294_967_295,
    });
    assert.deepEqual(gatherProperties(list, 'connect'), {});
  });
});
