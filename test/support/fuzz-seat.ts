// One client of the well-formed traffic: its connection, and what it remembers beyond it.
import { NEVER_EXPIRES } from '../../src/protocol/constants.ts';
import type { ConnectPacket, Will } from '../../src/protocol/packets.ts';
import type { Properties } from '../../src/protocol/properties.ts';
import { PROFILES, type Profile } from '../../src/protocol/version.ts';
import type { Dice } from './fuzz-dice.ts';
import type { PublishParts } from './fuzz-packets.ts';
import type { FuzzPeer } from './fuzz-peer.ts';
import type { PipeKind } from './fuzz-pipe.ts';
import type { ModelLink, ModelWill } from './fuzz-terms.ts';

/** A client id, and who holds it now. */
export interface Seat {
  readonly clientId: string;
  readonly kind: PipeKind;
  profile: Profile;
  peer: FuzzPeer | null;
  lastId: number;
  /** QoS 2 messages whose PUBREL was never sent. */
  readonly halves: Map<number, PublishParts>;
  /** Topic aliases that were set on this connection. */
  readonly aliases: Map<number, string>;
  /** The broker's topic alias maximum and receive maximum. */
  topicAliasMaximum: number;
  receiveMaximum: number;
}

export function makeSeat(clientId: string, kind: PipeKind, profile: Profile): Seat {
  return {
    clientId,
    kind,
    profile,
    peer: null,
    lastId: 0,
    halves: new Map(),
    aliases: new Map(),
    topicAliasMaximum: 0,
    receiveMaximum: 65_535,
  };
}

/** The next packet identifier that no unfinished message of the seat's has. */
export function nextId(seat: Seat): number {
  do seat.lastId = (seat.lastId % 65_535) + 1;
  while (seat.halves.has(seat.lastId));
  return seat.lastId;
}

/** How a seat connects, in packets and in the model's terms. */
export interface Connecting {
  readonly packet: ConnectPacket;
  readonly expiry: number;
  readonly will: ModelWill | null;
  readonly link: ModelLink;
}

/** Draws a CONNECT for a seat, sometimes in another version than before. */
export function drawConnect(dice: Dice, seat: Seat, willPayload: Buffer): Connecting {
  if (dice.chance(0.15)) seat.profile = dice.pick(PROFILES);
  const { profile, clientId } = seat;
  const cleanStart = dice.chance(0.35);
  const will = dice.chance(0.4) ? drawWill(dice, profile, clientId, willPayload) : null;
  const properties = profile.hasProperties ? drawConnectProperties(dice) : cleanStart ? {} : FOREVER;
  const packet: ConnectPacket = {
    type: 1,
    profile,
    bridge: false,
    clientId,
    cleanStart,
    keepAlive: 0,
    username: null,
    password: null,
    will,
    properties,
  };
  return {
    packet,
    expiry: properties.sessionExpiryInterval ?? 0,
    will: will === null ? null : modelWill(will, clientId),
    link: {
      window: properties.receiveMaximum ?? 65_535,
      maximumPacketSize: properties.maximumPacketSize ?? 0,
      holds: 'nothing',
    },
  };
}

const FOREVER: Properties = { sessionExpiryInterval: NEVER_EXPIRES };

function drawConnectProperties(dice: Dice): Properties {
  const properties: Properties = {};
  if (dice.chance(0.7)) properties.sessionExpiryInterval = dice.pick([0, 3, 30, NEVER_EXPIRES]);
  if (dice.chance(0.4)) properties.receiveMaximum = dice.pick([1, 2, 5]);
  if (dice.chance(0.2)) properties.maximumPacketSize = 700;
  if (dice.chance(0.4)) properties.topicAliasMaximum = dice.pick([1, 3, 20]);
  return properties;
}

function drawWill(dice: Dice, profile: Profile, clientId: string, payload: Buffer): Will {
  const properties: Properties = {};
  if (profile.hasProperties) {
    if (dice.chance(0.5)) properties.willDelayInterval = dice.pick([0, 2, 10]);
    // When exactly a delayed will is published is the broker's to say; so would be what is left of its life.
    if ((properties.willDelayInterval ?? 0) === 0 && dice.chance(0.3)) properties.messageExpiryInterval = 20;
    if (dice.chance(0.3)) properties.contentType = 'will';
    if (dice.chance(0.3)) properties.userProperties = [['will', clientId]];
  }
  return { topic: `will/${clientId}`, payload, qos: dice.below(3), retain: dice.chance(0.3), properties };
}

function modelWill(will: Will, clientId: string): ModelWill {
  const { willDelayInterval = 0, messageExpiryInterval, ...properties } = will.properties;
  return {
    message: {
      topic: will.topic,
      payload: will.payload,
      qos: will.qos,
      retain: will.retain,
      properties,
      publisher: clientId,
    },
    lifetime: messageExpiryInterval ?? null,
    delay: willDelayInterval,
  };
}
