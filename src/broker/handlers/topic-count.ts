// How many topic filters one packet may hold, and one client subscribe to.
import { PACKET_NAMES } from '../../protocol/constants.ts';
import { PeerFault } from '../../protocol/errors.ts';
import { QUOTA_EXCEEDED } from '../../protocol/reasons.ts';
import type { Peer } from '../peer.ts';

/**
 * Checks the number of topic filters of a SUBSCRIBE or UNSUBSCRIBE.
 * @throws PeerFault (quota exceeded) for more than max_topics_per_subscribe
 */
export function checkTopicCount(peer: Peer, type: number, count: number): void {
  const limit = peer.core.settings.maxTopicsPerSubscribe;
  if (count <= limit) return;
  throw new PeerFault(
    QUOTA_EXCEEDED,
    `${PACKET_NAMES[type]} has ${count} topic filters, more than max_topics_per_subscribe (${limit}) allows`,
  );
}

/** Whether a client may have a subscription: one that it has is only made anew, one more needs a place. */
export function hasPlaceFor(peer: Peer, filter: string): boolean {
  const { subscriptions } = peer.session!;
  const limit = peer.core.settings.maxSubscriptions;
  if (subscriptions.size < limit || subscriptions.has(filter)) return true;
  if (!peer.hasToldQuota) {
    peer.hasToldQuota = true;
    peer.core.log.notice?.(
      `Client ${peer.name} [${peer.place}] is refused more subscriptions: it has the ${limit} of max_subscriptions_per_client.`,
    );
  }
  return false;
}
