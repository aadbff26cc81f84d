// Packets as bytes, written by hand from the standards: what the codec makes of each, and back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, decodeConnect } from '../../../src/protocol/decode.ts';
import { connackCode3, encode } from '../../../src/protocol/encode.ts';
import type { ControlPacket } from '../../../src/protocol/packets.ts';
import { MQTT5, MQTT31, MQTT311, type Profile } from '../../../src/protocol/version.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');

/** Decodes one packet with a one-byte remaining length. */
function decoded(profile: Profile, packet: Buffer): ControlPacket {
  const first = packet[0]!;
  assert.equal(packet[1], packet.length - 2, 'the vector is whole');
  if (first >> 4 === 1) return decodeConnect(packet, 2, packet.length);
  return decode(profile, packet, first, 2, packet.length);
}

const vectors: [name: string, profile: Profile, hex: string, packet: ControlPacket][] = [
  [
    'CONNECT of 3.1',
    MQTT31,
    '10 0f 00 06 4d5149736470 03 02 000a 00 01 61',
    {
      type: 1,
      profile: MQTT31,
      bridge: false,
      clientId: 'a',
      cleanStart: true,
      keepAlive: 10,
      username: null,
      password: null,
      will: null,
      properties: {},
    },
  ],
  [
    'CONNECT of 3.1.1 with everything [MQTT3-3.1.2-9, MQTT3-3.1.2-19, MQTT3-3.1.2-21, MQTT3-3.1.3-1, MQTT3-3.1.3-3]',
    MQTT311,
    '10 1f 0004 4d515454 04 ec 003c 0001 61 0002 7774 0003 627965 0003 746f6d 0002 7077',
    {
      type: 1,
      profile: MQTT311,
      bridge: false,
      clientId: 'a',
      cleanStart: false,
      keepAlive: 60,
      username: 'tom',
      password: Buffer.from('pw'),
      will: { topic: 'wt', payload: Buffer.from('bye'), qos: 1, retain: true, properties: {} },
      properties: { sessionExpiryInterval: 0xffff_ffff },
    },
  ],
  [
    'CONNECT of 5.0 with properties and will properties [MQTT-3.1.2-9, MQTT-3.1.3-1, MQTT-3.1.3-3]',
    MQTT5,
    '10 22 0004 4d515454 05 06 0000 08 11 0000000a 21 0014 0001 61 05 18 00000005 0001 77 0001 78',
    {
      type: 1,
      profile: MQTT5,
      bridge: false,
      clientId: 'a',
      cleanStart: true,
      keepAlive: 0,
      username: null,
      password: null,
      will: { topic: 'w', payload: Buffer.from('x'), qos: 0, retain: false, properties: { willDelayInterval: 5 } },
      properties: { sessionExpiryInterval: 10, receiveMaximum: 20 },
    },
  ],
  [
    'CONNECT of 3.1.1 with nothing [MQTT3-3.1.2-11, MQTT3-3.1.2-13, MQTT3-3.1.2-15, MQTT3-3.1.2-18, MQTT3-3.1.2-20]',
    MQTT311,
    '10 0d 0004 4d515454 04 02 003c 0001 61',
    {
      type: 1,
      profile: MQTT311,
      bridge: false,
      clientId: 'a',
      cleanStart: true,
      keepAlive: 60,
      username: null,
      password: null,
      will: null,
      properties: {},
    },
  ],
  [
    'CONNECT of 5.0 with nothing [MQTT-2.2.2-1, MQTT-3.1.2-11, MQTT-3.1.2-13, MQTT-3.1.2-16, MQTT-3.1.2-18]',
    MQTT5,
    '10 0e 0004 4d515454 05 02 003c 00 0001 61',
    {
      type: 1,
      profile: MQTT5,
      bridge: false,
      clientId: 'a',
      cleanStart: true,
      keepAlive: 60,
      username: null,
      password: null,
      will: null,
      properties: {},
    },
  ],
  [
    'CONNECT of 5.0 with user name and password [MQTT-3.1.2-17, MQTT-3.1.2-19]',
    MQTT5,
    '10 17 0004 4d515454 05 c2 003c 00 0001 61 0003 746f6d 0002 00ff',
    {
      type: 1,
      profile: MQTT5,
      bridge: false,
      clientId: 'a',
      cleanStart: true,
      keepAlive: 60,
      username: 'tom',
      password: Buffer.from([0, 255]),
      will: null,
      properties: {},
    },
  ],
  ['CONNACK of 3.1.1', MQTT311, '20 02 01 00', { type: 2, sessionPresent: true, code: 0, properties: {} }],
  [
    'CONNACK of 3.1.1 that refuses',
    MQTT311,
    '20 02 00 05',
    { type: 2, sessionPresent: false, code: 0x87, properties: {} },
  ],
  [
    'CONNACK of 5.0',
    MQTT5,
    '20 0a 00 00 07 12 0002 6964 24 01',
    { type: 2, sessionPresent: false, code: 0, properties: { assignedClientIdentifier: 'id', maximumQoS: 1 } },
  ],
  ['PUBACK of 3.1.1', MQTT311, '40 02 1234', { type: 4, id: 0x1234, code: 0, properties: {} }],
  ['PUBACK of 5.0, short', MQTT5, '40 02 0001', { type: 4, id: 1, code: 0, properties: {} }],
  ['PUBREC of 5.0 with a reason', MQTT5, '50 03 0001 97', { type: 5, id: 1, code: 0x97, properties: {} }],
  ['PUBREL of 3.1.1 [MQTT3-3.6.1-1]', MQTT311, '62 02 0007', { type: 6, id: 7, code: 0, properties: {} }],
  [
    'PUBCOMP of 5.0 with a reason string',
    MQTT5,
    '70 09 0007 92 05 1f 0002 6e6f',
    { type: 7, id: 7, code: 0x92, properties: { reasonString: 'no' } },
  ],
  [
    'SUBSCRIBE of 3.1.1 with two filters [MQTT3-3.8.1-1]',
    MQTT311,
    '82 0c 0001 0003 612f23 01 0001 2b 02',
    {
      type: 8,
      id: 1,
      subscriptions: [
        { filter: 'a/#', qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 },
        { filter: '+', qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 0 },
      ],
      properties: {},
    },
  ],
  [
    'SUBSCRIBE of 5.0 with an identifier and all options',
    MQTT5,
    '82 0a 0002 03 0b 8001 0001 61 2e',
    {
      type: 8,
      id: 2,
      subscriptions: [{ filter: 'a', qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 }],
      properties: { subscriptionIdentifier: 128 },
    },
  ],
  ['SUBACK of 3.1.1', MQTT311, '90 04 0001 02 80', { type: 9, id: 1, codes: [2, 0x80], properties: {} }],
  ['SUBACK of 5.0', MQTT5, '90 05 0001 00 01 87', { type: 9, id: 1, codes: [1, 0x87], properties: {} }],
  [
    'UNSUBSCRIBE of 3.1.1 [MQTT3-3.10.1-1]',
    MQTT311,
    'a2 05 0003 0001 61',
    { type: 10, id: 3, filters: ['a'], properties: {} },
  ],
  ['UNSUBACK of 3.1.1', MQTT311, 'b0 02 0003', { type: 11, id: 3, codes: [], properties: {} }],
  ['UNSUBACK of 5.0', MQTT5, 'b0 04 0003 00 11', { type: 11, id: 3, codes: [0x11], properties: {} }],
  ['PINGREQ', MQTT311, 'c0 00', { type: 12 }],
  ['PINGRESP', MQTT5, 'd0 00', { type: 13 }],
  ['DISCONNECT of 3.1.1', MQTT311, 'e0 00', { type: 14, code: 0, properties: {} }],
  [
    'DISCONNECT of 5.0 with an expiry',
    MQTT5,
    'e0 07 04 05 11 00000001',
    { type: 14, code: 4, properties: { sessionExpiryInterval: 1 } },
  ],
  [
    'AUTH of 5.0',
    MQTT5,
    'f0 0b 18 09 15 0001 6d 16 0002 00ff',
    { type: 15, code: 0x18, properties: { authenticationMethod: 'm', authenticationData: Buffer.from([0, 255]) } },
  ],
];

