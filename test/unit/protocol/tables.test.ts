// The tables of the standard, written down once more from its text: table 2-4 (properties) and table 2-6 (reason codes).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PACKET_NAMES } from '../../../src/protocol/constants.ts';
import { connackCode3 } from '../../../src/protocol/encode.ts';
import { PROPERTIES, PROPERTY_BY_ID, type PropertyRow, WILL } from '../../../src/protocol/properties.ts';
import { CONNACK3, REASONS, reasonFits, reasonOf } from '../../../src/protocol/reasons.ts';

const ACKS = 'PUBACK PUBREC PUBREL PUBCOMP SUBACK UNSUBACK';

const properties: [id: number, type: string, packets: string][] = [
  [0x01, 'byte', 'PUBLISH WILL'],
  [0x02, 'u32', 'PUBLISH WILL'],
  [0x03, 'string', 'PUBLISH WILL'],
  [0x08, 'string', 'PUBLISH WILL'],
  [0x09, 'binary', 'PUBLISH WILL'],
  [0x0b, 'varint', 'PUBLISH SUBSCRIBE'],
  [0x11, 'u32', 'CONNECT CONNACK DISCONNECT'],
  [0x12, 'string', 'CONNACK'],
  [0x13, 'u16', 'CONNACK'],
  [0x15, 'string', 'CONNECT CONNACK AUTH'],
  [0x16, 'binary', 'CONNECT CONNACK AUTH'],
  [0x17, 'byte', 'CONNECT'],
  [0x18, 'u32', 'WILL'],
  [0x19, 'byte', 'CONNECT'],
  [0x1a, 'string', 'CONNACK'],
  [0x1c, 'string', 'CONNACK DISCONNECT'],
  [0x1f, 'string', `CONNACK ${ACKS} DISCONNECT AUTH`],
  [0x21, 'u16', 'CONNECT CONNACK'],
  [0x22, 'u16', 'CONNECT CONNACK'],
  [0x23, 'u16', 'PUBLISH'],
  [0x24, 'byte', 'CONNACK'],
  [0x25, 'byte', 'CONNACK'],
  [0x26, 'pair', `CONNECT CONNACK PUBLISH WILL ${ACKS} SUBSCRIBE UNSUBSCRIBE DISCONNECT AUTH`],
  [0x27, 'u32', 'CONNECT CONNACK'],
  [0x28, 'byte', 'CONNACK'],
  [0x29, 'byte', 'CONNACK'],
  [0x2a, 'byte', 'CONNACK'],
];

const nameOf = (type: number): string => (type === WILL ? 'WILL' : PACKET_NAMES[type]!);
const sorted = (names: readonly string[]): string => [...names].sort().join(' ');

test('properties have the identifiers, types and packets of table 2-4', () => {
  assert.deepEqual(
    PROPERTIES.map(({ id, type, packets }) => [id, type, sorted(packets.map(nameOf))]),
    properties.map(([id, type, packets]) => [id, type, sorted(packets.split(' '))]),
  );
  for (const row of PROPERTIES) assert.equal(PROPERTY_BY_ID[row.id], row);
  assert.equal(PROPERTY_BY_ID.filter((row) => row !== undefined).length, PROPERTIES.length);
});

test('options of the tools are the names in kebab case', () => {
  for (const { name, option } of PROPERTIES as readonly PropertyRow[]) {
    const kebab = name.replace('QoS', 'Qos').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    assert.equal(option, name === 'userProperties' ? 'user-property' : kebab);
  }
});

const C = 'CONNACK';
const D = 'DISCONNECT';
const reasons: [code: number, packets: string][] = [
  [0x00, `CONNACK ${ACKS} DISCONNECT AUTH`],
  [0x01, 'SUBACK'],
  [0x02, 'SUBACK'],
  [0x04, D],
  [0x10, 'PUBACK PUBREC'],
  [0x11, 'UNSUBACK'],
  [0x18, 'AUTH'],
  [0x19, 'AUTH'],
  [0x80, 'CONNACK PUBACK PUBREC SUBACK UNSUBACK DISCONNECT'],
  [0x81, `${C} ${D}`],
  [0x82, `${C} ${D}`],
  [0x83, 'CONNACK PUBACK PUBREC SUBACK UNSUBACK DISCONNECT'],
  [0x84, C],
  [0x85, C],
  [0x86, C],
  [0x87, 'CONNACK PUBACK PUBREC SUBACK UNSUBACK DISCONNECT'],
  [0x88, C],
  [0x89, `${C} ${D}`],
  [0x8a, C],
  [0x8b, D],
  [0x8c, `${C} ${D}`],
  [0x8d, D],
  [0x8e, D],
  [0x8f, 'SUBACK UNSUBACK DISCONNECT'],
  [0x90, 'CONNACK PUBACK PUBREC DISCONNECT'],
  [0x91, 'PUBACK PUBREC SUBACK UNSUBACK'],
  [0x92, 'PUBREL PUBCOMP'],
  [0x93, D],
  [0x94, D],
  [0x95, `${C} ${D}`],
  [0x96, D],
  [0x97, 'CONNACK PUBACK PUBREC SUBACK DISCONNECT'],
  [0x98, D],
  [0x99, 'CONNACK PUBACK PUBREC DISCONNECT'],
  [0x9a, `${C} ${D}`],
  [0x9b, `${C} ${D}`],
  [0x9c, `${C} ${D}`],
  [0x9d, `${C} ${D}`],
  [0x9e, 'SUBACK DISCONNECT'],
  [0x9f, `${C} ${D}`],
  [0xa0, D],
  [0xa1, 'SUBACK DISCONNECT'],
  [0xa2, 'SUBACK DISCONNECT'],
];

test('reason codes stand in the packets of table 2-6', () => {
  assert.deepEqual(
    REASONS.map(({ code, packets }) => [code, sorted(packets.map(nameOf))]),
    reasons.map(([code, packets]) => [code, sorted(packets.split(' '))]),
  );
  for (const [code, packets] of reasons) {
    for (let type = 1; type <= 15; type++) {
      assert.equal(reasonFits(code, type), packets.split(' ').includes(PACKET_NAMES[type]!));
    }
  }
});

test('every refusal has a return code of 3.x, and those codes lead back to a reason', () => {
  for (const { code, packets } of REASONS) {
    if (!packets.map(nameOf).includes('CONNACK')) continue;
    const lowered = connackCode3(code);
    assert.ok(code === 0 ? lowered === 0 : lowered >= 1 && lowered <= 5, `0x${code.toString(16)} became ${lowered}`);
  }
  CONNACK3.forEach(({ reason, text }, code) => {
    assert.equal(connackCode3(reason.code), code);
    assert.equal(reasonOf(reason.code), reason);
    assert.match(text, code === 0 ? /^Connection Accepted\.$/ : /^Connection Refused: .+\.$/);
  });
});

test('a reason that ends a connection has words for the log', () => {
  for (const { code, log, text } of REASONS) {
    assert.notEqual(text, '');
    assert.equal(log !== '' || code < 0x80 || [0x91, 0x92].includes(code), true, text);
  }
});
