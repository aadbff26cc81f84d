// The fields of packets, for the trees of -d -d. Properties have the names that --property and JSON output give them.
import {
  AUTH,
  CONNACK,
  CONNECT,
  DISCONNECT,
  NEVER_EXPIRES,
  PINGREQ,
  PINGRESP,
  SUBACK,
  SUBSCRIBE,
  UNSUBACK,
  UNSUBSCRIBE,
} from '../../protocol/constants.ts';
import type { ConnectPacket, ControlPacket, SubscriptionRequest, Will } from '../../protocol/packets.ts';
import { PROPERTIES, type Properties } from '../../protocol/properties.ts';
import { type PublishView, publishProperties } from '../../protocol/publish.ts';
import { CONNACK3, isRefusal, reasonOf, SUCCESS } from '../../protocol/reasons.ts';
import type { Profile } from '../../protocol/version.ts';
import { counted, described, quoted } from './packet-text.ts';

/** A field of a packet, with those that it is made of. */
export interface Field {
  readonly name: string;
  readonly value?: string | number;
  readonly fields?: readonly Field[];
}

const OPTION_NAMES = new Map<string, string>(PROPERTIES.map((row) => [row.name, row.option]));

const yesOrNo = (flag: boolean): string => (flag ? 'yes' : 'no');

/** A secret is told of by its length. */
const hidden = (bytes: Buffer): string => `${counted(bytes.length, 'byte')}, not shown`;

/**
 * The fields of a control packet.
 * @param returnCode of a CONNACK of 3.x, as it stands there
 */
export function controlFields(profile: Profile, packet: ControlPacket, returnCode: number): readonly Field[] {
  switch (packet.type) {
    case CONNECT:
      return connectFields(packet);
    case CONNACK: {
      const reason: Field = profile.hasProperties
        ? reasonField(packet.type, packet.code)
        : { name: 'return code', value: `${returnCode} ${CONNACK3[returnCode]?.text ?? ''}` };
      const present = { name: 'session present', value: yesOrNo(packet.sessionPresent) };
      return [...(profile.hasSessionPresent ? [present] : []), reason, ...propertyFields(packet.properties)];
    }
    case SUBSCRIBE:
      return [
        identifier(packet.id),
        ...packet.subscriptions.map((request) => subscriptionField(profile, request)),
        ...propertyFields(packet.properties),
      ];
    case UNSUBSCRIBE:
      return [
        identifier(packet.id),
        ...packet.filters.map((filter) => ({ name: 'topic filter', value: quoted(filter) })),
        ...propertyFields(packet.properties),
      ];
    case SUBACK:
    case UNSUBACK:
      return [
        identifier(packet.id),
        ...packet.codes.map((code) => answerField(profile, packet.type, code)),
        ...propertyFields(packet.properties),
      ];
    case PINGREQ:
    case PINGRESP:
      return [];
    case DISCONNECT:
    case AUTH:
      return versionFields(profile, [reasonField(packet.type, packet.code), ...propertyFields(packet.properties)]);
    default:
      return [
        identifier(packet.id),
        ...versionFields(profile, [reasonField(packet.type, packet.code), ...propertyFields(packet.properties)]),
      ];
  }
}

/** The fields of a PUBLISH that was read. */
export function publishFields(view: PublishView, payload: Buffer): readonly Field[] {
  const { buffer, first, topicStart, topicEnd, qos, id } = view;
  return [
    { name: 'topic', value: quoted(buffer.toString('utf8', topicStart, topicEnd)) },
    { name: 'QoS', value: qos },
    { name: 'retain', value: yesOrNo((first & 0x01) !== 0) },
    { name: 'duplicate', value: yesOrNo((first & 0x08) !== 0) },
    ...(qos === 0 ? [] : [identifier(id)]),
    ...propertyFields(publishProperties(view)),
    { name: 'payload', value: described(payload) },
  ];
}

/** What only packets of MQTT 5 have. */
function versionFields(profile: Profile, fields: readonly Field[]): readonly Field[] {
  return profile.hasProperties ? fields : [];
}

