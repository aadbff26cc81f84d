// The matches of one topic, shaped for delivery and cached on the Topic until a subscription changes.
import type { ShareGroup } from './shared.ts';
import type { Subscriber } from './subscriber.ts';
import { Subscription } from './subscription.ts';
import type { Matches } from './trie.ts';

/** Read permissions by index of the plan. */
export const NOT_ASKED = 0;
export const MAY_READ = 1;
export const MUST_NOT_READ = 2;

/** Who gets a topic's messages. */
export class Plan {
  readonly stamp: number;
  readonly subscriptions: readonly Subscription[];
  readonly groups: readonly ShareGroup[];
  /** Read permission of each subscription, filled in by the subscribers. */
  readonly permissions: Uint8Array;

  constructor(stamp: number, subscriptions: readonly Subscription[], groups: readonly ShareGroup[]) {
    this.stamp = stamp;
    this.subscriptions = subscriptions;
    this.groups = groups;
    this.permissions = new Uint8Array(subscriptions.length);
  }
}

/**
 * Shapes matches into a plan.
 * @param merge one copy for each subscriber, at the highest QoS and with all identifiers, instead of one a subscription
 */
export function makePlan(matches: Matches, stamp: number, merge: boolean): Plan {
  return new Plan(stamp, merge ? mergeOverlapping(matches.subscriptions) : matches.subscriptions, matches.groups);
}

function mergeOverlapping(subscriptions: readonly Subscription[]): Subscription[] {
  const bySubscriber = new Map<Subscriber, Subscription>();
  for (const subscription of subscriptions) {
    const other = bySubscriber.get(subscription.subscriber);
    bySubscriber.set(subscription.subscriber, other === undefined ? subscription : join(other, subscription));
  }
  return [...bySubscriber.values()];
}

/** [MQTT-3.3.4-2]: the maximum of the QoS; all identifiers go with the one copy. */
function join(one: Subscription, two: Subscription): Subscription {
  return new Subscription(
    one.subscriber,
    one.filter,
    null,
    Math.max(one.qos, two.qos),
    one.noLocal && two.noLocal,
    one.retainAsPublished || two.retainAsPublished,
    [...one.identifiers, ...two.identifiers],
  );
}
