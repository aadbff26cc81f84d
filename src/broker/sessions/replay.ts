// Retained messages on their way to a new subscription: a bounded number per loop turn, and only as fast as the client
// takes them, so that a subscriber to '#' neither stalls the broker nor overflows its own queue.
import type { Message } from '../routing/message.ts';
import type { Subscription } from '../routing/subscription.ts';
import type { Session } from './session.ts';

/** Steps of the search that one turn may take. */
const STEPS_PER_TURN = 500;

/** One subscription's retained messages. */
export class Replay {
  private readonly session: Session;
  private readonly subscription: Subscription;
  private readonly matches: Iterator<Message | null>;
  private readonly accepts: (message: Message) => boolean;
  private waiting: boolean;

  /** @param accepts tells whether a message may still be given out: it has not expired, its publisher has not lost the right */
  constructor(
    session: Session,
    subscription: Subscription,
    matches: Iterator<Message | null>,
    accepts: (message: Message) => boolean,
  ) {
    this.session = session;
    this.subscription = subscription;
    this.matches = matches;
    this.accepts = accepts;
    this.waiting = false;
  }

  /** Delivers what this turn allows; true when all are delivered. It asks the session for further turns by itself. */
  advance(): boolean {
    if (this.waiting) return false;
    for (let step = 0; step < STEPS_PER_TURN; step++) {
      if (!this.session.hasRoom) return false;
      if (this.next()) return true;
    }
    this.waiting = true;
    setImmediate(() => {
      this.waiting = false;
      this.session.advanceReplays();
    });
    return false;
  }

  /** Hands the rest over at once: the session is offline and queues within its limits. */
  finish(): void {
    while (!this.next());
  }

  private next(): boolean {
    const step = this.matches.next();
    if (step.done === true) return true;
    if (step.value !== null && this.accepts(step.value)) this.session.deliverRetained(step.value, this.subscription);
    return false;
  }
}