function identifier(id: number): Field {
  return { name: 'packet identifier', value: id };
}

function connectFields(packet: ConnectPacket): readonly Field[] {
  const { profile, clientId, cleanStart, keepAlive, username, password, will, properties } = packet;
  return [
    { name: 'protocol', value: `${profile.protocolName}, level ${profile.level}` },
    { name: profile.hasProperties ? 'clean start' : 'clean session', value: yesOrNo(cleanStart) },
    { name: 'keep alive', value: `${keepAlive} s` },
    { name: 'client identifier', value: quoted(clientId) },
    ...(username === null ? [] : [{ name: 'user name', value: quoted(username) }]),
    ...(password === null ? [] : [{ name: 'password', value: hidden(password) }]),
    ...(will === null ? [] : [willField(will)]),
    ...versionFields(profile, propertyFields(properties)),
  ];
}

function willField({ topic, qos, retain, payload, properties }: Will): Field {
  const fields = [
    { name: 'topic', value: quoted(topic) },
    { name: 'QoS', value: qos },
    { name: 'retain', value: yesOrNo(retain) },
    ...propertyFields(properties),
    { name: 'payload', value: described(payload) },
  ];
  return { name: 'will', fields };
}

const RETAIN_HANDLING = ['always', 'new', 'never'];

function subscriptionField(profile: Profile, request: SubscriptionRequest): Field {
  const { filter, qos, noLocal, retainAsPublished, retainHandling } = request;
  const options = versionFields(profile, [
    { name: 'no local', value: yesOrNo(noLocal) },
    { name: 'retain as published', value: yesOrNo(retainAsPublished) },
    { name: 'retain handling', value: `${retainHandling} (${RETAIN_HANDLING[retainHandling]})` },
  ]);
  return { name: 'topic filter', value: quoted(filter), fields: [{ name: 'QoS', value: qos }, ...options] };
}

const hex = (code: number): string => `0x${code.toString(16).padStart(2, '0')}`;

/** A reason with the name that it has in a packet of this type (MQTT 5.0 section 2.4). */
function reasonField(type: number, code: number): Field {
  const isNormal = type === DISCONNECT && code === SUCCESS.code;
  return { name: 'reason', value: `${hex(code)} ${isNormal ? 'Normal disconnection' : reasonOf(code).text}` };
}

/** What became of one filter. */
function answerField(profile: Profile, type: typeof SUBACK | typeof UNSUBACK, code: number): Field {
  if (type === SUBACK && !isRefusal(code)) return { name: 'reason', value: `${hex(code)} Granted QoS ${code}` };
  return profile.hasProperties ? reasonField(type, code) : { name: 'return code', value: `${hex(code)} Failure` };
}

function propertyFields(properties: Properties): readonly Field[] {
  const fields = Object.entries(properties).flatMap(([name, value]) => propertyField(name, value));
  return fields.length === 0 ? [] : [{ name: 'properties', fields }];
}

function propertyField(name: string, value: Properties[keyof Properties]): readonly Field[] {
  if (value === undefined) return [];
  if (name === 'subscriptionIdentifiers') {
    return (value as readonly number[]).map((id) => ({ name: 'subscription-identifier', value: id }));
  }
  const option = OPTION_NAMES.get(name) ?? name;
  if (name === 'userProperties') {
    const pairs = value as readonly (readonly [string, string])[];
    return pairs.map(([key, text]) => ({ name: option, value: `${quoted(key)} = ${quoted(text)}` }));
  }
  if (name === 'authenticationData') return [{ name: option, value: hidden(value as Buffer) }];
  if (Buffer.isBuffer(value)) return [{ name: option, value: described(value) }];
  if (name === 'sessionExpiryInterval' && value === NEVER_EXPIRES) return [{ name: option, value: `${value} (never)` }];
  return [{ name: option, value: typeof value === 'string' ? quoted(value) : Number(value) }];
}
