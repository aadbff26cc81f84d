// What an episode of well-formed traffic is played on: the clients' seats, the broker, the model, and the comparison.
import { CONNACK, PINGRESP, type SUBACK, type UNSUBACK } from '../../src/protocol/constants.ts';
import type { AckPacket, ControlPacket } from '../../src/protocol/packets.ts';
import { PROFILES } from '../../src/protocol/version.ts';
import type { FuzzArena } from './fuzz-arena.ts';
import type { Dice } from './fuzz-dice.ts';
import { differences, type Ledger } from './fuzz-ledger.ts';
import { Model } from './fuzz-model.ts';
import type { FuzzPeer } from './fuzz-peer.ts';
import type { PipeKind } from './fuzz-pipe.ts';
import { makeSeat, type Seat } from './fuzz-seat.ts';
import { SlotBook } from './fuzz-slots.ts';
import type { ModelOptions } from './fuzz-terms.ts';
import { settle } from './wire-clock.ts';

const TOPICS = ['a', 'a/b', 'a/b/c', 'a/b/c/d', 'b', 'b/x', 'a//c', '/', '/a', '$x', '$x/y', 'ü/ß', 'will/a'];
const FILTERS = [
  ...['#', '+', '+/+', '+/#', 'a', 'a/#', 'a/+', 'a/b', '+/b', 'a/+/c', 'a/+/#', 'a/b/#', 'a//c', '+//+'],
  ...['/', '/+', '+/', '/#', 'b/#', '$x', '$x/#', '$x/+', '+/y', 'ü/+', '+/ß', 'will/#', 'will/+', '+/+/+'],
];

/** What an episode is like. */
export interface TrafficOptions {
  readonly model: ModelOptions;
  readonly kinds: readonly PipeKind[];
  /** Shared subscriptions, and then no client that holds acknowledgements back: who got what would be unknown. */
  readonly shares: boolean;
}

/** The table. */
export class Table {
  readonly arena: FuzzArena;
  readonly dice: Dice;
  readonly options: TrafficOptions;
  readonly model: Model;
  readonly seats: readonly Seat[];
  /** Few topics and filters an episode, so that they meet again and again. */
  readonly topics: readonly string[];
  readonly filters: readonly string[];
  readonly told: string[] = [];
  /** Payloads so far. */
  tags = 0;
  private readonly slots = new SlotBook();

  constructor(arena: FuzzArena, dice: Dice, options: TrafficOptions) {
    this.arena = arena;
    this.dice = dice;
    this.options = options;
    this.model = new Model(options.model);
    this.topics = Array.from({ length: dice.between(2, 5) }, () => dice.pick(TOPICS));
    this.filters = Array.from({ length: dice.between(3, 8) }, () => dice.pick(FILTERS));
    this.seats = ['a', 'b', 'c'].map((name) => makeSeat(name, dice.pick(options.kinds), dice.pick(PROFILES)));
  }

  /** Notes what was done, for the message of a failure. */
  tell(text: string): void {
    this.told.push(text);
  }

  /** A payload like no other. */
  tag(): Buffer {
    this.tags += 1;
    const size = this.dice.chance(0.08) ? this.dice.pick([1000, 20_000, 60_000]) : this.dice.below(20);
    return Buffer.from(`#${this.tags} ${'x'.repeat(size)}`);
  }

  /** Waits for an answer. */
  async answer(
    peer: FuzzPeer,
    type: AckPacket['type'] | typeof SUBACK | typeof UNSUBACK,
    id: number,
  ): Promise<AckPacket> {
    let found: ControlPacket | null = null;
    await this.arena.until(
      () => {
        found ??= peer.take(type, id);
        return found !== null || peer.isOver;
      },
      () => `an answer of type ${type} for id ${id}`,
    );
    if (found === null) throw new Error(`the connection ended instead of an answer: ${JSON.stringify(peer.answers)}`);
    return found as AckPacket;
  }

  /** Fails with every difference between what came and what had to come. */
  async compare(): Promise<void> {
    await this.quiet();
    this.arena.checkTroubles();
    const ledgers = new Map<string, Ledger>();
    const found: string[] = [];
    for (const { clientId, peer } of this.seats) {
      if (peer === null) continue;
      ledgers.set(clientId, { peer, session: this.model.sessions.get(clientId)! });
      found.push(...peer.faults.map((fault) => `${clientId}: ${fault}`));
      const odd = peer.answers.filter(({ type }) => type !== CONNACK);
      if (odd.length > 0) found.push(`${clientId} got ${JSON.stringify(odd)}`);
    }
    this.slots.add(this.model.slots.splice(0));
    found.push(...differences(ledgers, this.slots));
    if (found.length > 0) throw new Error(found.join('\n'));
  }

  /** Lets everything arrive that is on its way: two rounds of pings in which nothing else came. */
  private async quiet(): Promise<void> {
    const peers = this.seats.flatMap(({ peer }) => (peer === null ? [] : [peer]));
    const count = (): number => peers.reduce((sum, peer) => sum + peer.count, 0);
    for (let rounds = 0, before = -1; rounds < 2 || count() !== before + peers.length; rounds++) {
      before = count();
      for (const peer of peers) peer.ping();
      for (const peer of peers) {
        await this.arena.until(
          () => peer.take(PINGRESP) !== null || peer.isOver,
          () => 'PINGRESP',
        );
        if (peer.isOver)
          throw new Error(`the connection of ${peer.connect.clientId} ended: ${JSON.stringify(peer.answers)}`);
      }
      await settle();
    }
  }
}
