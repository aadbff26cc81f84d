// Random control packets and PUBLISHes for property tests, made from the tables of the protocol.
import fc from 'fast-check';
import {
  AUTH,
  CONNACK,
  CONNECT,
  DISCONNECT,
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
} from '../../src/protocol/constants.ts';
import type { ControlPacket } from '../../src/protocol/packets.ts';
import { PROPERTIES, type Properties, type PropertyRow, WILL } from '../../src/protocol/properties.ts';
import { REASONS } from '../../src/protocol/reasons.ts';
import { isSendableString } from '../../src/protocol/utf8.ts';
import { MQTT5, type Profile } from '../../src/protocol/version.ts';

/** Records as literals make them. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

/** A string that MQTT can carry. */
export const text: fc.Arbitrary<string> = fc.string({ unit: 'grapheme', maxLength: 20 }).filter(isSendableString);

const level = fc
  .oneof(fc.constantFrom('', 'a', 'b', '$SYS', 'ü', '__proto__'), text)
  .map((value) => value.replace(/[+#/]/g, 'x'));

/** A topic name. */
export const topicName: fc.Arbitrary<string> = fc
  .array(level, { minLength: 1, maxLength: 5 })
  .map((levels) => levels.join('/'))
  .filter((name) => name !== '');

/** A topic filter, shared ones left out. */
export const topicFilter: fc.Arbitrary<string> = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 5 }), fc.constantFrom('', '/#'))
  .map(([levels, end]) => levels.join('/') + end)
  .filter((filter) => filter !== '' && !filter.startsWith('$share'));

const binary = fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes));
const ids = fc.integer({ min: 1, max: 65_535 });

/** Values that the standard forbids although their type could hold them. */
function isAllowed(row: PropertyRow, value: number): boolean {
  if (row.type === 'byte') return value <= 1;
  const mustNotBeZero = ['subscriptionIdentifier', 'receiveMaximum', 'topicAlias', 'maximumPacketSize'];
  return value > 0 || !mustNotBeZero.includes(row.name);
}

function propertyValue(row: PropertyRow): fc.Arbitrary<unknown> {
  const largest = { byte: 1, u16: 0xffff, u32: 0xffff_ffff, varint: 268_435_455 } as const;
  switch (row.type) {
    case 'string':
      return row.name === 'responseTopic' ? topicName : text;
    case 'binary':
      return binary;
    case 'pair':
      return fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 3 });
    default:
      return fc.integer({ min: 0, max: largest[row.type] }).filter((value) => isAllowed(row, value));
  }
}

/** Properties that may stand in packets of a type, in any order; none in versions that have none. */
export function propertiesOf(profile: Profile, type: number): fc.Arbitrary<Properties> {
  if (!profile.hasProperties) return fc.constant({});
  const rows = PROPERTIES.filter(
    (row: PropertyRow) => row.packets.includes(type) && row.name !== 'subscriptionIdentifier',
  );
  return fc
    .shuffledSubarray(rows)
    .chain((chosen) =>
      fc
        .tuple(...chosen.map((row) => propertyValue(row)))
        .map((values) => Object.fromEntries(chosen.map((row, i) => [row.name, values[i]])) as Properties),
    );
}

function codeOf(profile: Profile, type: number): fc.Arbitrary<number> {
  const codes = REASONS.filter((reason) => reason.packets.includes(type)).map((reason) => reason.code);
  return profile.hasProperties ? fc.constantFrom(...codes) : fc.constant(0);
}

