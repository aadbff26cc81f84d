// Frames to control packets, lifted to MQTT 5 terms. These packets are rare beside PUBLISH: they allocate freely.
import {
  AUTH,
  CONNACK,
  CONNECT,
  DISCONNECT,
  NEVER_EXPIRES,
  PACKET_NAMES,
  PINGREQ,
  PINGRESP,
  PUBACK,
  PUBCOMP,
  PUBREC,
  PUBREL,
  SUBACK,
  SUBSCRIBE,
  UNSUBACK,
  UNSUBSCRIBE,
} from './constants.ts';
import { ConnectFault, MalformedPacket, PeerFault, ProtocolError } from './errors.ts';
import type { AckPacket, ConnectPacket, ControlPacket, SubscriptionRequest, Will } from './packets.ts';
import { NO_PROPERTIES, type Properties, WILL } from './properties.ts';
import { readProperties } from './property-codec.ts';
import { Reader } from './reader.ts';
import { CONNACK3, reasonFits, SUCCESS, UNSUPPORTED_PROTOCOL_VERSION } from './reasons.ts';
import { topicFilterFault, topicNameFault } from './topic.ts';
import { PROFILES, type Profile } from './version.ts';

/**
 * Decodes any packet but PUBLISH and CONNECT from buffer[start, end).
 * @throws MalformedPacket, ProtocolError, or PeerFault with another reason
 */
export function decode(profile: Profile, buffer: Buffer, first: number, start: number, end: number): ControlPacket {
  const reader = new Reader(buffer, start, end);
  const type = first >> 4;
  const packet = decodeBody(profile, type, reader);
  reader.finish(PACKET_NAMES[type]!);
  return packet;
}

function decodeBody(profile: Profile, type: number, reader: Reader): ControlPacket {
  switch (type) {
    case PUBACK:
    case PUBREC:
    case PUBREL:
    case PUBCOMP:
      return decodeAck(profile, type, reader);
    case SUBSCRIBE:
      return decodeSubscribe(profile, reader);
    case UNSUBSCRIBE:
      return decodeUnsubscribe(profile, reader);
    case SUBACK:
    case UNSUBACK:
      return decodeCodes(profile, type, reader);
    case CONNACK:
      return decodeConnack(profile, reader);
    case PINGREQ:
    case PINGRESP:
      return { type };
    case DISCONNECT: {
      const code = profile.hasProperties && reader.remaining > 0 ? reader.u8('the reason code') : SUCCESS.code;
      checkCode(code, type);
      return { type, code, properties: optionalProperties(profile, type, reader) };
    }
    case AUTH: {
      if (!profile.hasProperties) throw new ProtocolError('AUTH came in a version that has none');
      const code = reader.remaining > 0 ? reader.u8('the reason code') : SUCCESS.code;
      checkCode(code, type);
      return { type, code, properties: optionalProperties(profile, type, reader) };
    }
    default:
      throw new ProtocolError(`${PACKET_NAMES[type]} must not come now`);
  }
}

/** How 3.1.1 says that a filter was refused. */
const SUBSCRIPTION_REFUSED = 0x80;

/** Packet identifiers are never 0 [MQTT-2.2.1-3]. */
export function readPacketId(reader: Reader): number {
  const id = reader.u16('the packet identifier');
  if (id === 0) throw new ProtocolError('the packet identifier is 0');
  return id;
}

/** The properties of a packet that may end in front of them (section 3.4.2.2.1 and its like). */
function optionalProperties(profile: Profile, type: number, reader: Reader): Properties {
  return profile.hasProperties && reader.remaining > 0 ? readProperties(reader, type) : NO_PROPERTIES;
}

function checkCode(code: number, type: number): void {
  if (!reasonFits(code, type)) {
    throw new ProtocolError(
      `reason code 0x${code.toString(16).padStart(2, '0')} must not stand in ${PACKET_NAMES[type]}`,
    );
  }
}

function decodeAck(profile: Profile, type: AckPacket['type'], reader: Reader): AckPacket {
  const id = readPacketId(reader);
  const code = profile.hasProperties && reader.remaining > 0 ? reader.u8('the reason code') : SUCCESS.code;
  checkCode(code, type);
  return { type, id, code, properties: optionalProperties(profile, type, reader) };
}

