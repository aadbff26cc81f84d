// What an older version's answers cannot say is not read out of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from '../../../src/protocol/decode.ts';
import { ProtocolError } from '../../../src/protocol/errors.ts';
import type { ControlPacket } from '../../../src/protocol/packets.ts';
import { MQTT31, MQTT311, type Profile } from '../../../src/protocol/version.ts';

function read(profile: Profile, hex: string): ControlPacket {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  return decode(profile, bytes, bytes[0]!, 2, bytes.length);
}

test('the byte that became the session present flag is reserved in MQTT 3.1', () => {
  assert.deepEqual(read(MQTT31, '20 02 01 00'), { type: 2, sessionPresent: false, code: 0, properties: {} });
  assert.deepEqual(read(MQTT311, '20 02 01 00'), { type: 2, sessionPresent: true, code: 0, properties: {} });
});

test('SUBACK return codes other than the four of 3.1.1 are reserved [MQTT3-3.9.3-2]', () => {
  for (const profile of [MQTT31, MQTT311]) {
    for (const code of ['00', '01', '02', '80']) read(profile, `90 03 0001 ${code}`);
    for (const code of ['83', '87', '8f', '97']) {
      assert.throws(() => read(profile, `90 03 0001 ${code}`), ProtocolError);
    }
  }
});
