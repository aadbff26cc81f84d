// The decoder under changed, cut and random packets: a packet or a fault with a reason; and what was decoded is the same
// after being encoded and decoded again.
import assert from 'node:assert/strict';
import { Message } from '../../src/broker/routing/message.ts';
import { TopicTable } from '../../src/broker/routing/topics.ts';
import { CONNECT, PUBLISH } from '../../src/protocol/constants.ts';
import { decode, decodeConnect } from '../../src/protocol/decode.ts';
import { encode } from '../../src/protocol/encode.ts';
import { PeerFault } from '../../src/protocol/errors.ts';
import { Framer } from '../../src/protocol/framer.ts';
import type { ControlPacket } from '../../src/protocol/packets.ts';
import { PublishView, publishProperties, readPublish } from '../../src/protocol/publish.ts';
import { PROFILES, type Profile } from '../../src/protocol/version.ts';
import { Dice } from './fuzz-dice.ts';
import { mutate, type PublishParts, publishPacket, randomPacket } from './fuzz-packets.ts';

const OPEN = new Uint32Array(16).fill(268_435_460);

interface DecodedPublish extends PublishParts {
  readonly type: typeof PUBLISH;
}

type Decoded = ControlPacket | DecodedPublish;

function readOne(
  profile: Profile,
  fromServer: boolean,
  buffer: Buffer,
  first: number,
  start: number,
  end: number,
): Decoded {
  const type = first >> 4;
  if (type === CONNECT) return decodeConnect(buffer, start, end);
  if (type !== PUBLISH) return decode(profile, buffer, first, start, end);
  const view = new PublishView();
  readPublish(view, profile.hasProperties, fromServer, buffer, first, start, end);
  return {
    type: PUBLISH,
    topic: buffer.toString('latin1', view.topicStart, view.topicEnd),
    payload: Buffer.from(buffer.subarray(view.payloadStart, end)),
    qos: view.qos,
    retain: (first & 1) !== 0,
    dup: (first & 8) !== 0,
    id: view.id,
    properties: publishProperties(view),
  };
}

/** The packets of a stream up to its end or its first fault. */
function read(profile: Profile, fromServer: boolean, bytes: Buffer): Decoded[] {
  const packets: Decoded[] = [];
  const framer = new Framer(OPEN);
  framer.flagsAreLoose = profile.flagsAreLoose;
  try {
    framer.push(bytes, {
      frame(buffer, first, start, end) {
        packets.push(readOne(profile, fromServer, buffer, first, start, end));
        if (first >> 4 === PUBLISH) relay(profile, fromServer, buffer, first, start, end);
        return true;
      },
    });
  } catch (error) {
    if (!(error instanceof PeerFault)) throw error;
    assert.ok(error.message.length > 0, 'a fault without words');
    assert.ok(error.reason.code >= 0x80, `a fault with reason 0x${error.reason.code.toString(16)}`);
  }
  return packets;
}

/** What a broker would send on of a PUBLISH says the same, in both shapes and with and without identifier. */
function relay(profile: Profile, fromServer: boolean, buffer: Buffer, first: number, start: number, end: number): void {
  const view = new PublishView();
  readPublish(view, profile.hasProperties, fromServer, buffer, first, start, end);
  if (view.topicStart === view.topicEnd) return;
  const topics = new TopicTable();
  const topic = topics.intern(buffer, view.topicStart, view.topicEnd);
  const message = Message.received(view, topic, null, profile.shape, true, 0);
  const { topicAlias: _, ...properties } = publishProperties(view);
  for (const keeps of [false, true]) {
    if (keeps) message.own();
    for (const shape of [0, 1] as const) {
      for (const withId of [false, true]) {
        const frame = message.frame(shape, withId);
        const head = Buffer.from(frame.bytes.subarray(frame.start, frame.end));
        head[0] = (PUBLISH << 4) | (withId ? 2 : 0);
        if (withId) head.writeUInt16BE(7, frame.idAt);
        const payload = message.payloadBuffer.subarray(message.payloadStart, message.payloadEnd);
        const sent = read5(shape, frame.hasPayload ? head : Buffer.concat([head, payload]));
        assert.equal(sent.topic, topic.bytes.toString('latin1'));
        assert.deepEqual(sent.payload, Buffer.from(payload));
        assert.deepEqual(sent.properties, shape === 1 ? properties : {});
        assert.equal(sent.id, withId ? 7 : 0);
      }
    }
  }
}

function read5(shape: 0 | 1, bytes: Buffer): DecodedPublish {
  const profile = PROFILES.find((one) => one.shape === shape)!;
  let found: Decoded | null = null;
  new Framer(OPEN).push(bytes, {
    frame(buffer, first, start, end) {
      found = readOne(profile, true, buffer, first, start, end);
      return true;
    },
  });
  assert.notEqual(found, null, 'what is sent on is no packet');
  return found! as DecodedPublish;
}

function write(profile: Profile, packet: Decoded): Buffer {
  if (packet.type !== PUBLISH) return encode(packet.type === CONNECT ? packet.profile : profile, packet);
  const bytes = publishPacket(profile, { ...packet, topic: '' });
  // The topic's bytes need not be UTF-8: whoever reads a PUBLISH checks that later.
  const topic = Buffer.from(packet.topic, 'latin1');
  const headLength = bytes.length - bodyLength(bytes);
  const body = Buffer.concat([
    Buffer.from([topic.length >> 8, topic.length & 0xff]),
    topic,
    bytes.subarray(headLength + 2),
  ]);
  const length: number[] = [];
  for (let left = body.length; length.length === 0 || left > 0; left >>= 7)
    length.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
  return Buffer.concat([Buffer.from([bytes[0]!, ...length]), body]);
}

function bodyLength(bytes: Buffer): number {
  let length = 0;
  for (let at = 1, shift = 0; ; at++, shift += 7) {
    length |= (bytes[at]! & 0x7f) << shift;
    if (bytes[at]! < 0x80) return length;
  }
}

function check(profile: Profile, fromServer: boolean, bytes: Buffer): void {
  for (const packet of read(profile, fromServer, bytes)) {
    const [again] = read(profile, fromServer, write(profile, packet));
    assert.deepEqual(again, packet, 'encoded and decoded again it is another packet');
  }
}

/** One packet in one version: as it is, cut at every byte, and changed in many ways. */
export function fuzzDecoder(seed: number): void {
  const dice = new Dice(seed);
  const profile = dice.pick(PROFILES);
  const fromServer = dice.chance(0.5);
  // Packets of one version read as another's are the commonest kind of wrong bytes.
  const original = randomPacket(dice, dice.chance(0.8) ? profile : dice.pick(PROFILES));
  const other = randomPacket(dice, profile);
  let tried = original;
  try {
    check(profile, fromServer, original);
    for (let length = 1; length < original.length; length++) {
      tried = original.subarray(0, length);
      check(profile, fromServer, tried);
      if (length < 2 || length > 129) continue;
      // Cut, but with a remaining length that fits.
      tried = Buffer.from(tried);
      tried[1] = length - 2;
      check(profile, fromServer, tried);
    }
    for (let times = 0; times < 60; times++) {
      tried = mutate(dice, original, other);
      check(profile, fromServer, tried);
    }
    for (let times = 0; times < 10; times++) {
      tried = Buffer.concat([Buffer.from([dice.below(256), dice.below(40)]), dice.bytes(dice.below(40))]);
      check(profile, fromServer, tried);
    }
  } catch (error) {
    (error as Error).message += ` [${profile.option}, ${tried.toString('hex')}]`;
    throw error;
  }
}
