// Retained messages on their way to new subscriptions: a bounded number of steps per loop turn, and only as fast as the
// client takes them, so that a subscriber to '#' neither stalls the broker nor overflows its own queue. What a client did not
// stay for goes on when it is back: the search costs nothing while it waits.
import type { Message } from '../routing/message.ts';
import type { Subscription } from '../routing/subscription.ts';

/** Steps of the search that one session may take in one turn, for all its subscriptions together. */
const STEPS_PER_TURN = 500;

/** Who the messages go to. */
export interface ReplayTarget {
  /** Whether it takes more now. */
  readonly hasRoom: boolean;
  deliverRetained(message: Message, subscription: Subscription): void;
}

/** Tells whether a message may still be given out: it has not expired, its publisher has not lost the right. */
export type Accepts = (message: Message) => boolean | Promise<boolean>;

/** One subscription's retained messages. */
interface Replay {
  readonly subscription: Subscription;
  readonly matches: Iterator<Message | null>;
  readonly accepts: Accepts;
}

/** The replays of one session, one after the other. */
export class Replays {
  private readonly target: ReplayTarget;
  private waiting: Replay[];
  /** The filters of those that wait. */
  private readonly filters: Set<string>;
  /** A further turn or a plugin's answer is awaited; nothing goes on before it. */
  private isPaused: boolean;

  constructor(target: ReplayTarget) {
    this.target = target;
    this.waiting = [];
    this.filters = new Set();
    this.isPaused = false;
  }

  /** Replays that are not finished. */
  get length(): number {
    return this.waiting.length;
  }

  /**
   * Adds the retained messages of a new subscription; `matches` gives null for a step that found nothing. What was still to
   * come for the same filter is forgotten: it begins anew, and a client can't have it pile up.
   */
  add(subscription: Subscription, matches: Iterator<Message | null>, accepts: Accepts): void {
    if (this.filters.has(subscription.filter)) this.drop(subscription);
    this.filters.add(subscription.filter);
    this.waiting.push({ subscription, matches, accepts });
  }

  /** Forgets what a subscription that is gone had still to get. */
  drop(subscription: Subscription): void {
    if (!this.filters.delete(subscription.filter)) return;
    this.waiting = this.waiting.filter((replay) => replay.subscription.filter !== subscription.filter);
  }

  clear(): void {
    this.waiting = [];
    this.filters.clear();
  }

  /** Delivers what this turn and the target's room allow, and comes back by itself for further turns. */
  advance(): void {
    for (let step = 0; step < STEPS_PER_TURN; step++) {
      const replay = this.waiting[0];
      if (this.isPaused || replay === undefined || !this.target.hasRoom) return;
      this.step(replay);
    }
    if (this.isPaused) return;
    this.isPaused = true;
    setImmediate(() => this.goOn());
  }

  private step(replay: Replay): void {
    const { done, value: message } = replay.matches.next();
    if (done === true) {
      this.filters.delete(replay.subscription.filter);
      this.waiting.shift();
      return;
    }
    if (message === null) return;
    const answer = replay.accepts(message);
    if (answer === true) this.target.deliverRetained(message, replay.subscription);
    else if (answer !== false) this.waitFor(answer, message, replay);
  }

  /** A plugin needs time for a message; those behind it wait, so that the order stays. */
  private waitFor(answer: Promise<boolean>, message: Message, replay: Replay): void {
    this.isPaused = true;
    void answer.then((accepted) => {
      if (accepted && this.waiting.includes(replay)) this.target.deliverRetained(message, replay.subscription);
      this.goOn();
    });
  }

  private goOn(): void {
    this.isPaused = false;
    this.advance();
  }
}