function decodeSubscribe(profile: Profile, reader: Reader): ControlPacket {
  const id = readPacketId(reader);
  const properties = profile.hasProperties ? readProperties(reader, SUBSCRIBE) : NO_PROPERTIES;
  const subscriptions: SubscriptionRequest[] = [];
  while (reader.remaining > 0) {
    const filter = readFilter(reader);
    const options = reader.u8('the subscription options');
    const qos = options & 0x03;
    const retainHandling = (options >> 4) & 0x03;
    // [MQTT-3.8.3-5, MQTT3-3.8.3-4]
    if ((options & ~profile.subscriptionMask) !== 0) {
      throw new MalformedPacket(`the subscription options 0x${options.toString(16)} have reserved bits`);
    }
    if (qos === 3 || retainHandling === 3) {
      throw new ProtocolError(`the subscription options 0x${options.toString(16)} have a reserved value`);
    }
    const noLocal = (options & 0x04) !== 0;
    if (noLocal && filter.startsWith('$share/')) {
      throw new ProtocolError('no-local must not be set on a shared subscription'); // [MQTT-3.8.3-4]
    }
    subscriptions.push({ filter, qos, noLocal, retainAsPublished: (options & 0x08) !== 0, retainHandling });
  }
  if (subscriptions.length === 0) throw new ProtocolError('SUBSCRIBE has no topic filter'); // [MQTT-3.8.3-2]
  return { type: SUBSCRIBE, id, subscriptions, properties };
}

function readFilter(reader: Reader): string {
  const filter = reader.string('a topic filter');
  const fault = topicFilterFault(filter);
  if (fault !== null) throw new MalformedPacket(`invalid topic filter: ${fault}`);
  return filter;
}

function decodeUnsubscribe(profile: Profile, reader: Reader): ControlPacket {
  const id = readPacketId(reader);
  const properties = profile.hasProperties ? readProperties(reader, UNSUBSCRIBE) : NO_PROPERTIES;
  const filters: string[] = [];
  while (reader.remaining > 0) filters.push(readFilter(reader));
  if (filters.length === 0) throw new ProtocolError('UNSUBSCRIBE has no topic filter'); // [MQTT-3.10.3-2]
  return { type: UNSUBSCRIBE, id, filters, properties };
}

function decodeCodes(profile: Profile, type: typeof SUBACK | typeof UNSUBACK, reader: Reader): ControlPacket {
  const id = readPacketId(reader);
  const properties = profile.hasProperties ? readProperties(reader, type) : NO_PROPERTIES;
  const codes: number[] = [];
  const hasCodes = type === SUBACK || profile.hasProperties;
  while (hasCodes && reader.remaining > 0) {
    const code = reader.u8('a reason code');
    checkCode(code, type);
    // [MQTT3-3.9.3-2]: the refusal of 3.1.1 has no reasons.
    if (!profile.hasProperties && code > SUBSCRIPTION_REFUSED) {
      throw new ProtocolError(`return code 0x${code.toString(16)} of SUBACK is reserved`);
    }
    codes.push(code);
  }
  if (hasCodes && codes.length === 0) {
    throw new MalformedPacket(`${PACKET_NAMES[type]} has no reason code`);
  }
  return { type, id, codes, properties };
}

function decodeConnack(profile: Profile, reader: Reader): ControlPacket {
  const flags = reader.u8('the acknowledge flags');
  if (flags > 1) throw new MalformedPacket('the acknowledge flags have reserved bits'); // [MQTT-3.2.2-1]
  const wire = reader.u8('the reason code');
  if (profile.hasProperties) {
    checkCode(wire, CONNACK);
    // A refusal without a property length is still understood: it says why, and nothing follows it.
    const properties =
      wire === SUCCESS.code ? readProperties(reader, CONNACK) : optionalProperties(profile, CONNACK, reader);
    return { type: CONNACK, sessionPresent: flags === 1, code: wire, properties };
  }
  const row = CONNACK3[wire];
  if (row === undefined) throw new ProtocolError(`return code ${wire} of CONNACK is reserved`);
  const sessionPresent = profile.hasSessionPresent && flags === 1;
  return { type: CONNACK, sessionPresent, code: row.reason.code, properties: NO_PROPERTIES };
}

/** What a CONNECT said before it went wrong. */
interface Understood {
  profile: Profile | null;
  properties: Properties;
}

/**
 * Decodes CONNECT, which tells its own version.
 * @throws ConnectFault, with UNSUPPORTED_PROTOCOL_VERSION for a level that is not spoken here
 */
