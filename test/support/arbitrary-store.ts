// Random contents of a store, as records and as the state that they amount to.
import fc from 'fast-check';
import type { Identity, SessionFacts, SubscriptionFacts } from '../../src/broker/store/records.ts';
import {
  beginMessage,
  RELEASES,
  SENT,
  WAITS,
  writeEntry,
  writeIdentity,
  writeInbound,
  writeSession,
  writeSubscription,
} from '../../src/broker/store/records.ts';
import {
  endOf,
  GROUP,
  GroupWriter,
  HEAD_LENGTH,
  segmentHeader,
  stretchesOf,
  typeOf,
} from '../../src/broker/store/segment.ts';
import { asRead, StoreState } from '../../src/broker/store/state.ts';
import { PUBLISH } from '../../src/protocol/constants.ts';
import { type Properties, WILL } from '../../src/protocol/properties.ts';
import { encodePublishProperties } from '../../src/protocol/publish.ts';
import { MQTT5 } from '../../src/protocol/version.ts';
import { propertiesOf, text, topicFilter, topicName } from './arbitrary-packets.ts';

const SALT = 0xfeedbeef;

/** A session with what belongs to it, messages apart. */
interface Session {
  readonly facts: SessionFacts;
  readonly subscriptions: readonly SubscriptionFacts[];
  readonly inbound: readonly (readonly [number, number])[];
}

/** A message and how far it is on its way to the sessions of these places. */
interface Message {
  readonly topic: string;
  readonly routedAs: string | null;
  readonly qos: number;
  readonly retain: boolean;
  readonly isKept: boolean;
  readonly storedAt: number;
  readonly expiresAt: number;
  readonly properties: Properties;
  readonly payload: Buffer;
  readonly source: Identity | null;
  readonly deliveries: readonly Delivery[];
}

interface Delivery {
  readonly place: number;
  readonly flags: number;
  readonly identifiers: readonly number[];
  readonly step: number;
  readonly id: number;
  readonly turn: number;
}

/** What a store holds. */
export interface Contents {
  readonly sessions: readonly Session[];
  readonly messages: readonly Message[];
}

const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const packetId = fc.integer({ min: 1, max: 65_535 });
const qos = fc.integer({ min: 0, max: 2 });
const time = fc.integer({ min: 1, max: 8_000_000_000_000 });
const payload = fc
  .oneof(
    fc.uint8Array({ maxLength: 40 }),
    text.map((value) => Buffer.from(value)),
    fc.constant(Buffer.from('\ufeff\0')),
  )
  .map((bytes) => Buffer.from(bytes));
const identity = record<Identity>({ clientId: text, username: fc.option(text), listener: text });

const subscription = record<SubscriptionFacts>({
  name: topicFilter,
  filter: fc.constant(''),
  qos,
  noLocal: fc.boolean(),
  retainAsPublished: fc.boolean(),
  identifier: fc.integer({ min: 0, max: 268_435_455 }),
  isReplaying: fc.boolean(),
}).chain((facts) => fc.constantFrom('', 'mounted/').map((mount) => ({ ...facts, filter: mount + facts.name })));

const session = record<Session>({
  facts: record<SessionFacts>({
    clientId: text,
    username: fc.option(text),
    listener: text,
    mountPoint: fc.option(text),
    expiryInterval: fc.oneof(u32, fc.constantFrom(0, 0xffff_ffff)),
    awaySince: fc.oneof(time, fc.constant(0)),
    will: fc.option(
      record({ topic: topicName, qos, retain: fc.boolean(), properties: propertiesOf(MQTT5, WILL), payload }),
    ),
  }),
  subscriptions: fc.uniqueArray(subscription, { maxLength: 4, selector: ({ name }) => name }),
  inbound: fc.uniqueArray(fc.tuple(packetId, fc.integer()), { maxLength: 3, selector: ([id]) => id }),
});

const delivery = record<Delivery>({
  place: fc.nat(9),
  flags: fc
    .tuple(fc.integer({ min: 1, max: 2 }), fc.nat(1), fc.nat(1))
    .map(([level, retain, dup]) => (level << 1) | retain | (dup << 3)),
  identifiers: fc.array(fc.integer({ min: 1, max: 268_435_455 }), { maxLength: 2 }),
  step: fc.constantFrom(WAITS, SENT, RELEASES),
  id: packetId,
  turn: fc.nat(),
});

const message = record<Message>({
  topic: topicName,
  routedAs: fc.option(topicName),
  qos,
  retain: fc.boolean(),
  isKept: fc.boolean(),
  storedAt: time,
  expiresAt: time,
  properties: propertiesOf(MQTT5, PUBLISH).map(({ topicAlias: _, ...others }) => others),
  payload,
  source: fc.option(identity),
  deliveries: fc.array(delivery, { maxLength: 4 }),
});

/** Random contents. */
export const storeContents: fc.Arbitrary<Contents> = record<Contents>({
  sessions: fc.array(session, { maxLength: 5 }),
  messages: fc.array(message, { maxLength: 12 }),
});

const named = (name: string): { readonly name: string; readonly bytes: Buffer } => ({ name, bytes: Buffer.from(name) });

/** Writes contents as records. Sessions and messages are numbered from 1 on; what has no session goes to none. */
export function writeContents(to: GroupWriter, { sessions, messages }: Contents): void {
  sessions.forEach(({ facts, subscriptions, inbound }, index) => {
    writeSession(to, index + 1, facts);
    for (const one of subscriptions) writeSubscription(to, index + 1, one);
    for (const [id, content] of inbound) writeInbound(to, index + 1, id, content);
  });
  let seq = 0;
  messages.forEach((one, index) => {
    const topic = named(one.topic);
    const { bytes, expiryAt } = encodePublishProperties(one.properties);
    const written = {
      topic,
      routedAs: one.routedAs === null ? topic : named(one.routedAs),
      qos: one.qos,
      retain: one.retain,
      propertyBytes: bytes,
      expiryAt,
      expiresAt: one.expiresAt,
      payloadBuffer: one.payload,
      payloadStart: 0,
      payloadEnd: one.payload.length,
    };
    const source = one.source === null ? Buffer.alloc(0) : writeIdentity(one.source);
    beginMessage(to, index + 1, one.storedAt, written, source, one.isKept);
    for (const { place, flags, identifiers, step, id, turn } of one.deliveries) {
      if (sessions.length === 0) continue;
      seq += 1;
      to.u32((place % sessions.length) + 1);
      to.f64(seq);
      writeEntry(to, flags, encodePublishProperties({ subscriptionIdentifiers: identifiers }).bytes, step, id, turn);
    }
  });
}

/** The state that the records of a group amount to. */
export function stateOf(records: GroupWriter): StoreState {
  const state = new StoreState(asRead);
  const bytes = Buffer.concat([segmentHeader(1, SALT, 1), records.take(1, null)]);
  for (const { kind, records: starts } of stretchesOf(bytes, SALT)) {
    if (kind !== GROUP) throw new Error('what was written as a group is none');
    for (const at of starts) state.take(typeOf(bytes, at), bytes, at + HEAD_LENGTH, endOf(bytes, at), 1);
  }
  state.finish();
  return state;
}

/** A writer for stateOf(). */
export const groupWriter = (): GroupWriter => new GroupWriter(SALT);
