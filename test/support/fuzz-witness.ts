// Two clients that keep all the rules and exchange messages while others misbehave: each message must arrive as its QoS
// says, in order, unaltered.
import assert from 'node:assert/strict';
import { PUBACK, PUBCOMP, PUBREC, PUBREL, SUBACK, SUBSCRIBE } from '../../src/protocol/constants.ts';
import type { Properties } from '../../src/protocol/properties.ts';
import { PROFILES } from '../../src/protocol/version.ts';
import type { Dice } from './fuzz-dice.ts';
import { publishPacket } from './fuzz-packets.ts';
import { type Delivery, FuzzPeer } from './fuzz-peer.ts';
import type { Pipe } from './fuzz-pipe.ts';

/** Waits until something holds, and lets time pass meanwhile. */
export type Wait = (holds: () => boolean, what: () => string) => Promise<void>;

const PROPERTIES: Properties = { contentType: 'witness', userProperties: [['k', 'v']] };

/** One of the two. It gets what the other one sends to its topic. */
class Witness {
  readonly peer: FuzzPeer;
  readonly topic: string;
  readonly awaited: { qos: number; payload: Buffer }[] = [];
  lastId = 0;

  constructor(dice: Dice, pipe: Pipe) {
    const name = dice.bytes(8).toString('hex');
    this.topic = `witness/${name}/${dice.pick(['a', 'ä/b', ''])}`;
    this.peer = new FuzzPeer(pipe, {
      type: 1,
      profile: dice.pick(PROFILES),
      bridge: false,
      clientId: `w${name}`,
      cleanStart: true,
      keepAlive: 0,
      username: null,
      password: null,
      will: null,
      properties: {},
    });
  }

  async join(wait: Wait): Promise<void> {
    const { peer } = this;
    await wait(
      () => peer.connack !== null || peer.isOver,
      () => 'CONNACK for a witness',
    );
    assert.equal(peer.connack?.code, 0, 'a witness is refused');
    const subscription = { filter: this.topic, qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 2 };
    peer.send({ type: SUBSCRIBE, id: 1, subscriptions: [subscription], properties: {} });
    await wait(
      () => peer.take(SUBACK, 1) !== null,
      () => 'SUBACK for a witness',
    );
  }

  /** Sends one message and, when it is acknowledged, is done with it. */
  async publish(dice: Dice, to: Witness, number: number, wait: Wait): Promise<void> {
    const { peer } = this;
    this.lastId = (this.lastId % 65_535) + 1;
    const id = this.lastId;
    const qos = dice.below(3);
    const payload = Buffer.concat([Buffer.from(`${number} `), dice.bytes(dice.pick([0, 5, 100, 300, 17_000]))]);
    const properties = peer.profile.hasProperties ? PROPERTIES : {};
    to.awaited.push({ qos, payload });
    peer.send(
      publishPacket(peer.profile, { topic: to.topic, payload, qos, retain: false, dup: false, id, properties }),
    );
    const answered = (type: typeof PUBACK | typeof PUBREC | typeof PUBCOMP): Promise<void> =>
      wait(
        () => {
          assert.ok(!peer.isOver, 'the connection of a witness ended');
          const answer = peer.take(type, id);
          if (answer === null) return false;
          assert.ok('code' in answer && answer.code === 0);
          return true;
        },
        () => `the answer ${type} to a witness`,
      );
    if (qos === 1) await answered(PUBACK);
    if (qos === 2) {
      await answered(PUBREC);
      peer.send({ type: PUBREL, id, code: 0, properties: {} });
      await answered(PUBCOMP);
    }
  }

  /** What came is what was sent: all of it, once, in the order of each QoS. */
  check(senderHasProperties: boolean): void {
    const { peer } = this;
    assert.deepEqual(peer.faults, []);
    assert.equal(peer.isOver, false, `the connection of a witness ended: ${JSON.stringify(peer.answers)}`);
    for (const qos of [0, 1, 2]) {
      const lane = (list: readonly { qos: number; payload: Buffer }[]): string[] =>
        list.filter((one) => one.qos === qos).map(({ payload }) => payload.toString('hex'));
      assert.deepEqual(lane(peer.deliveries), lane(this.awaited), `messages of QoS ${qos} to a witness`);
    }
    const wanted = senderHasProperties && peer.profile.hasProperties ? PROPERTIES : {};
    for (const delivery of peer.deliveries) this.checkOne(delivery, wanted);
    peer.deliveries = [];
    this.awaited.length = 0;
  }

  private checkOne({ topic, retain, dup, properties }: Delivery, wanted: Properties): void {
    assert.deepEqual(
      { topic, retain, dup, properties },
      { topic: this.topic, retain: false, dup: false, properties: wanted },
    );
  }
}

/** Both. */
export class Witnesses {
  private readonly one: Witness;
  private readonly two: Witness;
  private readonly dice: Dice;
  private readonly wait: Wait;
  private sent = 0;

  constructor(dice: Dice, open: () => Pipe, wait: Wait) {
    this.dice = dice;
    this.wait = wait;
    this.one = new Witness(dice, open());
    this.two = new Witness(dice, open());
  }

  async join(): Promise<void> {
    await this.one.join(this.wait);
    await this.two.join(this.wait);
  }

  /** Some messages go both ways. */
  async exchange(): Promise<void> {
    const { one, two, dice, wait } = this;
    for (let count = dice.between(1, 3); count > 0; count--) {
      this.sent += 1;
      await Promise.all([one.publish(dice, two, this.sent, wait), two.publish(dice, one, this.sent, wait)]);
    }
    for (const [to, from] of [
      [one, two],
      [two, one],
    ] as const) {
      await wait(
        () => to.peer.deliveries.length >= to.awaited.length || to.peer.isOver,
        () => `a witness has ${to.peer.deliveries.length} of ${to.awaited.length} messages`,
      );
      to.check(from.peer.profile.hasProperties);
    }
  }

  /** The last look; then they are gone. */
  leave(): void {
    for (const [to, from] of [
      [this.one, this.two],
      [this.two, this.one],
    ] as const) {
      to.check(from.peer.profile.hasProperties);
      to.peer.pipe.reset();
    }
  }
}
