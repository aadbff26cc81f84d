// A store's state as lines of JSON, see export-format.ts.
import { FLAG_DUP, FLAG_QOS, FLAG_QOS_SHIFT, FLAG_RETAIN } from '../../protocol/constants.ts';
import type { Will } from '../../protocol/packets.ts';
import type { StateEntry } from '../store/entries.ts';
import { RELEASES, readIdentity, type SubscriptionFacts, WAITS } from '../store/records.ts';
import type { StateMessage, StateSession, StoreState } from '../store/state.ts';
import { type Counts, EXPORT_VERSION, noCounts, STEPS } from './export-format.ts';
import { addBytes, addProperties, type JsonObject, publishProperties } from './property-json.ts';

/** A delivery and whose it is. */
interface Delivery {
  readonly session: number;
  readonly entry: StateEntry;
}

/**
 * The lines of a state, without line ends.
 * @param nowMs wall-clock time, for the first line
 */
export function* exportLines(state: StoreState, nowMs: number): Generator<string> {
  const sessions = [...state.sessions.values()].sort((a, b) => a.number - b.number);
  const deliveries = deliveriesOf(sessions);
  const retained = new Set(state.retained.values());
  const messages = state.messages.values();
  const counts = countsOf(sessions, messages, retained);
  yield line({ kind: 'store', version: EXPORT_VERSION, exportedAt: timeText(nowMs), counts });
  for (const session of sessions) yield line(sessionJson(session));
  for (const isRetained of [true, false]) {
    for (const message of messages) {
      if (retained.has(message.number) !== isRetained) continue;
      yield line(messageJson(message, isRetained, deliveries.get(message.number) ?? []));
    }
  }
  yield line({ kind: 'end', counts });
}

const line = (json: JsonObject): string => JSON.stringify(json);

/** In UTC; null for none. */
const timeText = (ms: number): string | null => (ms === 0 ? null : new Date(ms).toISOString());

function deliveriesOf(sessions: readonly StateSession[]): Map<number, Delivery[]> {
  const found = new Map<number, Delivery[]>();
  for (const { number, entries } of sessions) {
    entries.each((entry) => {
      const list = found.get(entry.message);
      if (list === undefined) found.set(entry.message, [{ session: number, entry }]);
      else list.push({ session: number, entry });
    });
  }
  return found;
}

function countsOf(
  sessions: readonly StateSession[],
  messages: readonly StateMessage[],
  retained: ReadonlySet<number>,
): Counts {
  const counts = noCounts();
  counts.sessions = sessions.length;
  for (const { subscriptions, inbound, entries } of sessions) {
    counts.subscriptions += subscriptions.size;
    counts.received += inbound.size;
    counts.deliveries += entries.size;
  }
  counts.retained = messages.filter(({ number }) => retained.has(number)).length;
  counts.messages = messages.length - counts.retained;
  return counts;
}

function sessionJson({ number, facts, subscriptions, inbound }: StateSession): JsonObject {
  const { clientId, username, listener, mountPoint, expiryInterval, awaySince, will } = facts!;
  return {
    kind: 'session',
    number,
    clientId,
    username,
    listener,
    mountPoint,
    expiryInterval,
    awaySince: timeText(awaySince),
    will: will === null ? null : willJson(will),
    subscriptions: [...subscriptions.values()].map(subscriptionJson),
    received: [...inbound].sort(([a], [b]) => a - b).map(([packetId, content]) => ({ packetId, content })),
  };
}

function willJson({ topic, qos, retain, properties, payload }: Will): JsonObject {
  const json: JsonObject = { topic, qos, retain };
  addProperties(json, properties);
  addBytes(json, 'payload', payload);
  return json;
}

function subscriptionJson(facts: SubscriptionFacts): JsonObject {
  const { name, filter, qos, noLocal, retainAsPublished, identifier, isReplaying } = facts;
  return {
    filter: name,
    ...(filter === name ? {} : { routedAs: filter }),
    qos,
    noLocal,
    retainAsPublished,
    ...(identifier === 0 ? {} : { identifier }),
    ...(isReplaying ? { isReplaying } : {}),
  };
}

function messageJson(message: StateMessage, isRetained: boolean, deliveries: readonly Delivery[]): JsonObject {
  const { number, storedAt, topic, routedAs, qos, retain, source, expiresAt, properties, payload } = message;
  const json: JsonObject = {
    kind: isRetained ? 'retained' : 'message',
    number,
    storedAt: timeText(storedAt),
    topic,
    ...(routedAs === topic ? {} : { routedAs }),
    qos,
    retain,
    source: readIdentity(source),
    ...(expiresAt === 0 ? {} : { expiresAt: timeText(expiresAt) }),
  };
  addProperties(json, publishProperties(properties));
  addBytes(json, 'payload', payload.buffer.subarray(payload.start, payload.end));
  json['deliveries'] = deliveries.map(deliveryJson);
  return json;
}

function deliveryJson({ session, entry }: Delivery): JsonObject {
  const { seq, flags, extra, step, id, turn } = entry;
  const { subscriptionIdentifiers } = publishProperties(extra);
  return {
    session,
    seq,
    qos: (flags & FLAG_QOS) >> FLAG_QOS_SHIFT,
    retain: (flags & FLAG_RETAIN) !== 0,
    ...((flags & FLAG_DUP) === 0 ? {} : { dup: true }),
    ...(subscriptionIdentifiers === undefined ? {} : { subscriptionIdentifiers }),
    step: STEPS[step],
    ...(step === WAITS ? {} : { packetId: id }),
    ...(step === RELEASES ? { turn } : {}),
  };
}
