// What the two sides may send each other: the sizes that we take, and what CONNACK allows us.
import { MAX_PACKET_SIZE, PUBLISH } from '../protocol/constants.ts';
import { encode } from '../protocol/encode.ts';
import type { SizeLimits } from '../protocol/framer.ts';
import type { SubscribePacket, UnsubscribePacket } from '../protocol/packets.ts';
import type { Properties } from '../protocol/properties.ts';
import { publishSize } from '../protocol/publish.ts';
import {
  PACKET_TOO_LARGE,
  PROTOCOL_ERROR,
  QOS_NOT_SUPPORTED,
  RETAIN_NOT_SUPPORTED,
  TOPIC_ALIAS_INVALID,
} from '../protocol/reasons.ts';
import type { Profile } from '../protocol/version.ts';
import { InvalidRequest } from './errors.ts';
import type { OutgoingMessage } from './outgoing.ts';

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
  const text = `a packet of ${size} bytes is larger than the ${most} that the broker takes`;
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
    return new InvalidRequest(TOPIC_ALIAS_INVALID, text); // [MQTT-3.2.2-17]
  }
  const size = publishSize(message, profile.shape, message.qos > 0) + (message.alias > 0 ? ALIAS_SIZE : 0);
  return sizeRefusal(size, granted.maximumPacketSize);
}

/** Why a request cannot be sent to this broker, or null. */
export function requestRefusal(
  profile: Profile,
  granted: Properties,
  packet: SubscribePacket | UnsubscribePacket,
): InvalidRequest | null {
  try {
    return sizeRefusal(encode(profile, packet).length, granted.maximumPacketSize);
  } catch (error) {
    if (error instanceof RangeError) return new InvalidRequest(PROTOCOL_ERROR, error.message);
    throw error;
  }
}