for (const [name, profile, hex, packet] of vectors) {
  test(`${name} is read and written`, () => {
    assert.deepEqual(decoded(profile, bytes(hex)), packet);
    assert.equal(encode(profile, packet).toString('hex'), bytes(hex).toString('hex'));
  });
}

test('what 3.x cannot say is lowered', () => {
  const long = { reasonString: 'because' };
  const hexOf = (packet: ControlPacket): string => encode(MQTT311, packet).toString('hex');
  assert.equal(hexOf({ type: 4, id: 1, code: 0x87, properties: long }), '40020001');
  assert.equal(hexOf({ type: 9, id: 1, codes: [0x87, 0x8f, 2], properties: long }), '90050001808002');
  assert.equal(hexOf({ type: 11, id: 1, codes: [0x11], properties: long }), 'b0020001');
  assert.equal(hexOf({ type: 15, code: 0x18, properties: long }), '');
  assert.deepEqual(
    [0x00, 0x84, 0x85, 0x88, 0x86, 0x87, 0x8a, 0x97, 0x95].map(connackCode3),
    [0, 1, 2, 3, 4, 5, 5, 3, 3],
  );
});

const faults: [name: string, profile: Profile, hex: string, code: number][] = [
  ['a protocol name of its own', MQTT311, '10 0d 0004 4d515458 04 02 000a 0001 61', 0x82],
  ['the bridge bit in MQTT 5', MQTT5, '10 0e 0004 4d515454 85 02 000a 00 0001 61', 0x84],
  ['a client id with a control character', MQTT311, '10 0d 0004 4d515454 04 02 000a 0001 07', 0x81],
  ['a version that is not spoken', MQTT311, '10 0d 0004 4d515454 06 02 000a 0001 61', 0x84],
  ['the reserved connect flag [MQTT-3.1.2-3, MQTT3-3.1.2-3]', MQTT311, '10 0d 0004 4d515454 04 03 000a 0001 61', 0x81],
  [
    'a will QoS without a will [MQTT3-3.1.2-11, MQTT3-3.1.2-13]',
    MQTT311,
    '10 0d 0004 4d515454 04 0a 000a 0001 61',
    0x81,
  ],
  ['a will QoS of 3 [MQTT3-3.1.2-14]', MQTT311, '10 0d 0004 4d515454 04 1e 000a 0001 61', 0x81],
  [
    'a password without a name in 3.1.1 [MQTT3-3.1.2-22]',
    MQTT311,
    '10 10 0004 4d515454 04 42 000a 0001 61 0001 70',
    0x81,
  ],
  ['a byte behind CONNECT', MQTT311, '10 0e 0004 4d515454 04 02 000a 0001 61 00', 0x81],
  ['a receive maximum of 0', MQTT5, '10 11 0004 4d515454 05 02 000a 03 21 0000 0001 61', 0x82],
  ['a property twice', MQTT5, '10 14 0004 4d515454 05 02 000a 06 21 0001 21 0001 0001 61', 0x82],
  ['a property of another packet', MQTT5, '10 10 0004 4d515454 05 02 000a 02 01 00 0001 61', 0x82],
  ['an unknown property', MQTT5, '10 10 0004 4d515454 05 02 000a 02 7f 00 0001 61', 0x81],
  ['a property length beyond the packet', MQTT5, '10 0e 0004 4d515454 05 02 000a 7f 0001 61', 0x81],
  ['authentication data without a method', MQTT5, '10 12 0004 4d515454 05 02 000a 04 16 0001 78 0001 61', 0x82],
  ['a will QoS of 3 in 5.0 [MQTT-3.1.2-12]', MQTT5, '10 0e 0004 4d515454 05 1e 000a 00 0001 61', 0x81],
  ['UNSUBSCRIBE without a filter [MQTT3-3.10.3-2]', MQTT311, 'a2 02 0001', 0x82],
  ['reserved bits of the requested QoS [MQTT3-3.8.3-4]', MQTT311, '82 06 0001 0001 61 04', 0x81],
  [
    'a user property whose value is no string [MQTT-1.5.7-1]',
    MQTT5,
    '10 17 0004 4d515454 05 02 000a 09 26 0001 61 0003 eda080 0001 61',
    0x81,
  ],
  [
    'a user property whose name is no string [MQTT-1.5.7-1]',
    MQTT5,
    '10 15 0004 4d515454 05 02 000a 07 26 0001 ff 0001 62 0001 61',
    0x81,
  ],
  ['a client id with U+0000 [MQTT3-1.5.3-2]', MQTT311, '10 0d 0004 4d515454 04 02 000a 0001 00', 0x81],
  [
    'a client id of a surrogate [MQTT3-1.5.3-1, MQTT3-3.1.3-4]',
    MQTT311,
    '10 0f 0004 4d515454 04 02 000a 0003 eda080',
    0x81,
  ],
  ['a packet identifier of 0 [MQTT3-2.3.1-1]', MQTT311, '40 02 0000', 0x82],
  ['a reason that PUBACK must not have', MQTT5, '40 03 0001 8e', 0x82],
  ['SUBSCRIBE without a filter [MQTT3-3.8.3-3]', MQTT311, '82 02 0001', 0x82],
  ['a filter that ends in the middle', MQTT311, '82 06 0001 0003 612f', 0x81],
  ['a wildcard within a level', MQTT311, '82 07 0001 0002 612b 00', 0x81],
  ['no-local on a shared subscription', MQTT5, '82 10 0001 00 000a 24736861 72652f67 2f61 04', 0x82],
  ['acknowledge flags with reserved bits', MQTT311, '20 02 02 00', 0x81],
  ['a return code that is reserved', MQTT311, '20 02 00 06', 0x82],
  ['a PINGREQ with a body', MQTT311, 'c0 01 00', 0x81],
  ['AUTH in 3.1.1', MQTT311, 'f0 00', 0x82],
];

for (const [name, profile, hex, code] of faults) {
  test(`${name} is a fault`, () => {
    assert.throws(
      () => decoded(profile, bytes(hex)),
      (error: { reason?: { code: number } }) => error.reason?.code === code,
      `0x${code.toString(16)} is the reason`,
    );
  });
}
