// What the two sides may send each other: the sizes that we take, and what CONNACK allows us.
import { DISCONNECT, MAX_PACKET_SIZE, PUBLISH, SUBSCRIBE } from '../protocol/constants.ts';
import { encode } from '../protocol/encode.ts';
import type { SizeLimits } from '../protocol/framer.ts';
import type { SubscribePacket, SubscriptionRequest, UnsubscribePacket } from '../protocol/packets.ts';
import type { Properties } from '../protocol/properties.ts';
import { publishSize } from '../protocol/publish.ts';
import {
  PACKET_TOO_LARGE,
  PROTOCOL_ERROR,
  QOS_NOT_SUPPORTED,
  RETAIN_NOT_SUPPORTED,
  reasonFits,
  SHARED_SUBSCRIPTIONS_NOT_SUPPORTED,
  SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED,
  SUCCESS,
  TOPIC_ALIAS_INVALID,
  WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED,
} from '../protocol/reasons.ts';
import { hasWildcard, splitShared } from '../protocol/topic.ts';
import type { Profile } from '../protocol/version.ts';
import { InvalidRequest } from './errors.ts';
import type { OutgoingMessage } from './outgoing.ts';
import { propertiesFault } from './outgoing-properties.ts';
import type { Settings } from './settings.ts';

/** Largest control packet that is taken: far more than any sensible one, far less than a PUBLISH may have. */
const CONTROL_SIZE = 1_048_576;
/** Bytes of a topic alias property. */
const ALIAS_SIZE = 3;

/** The packets that may come, with their greatest sizes. @param announced the properties of our CONNECT */
export function sizeLimits(types: readonly number[], announced: Properties): SizeLimits {
  const most = announced.maximumPacketSize ?? MAX_PACKET_SIZE;
  const limits = new Uint32Array(16);
  for (const type of types) limits[type] = type === PUBLISH ? most : Math.min(CONTROL_SIZE, most);
  return limits;
}

function sizeRefusal(size: number, most = MAX_PACKET_SIZE): InvalidRequest | null {
  if (size <= most) return null;
  const whose = most < MAX_PACKET_SIZE ? 'the broker takes' : 'MQTT allows';
  const text = `a packet of ${size} bytes is larger than the ${most} that ${whose}`;
  return new InvalidRequest(PACKET_TOO_LARGE, text); // [MQTT-3.2.2-15]
}

/** Why a message cannot be sent to this broker, or null. @param granted the properties of CONNACK */
export function messageRefusal(profile: Profile, granted: Properties, message: OutgoingMessage): InvalidRequest | null {
  const { maximumQoS = 2, retainAvailable = 1, topicAliasMaximum = 0 } = granted;
  if (message.qos > maximumQoS) {
    return new InvalidRequest(QOS_NOT_SUPPORTED, `the broker takes at most QoS ${maximumQoS}`); // [MQTT-3.2.2-11]
  }
  if (message.retain && retainAvailable === 0) {
    return new InvalidRequest(RETAIN_NOT_SUPPORTED, 'the broker takes no retained messages'); // [MQTT-3.2.2-14]
  }
  if (message.alias > topicAliasMaximum) {
    const text = `topic alias ${message.alias} is larger than the ${topicAliasMaximum} that the broker takes`;
    return new InvalidRequest(TOPIC_ALIAS_INVALID, text); // [MQTT-3.2.2-17, MQTT-3.2.2-18, MQTT-3.3.2-9]
  }
  const size = publishSize(message, profile.shape, message.qos > 0) + (message.alias > 0 ? ALIAS_SIZE : 0);
  return sizeRefusal(size, granted.maximumPacketSize);
}

/** Which feature a request needs that this broker does not have (MQTT 5.0 sections 3.2.2.3.11 to 13), or null. */
function featureRefusal(granted: Properties, packet: SubscribePacket | UnsubscribePacket): InvalidRequest | null {
  if (packet.type !== SUBSCRIBE) return null;
  if (packet.properties.subscriptionIdentifier !== undefined && granted.subscriptionIdentifierAvailable === 0) {
    return new InvalidRequest(SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED, 'the broker takes no subscription identifiers');
  }
  for (const { filter } of packet.subscriptions) {
    if (granted.wildcardSubscriptionAvailable === 0 && hasWildcard(filter)) {
      const text = `the broker takes no wildcard subscriptions: ${filter}`;
      return new InvalidRequest(WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED, text);
    }
    if (granted.sharedSubscriptionAvailable === 0 && splitShared(filter) !== null) {
      const text = `the broker takes no shared subscriptions: ${filter}`;
      return new InvalidRequest(SHARED_SUBSCRIPTIONS_NOT_SUPPORTED, text);
    }
  }
  return null;
}

/** Why a request cannot be sent to this broker, or null. */
export function requestRefusal(
  profile: Profile,
  granted: Properties,
  packet: SubscribePacket | UnsubscribePacket,
): InvalidRequest | null {
  const refusal = featureRefusal(granted, packet);
  if (refusal !== null) return refusal;
  try {
    return sizeRefusal(encode(profile, packet).length, granted.maximumPacketSize);
  } catch (error) {
    if (error instanceof RangeError) return new InvalidRequest(PROTOCOL_ERROR, error.message);
    throw error;
  }
}

/** Why a subscription is none, or null; its filter apart. */
export function subscriptionFault({ filter, qos, retainHandling, noLocal }: SubscriptionRequest): string | null {
  if (qos !== 0 && qos !== 1 && qos !== 2) return `${qos} is no QoS`;
  if (retainHandling !== 0 && retainHandling !== 1 && retainHandling !== 2) {
    return `${retainHandling} is no retain handling: it is 0, 1 or 2`;
  }
  const isShared = filter.startsWith('$share/');
  return noLocal && isShared ? 'no-local must not be set on a shared subscription' : null; // [MQTT-3.8.3-4]
}

/** Reason codes of DISCONNECT that are a server's alone (MQTT 5.0 table 3-10). */
const SERVER_CODES: readonly number[] = [
  0x87, 0x89, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
];

/** Why a DISCONNECT cannot be sent, or null. */
export function goodbyeRefusal(
  { profile, properties: asked }: Pick<Settings, 'profile' | 'properties'>,
  granted: Properties,
  code: number,
  properties: Properties,
): InvalidRequest | null {
  // The plain one must always be possible.
  if (!profile.hasProperties || (code === SUCCESS.code && Object.keys(properties).length === 0)) return null;
  if (!reasonFits(code, DISCONNECT) || SERVER_CODES.includes(code)) {
    return new InvalidRequest(PROTOCOL_ERROR, `${code} is no reason for a client to disconnect`); // [MQTT-3.14.2-1]
  }
  const fault = propertiesFault(properties, DISCONNECT);
  if (fault !== null) return new InvalidRequest(PROTOCOL_ERROR, fault);
  if ((properties.sessionExpiryInterval ?? 0) > 0 && (asked.sessionExpiryInterval ?? 0) === 0) {
    const text = 'a session that CONNECT had end with the connection cannot be kept by DISCONNECT';
    return new InvalidRequest(PROTOCOL_ERROR, text); // MQTT 5.0 section 3.14.2.2.2
  }
  // [MQTT-3.14.2-3, MQTT-3.14.2-4]
  return sizeRefusal(encode(profile, { type: DISCONNECT, code, properties }).length, granted.maximumPacketSize);
}
