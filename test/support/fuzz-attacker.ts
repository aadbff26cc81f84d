// A client that does what none should: noise, packets that are cut or changed or come at the wrong time, abuse of
// identifiers and aliases, lines that break anywhere, and an owner that stops reading.
import {
  AUTH,
  DISCONNECT,
  NEVER_EXPIRES,
  PINGREQ,
  PUBACK,
  PUBCOMP,
  PUBREC,
  PUBREL,
  SUBSCRIBE,
  UNSUBSCRIBE,
} from '../../src/protocol/constants.ts';
import { encode } from '../../src/protocol/encode.ts';
import type { ConnectPacket, ControlPacket } from '../../src/protocol/packets.ts';
import type { Properties } from '../../src/protocol/properties.ts';
import { PROFILES, type Profile } from '../../src/protocol/version.ts';
import type { Dice } from './fuzz-dice.ts';
import { mutate, publishPacket, randomPacket } from './fuzz-packets.ts';
import type { Pipe } from './fuzz-pipe.ts';

const TOPICS = ['a', 'a/b', 'b/c/d', '$x', '/', 'flood', 'old/x', 'loud/x', 'drop', 'forbidden/x', 'secret'];
const FILTERS = [
  '#',
  '+',
  'a/#',
  '+/b',
  'flood',
  '$share/g/#',
  '$share/g/a/+',
  '$share/h/flood',
  '$x/#',
  'new/#',
  '+/+/+/#',
];
const CLIENTS = ['x1', 'x2', 'x3', ''];

/** A CONNECT that is valid by itself. */
export function drawWildConnect(dice: Dice, profile: Profile): ConnectPacket {
  const cleanStart = dice.chance(0.5);
  const properties: Properties = {};
  if (profile.hasProperties) {
    if (dice.chance(0.6)) properties.sessionExpiryInterval = dice.pick([0, 1, 60, NEVER_EXPIRES]);
    if (dice.chance(0.3)) properties.receiveMaximum = dice.pick([1, 2, 65_535]);
    if (dice.chance(0.2)) properties.maximumPacketSize = dice.pick([1, 20, 200, 20_000]);
    if (dice.chance(0.3)) properties.topicAliasMaximum = dice.pick([1, 65_535]);
    if (dice.chance(0.2)) properties.requestProblemInformation = 0;
    if (dice.chance(0.25)) properties.authenticationMethod = dice.pick(['riddle', 'unknown']);
    if (properties.authenticationMethod !== undefined && dice.chance(0.5)) {
      properties.authenticationData = Buffer.from(dice.pick(['answer', 'again', '']));
    }
  } else if (!cleanStart) properties.sessionExpiryInterval = NEVER_EXPIRES;
  const will = {
    topic: dice.pick(TOPICS),
    payload: dice.bytes(dice.below(50)),
    qos: dice.below(3),
    retain: dice.chance(0.3),
    properties: profile.hasProperties && dice.chance(0.5) ? { willDelayInterval: dice.pick([0, 1, 100]) } : {},
  };
  return {
    type: 1,
    profile,
    bridge: dice.chance(0.05),
    clientId: dice.pick(CLIENTS),
    cleanStart,
    keepAlive: dice.pick([0, 0, 1, 60]),
    username: dice.chance(0.2) ? dice.pick(['mallory', 'user']) : null,
    password: null,
    will: dice.chance(0.4) ? will : null,
    properties,
  };
}

/** One of the others. Its line is opened when it first acts, and again when it is over. */
export class Attacker {
  private readonly dice: Dice;
  private readonly open: () => Pipe;
  private pipe: Pipe | null = null;
  private profile: Profile;
  private isConnected = false;

  constructor(dice: Dice, open: () => Pipe) {
    this.dice = dice;
    this.open = open;
    this.profile = dice.pick(PROFILES);
  }

  /** Does one thing. */
  act(): void {
    const { dice } = this;
    const pipe = this.pipe ?? this.dial();
    if (!this.isConnected && dice.chance(0.6)) this.connect(pipe);
    const kind = dice.next();
    if (kind < 0.4) this.talk(pipe);
    else if (kind < 0.5) pipe.send(randomPacket(dice, dice.chance(0.8) ? this.profile : dice.pick(PROFILES)));
    else if (kind < 0.6) pipe.send(mutate(dice, this.known(), this.known()));
    else if (kind < 0.65) pipe.send(dice.bytes(dice.between(1, 40)));
    else if (kind < 0.72) this.cutShort(pipe);
    else if (kind < 0.8) pipe.pause();
    else if (kind < 0.86) pipe.resume();
    else if (kind < 0.92) this.flood(pipe);
    else this.hangUp(pipe);
  }

  /** Ends the line, whatever its state. */
  destroy(): void {
    this.pipe?.reset();
    this.pipe = null;
  }

  private dial(): Pipe {
    const pipe = this.open();
    this.pipe = pipe;
    this.isConnected = false;
    pipe.attach(
      () => undefined,
      () => {
        if (this.pipe === pipe) this.pipe = null;
      },
    );
    return pipe;
  }

