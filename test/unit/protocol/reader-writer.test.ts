import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_VARINT } from '../../../src/protocol/constants.ts';
import { MalformedPacket } from '../../../src/protocol/errors.ts';
import { Reader } from '../../../src/protocol/reader.ts';
import { varintLength, Writer } from '../../../src/protocol/writer.ts';

const reader = (hex: string): Reader => new Reader(Buffer.from(hex, 'hex'), 0, hex.length / 2);

test('variable byte integers are those of table 1-1, in the fewest bytes [MQTT-1.5.5-1]', () => {
  const table: [value: number, hex: string][] = [
    [0, '00'],
    [127, '7f'],
    [128, '8001'],
    [16_383, 'ff7f'],
    [16_384, '808001'],
    [2_097_151, 'ffff7f'],
    [2_097_152, '80808001'],
    [MAX_VARINT, 'ffffff7f'],
  ];
  for (const [value, hex] of table) {
    assert.equal(reader(hex).varint('x'), value);
    const writer = new Writer(1);
    writer.varint(value);
    assert.equal(writer.take().toString('hex'), hex);
    assert.equal(varintLength(value), hex.length / 2);
  }
  for (const hex of ['', '80', '8080', '80808080', 'ffffffff7f', '8000', '808000', '80808000']) {
    assert.throws(() => reader(hex).varint('x'), MalformedPacket, hex);
  }
  assert.throws(() => new Writer().varint(MAX_VARINT + 1), RangeError);
});

test('reading stops at the end of its range, not of the buffer', () => {
  const bytes = Buffer.from('000361626364', 'hex');
  assert.equal(new Reader(bytes, 0, 5).string('x'), 'abc');
  for (const end of [0, 1, 4]) {
    assert.throws(() => new Reader(bytes, 0, end).string('the name'), /^MalformedPacket: the name is cut short$/);
    assert.throws(() => new Reader(bytes, 0, end).binary('x'), MalformedPacket);
  }
  assert.throws(() => new Reader(bytes, 0, 3).u32('x'), MalformedPacket);
  assert.throws(() => new Reader(bytes, 0, 1).u16('x'), MalformedPacket);
  assert.throws(() => new Reader(bytes, 6, 6).u8('x'), MalformedPacket);
  assert.throws(() => new Reader(bytes, 0, 6).finish('PINGREQ'), /PINGREQ has 6 bytes behind its last field/);
});

test('numbers are big-endian and unsigned', () => {
  const all = reader('ff fffe fffffffd'.replaceAll(' ', ''));
  assert.deepEqual([all.u8('x'), all.u16('x'), all.u32('x'), all.remaining], [255, 65_534, 4_294_967_293, 0]);
  const writer = new Writer(1);
  writer.u8(255);
  writer.u16(65_534);
  writer.u32(4_294_967_293);
  assert.equal(writer.take().toString('hex'), 'fffffefffffffd');
});

test('a writer grows, closes packets with the shortest header, and is empty afterwards', () => {
  const writer = new Writer(8);
  for (const [length, header] of [
    [0, '3000'],
    [127, '307f'],
    [128, '308001'],
    [20_000, '30a09c01'],
  ] as const) {
    writer.bytes(Buffer.alloc(length, 1));
    const packet = writer.takePacket(0x30);
    assert.equal(packet.length, header.length / 2 + length);
    assert.equal(packet.toString('hex', 0, header.length / 2), header);
    assert.equal(
      packet.subarray(header.length / 2).every((byte) => byte === 1),
      true,
    );
  }
  assert.equal(writer.take().length, 0);
});

test('a length goes in front of what was written since', () => {
  for (const length of [0, 1, 127, 128, 300]) {
    const writer = new Writer(8);
    writer.u8(9);
    const start = writer.position;
    writer.bytes(Buffer.alloc(length, 7));
    writer.insertLength(start);
    writer.u8(8);
    const bytes = writer.take();
    const all = new Reader(bytes, 0, bytes.length);
    assert.equal(all.u8('x'), 9);
    assert.equal(all.varint('x'), length);
    assert.equal(
      bytes.subarray(all.at, all.at + length).every((byte) => byte === 7),
      true,
    );
    assert.equal(bytes[bytes.length - 1], 8);
    assert.equal(bytes.length, all.at + length + 1);
  }
});
