// What subscriptions may have here (MQTT 5.0 sections 3.2.2.3.11 to 13). An MQTT 5 client was told by CONNACK what is not
// available, so asking for it all the same is a protocol error; an older one is refused filter by filter.
import { PeerFault } from '../../protocol/errors.ts';
import type { SubscribePacket } from '../../protocol/packets.ts';
import {
  type Reason,
  SHARED_SUBSCRIPTIONS_NOT_SUPPORTED,
  SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED,
  WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED,
} from '../../protocol/reasons.ts';
import { hasWildcard, splitShared } from '../../protocol/topic.ts';
import type { Peer } from '../peer.ts';
import { quoted } from './why.ts';

/** The reason for which a filter has no place here, null if it has. */
export function missingFeature(peer: Peer, filter: string): Reason | null {
  const { wildcardsAvailable, sharedAvailable } = peer.core.settings;
  if (!sharedAvailable && splitShared(filter) !== null) return SHARED_SUBSCRIPTIONS_NOT_SUPPORTED;
  if (!wildcardsAvailable && hasWildcard(filter)) return WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED;
  return null;
}

/** @throws PeerFault for what a client that was told has no right to ask for */
export function checkFeatures(peer: Peer, packet: SubscribePacket): void {
  if (!peer.profile.hasProperties) return;
  if (!peer.core.settings.identifiersAvailable && packet.properties.subscriptionIdentifier !== undefined) {
    throw new PeerFault(SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED, 'subscription identifiers are not available here');
  }
  for (const { filter } of packet.subscriptions) {
    const reason = missingFeature(peer, filter);
    if (reason !== null) throw new PeerFault(reason, `${reason.log}: ${quoted(filter)}`);
  }
}
