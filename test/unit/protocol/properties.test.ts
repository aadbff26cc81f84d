import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONNACK, CONNECT, PUBLISH, SUBSCRIBE } from '../../../src/protocol/constants.ts';
import { MalformedPacket, PeerFault, ProtocolError } from '../../../src/protocol/errors.ts';
import { PROPERTIES, type Properties, type PropertyRow, WILL } from '../../../src/protocol/properties.ts';
import { MAX_USER_PROPERTIES, readProperties, writeProperties } from '../../../src/protocol/property-codec.ts';
import { Reader } from '../../../src/protocol/reader.ts';
import { QUOTA_EXCEEDED } from '../../../src/protocol/reasons.ts';
import { varintLength, Writer, writeVarint } from '../../../src/protocol/writer.ts';

/** Reads a property section given without its length. */
function read(hex: string, packetType: number): Properties {
  const body = Buffer.from(hex, 'hex');
  const head = Buffer.alloc(varintLength(body.length));
  writeVarint(head, 0, body.length);
  const section = Buffer.concat([head, body, Buffer.from('trailer')]);
  const reader = new Reader(section, 0, section.length);
  const properties = readProperties(reader, packetType);
  assert.equal(reader.remaining, 7, 'the reader stands behind the section');
  return properties;
}

/** The shortest allowed value of each type. */
const sample = {
  byte: '01',
  u16: '0001',
  u32: '00000001',
  varint: '01',
  string: '000161',
  binary: '00017f',
  pair: '0001610000',
};

const hexOf = (row: PropertyRow): string => row.id.toString(16).padStart(2, '0') + sample[row.type];

test('each property may stand in its packets, once, and in no other', () => {
  for (const row of PROPERTIES as readonly PropertyRow[]) {
    for (let type = 0; type <= 15; type++) {
      if (!row.packets.includes(type)) {
        assert.throws(() => read(hexOf(row), type), ProtocolError, `${row.option} in ${type}`);
        continue;
      }
      assert.equal(Object.keys(read(hexOf(row), type)).length, 1);
      const twice = (): Properties => read(hexOf(row) + hexOf(row), type);
      const mayRepeat = row.type === 'pair' || (row.name === 'subscriptionIdentifier' && type === PUBLISH);
      if (mayRepeat) assert.doesNotThrow(twice);
      else assert.throws(twice, /comes twice/, row.option);
    }
  }
});

test('values that the standard forbids are protocol errors', () => {
  const forbidden: [hex: string, type: number][] = [
    ['0102', PUBLISH],
    ['0102', WILL],
    ['0b00', SUBSCRIBE],
    ['1702', CONNECT],
    ['1902', CONNECT],
    ['210000', CONNECT],
    ['2402', CONNACK],
    ['2502', CONNACK],
    ['2700000000', CONNECT],
    ['2802', CONNACK],
    ['2902', CONNACK],
    ['2a02', CONNACK],
  ];
  for (const [hex, type] of forbidden) assert.throws(() => read(hex, type), ProtocolError, hex);
});

test('zero is a value where nothing forbids it', () => {
  assert.deepEqual(read('1100000000220000', CONNECT), { sessionExpiryInterval: 0, topicAliasMaximum: 0 });
  assert.deepEqual(read('0200000000', PUBLISH), { messageExpiryInterval: 0 });
  assert.deepEqual(read('130000', CONNACK), { serverKeepAlive: 0 });
  assert.deepEqual(read('030000090000', PUBLISH), { contentType: '', correlationData: Buffer.alloc(0) });
});

test('bytes that are no properties are malformed', () => {
  for (const hex of [
    '00',
    '04',
    '2b',
    '7f',
    'ff',
    '8001',
    '11000000',
    '2600016100',
    '0300',
    '0300ff61',
    '030001ff',
    '09000500',
    '0b80',
    '0b80808080',
    '0b8000',
  ]) {
    for (const type of [CONNECT, PUBLISH]) {
      assert.throws(
        () => read(hex, type),
        (error) =>
          error instanceof MalformedPacket || (error instanceof ProtocolError && /must not stand/.test(error.message)),
        hex,
      );
    }
  }
});

test('a section longer than the packet, or a property longer than the section, is malformed', () => {
  const longer = Buffer.from('0611000000', 'hex');
  assert.throws(() => readProperties(new Reader(longer, 0, longer.length), CONNECT), MalformedPacket);
  const beyond = Buffer.from('04110000000a', 'hex');
  assert.throws(() => readProperties(new Reader(beyond, 0, beyond.length), CONNECT), MalformedPacket);
});

test('user properties keep their order and repetitions, up to a bound', () => {
  const pairs = (count: number): string => '2600016b000176'.repeat(count);
  assert.deepEqual(read(`${pairs(2)}1100000001${pairs(1)}`, CONNECT), {
    userProperties: [
      ['k', 'v'],
      ['k', 'v'],
      ['k', 'v'],
    ],
    sessionExpiryInterval: 1,
  });
  assert.equal(read(pairs(MAX_USER_PROPERTIES), CONNECT).userProperties?.length, MAX_USER_PROPERTIES);
  // A limit of ours is no rule of the protocol.
  assert.throws(
    () => read(pairs(MAX_USER_PROPERTIES + 1), CONNECT),
    (error) => error instanceof PeerFault && error.reason === QUOTA_EXCEEDED,
  );
});

test('what cannot be sent is not written', () => {
  const write = (properties: Properties): void => writeProperties(new Writer(), properties);
  assert.throws(() => write({ contentType: 'x'.repeat(65_536) }), RangeError);
  assert.throws(() => write({ correlationData: Buffer.alloc(65_536) }), RangeError);
  assert.throws(() => write({ subscriptionIdentifier: 268_435_456 }), RangeError);
  assert.throws(() => write({ nonsense: 1 } as Properties), RangeError);
});

test('writing follows the order of the keys, and leaves out what is undefined', () => {
  const writer = new Writer(8);
  writeProperties(writer, {
    userProperties: [['a', 'b']],
    contentType: undefined,
    subscriptionIdentifiers: [1, 300],
    payloadFormatIndicator: 1,
  } as unknown as Properties);
  assert.equal(writer.take().toString('hex'), '0e' + '26000161000162' + '0b01' + '0bac02' + '0101');
});
