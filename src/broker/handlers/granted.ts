// What CONNACK grants and tells a client (MQTT 5.0 section 3.2.2.3).
import { MAX_PACKET_ID } from '../../protocol/constants.ts';
import type { ConnectPacket } from '../../protocol/packets.ts';
import type { Properties } from '../../protocol/properties.ts';
import { isSendableString } from '../../protocol/utf8.ts';
import type { AuthRequest } from '../hooks/points.ts';
import type { Peer } from '../peer.ts';

/** Messages of QoS 2 that the broker takes unreleased. */
export function receiveMaximum(peer: Peer): number {
  return Math.min(peer.core.limits.maxInflightMessages, MAX_PACKET_ID);
}

/** Seconds of the keep alive that counts: the broker's where the client's is too long. */
export function effectiveKeepAlive(peer: Peer, packet: ConnectPacket): number {
  const longest = peer.core.settings.maxKeepAlive;
  return longest > 0 && (packet.keepAlive === 0 || packet.keepAlive > longest) ? longest : packet.keepAlive;
}

/** CONNACK properties, in the order in which Mosquitto sends them; those that it does not have follow. */
export function grantedProperties(
  peer: Peer,
  packet: ConnectPacket,
  request: AuthRequest,
  authenticationData: Buffer | null,
): Properties {
  const { settings, registry } = peer.core;
  const listener = peer.listener.settings;
  const properties: Properties = {};
  const keepAlive = effectiveKeepAlive(peer, packet);
  const wanted = packet.properties.sessionExpiryInterval ?? 0;
  const expiry = Math.min(wanted, registry.maximumExpiry);
  if (expiry !== wanted) properties.sessionExpiryInterval = expiry; // section 3.2.2.3.2
  if (keepAlive !== packet.keepAlive) properties.serverKeepAlive = keepAlive; // [MQTT-3.2.2-21]
  if (listener.maxTopicAlias > 0) properties.topicAliasMaximum = listener.maxTopicAlias;
  if (packet.clientId === '') properties.assignedClientIdentifier = request.clientId; // [MQTT-3.2.2-16]
  if (packet.properties.authenticationMethod !== undefined) {
    properties.authenticationMethod = packet.properties.authenticationMethod; // [MQTT-4.12.0-5]
    if (authenticationData !== null) properties.authenticationData = authenticationData;
  }
  if (!settings.retainAvailable) properties.retainAvailable = 0;
  if (settings.maximumPacketSize > 0) properties.maximumPacketSize = settings.maximumPacketSize;
  if (receiveMaximum(peer) < MAX_PACKET_ID) properties.receiveMaximum = receiveMaximum(peer);
  if (listener.maxQos < 2) properties.maximumQoS = listener.maxQos; // [MQTT-3.2.2-9]
  if (!settings.wildcardsAvailable) properties.wildcardSubscriptionAvailable = 0;
  if (!settings.identifiersAvailable) properties.subscriptionIdentifierAvailable = 0;
  if (!settings.sharedAvailable) properties.sharedSubscriptionAvailable = 0;
  const information = responseInformation(settings.responseInformation, packet, request);
  if (information !== null) properties.responseInformation = information;
  return properties;
}

/** The response information for a client that asks for it [MQTT-3.1.2-28], null for none. */
function responseInformation(pattern: string | null, packet: ConnectPacket, request: AuthRequest): string | null {
  if (pattern === null || packet.properties.requestResponseInformation !== 1) return null;
  const { clientId, username } = request;
  if (pattern.includes('%u') && username === null) return null;
  const parts: Readonly<Record<string, string>> = { '%c': clientId, '%u': username ?? '' };
  const filled = pattern.replace(/%[cu]/g, (mark) => parts[mark] ?? mark);
  // As with patterns of the acl_file, a name must not become a wildcard.
  const isSafe = !/[+#]/.test((pattern.includes('%c') ? clientId : '') + (pattern.includes('%u') ? username : ''));
  return isSafe && isSendableString(filled) ? filled : null;
}
