// Decoding is the inverse of encoding, and no bytes make the codec do anything but decode or name a fault.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CONNECT } from '../../src/protocol/constants.ts';
import { decode, decodeConnect } from '../../src/protocol/decode.ts';
import { encode } from '../../src/protocol/encode.ts';
import { PeerFault } from '../../src/protocol/errors.ts';
import { Framer } from '../../src/protocol/framer.ts';
import type { ControlPacket } from '../../src/protocol/packets.ts';
import { PROFILES, type Profile } from '../../src/protocol/version.ts';
import { controlPacket } from '../support/arbitrary-packets.ts';

const open = new Uint32Array(16).fill(268_435_460);

/** Decodes what a framer finds in some bytes. */
function read(profile: Profile, bytes: Buffer): ControlPacket[] {
  const packets: ControlPacket[] = [];
  new Framer(open).push(bytes, {
    frame(buffer, first, start, end) {
      packets.push(
        first >> 4 === CONNECT ? decodeConnect(buffer, start, end) : decode(profile, buffer, first, start, end),
      );
      return true;
    },
  });
  return packets;
}

for (const profile of PROFILES) {
  test(`decode(encode(packet)) is the packet, ${profile.option}`, () => {
    fc.assert(
      fc.property(controlPacket(profile), (packet) => {
        assert.deepEqual(read(profile, encode(profile, packet)), [packet]);
      }),
      { numRuns: 500 },
    );
  });

  test(`a packet that is cut anywhere, or changed in one byte, decodes or names its fault, ${profile.option}`, () => {
    fc.assert(
      fc.property(controlPacket(profile), fc.nat(), fc.integer({ min: 0, max: 255 }), (packet, place, value) => {
        const bytes = encode(profile, packet);
        const changed = Buffer.from(bytes);
        changed[place % bytes.length] = value;
        for (const attempt of [changed, bytes.subarray(0, place % bytes.length)]) {
          try {
            read(profile, attempt);
          } catch (error) {
            assert.ok(error instanceof PeerFault, String(error));
            assert.ok(error.message.length > 0 && error.reason.code >= 0x80);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
}
