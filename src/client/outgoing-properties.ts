// What properties a client may send: the table of properties says where they may stand, and their types what they may hold.
// A receiver refuses what does not fit, so nothing of the kind is sent.
import { DISCONNECT, MAX_STRING, MAX_VARINT, PACKET_NAMES, PUBLISH } from '../protocol/constants.ts';
import { PROPERTIES, type Properties, type PropertyRow, WILL } from '../protocol/properties.ts';
import { topicNameFault } from '../protocol/topic.ts';
import { isSendableString } from '../protocol/utf8.ts';

const ROWS: ReadonlyMap<string, PropertyRow> = new Map(PROPERTIES.map((row) => [row.name, row]));

/** What only a server tells: which subscriptions a message is for [MQTT-3.3.4-6], and where else to go. */
const SERVER_ONLY: Readonly<Record<number, string>> = {
  [PUBLISH]: 'subscriptionIdentifier',
  [DISCONNECT]: 'serverReference',
};

const MUST_NOT_BE_ZERO: readonly string[] = [
  'receiveMaximum',
  'topicAlias', // [MQTT-3.3.2-8]
  'maximumPacketSize',
  'subscriptionIdentifier',
];

/** All properties of one byte are yes or no, or a QoS of 0 or 1. */
const LARGEST = { byte: 1, u16: 0xffff, u32: 0xffff_ffff, varint: MAX_VARINT } as const;

/** Why these properties cannot be sent in a packet of this type (WILL for those of a will), or null. */
export function propertiesFault(properties: Properties, packetType: number): string | null {
  for (const name in properties) {
    const value: unknown = properties[name as keyof Properties];
    if (value === undefined) continue;
    const row = ROWS.get(name);
    if (row === undefined) return `${name} is no property that a client sends`;
    if (!row.packets.includes(packetType) || SERVER_ONLY[packetType] === name) {
      const where = packetType === WILL ? 'a will' : `a client's ${PACKET_NAMES[packetType]}`;
      return `the property ${row.option} must not stand in ${where}`;
    }
    const fault = valueFault(row, value);
    if (fault !== null) return `the property ${row.option} ${fault}`;
  }
  if (properties.authenticationData !== undefined && properties.authenticationMethod === undefined) {
    return 'authentication data needs an authentication method';
  }
  return null;
}

function valueFault(row: PropertyRow, value: unknown): string | null {
  switch (row.type) {
    case 'string':
      return row.name === 'responseTopic' ? responseTopicFault(value) : stringFault(value);
    case 'binary':
      return Buffer.isBuffer(value) && value.length <= MAX_STRING ? null : `must be at most ${MAX_STRING} bytes`;
    case 'pair': {
      const pairs = value as readonly (readonly [unknown, unknown])[];
      for (const [key, text] of pairs) {
        const fault = stringFault(key) ?? stringFault(text); // [MQTT-1.5.7-1]
        if (fault !== null) return fault;
      }
      return null;
    }
    default: {
      const least = MUST_NOT_BE_ZERO.includes(row.name) ? 1 : 0;
      const most = LARGEST[row.type];
      const fits = Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
      return fits ? null : `must be a whole number from ${least} to ${most}`;
    }
  }
}

function stringFault(value: unknown): string | null {
  if (typeof value === 'string' && isSendableString(value)) return null;
  return `must be valid UTF-8 of at most ${MAX_STRING} bytes without control characters`;
}

/** [MQTT-3.3.2-13, MQTT-3.3.2-14] */
function responseTopicFault(value: unknown): string | null {
  const fault = typeof value === 'string' ? topicNameFault(value) : 'it is no text';
  return fault === null ? null : `must be a topic name: ${fault}`;
}
