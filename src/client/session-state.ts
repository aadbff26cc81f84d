// A client's session as plain data (MQTT 5.0 section 4.1): what has to outlive the process so that no message of QoS 1 or 2
// is lost and none of QoS 2 comes twice. It is JSON all through: bytes are base64.
import { AWAIT_PUBACK, AWAIT_PUBCOMP, AWAIT_PUBREC } from '../flow/outbound.ts';
import { MAX_PACKET_ID, PUBLISH } from '../protocol/constants.ts';
import { NO_PROPERTIES, type Properties } from '../protocol/properties.ts';
import { PROTOCOL_ERROR } from '../protocol/reasons.ts';
import { topicNameFault } from '../protocol/topic.ts';
import { InvalidRequest } from './errors.ts';
import { OutgoingMessage } from './outgoing.ts';
import { propertiesFault } from './outgoing-properties.ts';

/** A message that the broker has not taken over yet. */
export interface SavedMessage {
  /** Packet identifier; 0 for a message that was never sent. */
  readonly id: number;
  /** Whether PUBREC came: PUBREL is sent then, and the message itself no more. */
  readonly isReleased: boolean;
  readonly topic: string;
  /** Base64; empty once released. */
  readonly payload: string;
  readonly qos: 1 | 2;
  readonly retain: boolean;
  /** Correlation data is base64; the topic alias is left out, as it ended with its connection. */
  readonly properties: Omit<Properties, 'correlationData' | 'topicAlias'> & { readonly correlationData?: string };
}

/** Session state of a client, to be kept as JSON. */
export interface SessionState {
  readonly clientId: string;
  /** The packet identifier that was given out last. */
  readonly lastPacketId: number;
  /** In the order in which they are to be sent again. */
  readonly outgoing: readonly SavedMessage[];
  /** Packet identifiers of QoS 2 messages that were received and not released. */
  readonly received: readonly number[];
}

/** A message with its place in the sender's window. */
export interface WindowEntry {
  readonly id: number;
  /** A state of flow/outbound.ts; 0 where it waits for its first turn. */
  readonly state: number;
  readonly message: OutgoingMessage;
}

/** One entry as plain data. */
export function savedMessage({ id, state, message }: WindowEntry): SavedMessage {
  const { topicAlias: _, correlationData, ...properties } = message.properties;
  const isReleased = state === AWAIT_PUBCOMP;
  return {
    id,
    isReleased,
    topic: message.topic,
    payload: isReleased ? '' : message.payloadBuffer.toString('base64'),
    qos: message.qos === 1 ? 1 : 2,
    retain: message.retain,
    properties: {
      ...properties,
      ...(correlationData === undefined ? {} : { correlationData: correlationData.toString('base64') }),
    },
  };
}

function bad(what: string): InvalidRequest {
  return new InvalidRequest(PROTOCOL_ERROR, `the saved session is no session: ${what}`);
}

const isId = (value: unknown, least: number): value is number =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= MAX_PACKET_ID;

/** Entries of a saved session. @throws InvalidRequest for data that no client has saved */
export function savedEntries(state: SessionState): WindowEntry[] {
  const taken = new Set<number>();
  return state.outgoing.map((saved) => {
    const entry = entryOf(saved);
    if (entry.id > 0 && taken.has(entry.id)) throw bad(`packet identifier ${entry.id} stands twice`);
    taken.add(entry.id);
    return entry;
  });
}

function entryOf(saved: SavedMessage): WindowEntry {
  const { id, isReleased, topic, payload, qos, retain } = saved;
  const fault = typeof topic === 'string' ? topicNameFault(topic) : 'it is none';
  if (fault !== null) throw bad(`invalid topic name: ${fault}`);
  if (!isId(id, 0)) throw bad(`${id} is no packet identifier`);
  if (qos !== 1 && qos !== 2) throw bad(`${qos} is no QoS of a message in flight`);
  if (typeof payload !== 'string') throw bad('a payload is no text');
  if (isReleased && (qos === 1 || id === 0)) throw bad('a message is released that cannot be');
  const { correlationData, ...others } = saved.properties;
  const properties: Properties = { ...others };
  if (correlationData !== undefined) properties.correlationData = Buffer.from(String(correlationData), 'base64');
  const wrong = propertiesFault(properties, PUBLISH);
  if (wrong !== null) throw bad(wrong);
  const isEmpty = Object.keys(properties).length === 0;
  const message = new OutgoingMessage(
    topic,
    Buffer.from(topic),
    Buffer.from(payload, 'base64'),
    qos,
    retain === true,
    isEmpty ? NO_PROPERTIES : properties,
  );
  const waiting = qos === 1 ? AWAIT_PUBACK : AWAIT_PUBREC;
  return { id, state: id === 0 ? 0 : isReleased ? AWAIT_PUBCOMP : waiting, message };
}

/** Checks a saved session as a whole. @throws InvalidRequest for data that no client has saved */
export function checkSession(state: SessionState): void {
  if (typeof state.clientId !== 'string' || state.clientId === '') throw bad('it has no client identifier');
  if (!isId(state.lastPacketId, 0)) throw bad(`${state.lastPacketId} is no packet identifier`);
  if (!Array.isArray(state.outgoing) || !Array.isArray(state.received)) throw bad('it has no list of messages');
  for (const id of state.received) if (!isId(id, 1)) throw bad(`${id} is no packet identifier`);
  savedEntries(state);
}
