// Control packets to bytes. What a version cannot say is lowered here: properties and reasons are dropped, a server's
// DISCONNECT becomes nothing at all.
import {
  AUTH,
  CONNACK,
  CONNECT,
  DISCONNECT,
  PINGREQ,
  PINGRESP,
  PUBREL,
  SUBACK,
  SUBSCRIBE,
  UNSUBACK,
  UNSUBSCRIBE,
} from './constants.ts';
import type { AckPacket, ConnackPacket, ConnectPacket, ControlPacket, SubscribePacket } from './packets.ts';
import type { Properties } from './properties.ts';
import { writeProperties } from './property-codec.ts';
import { isRefusal, reasonOf, SERVER_UNAVAILABLE, SUCCESS, UNSPECIFIED_ERROR } from './reasons.ts';
import type { Profile } from './version.ts';
import { Writer } from './writer.ts';

const NONE = Buffer.alloc(0);
const writer = new Writer();

/**
 * Encodes any packet but PUBLISH for a peer of this version; empty where the version has no such packet.
 * @throws RangeError for a field that is too long
 */
export function encode(profile: Profile, packet: ControlPacket): Buffer {
  writer.take();
  switch (packet.type) {
    case CONNECT:
      return encodeConnect(packet);
    case CONNACK:
      return encodeConnack(profile, packet);
    case SUBSCRIBE:
      return encodeSubscribe(profile, packet);
    case UNSUBSCRIBE:
      writer.u16(packet.id);
      if (profile.hasProperties) writeProperties(writer, packet.properties);
      for (const filter of packet.filters) writer.string(filter);
      return writer.takePacket((UNSUBSCRIBE << 4) | 0x02);
    case SUBACK:
      writer.u16(packet.id);
      if (profile.hasProperties) writeProperties(writer, packet.properties);
      for (const code of packet.codes) {
        writer.u8(profile.hasProperties || !isRefusal(code) ? code : UNSPECIFIED_ERROR.code);
      }
      return writer.takePacket(SUBACK << 4);
    case UNSUBACK:
      writer.u16(packet.id);
      if (profile.hasProperties) {
        writeProperties(writer, packet.properties);
        for (const code of packet.codes) writer.u8(code);
      }
      return writer.takePacket(UNSUBACK << 4);
    case PINGREQ:
    case PINGRESP:
      return writer.takePacket(packet.type << 4);
    case DISCONNECT:
      if (profile.hasProperties) writeReason(packet.code, packet.properties);
      return writer.takePacket(DISCONNECT << 4);
    case AUTH:
      if (!profile.hasProperties) return NONE;
      writeReason(packet.code, packet.properties);
      return writer.takePacket(AUTH << 4);
    default:
      return encodeAck(profile, packet);
  }
}

function isEmpty(properties: Properties): boolean {
  for (const _ in properties) return false;
  return true;
}

/** Reason code and properties, each left out where that is allowed (sections 3.4.2.1, 3.14.2.1, 3.15.2.1). */
function writeReason(code: number, properties: Properties): void {
  const empty = isEmpty(properties);
  if (code === SUCCESS.code && empty) return;
  writer.u8(code);
  if (!empty) writeProperties(writer, properties);
}

function encodeAck(profile: Profile, packet: AckPacket): Buffer {
  writer.u16(packet.id);
  if (profile.hasProperties) writeReason(packet.code, packet.properties);
  return writer.takePacket((packet.type << 4) | (packet.type === PUBREL ? 0x02 : 0));
}

function encodeConnect(packet: ConnectPacket): Buffer {
  const { profile, will } = packet;
  writer.string(profile.protocolName);
  writer.u8(profile.level | (packet.bridge ? 0x80 : 0));
  let flags = packet.cleanStart ? 0x02 : 0;
  if (will !== null) flags |= 0x04 | (will.qos << 3) | (will.retain ? 0x20 : 0);
  if (packet.password !== null) flags |= 0x40;
  if (packet.username !== null) flags |= 0x80;
  writer.u8(flags);
  writer.u16(packet.keepAlive);
  if (profile.hasProperties) writeProperties(writer, packet.properties);
  writer.string(packet.clientId);
  if (will !== null) {
    if (profile.hasProperties) writeProperties(writer, will.properties);
    writer.string(will.topic);
    writer.binary(will.payload);
  }
  if (packet.username !== null) writer.string(packet.username);
  if (packet.password !== null) writer.binary(packet.password);
  return writer.takePacket(CONNECT << 4);
}

function encodeConnack(profile: Profile, packet: ConnackPacket): Buffer {
  writer.u8(packet.sessionPresent && profile.hasSessionPresent ? 1 : 0);
  if (profile.hasProperties) {
    writer.u8(packet.code);
    writeProperties(writer, packet.properties);
  } else {
    writer.u8(connackCode3(packet.code));
  }
  return writer.takePacket(CONNACK << 4);
}

/** The 3.x return code of a CONNACK reason; a refusal for which 3.x has no code is "server unavailable". */
export function connackCode3(code: number): number {
  if (code === SUCCESS.code) return 0;
  const lowered = reasonOf(code).connack3;
  return lowered === 0 ? SERVER_UNAVAILABLE.connack3 : lowered;
}

function encodeSubscribe(profile: Profile, packet: SubscribePacket): Buffer {
  writer.u16(packet.id);
  if (profile.hasProperties) writeProperties(writer, packet.properties);
  for (const subscription of packet.subscriptions) {
    writer.string(subscription.filter);
    const options =
      subscription.qos |
      (subscription.noLocal ? 0x04 : 0) |
      (subscription.retainAsPublished ? 0x08 : 0) |
      (subscription.retainHandling << 4);
    writer.u8(options & profile.subscriptionMask);
  }
  return writer.takePacket((SUBSCRIBE << 4) | 0x02);
}
