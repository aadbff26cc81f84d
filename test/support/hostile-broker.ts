// A broker that means harm: what it may say to a client, made at random from a seed, and a watch over what the client says
// back, for a client has to keep the rules whoever it talks to.
import fc from 'fast-check';
import {
  AUTH,
  CONNACK,
  CONNECT,
  DISCONNECT,
  MAX_PACKET_ID,
  MAX_PACKET_SIZE,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBACK,
  SUBSCRIBE,
  UNSUBACK,
  UNSUBSCRIBE,
} from '../../src/protocol/constants.ts';
import { encode } from '../../src/protocol/encode.ts';
import type { ControlPacket } from '../../src/protocol/packets.ts';
import type { Properties } from '../../src/protocol/properties.ts';
import type { Profile } from '../../src/protocol/version.ts';
import { encodePublish, type SeenPacket } from '../unit/client/scripted-broker.ts';
import { controlPacket } from './arbitrary-packets.ts';
import type { Dice } from './fuzz-dice.ts';

/** What a broker says next: bytes, and the packet if it is a whole one. */
export interface Said {
  readonly bytes: Buffer;
  readonly packet: ControlPacket | null;
}

const NO_PACKET = null;

/** CONNACK as a sound broker would say it, with grants that are hard to keep to. */
export function soundConnack(profile: Profile, dice: Dice, method: string | undefined): ControlPacket {
  const properties: Properties = {};
  if (profile.hasProperties) {
    if (dice.chance(0.4)) properties.receiveMaximum = dice.pick([1, 2, 5]);
    if (dice.chance(0.4)) properties.maximumPacketSize = dice.pick([1, 4, 30, 200]);
    if (dice.chance(0.3)) properties.maximumQoS = dice.pick([0, 1]);
    if (dice.chance(0.3)) properties.retainAvailable = 0;
    if (dice.chance(0.3)) properties.topicAliasMaximum = dice.pick([1, 3]);
    if (dice.chance(0.3)) properties.serverKeepAlive = dice.pick([0, 1, 65_535]);
    if (dice.chance(0.2)) properties.assignedClientIdentifier = 'given';
    if (dice.chance(0.2)) properties.wildcardSubscriptionAvailable = 0;
    if (method !== undefined && dice.chance(0.9)) properties.authenticationMethod = method;
  }
  return { type: CONNACK, sessionPresent: dice.chance(0.3), code: 0, properties };
}

function hostilePublish(profile: Profile, dice: Dice): Buffer {
  const properties: Properties = dice.pick([
    {},
    { topicAlias: 1 },
    { topicAlias: 9 },
    { payloadFormatIndicator: 1 },
    { subscriptionIdentifiers: [1, 268_435_455] },
    { userProperties: [['__proto__', 'constructor']] as const },
  ]);
  const qos = dice.pick([0, 1, 2, 2]);
  return encodePublish(profile, {
    topic: dice.pick(['a', 'b/c', '', '#', '$SYS/x', '\u{1f600}', 'x'.repeat(200)]),
    payload: 'x'.repeat(dice.below(dice.chance(0.05) ? 70_000 : 50)),
    qos,
    id: 1 + dice.below(5),
    dup: qos > 0 && dice.chance(0.3),
    retain: dice.chance(0.2),
    properties,
  });
}

/** Something that no sound broker says now, or that one might. */
export function hostileWords(profile: Profile, dice: Dice): Said {
  const any = (): ControlPacket => fc.sample(controlPacket(profile), { seed: dice.below(2 ** 31), numRuns: 1 })[0]!;
  const whole = (): Buffer => (dice.chance(0.5) ? hostilePublish(profile, dice) : encode(profile, any()));
  switch (dice.below(8)) {
    case 0:
    case 1: {
      const packet = any();
      return { bytes: encode(profile, packet), packet };
    }
    case 2:
    case 3:
      return { bytes: hostilePublish(profile, dice), packet: NO_PACKET };
    case 4: {
      const bytes = whole();
      for (let i = dice.below(3); i >= 0 && bytes.length > 0; i--) bytes[dice.below(bytes.length)] = dice.below(256);
      return { bytes, packet: NO_PACKET };
    }
    case 5: {
      const bytes = whole();
      return { bytes: bytes.subarray(0, dice.below(bytes.length + 1)), packet: NO_PACKET };
    }
    case 6:
      return {
        bytes: dice.bytes(1 + dice.below(40)),
        packet: NO_PACKET,
      };
    default: {
      const type = dice.pick([PUBACK, PUBREC, PUBREL, PUBCOMP] as const);
      const code = profile.hasProperties && type === PUBREC && dice.chance(0.2) ? 0x87 : 0;
      const packet: ControlPacket = { type, id: 1 + dice.below(6), code, properties: {} };
      return { bytes: encode(profile, packet), packet };
    }
  }
}

