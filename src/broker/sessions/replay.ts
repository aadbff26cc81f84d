// Retained messages on their way to new subscriptions: a bounded number of steps per loop turn, and only as fast as the
// client takes them, so that a subscriber to '#' neither stalls the broker nor overflows its own queue. What a client did not
// stay for goes on when it is back: the search costs nothing while it waits.
//
// Each step takes the message that a topic has then, so what is given out is never older than what the client got live. A
// message that was replaced during its replay may come twice, live and as retained; it is never left out.
import { Ring } from '../../util/ring.ts';
import type { Message } from '../routing/message.ts';
import type { Subscription } from '../routing/subscription.ts';

/** Steps of the search that one session may take in one turn, for all its subscriptions together. */
const STEPS_PER_TURN = 500;

/** Times that one topic is asked about; who replaces its message faster than plugins answer reaches the client live. */
const MOST_QUESTIONS = 8;

/** Who the messages go to. */
export interface ReplayTarget {
  /** Whether it takes more now. */
  readonly hasRoom: boolean;
  deliverRetained(message: Message, subscription: Subscription): void;
  /** All retained messages of a subscription were given to it. */
  replayed(subscription: Subscription): void;
}

/** Where the messages come from: the retained ones of the broker. */
export interface ReplaySource {
  /** Matches of a filter; null for a step that found nothing. */
  match(filter: string): Iterator<Message | null>;
  get(topic: string): Message | null;
}

/** Tells whether a message may still be given out: it has not expired, its publisher has not lost the right. */
export type Accepts = (message: Message) => boolean | Promise<boolean>;

/** One subscription's retained messages. */
interface Replay {
  readonly subscription: Subscription;
  readonly source: ReplaySource;
  readonly matches: Iterator<Message | null>;
  readonly accepts: Accepts;
  /** A message that was found, and found no room when it was accepted. */
  found: Message | null;
  /** Times that a plugin was waited for because of the same topic. */
  questions: number;
  isDropped: boolean;
}

/** The replays of one session, one after the other. */
export class Replays {
  private readonly target: ReplayTarget;
  /** Those that are not finished, and some that were dropped. */
  private waiting: Ring<Replay>;
  /** Those that are not finished, by filter; null while there are none. */
  private byFilter: Map<string, Replay> | null;
  /** A further turn or a plugin's answer is awaited; nothing goes on before it. */
  private isPaused: boolean;
  /** SUBACKs that wait for the disk. */
  private holders: number;

  constructor(target: ReplayTarget) {
    this.target = target;
    this.waiting = new Ring();
    this.byFilter = null;
    this.isPaused = false;
    this.holders = 0;
  }

  /** Nothing more goes out until as many calls of release(): retained messages come behind SUBACK, as clients are used to it. */
  hold(): void {
    this.holders += 1;
  }

  release(): void {
    this.holders -= 1;
    this.advance();
  }

  /** Whether a subscription has not got all its retained messages. */
  has(subscription: Subscription): boolean {
    return this.byFilter?.get(subscription.filter)?.subscription === subscription;
  }

  /** Replays that are not finished. */
  get length(): number {
    return this.byFilter?.size ?? 0;
  }

  /**
   * Adds the retained messages of a new subscription. What was still to come for the same filter is forgotten: it begins
   * anew, and a client can't have it pile up.
   */
  add(subscription: Subscription, source: ReplaySource, accepts: Accepts): void {
    this.drop(subscription);
    const matches = source.match(subscription.filter);
    const replay = { subscription, source, matches, accepts, found: null, questions: 0, isDropped: false };
    this.byFilter ??= new Map();
    this.byFilter.set(subscription.filter, replay);
    this.waiting.push(replay);
  }

  /** Forgets what a subscription that is gone had still to get. */
  drop(subscription: Subscription): void {
    const replay = this.byFilter?.get(subscription.filter);
    if (replay === undefined) return;
    replay.isDropped = true;
    this.forget(replay);
    if (this.waiting.length > 2 * this.length + 16) this.sweep();
  }

  clear(): void {
    if (this.byFilter !== null) for (const replay of this.byFilter.values()) replay.isDropped = true;
    this.waiting.clear();
    this.byFilter = null;
  }

  /** Delivers what this turn and the target's room allow, and comes back by itself for further turns. */
  advance(): void {
    if (this.waiting.length === 0 || this.holders > 0) return;
    for (let step = 0; step < STEPS_PER_TURN; step++) {
      if (this.isPaused || !this.target.hasRoom) return;
      const replay = this.waiting.at(0);
      if (replay === null) return;
      if (replay.isDropped) this.waiting.shift();
      else this.step(replay);
    }
    if (this.isPaused) return;
    this.isPaused = true;
    setImmediate(() => this.goOn());
  }

  private step(replay: Replay): void {
    const message = this.next(replay);
    if (message === null) return;
    const answer = replay.accepts(message);
    if (answer === true) this.target.deliverRetained(message, replay.subscription);
    else if (answer !== false) this.waitFor(answer, message, replay);
  }

  private next(replay: Replay): Message | null {
    const { found } = replay;
    if (found !== null) {
      replay.found = null;
      return replay.source.get(found.topic.name);
    }
    replay.questions = 0;
    const { done, value } = replay.matches.next();
    if (done !== true) return value;
    this.forget(replay);
    this.waiting.shift();
    // Most clients have all that they will ever get: nothing is kept for more.
    if (this.waiting.length === 0) this.waiting.clear();
    this.target.replayed(replay.subscription);
    return null;
  }

  /** A plugin needs time for a message; those behind it wait, so that the order stays. */
  private waitFor(answer: Promise<boolean>, message: Message, replay: Replay): void {
    this.isPaused = true;
    replay.questions += 1;
    void answer.then((isAccepted) => {
      // Meanwhile it may have been replaced by one that is to be asked about anew, or its client have gone.
      const isCurrent = replay.source.get(message.topic.name) === message;
      if (isAccepted && isCurrent && this.target.hasRoom && !replay.isDropped) {
        this.target.deliverRetained(message, replay.subscription);
      } else if (isCurrent ? isAccepted : replay.questions < MOST_QUESTIONS) {
        replay.found = message;
      }
      this.goOn();
    });
  }

  private forget({ subscription }: Replay): void {
    const { byFilter } = this;
    byFilter?.delete(subscription.filter);
    if (byFilter?.size === 0) this.byFilter = null;
  }

  private sweep(): void {
    const left = new Ring<Replay>();
    for (let replay = this.waiting.shift(); replay !== null; replay = this.waiting.shift()) {
      if (!replay.isDropped) left.push(replay);
    }
    this.waiting = left;
  }

  private goOn(): void {
    this.isPaused = false;
    this.advance();
  }
}