export function decodeConnect(buffer: Buffer, start: number, end: number): ConnectPacket {
  const understood: Understood = { profile: null, properties: NO_PROPERTIES };
  try {
    return readConnect(new Reader(buffer, start, end), understood);
  } catch (error) {
    if (!(error instanceof PeerFault)) throw error;
    throw new ConnectFault(error, understood.profile, understood.properties);
  }
}

function readConnect(reader: Reader, understood: Understood): ConnectPacket {
  const name = reader.string('the protocol name');
  if (name !== 'MQTT' && name !== 'MQIsdp') throw new ProtocolError('the protocol name is neither MQTT nor MQIsdp');
  const levelByte = reader.u8('the protocol level');
  const level = levelByte & 0x7f;
  const profile = PROFILES.find((candidate) => candidate.level === level && candidate.protocolName === name);
  const isBridge = levelByte !== level;
  if (profile === undefined || (isBridge && !profile.hasBridgeBit)) {
    throw new PeerFault(UNSUPPORTED_PROTOCOL_VERSION, `protocol ${name} level ${levelByte} is not supported`);
  }
  understood.profile = profile;
  const flags = reader.u8('the connect flags');
  const hasWill = (flags & 0x04) !== 0;
  const hasUsername = (flags & 0x80) !== 0;
  const hasPassword = (flags & 0x40) !== 0;
  checkConnectFlags(profile, flags);
  const keepAlive = reader.u16('the keep alive');
  const cleanStart = (flags & 0x02) !== 0;
  const properties: Properties = profile.hasProperties
    ? readProperties(reader, CONNECT)
    : cleanStart
      ? NO_PROPERTIES
      : { sessionExpiryInterval: NEVER_EXPIRES };
  understood.properties = properties;
  if (properties.authenticationData !== undefined && properties.authenticationMethod === undefined) {
    throw new ProtocolError('authentication data came without a method');
  }
  const clientId = reader.string('the client identifier');
  const will = hasWill ? readWill(profile, flags, reader) : null;
  const mayBeMissing = (): boolean => profile.flagsAreLoose && reader.remaining === 0;
  const username = hasUsername && !mayBeMissing() ? reader.string('the user name') : null;
  const password = hasPassword && !mayBeMissing() ? Buffer.from(reader.binary('the password')) : null;
  reader.finish('CONNECT');
  return {
    type: CONNECT,
    profile,
    bridge: isBridge,
    clientId,
    cleanStart,
    keepAlive,
    username,
    password,
    will,
    properties,
  };
}

function checkConnectFlags(profile: Profile, flags: number): void {
  const isStrict = !profile.flagsAreLoose;
  if (isStrict && (flags & 0x01) !== 0) throw new MalformedPacket('the reserved connect flag is set'); // [MQTT-3.1.2-3]
  const willQos = (flags >> 3) & 0x03;
  if ((flags & 0x04) === 0) {
    if (isStrict && (flags & 0x38) !== 0) throw new MalformedPacket('will QoS or retain is set without a will'); // [MQTT-3.1.2-11, -13]
  } else if (willQos === 3) {
    throw new MalformedPacket('the will QoS is 3'); // [MQTT-3.1.2-12]
  }
  if ((flags & 0xc0) === 0x40 && !profile.passwordWithoutUsername) {
    throw new MalformedPacket('a password came without a user name'); // [MQTT3-3.1.2-22]
  }
}

function readWill(profile: Profile, flags: number, reader: Reader): Will {
  const properties = profile.hasProperties ? readProperties(reader, WILL) : NO_PROPERTIES;
  const topic = reader.string('the will topic');
  const fault = topicNameFault(topic);
  if (fault !== null) throw new ProtocolError(`invalid will topic: ${fault}`);
  const payload = Buffer.from(reader.binary('the will payload'));
  checkResponseTopic(properties.responseTopic);
  return { topic, payload, qos: (flags >> 3) & 0x03, retain: (flags & 0x20) !== 0, properties };
}

/** A response topic must not contain wildcards [MQTT-3.3.2-14]. */
export function checkResponseTopic(topic: string | undefined): void {
  if (topic === undefined) return;
  const fault = topicNameFault(topic);
  if (fault !== null) throw new ProtocolError(`invalid response topic: ${fault}`);
}
