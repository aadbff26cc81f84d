// Packets that break a rule while everything else is in order: the connection must end, with the reason that the standard
// names where it names one.
import {
  AUTH,
  CONNACK,
  CONNECT,
  DISCONNECT,
  PINGRESP,
  PUBACK,
  PUBLISH,
  PUBREL,
  SUBACK,
  SUBSCRIBE,
  UNSUBACK,
  UNSUBSCRIBE,
} from '../../src/protocol/constants.ts';
import type { Profile } from '../../src/protocol/version.ts';
import type { Dice } from './fuzz-dice.ts';
import { packet, publishPacket } from './fuzz-packets.ts';

const MALFORMED = 0x81;
const PROTOCOL_ERROR = 0x82;
const TOPIC_FILTER_INVALID = 0x8f;
const TOPIC_NAME_INVALID = 0x90;
const TOPIC_ALIAS_INVALID = 0x94;

/** A packet that a client must not send. */
export interface Breach {
  readonly bytes: Buffer;
  /** The reason codes that DISCONNECT may have; the standard often leaves a choice between two. */
  readonly codes: readonly number[];
}

const EITHER = [MALFORMED, PROTOCOL_ERROR];

function filterPacket(profile: Profile, type: number, filter: Buffer, options: readonly number[], id = 1): Buffer {
  const properties = profile.hasProperties ? [0] : [];
  const head = Buffer.from([id >> 8, id & 0xff, ...properties, filter.length >> 8, filter.length & 0xff]);
  return packet((type << 4) | 2, Buffer.concat([head, filter, Buffer.from(options)]));
}

function breaches(dice: Dice, profile: Profile, topicAliasMaximum: number): Breach[] {
  const publish = (topic: string, more: object = {}): Buffer =>
    publishPacket(profile, {
      topic,
      payload: Buffer.from('never'),
      qos: 1,
      retain: true,
      dup: false,
      id: 60_000,
      properties: {},
      ...more,
    });
  const filter = (text: string, options = [0]): Buffer =>
    filterPacket(profile, SUBSCRIBE, Buffer.from(text, 'latin1'), options);
  const all: Breach[] = [
    { bytes: packet(CONNECT << 4, dice.bytes(12)), codes: EITHER },
    { bytes: packet(CONNACK << 4, Buffer.from([0, 0, 0])), codes: EITHER },
    { bytes: packet(SUBACK << 4, Buffer.from([0, 1, 0])), codes: EITHER },
    { bytes: packet(UNSUBACK << 4, Buffer.from([0, 1])), codes: EITHER },
    { bytes: packet(PINGRESP << 4, Buffer.alloc(0)), codes: EITHER },
    { bytes: packet(0, dice.bytes(5)), codes: EITHER },
    { bytes: packet(PUBACK << 4, Buffer.from([0, 0])), codes: EITHER },
    { bytes: packet(PUBACK << 4, Buffer.from([0])), codes: EITHER },
    { bytes: publish('a/#'), codes: [TOPIC_NAME_INVALID, ...EITHER] },
    { bytes: publish('a/+/b'), codes: [TOPIC_NAME_INVALID, ...EITHER] },
    { bytes: publish('a\0b'), codes: EITHER },
    { bytes: publish('a', { id: 0 }), codes: EITHER },
    { bytes: publish('a', { qos: 3 }), codes: [MALFORMED] },
    { bytes: publish('a', { qos: 0, dup: true }), codes: EITHER },
    { bytes: publish(''), codes: [TOPIC_NAME_INVALID, ...EITHER] },
    { bytes: filter('a/#/b'), codes: [TOPIC_FILTER_INVALID, ...EITHER] },
    { bytes: filter('a+'), codes: [TOPIC_FILTER_INVALID, ...EITHER] },
    { bytes: filter(''), codes: [TOPIC_FILTER_INVALID, ...EITHER] },
    { bytes: filter('a\xff'), codes: EITHER },
    { bytes: filter('a', [3]), codes: EITHER },
    { bytes: filter('a', [0xc0]), codes: EITHER },
    { bytes: filterPacket(profile, SUBSCRIBE, Buffer.from('a'), [0], 0), codes: EITHER },
    { bytes: filter('$share//a'), codes: [TOPIC_FILTER_INVALID, ...EITHER] },
    { bytes: filterPacket(profile, UNSUBSCRIBE, Buffer.from('b/#c'), []), codes: [TOPIC_FILTER_INVALID, ...EITHER] },
    {
      bytes: packet((SUBSCRIBE << 4) | 2, Buffer.from(profile.hasProperties ? [0, 1, 0] : [0, 1])),
      codes: [PROTOCOL_ERROR],
    },
    { bytes: Buffer.from([0xc0, 0x80, 0x80, 0x80, 0x80, 0x01]), codes: [MALFORMED] },
  ];
  if (!profile.flagsAreLoose) {
    all.push({ bytes: packet(PUBREL << 4, Buffer.from([0, 1])), codes: [MALFORMED] });
    all.push({ bytes: packet((SUBSCRIBE << 4) | 3, Buffer.from([0, 1, 0, 0, 1, 0x61, 0])), codes: [MALFORMED] });
  }
  if (!profile.hasProperties) {
    all.push({ bytes: packet(AUTH << 4, Buffer.alloc(0)), codes: [] });
    return all;
  }
  const properties = (...bytes: number[]): Buffer =>
    packet(PUBLISH << 4, Buffer.from([0, 1, 0x61, bytes.length, ...bytes, 0x78]));
  all.push(
    { bytes: publish('a', { properties: { topicAlias: topicAliasMaximum + 1 } }), codes: [TOPIC_ALIAS_INVALID] },
    { bytes: properties(0x23, 0, 0), codes: [TOPIC_ALIAS_INVALID, ...EITHER] },
    { bytes: properties(0x01, 2), codes: EITHER },
    { bytes: properties(0x01, 1, 0x01, 1), codes: [PROTOCOL_ERROR] },
    { bytes: properties(0x0b, 1), codes: [PROTOCOL_ERROR] },
    { bytes: properties(0x11, 0, 0, 0, 1), codes: EITHER },
    { bytes: properties(0x7e), codes: EITHER },
    { bytes: properties(0x02, 0, 0), codes: [MALFORMED] },
    { bytes: filter('$share/g/a', [4]), codes: [PROTOCOL_ERROR] },
    { bytes: filter('a', [0x30]), codes: EITHER },
    { bytes: packet(AUTH << 4, Buffer.from([0x18, 0])), codes: EITHER },
    { bytes: packet(DISCONNECT << 4, Buffer.from([0x01])), codes: EITHER },
  );
  return all;
}

/** One of them. */
export function drawBreach(dice: Dice, profile: Profile, topicAliasMaximum: number): Breach {
  return dice.pick(breaches(dice, profile, topicAliasMaximum));
}
