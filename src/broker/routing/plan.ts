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
  const bySubscriber = new Map<Subscriber, Subscription[]>();
  for (const subscription of subscriptions) {
    const others = bySubscriber.get(subscription.subscriber);
    if (others === undefined) bySubscriber.set(subscription.subscriber, [subscription]);
    else others.push(subscription);
  }
  return Array.from(bySubscriber.values(), join);
}

/** [MQTT-3.3.4-2]: the maximum of the QoS; all identifiers go with the one copy. In one pass: a client may have thousands. */
function join(overlapping: readonly Subscription[]): Subscription {
  const first = overlapping[0]!;
  if (overlapping.length === 1) return first;
  return new Subscription(
    first.subscriber,
    first.filter,
    null,
    overlapping.reduce((highest, { qos }) => Math.max(highest, qos), 0),
    overlapping.every(({ noLocal }) => noLocal),
    overlapping.some(({ retainAsPublished }) => retainAsPublished),
    overlapping.flatMap(({ identifiers }) => identifiers),
  );
}
