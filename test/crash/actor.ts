// The parts that clients play in the load. An actor decides from dice alone what its client does next, so that the same seed
// plays the same part as far as the broker's pace lets it.
import { NEVER_EXPIRES } from '../../src/protocol/constants.ts';
import type { Dice } from '../support/fuzz-dice.ts';
import type { Ledger } from './ledger.ts';
import { LEAST_LENGTH } from './message.ts';
import type { Joining, Player } from './player.ts';

/** A part. */
export interface Actor {
  readonly player: Player;
  /** Whether its session outlives the broker, so that it must be empty at a drain. */
  readonly isDurable: boolean;
  /** Whether its client is there when the broker starts. */
  comes(dice: Dice): boolean;
  /** Whether it takes part in the drain with this number. */
  drains(number: number): boolean;
  joining(dice: Dice): Joining;
  /** One step of the load, joined or not. `join` connects it. */
  act(dice: Dice, join: () => void): void;
}

/** Connects to a session that lasts. */
export const LASTING: Joining = { cleanStart: false, expiry: NEVER_EXPIRES, receiveMaximum: null, will: null };

/** Connects to a session that ends with the connection. */
export const PASSING: Joining = { cleanStart: true, expiry: 0, receiveMaximum: null, will: null };

/** What a publisher sends. */
export interface Repertoire {
  readonly topics: readonly string[];
  readonly qos: readonly number[];
  /** Message expiry intervals in seconds. */
  readonly expiries: readonly (number | null)[];
  readonly retain: boolean;
  /** Messages in flight at most. */
  readonly window: number;
}

const BIG = 20_000;

/** One message of a repertoire. */
export function publishOne(ledger: Ledger, player: Player, dice: Dice, repertoire: Repertoire): void {
  const { retain } = repertoire;
  const clears = retain && dice.chance(0.25);
  const length = dice.chance(0.01) ? BIG : LEAST_LENGTH + dice.below(300);
  const message = ledger.message({
    publisher: player.id,
    topic: dice.pick(repertoire.topics),
    qos: dice.pick(repertoire.qos),
    retain,
    length: clears ? 0 : length,
    expiry: dice.pick(repertoire.expiries),
    isWill: false,
  });
  player.publish(message);
}

/** Publishes all the time that its window lets it. */
export function publisher(
  ledger: Ledger,
  player: Player,
  joining: Joining,
  repertoires: readonly Repertoire[],
  rate: number,
): Actor {
  return {
    player,
    isDurable: joining.expiry > 0,
    comes: () => true,
    drains: () => true,
    joining: () => joining,
    act: (dice) => {
      for (const repertoire of repertoires) {
        const count = dice.chance(rate) ? dice.between(1, 4) : 0;
        for (let i = 0; i < count; i++) {
          if (player.isJoined && player.outgoing.length < repertoire.window) {
            publishOne(ledger, player, dice, repertoire);
          }
        }
      }
    },
  };
}

/** How a subscriber behaves; the numbers are chances for each step. */
export interface Habits {
  /** Leaves, in one of the ways. */
  readonly leaves: number;
  readonly returns: number;
  /** Is there when the broker starts. */
  readonly isEarly: number;
  /** Takes part in every n-th drain. */
  readonly drainsEvery: number;
  /** The most acknowledgements that it holds back. */
  readonly holds: number;
}

export const STEADY: Habits = { leaves: 0, returns: 1, isEarly: 1, drainsEvery: 1, holds: 6 };
export const FICKLE: Habits = { leaves: 0.05, returns: 0.15, isEarly: 0.5, drainsEvery: 1, holds: 3 };
export const AWAY: Habits = { leaves: 0, returns: 0, isEarly: 0, drainsEvery: 1, holds: 0 };
export const ASLEEP: Habits = { leaves: 0, returns: 0, isEarly: 0, drainsEvery: 4, holds: 0 };

/** Holds a durable session, or none, and receives. */
export function subscriber(player: Player, joining: Joining, habits: Habits): Actor {
  return {
    player,
    isDurable: joining.expiry > 0,
    comes: (dice) => dice.chance(habits.isEarly),
    drains: (number) => number % habits.drainsEvery === 0,
    joining: () => joining,
    act: (dice, join) => {
      if (!player.isConnected) {
        if (dice.chance(habits.returns)) join();
        return;
      }
      if (!player.isJoined) return;
      if (dice.chance(0.05)) player.requests.ping();
      if (dice.chance(0.1)) player.incoming.holds = dice.between(0, habits.holds);
      if (dice.chance(0.1)) player.incoming.catchUp();
      if (!dice.chance(habits.leaves)) return;
      if (dice.chance(0.5)) player.drop();
      else void player.leave(null);
    },
  };
}

/** A subscriber that makes and removes subscriptions. */
export function changer(player: Player, joining: Joining, filters: readonly [string, number][]): Actor {
  const part = subscriber(player, joining, STEADY);
  return {
    ...part,
    act: (dice, join) => {
      part.act(dice, join);
      if (!player.isJoined || !dice.chance(0.1)) return;
      const [filter, qos] = dice.pick(filters);
      if (player.requests.wanted.has(filter)) player.requests.wanted.delete(filter);
      else player.requests.wanted.set(filter, qos);
      player.requests.settle();
    },
  };
}

/** A subscriber whose session ends now and then, in one of the ways that there are. */
export function ender(player: Player, ways: readonly Joining[], longestAwayMs: number): Actor {
  let awayUntil = 0;
  const isAway = (): boolean => Date.now() < awayUntil;
  return {
    player,
    isDurable: true,
    comes: (dice) => dice.chance(0.7) && !isAway(),
    drains: () => !isAway(),
    joining: (dice) => dice.pick(ways),
    act: (dice, join) => {
      if (!player.isConnected) {
        if (dice.chance(0.2) && !isAway()) join();
        return;
      }
      if (!player.isJoined || !dice.chance(0.05)) return;
      awayUntil = longestAwayMs === 0 ? 0 : Date.now() + dice.below(longestAwayMs);
      const way = dice.below(3);
      if (way === 0) player.drop();
      else void player.leave(way === 1 && player.profile.hasProperties ? 0 : null);
    },
  };
}

/** Has a new will with each connection; stays away for a while after it went. */
export function willed(
  ledger: Ledger,
  player: Player,
  joining: Joining,
  will: { readonly qos: number; readonly delay: number; readonly awayMs: number },
): Actor {
  let awayUntil = 0;
  const isAway = (): boolean => Date.now() < awayUntil;
  return {
    player,
    isDurable: false,
    comes: (dice) => {
      if (will.awayMs > 0 && dice.chance(0.5)) awayUntil = Date.now() + will.awayMs;
      return !isAway();
    },
    drains: () => false,
    joining: (dice) => {
      const { id } = player;
      const length = LEAST_LENGTH + dice.below(100);
      const plan = {
        publisher: id,
        topic: `w/${id}`,
        qos: will.qos,
        retain: false,
        length,
        expiry: null,
        isWill: true,
      };
      return { ...joining, will: { message: ledger.message(plan), delay: will.delay } };
    },
    act: (dice, join) => {
      if (!player.isConnected) {
        if (!isAway() && dice.chance(0.3)) join();
        return;
      }
      if (!player.isJoined) return;
      if (dice.chance(0.1)) player.requests.ping();
      if (!dice.chance(0.04)) return;
      awayUntil = Date.now() + will.awayMs;
      if (dice.chance(0.5)) player.drop();
      else void player.leave(null);
    },
  };
}