/** What a sound broker answers; null where it says nothing. */
export function soundAnswer(packet: SeenPacket): ControlPacket | null {
  switch (packet.type) {
    case PUBLISH:
      if (packet.qos === 0) return null;
      return { type: packet.qos === 1 ? PUBACK : PUBREC, id: packet.id, code: 0, properties: {} };
    case PUBREL:
      return { type: PUBCOMP, id: packet.id, code: 0, properties: {} };
    case PUBREC:
      return { type: PUBREL, id: packet.id, code: 0, properties: {} };
    case SUBSCRIBE:
      return { type: SUBACK, id: packet.id, codes: packet.subscriptions.map(() => 0), properties: {} };
    case UNSUBSCRIBE:
      return { type: UNSUBACK, id: packet.id, codes: packet.filters.map(() => 0), properties: {} };
    case 12:
      return { type: 13 };
    default:
      return null;
  }
}

/** Watches one connection for rules that the client must keep. */
export class Watch {
  /** What CONNACK offers; granted once the client goes on with it, for it may have to refuse. */
  private offered: Properties | null = null;
  private granted: Properties | null = null;
  private isConnected = false;
  private isOver = false;
  private count = 0;
  /** Unacknowledged identifiers; null once something was said of which nobody knows what the client makes of it. */
  private open: Set<number> | null = new Set();
  private readonly aliases = new Set<number>();

  /** The broker says this. */
  said({ packet }: Said): void {
    if (packet === null) {
      this.open = null;
      return;
    }
    if (packet.type === CONNACK && packet.code === 0 && !this.isConnected) {
      this.isConnected = true;
      this.offered = packet.properties;
    }
    const ends = packet.type === PUBACK || packet.type === PUBCOMP || (packet.type === PUBREC && packet.code >= 0x80);
    // An answer to a message that has not come yet: it may be on its way, or it may be none.
    if (ends && this.open?.delete(packet.id) === false) this.open = null;
  }

  /** The client has said this; returns the rule it broke, or null. */
  saw(packet: SeenPacket, size: number): string | null {
    const isFirst = this.count === 0;
    this.count += 1;
    if (isFirst !== (packet.type === CONNECT)) return 'CONNECT comes first and once';
    if (isFirst) return null;
    if (this.isOver) return 'nothing comes behind DISCONNECT';
    this.isOver = packet.type === DISCONNECT;
    if (!this.isConnected && this.open !== null && packet.type !== AUTH && packet.type !== DISCONNECT) {
      return 'nothing but AUTH and DISCONNECT comes before CONNACK';
    }
    if (packet.type !== AUTH && packet.type !== DISCONNECT) this.granted = this.offered;
    const { granted } = this;
    if (granted === null) return null;
    if (size > (granted.maximumPacketSize ?? MAX_PACKET_SIZE)) return 'a packet is larger than the maximum packet size';
    return packet.type === PUBLISH ? this.sawPublish(packet, granted) : null;
  }

  private sawPublish(packet: Extract<SeenPacket, { type: typeof PUBLISH }>, granted: Properties): string | null {
    if (packet.qos > (granted.maximumQoS ?? 2)) return 'a QoS is above the maximum';
    if (packet.retain && granted.retainAvailable === 0) return 'retain is not available';
    const { topicAlias } = packet.properties;
    if (topicAlias !== undefined) {
      if (topicAlias > (granted.topicAliasMaximum ?? 0)) return 'a topic alias is above the maximum';
      if (packet.topic === '' && !this.aliases.has(topicAlias)) return 'a topic alias stands for nothing';
      this.aliases.add(topicAlias);
    } else if (packet.topic === '') {
      return 'a topic is empty';
    }
    if (packet.qos === 0 || this.open === null) return null;
    if (this.open.has(packet.id)) return 'a packet identifier is in use';
    this.open.add(packet.id);
    const most = granted.receiveMaximum ?? MAX_PACKET_ID;
    return this.open.size > most ? 'more messages than the receive maximum are unacknowledged' : null;
  }
}