const connect = (profile: Profile): fc.Arbitrary<ControlPacket> =>
  record({
    clean: fc.boolean(),
    keepAlive: fc.integer({ min: 0, max: 65_535 }),
    clientId: text,
    username: fc.option(text),
    password: fc.option(binary),
    will: fc.option(
      record({
        topic: topicName,
        payload: binary,
        qos: fc.integer({ min: 0, max: 2 }),
        retain: fc.boolean(),
        properties: propertiesOf(profile, WILL),
      }),
    ),
    properties: propertiesOf(profile, CONNECT).filter(
      (p) => p.authenticationData === undefined || p.authenticationMethod !== undefined,
    ),
  }).map(({ clean, keepAlive, clientId, username, password, will, properties }) => ({
    type: CONNECT,
    profile,
    bridge: false,
    clientId,
    cleanStart: clean,
    keepAlive,
    username,
    password: username === null && !profile.passwordWithoutUsername ? null : password,
    will,
    properties: profile.hasProperties ? properties : clean ? {} : { sessionExpiryInterval: 0xffff_ffff },
  }));

const ack = (profile: Profile): fc.Arbitrary<ControlPacket> =>
  fc.constantFrom(PUBACK, PUBREC, PUBREL, PUBCOMP).chain((type) =>
    record({
      type: fc.constant(type),
      id: ids,
      code: codeOf(profile, type),
      properties: propertiesOf(profile, type),
    }),
  ) as fc.Arbitrary<ControlPacket>;

const subscribe = (profile: Profile): fc.Arbitrary<ControlPacket> =>
  record({
    type: fc.constant(SUBSCRIBE),
    id: ids,
    subscriptions: fc.array(
      record({
        filter: topicFilter,
        qos: fc.integer({ min: 0, max: 2 }),
        noLocal: profile.hasProperties ? fc.boolean() : fc.constant(false),
        retainAsPublished: profile.hasProperties ? fc.boolean() : fc.constant(false),
        retainHandling: profile.hasProperties ? fc.integer({ min: 0, max: 2 }) : fc.constant(0),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    properties: propertiesOf(profile, SUBSCRIBE),
  });

const codes = (profile: Profile, type: typeof SUBACK | typeof UNSUBACK): fc.Arbitrary<ControlPacket> => {
  const granted = type === SUBACK ? fc.constantFrom(0, 1, 2, 0x80) : fc.constant(0);
  const code = profile.hasProperties ? codeOf(profile, type) : granted;
  const none = type === UNSUBACK && !profile.hasProperties;
  return record({
    type: fc.constant(type),
    id: ids,
    codes: none ? fc.constant([]) : fc.array(code, { minLength: 1, maxLength: 4 }),
    properties: propertiesOf(profile, type),
  }) as fc.Arbitrary<ControlPacket>;
};

/** Any control packet but PUBLISH that a version knows. */
export function controlPacket(profile: Profile): fc.Arbitrary<ControlPacket> {
  const connack = record({
    sessionPresent: profile.hasSessionPresent ? fc.boolean() : fc.constant(false),
    code: profile.hasProperties ? codeOf(profile, CONNACK) : fc.constantFrom(0, 0x84, 0x85, 0x88, 0x86, 0x87),
    properties: propertiesOf(profile, CONNACK),
  }).map((fields): ControlPacket => ({ type: CONNACK, ...fields }));
  const last = fc
    .constantFrom(DISCONNECT, ...(profile === MQTT5 ? [AUTH] : []))
    .chain((type) =>
      record({ type: fc.constant(type), code: codeOf(profile, type), properties: propertiesOf(profile, type) }),
    ) as fc.Arbitrary<ControlPacket>;
  const unsubscribe = record({
    type: fc.constant(UNSUBSCRIBE),
    id: ids,
    filters: fc.array(topicFilter, { minLength: 1, maxLength: 4 }),
    properties: propertiesOf(profile, UNSUBSCRIBE),
  }) as fc.Arbitrary<ControlPacket>;
  return fc.oneof(
    connect(profile),
    connack,
    ack(profile),
    subscribe(profile),
    codes(profile, SUBACK),
    unsubscribe,
    codes(profile, UNSUBACK),
    fc.constantFrom<ControlPacket>({ type: PINGREQ }, { type: PINGRESP }),
    last,
  );
}
