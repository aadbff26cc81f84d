// THE table of MQTT 5 properties: identifier, names, type and the packets it may stand in. The TypeScript types, reading,
// writing, lengths, validation and the tools' --property option are derived from it (MQTT 5.0 table 2-4).
import {
  AUTH,
  CONNACK,
  CONNECT,
  DISCONNECT,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBACK,
  SUBSCRIBE,
  UNSUBACK,
  UNSUBSCRIBE,
} from './constants.ts';

/** Stands for the will's properties inside CONNECT, beside the packet types. */
export const WILL = 0;

/** Kinds of property values (section 2.2.2.2). */
export type PropertyType = 'byte' | 'u16' | 'u32' | 'varint' | 'string' | 'binary' | 'pair';

const ACKS = [PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK] as const;

/** Rows: `name` is the key in decoded objects, `option` the spelling of the tools' --property and of JSON output. */
export const PROPERTIES = [
  {
    id: 0x01,
    name: 'payloadFormatIndicator',
    option: 'payload-format-indicator',
    type: 'byte',
    packets: [PUBLISH, WILL],
  },
  { id: 0x02, name: 'messageExpiryInterval', option: 'message-expiry-interval', type: 'u32', packets: [PUBLISH, WILL] },
  { id: 0x03, name: 'contentType', option: 'content-type', type: 'string', packets: [PUBLISH, WILL] },
  { id: 0x08, name: 'responseTopic', option: 'response-topic', type: 'string', packets: [PUBLISH, WILL] },
  { id: 0x09, name: 'correlationData', option: 'correlation-data', type: 'binary', packets: [PUBLISH, WILL] },
  {
    id: 0x0b,
    name: 'subscriptionIdentifier',
    option: 'subscription-identifier',
    type: 'varint',
    packets: [PUBLISH, SUBSCRIBE],
  },
  {
    id: 0x11,
    name: 'sessionExpiryInterval',
    option: 'session-expiry-interval',
    type: 'u32',
    packets: [CONNECT, CONNACK, DISCONNECT],
  },
  {
    id: 0x12,
    name: 'assignedClientIdentifier',
    option: 'assigned-client-identifier',
    type: 'string',
    packets: [CONNACK],
  },
  { id: 0x13, name: 'serverKeepAlive', option: 'server-keep-alive', type: 'u16', packets: [CONNACK] },
  {
    id: 0x15,
    name: 'authenticationMethod',
    option: 'authentication-method',
    type: 'string',
    packets: [CONNECT, CONNACK, AUTH],
  },
  {
    id: 0x16,
    name: 'authenticationData',
    option: 'authentication-data',
    type: 'binary',
    packets: [CONNECT, CONNACK, AUTH],
  },
  {
    id: 0x17,
    name: 'requestProblemInformation',
    option: 'request-problem-information',
    type: 'byte',
    packets: [CONNECT],
  },
  { id: 0x18, name: 'willDelayInterval', option: 'will-delay-interval', type: 'u32', packets: [WILL] },
  {
    id: 0x19,
    name: 'requestResponseInformation',
    option: 'request-response-information',
    type: 'byte',
    packets: [CONNECT],
  },
  { id: 0x1a, name: 'responseInformation', option: 'response-information', type: 'string', packets: [CONNACK] },
  { id: 0x1c, name: 'serverReference', option: 'server-reference', type: 'string', packets: [CONNACK, DISCONNECT] },
  {
    id: 0x1f,
    name: 'reasonString',
    option: 'reason-string',
    type: 'string',
    packets: [CONNACK, ...ACKS, DISCONNECT, AUTH],
  },
  { id: 0x21, name: 'receiveMaximum', option: 'receive-maximum', type: 'u16', packets: [CONNECT, CONNACK] },
  { id: 0x22, name: 'topicAliasMaximum', option: 'topic-alias-maximum', type: 'u16', packets: [CONNECT, CONNACK] },
  { id: 0x23, name: 'topicAlias', option: 'topic-alias', type: 'u16', packets: [PUBLISH] },
  { id: 0x24, name: 'maximumQoS', option: 'maximum-qos', type: 'byte', packets: [CONNACK] },
  { id: 0x25, name: 'retainAvailable', option: 'retain-available', type: 'byte', packets: [CONNACK] },
  {
    id: 0x26,
    name: 'userProperties',
    option: 'user-property',
    type: 'pair',
    packets: [CONNECT, CONNACK, PUBLISH, ...ACKS, SUBSCRIBE, UNSUBSCRIBE, DISCONNECT, AUTH, WILL],
  },
  { id: 0x27, name: 'maximumPacketSize', option: 'maximum-packet-size', type: 'u32', packets: [CONNECT, CONNACK] },
  {
    id: 0x28,
    name: 'wildcardSubscriptionAvailable',
    option: 'wildcard-subscription-available',
    type: 'byte',
    packets: [CONNACK],
  },
  {
    id: 0x29,
    name: 'subscriptionIdentifierAvailable',
    option: 'subscription-identifier-available',
    type: 'byte',
    packets: [CONNACK],
  },
  {
    id: 0x2a,
    name: 'sharedSubscriptionAvailable',
    option: 'shared-subscription-available',
    type: 'byte',
    packets: [CONNACK],
  },
] as const satisfies readonly PropertyRow[];

/** Shape of a row. */
export interface PropertyRow {
  readonly id: number;
  readonly name: string;
  readonly option: string;
  readonly type: PropertyType;
  readonly packets: readonly number[];
}

interface ValueOf {
  byte: number;
  u16: number;
  u32: number;
  varint: number;
  string: string;
  binary: Buffer;
  pair: readonly (readonly [string, string])[];
}

type Row = (typeof PROPERTIES)[number];

/**
 * Decoded properties, keyed by the table's names and in the order of the packet. User properties are gathered at the
 * place of the first. `subscriptionIdentifiers` holds all of a PUBLISH's (section 3.3.2.3.8), else it is absent.
 */
export type Properties = { -readonly [R in Row as R['name']]?: ValueOf[R['type']] } & {
  subscriptionIdentifiers?: readonly number[];
};

/** Rows indexed by identifier. */
export const PROPERTY_BY_ID: readonly (PropertyRow | undefined)[] = (() => {
  const rows: (PropertyRow | undefined)[] = new Array(0x2b).fill(undefined);
  for (const row of PROPERTIES) rows[row.id] = row;
  return rows;
})();

/** No properties at all: what a 3.x packet lifts to. */
export const NO_PROPERTIES: Properties = Object.freeze({});