  private connect(pipe: Pipe): void {
    const { dice } = this;
    this.profile = dice.pick(PROFILES);
    this.isConnected = true;
    const bytes = encode(this.profile, drawWildConnect(dice, this.profile));
    // With the next packets in one piece, before any CONNACK, or by itself.
    pipe.send(dice.chance(0.3) ? Buffer.concat([bytes, this.known(), this.known()]) : bytes);
  }

  private send(pipe: Pipe, packet: ControlPacket): void {
    pipe.send(encode(this.profile, packet));
  }

  /** Packets that a client may send, though perhaps not now, not with these identifiers, not to these topics. */
  private talk(pipe: Pipe): void {
    for (let count = this.dice.between(1, 6); count > 0; count--) pipe.send(this.known());
  }

  private known(): Buffer {
    const { dice, profile } = this;
    const id = dice.between(1, 4);
    const kind = dice.below(12);
    if (kind < 4) return this.publish(id);
    if (kind < 6) return encode(profile, this.subscribe(id));
    if (kind === 6) {
      const filters = Array.from({ length: dice.between(1, 3) }, () => dice.pick(FILTERS));
      return encode(profile, { type: UNSUBSCRIBE, id, filters, properties: {} });
    }
    if (kind === 7) return encode(profile, { type: PINGREQ });
    if (kind === 8 && profile.hasProperties) {
      const properties = {
        authenticationMethod: 'riddle',
        authenticationData: Buffer.from(dice.pick(['answer', 'again'])),
      };
      return encode(profile, { type: AUTH, code: dice.pick([0, 0x18, 0x19]), properties });
    }
    if (kind === 9 && dice.chance(0.4)) {
      const properties: Properties = dice.chance(0.3) ? { sessionExpiryInterval: dice.below(3) } : {};
      return encode(profile, { type: DISCONNECT, code: dice.pick([0, 4, 0x80]), properties });
    }
    const type = dice.pick([PUBACK, PUBREC, PUBREL, PUBCOMP] as const);
    const codes = type === PUBREL || type === PUBCOMP ? [0, 0x92] : [0, 0x80];
    return encode(profile, { type, id: dice.chance(0.9) ? id : 65_535, code: dice.pick(codes), properties: {} });
  }

  private publish(id: number): Buffer {
    const { dice, profile } = this;
    const qos = dice.below(3);
    const properties: Properties = {};
    if (profile.hasProperties && dice.chance(0.3)) properties.topicAlias = dice.pick([1, 2, 10, 11, 65_535]);
    if (profile.hasProperties && dice.chance(0.2)) properties.messageExpiryInterval = dice.pick([0, 1, 1000]);
    return publishPacket(profile, {
      topic: properties.topicAlias !== undefined && dice.chance(0.5) ? '' : dice.pick(TOPICS),
      payload: dice.bytes(dice.pick([0, 1, 20, 200])),
      qos,
      retain: dice.chance(0.3),
      dup: qos > 0 && dice.chance(0.3),
      id,
      properties,
    });
  }

  private subscribe(id: number): ControlPacket {
    const { dice, profile } = this;
    const subscriptions = Array.from({ length: dice.between(1, 4) }, () => {
      const filter = dice.pick(FILTERS);
      return {
        filter,
        qos: dice.below(3),
        noLocal: !filter.startsWith('$share') && dice.chance(0.2),
        retainAsPublished: dice.chance(0.3),
        retainHandling: dice.below(3),
      };
    });
    const properties: Properties =
      profile.hasProperties && dice.chance(0.3) ? { subscriptionIdentifier: dice.pick([1, 268_435_455]) } : {};
    return { type: SUBSCRIBE, id, subscriptions, properties };
  }

  /** A packet that ends with its line somewhere in the middle. */
  private cutShort(pipe: Pipe): void {
    const bytes = this.dice.chance(0.3) ? randomPacket(this.dice, this.profile) : this.known();
    pipe.send(bytes.subarray(0, this.dice.between(1, bytes.length)));
    this.hangUp(pipe);
  }

  /** Many messages at once for whoever listens. */
  private flood(pipe: Pipe): void {
    const { dice, profile } = this;
    const payload = Buffer.alloc(dice.pick([10, 1000, 20_000]));
    const parts = { topic: 'flood', payload, qos: dice.below(2), retain: false, dup: false, id: 9, properties: {} };
    const bytes = publishPacket(profile, parts);
    for (let count = dice.between(5, 60); count > 0; count--) pipe.send(bytes);
  }

  private hangUp(pipe: Pipe): void {
    const kind = this.dice.below(3);
    if (kind === 0) pipe.finish();
    else if (kind === 1) pipe.reset();
    else this.send(pipe, { type: DISCONNECT, code: 0, properties: {} });
    // Who only closes its side may go on to act until the broker has closed the other.
    if (kind === 1) this.pipe = null;
  }
}
