// A session as the store writes it.

import type { ClientContext } from '../hooks/points.ts';
import type { Subscription } from '../routing/subscription.ts';
import type { SessionFacts, SubscriptionFacts } from '../store/records.ts';
import type { Delivery, SessionOwner, SessionRecord } from '../store/session-record.ts';
import type { Session } from './session.ts';

/** What a session gives the store. */
export class StoredView implements SessionOwner {
  private readonly session: Session;

  constructor(session: Session) {
    this.session = session;
  }

  storedFacts(): SessionFacts {
    const { clientId, context, listener, mountPoint, expiryInterval, awaySince, will } = this.session;
    const { username } = context as ClientContext;
    return { clientId, username, listener, mountPoint, expiryInterval, awaySince, will };
  }

  *storedSubscriptions(): Generator<SubscriptionFacts> {
    const { subscriptions, replays } = this.session;
    for (const [name, subscription] of subscriptions) {
      yield subscriptionFacts(name, subscription, replays.has(subscription));
    }
  }

  deliveryOf(seq: number): Delivery | null {
    return this.session.deliveryOf(seq);
  }
}

/** A subscription as it is stored. */
export function subscriptionFacts(name: string, subscription: Subscription, isReplaying: boolean): SubscriptionFacts {
  const { filter, qos, noLocal, retainAsPublished, identifiers } = subscription;
  return { name, filter, qos, noLocal, retainAsPublished, identifier: identifiers[0] ?? 0, isReplaying };
}

/** A session, as far as it matters where its replays end. */
interface Replayed {
  readonly record: Pick<SessionRecord, 'subscribed'> | null;
  readonly subscriptions: { get(name: string): Subscription | undefined };
  readonly mountPoint: string | null;
}

/** All retained messages of a subscription were given to its session. */
export function recordReplayed({ record, subscriptions, mountPoint }: Replayed, subscription: Subscription): void {
  const { filter } = subscription;
  const name = mountPoint !== null && filter.startsWith(mountPoint) ? filter.slice(mountPoint.length) : filter;
  // One that was made through another listener is searched for again after a restart; that is rare, and does no harm.
  if (record === null || subscriptions.get(name) !== subscription) return;
  record.subscribed(subscriptionFacts(name, subscription, false), false);
}
