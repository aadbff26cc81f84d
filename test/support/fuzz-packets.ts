// Valid packets of every type, PUBLISH too, and ways to spoil them.
import fc from 'fast-check';
import { PUBLISH } from '../../src/protocol/constants.ts';
import { encode } from '../../src/protocol/encode.ts';
import type { Properties } from '../../src/protocol/properties.ts';
import { encodePublishProperties } from '../../src/protocol/publish.ts';
import { PROFILES, type Profile } from '../../src/protocol/version.ts';
import { varintLength, writeVarint } from '../../src/protocol/writer.ts';
import { controlPacket, propertiesOf, topicName } from './arbitrary-packets.ts';
import type { Dice } from './fuzz-dice.ts';

/** What a PUBLISH says. */
export interface PublishParts {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly retain: boolean;
  readonly dup: boolean;
  /** Counts for QoS 1 and 2 only. */
  readonly id: number;
  /** Counts for versions with properties only. */
  readonly properties: Properties;
}

/** A packet from its first byte and its body. */
export function packet(first: number, body: Buffer): Buffer {
  const head = Buffer.alloc(1 + varintLength(body.length));
  head[0] = first;
  writeVarint(head, 1, body.length);
  return Buffer.concat([head, body]);
}

/** The bytes of a PUBLISH. */
export function publishPacket(profile: Profile, parts: PublishParts): Buffer {
  const topic = Buffer.from(parts.topic);
  const section: Buffer[] = [Buffer.from([topic.length >> 8, topic.length & 0xff]), topic];
  if (parts.qos > 0) section.push(Buffer.from([parts.id >> 8, parts.id & 0xff]));
  if (profile.hasProperties) {
    const { bytes } = encodePublishProperties(parts.properties);
    const length = Buffer.alloc(varintLength(bytes.length));
    writeVarint(length, 0, bytes.length);
    section.push(length, Buffer.from(bytes));
  }
  const first = (PUBLISH << 4) | (parts.dup ? 8 : 0) | (parts.qos << 1) | (parts.retain ? 1 : 0);
  return packet(first, Buffer.concat([...section, parts.payload]));
}

/** One value of an arbitrary, chosen by the dice. */
export function draw<T>(dice: Dice, arbitrary: fc.Arbitrary<T>): T {
  return fc.sample(arbitrary, { numRuns: 1, seed: dice.below(0x7fff_ffff) })[0]!;
}

const CONTROL = new Map(PROFILES.map((profile) => [profile, controlPacket(profile)]));
const PROPERTIES = new Map(PROFILES.map((profile) => [profile, propertiesOf(profile, PUBLISH)]));

/** A valid PUBLISH. */
export function randomPublish(dice: Dice, profile: Profile): Buffer {
  const qos = dice.below(3);
  return publishPacket(profile, {
    topic: draw(dice, topicName),
    payload: dice.bytes(dice.below(60)),
    qos,
    retain: dice.chance(0.3),
    dup: qos > 0 && dice.chance(0.2),
    id: dice.between(1, 65_535),
    properties: draw(dice, PROPERTIES.get(profile)!),
  });
}

/** A valid packet of any type, whoever may send it. */
export function randomPacket(dice: Dice, profile: Profile): Buffer {
  return dice.chance(0.2) ? randomPublish(dice, profile) : encode(profile, draw(dice, CONTROL.get(profile)!));
}

/** Bytes that tend to be meant: small lengths, flags, identifiers of properties, the borders of variable byte integers. */
const TELLING = [0, 1, 2, 4, 0x0b, 0x11, 0x1f, 0x21, 0x22, 0x23, 0x26, 0x27, 0x7f, 0x80, 0x81, 0xc0, 0xed, 0xff];

function flipBit(dice: Dice, bytes: Buffer): Buffer {
  const at = dice.below(bytes.length);
  bytes[at] = bytes[at]! ^ (1 << dice.below(8));
  return bytes;
}

function overwrite(dice: Dice, bytes: Buffer): Buffer {
  bytes[dice.below(bytes.length)] = dice.chance(0.7) ? dice.pick(TELLING) : dice.below(256);
  return bytes;
}

/** Doubles a stretch, or takes it out, or puts in one from elsewhere, and makes the length fit where it is one byte. */
function splice(dice: Dice, bytes: Buffer, other: Buffer): Buffer {
  const at = dice.between(Math.min(2, bytes.length), bytes.length);
  const end = dice.between(at, Math.min(bytes.length, at + 12));
  const from = dice.below(other.length);
  const piece = dice.pick([
    Buffer.concat([bytes.subarray(at, end), bytes.subarray(at, end)]),
    Buffer.alloc(0),
    other.subarray(from, from + dice.between(1, 12)),
  ]);
  return refit(Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(end)]));
}

/** A packet whose remaining length tells what is there, as long as that is one byte. */
function refit(bytes: Buffer): Buffer {
  if (bytes.length < 2 || bytes.length > 129) return bytes;
  const whole = Buffer.from(bytes);
  whole[1] = whole.length - 2;
  return whole;
}

/** A length field anywhere is pulled up or down. */
function stretch(dice: Dice, bytes: Buffer): Buffer {
  if (bytes.length < 3) return bytes;
  const at = dice.between(1, bytes.length - 1);
  bytes[at] = (bytes[at]! + dice.pick([-2, -1, 1, 2, 0x80, 0x7f])) & 0xff;
  return bytes;
}

/** A variable byte integer of five bytes where a length stands. */
function overlong(dice: Dice, bytes: Buffer): Buffer {
  const at = dice.chance(0.5) ? 1 : dice.between(1, bytes.length);
  const five = dice.pick([
    [0x80, 0x80, 0x80, 0x80, 0x01],
    [0xff, 0xff, 0xff, 0xff, 0x7f],
    [0x80, 0x80, 0x80, 0x00],
    [0x80, 0x00],
  ]);
  const spoiled = Buffer.concat([bytes.subarray(0, at), Buffer.from(five), bytes.subarray(at + 1)]);
  return at === 1 ? spoiled : refit(spoiled);
}

/** A copy of a packet with something wrong, or at least different. */
export function mutate(dice: Dice, original: Buffer, other: Buffer): Buffer {
  let bytes: Buffer = Buffer.from(original);
  for (let times = dice.between(1, 3); times > 0 && bytes.length > 0; times--) {
    switch (dice.below(6)) {
      case 0:
        bytes = flipBit(dice, bytes);
        break;
      case 1:
        bytes = overwrite(dice, bytes);
        break;
      case 2:
        bytes = splice(dice, bytes, other);
        break;
      case 3:
        bytes = stretch(dice, bytes);
        break;
      case 4:
        bytes = overlong(dice, bytes);
        break;
      default:
        bytes = refit(bytes.subarray(0, dice.between(1, bytes.length)));
    }
    bytes = Buffer.from(bytes);
  }
  return bytes;
}
