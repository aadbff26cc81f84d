// What routing knows of a destination: a session, a bridge, a test.
import type { Message } from './message.ts';
import type { Plan } from './plan.ts';
import type { Subscription } from './subscription.ts';

/** A destination of messages. */
export interface Subscriber {
  /** Whether it takes messages now; a share group prefers such members. */
  readonly isOnline: boolean;
  /** Whether its messages are kept on disk. */
  readonly isStored: boolean;
  /** Whether it would take this message without dropping it; a share group prefers such members to all others. */
  hasPlaceFor(message: Message, subscription: Subscription): boolean;
  /**
   * Takes a message that one of its subscriptions matches. Must not throw and must not wait.
   * @param plan the topic's plan, where the read permission is cached at `index`; null if it is to be asked anew
   * @returns false if it refuses the message, so that a share group tries its next member
   */
  deliver(message: Message, subscription: Subscription, plan: Plan | null, index: number): boolean;
}
