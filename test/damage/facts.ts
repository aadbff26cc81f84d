// What records say, as a table of facts: a small second opinion about how a log is read. Every record sets facts or takes them
// back, and what counts is the last of those that are left.
import type { StateEntry } from '../../src/broker/store/entries.ts';
import {
  CLEARED,
  DONE,
  ENTRIES,
  INBOUND,
  MESSAGE,
  RELEASED,
  readEntry,
  readMessage,
  readSession,
  readSubscription,
  SESSION,
  SESSION_END,
  STATES,
  SUBSCRIBE,
  UNSUBSCRIBE,
} from '../../src/broker/store/records.ts';
import { type Part, RecordReader } from '../../src/broker/store/segment.ts';
import type { StateMessage, StoreState } from '../../src/broker/store/state.ts';
import { canonical } from '../support/store-world.ts';

/** Facts by name. */
export type Facts = Map<string, string>;

/** What can't be used because something else is missing. */
export interface Useless {
  sessions: number;
  subscriptions: number;
  entries: number;
}

const hex = ({ buffer, start, end }: Part): string => buffer.toString('hex', start, end);

function messageText(
  facts: Omit<StateMessage, 'number' | 'segment' | 'storedAt' | 'properties'>,
  properties: string,
): string {
  const { topic, routedAs, qos, retain, expiryAt, expiresAt, payload, source } = facts;
  return canonical({ topic, routedAs, qos, retain, expiryAt, expiresAt, properties, payload: hex(payload), source });
}

function entryText({ message, flags, extra, step, id, turn }: Omit<StateEntry, 'seq'>): string {
  return canonical({ message, flags, extra: extra.toString('hex'), step, id, turn });
}

/** The facts that records leave, in their order. */
export function factsOf(records: Iterable<{ type: number; bytes: Buffer; start: number; end: number }>): {
  facts: Facts;
  useless: Useless;
} {
  const facts: Facts = new Map();
  for (const { type, bytes, start, end } of records) apply(facts, type, new RecordReader(bytes, start, end));
  return { facts, useless: prune(facts) };
}

/** Number of the session that a fact belongs to; null for facts about messages. */
function ownerOf(name: string): string | null {
  const [kind, owner] = name.split(' ') as [string, string];
  return kind === 'message' || kind === 'retained' ? null : owner;
}

function apply(facts: Facts, type: number, from: RecordReader): void {
  switch (type) {
    case SESSION:
      facts.set(`session ${from.u32()}`, canonical(readSession(from)));
      break;
    case SESSION_END: {
      const ended = `${from.u32()}`;
      for (const name of facts.keys()) if (ownerOf(name) === ended) facts.delete(name);
      break;
    }
    case SUBSCRIBE: {
      const session = from.u32();
      const subscription = readSubscription(from);
      facts.set(`subscription ${session} ${subscription.name}`, canonical(subscription));
      break;
    }
    case UNSUBSCRIBE:
      facts.delete(`subscription ${from.u32()} ${from.text()}`);
      break;
    case MESSAGE: {
      const number = from.f64();
      const { isKept, properties, ...message } = readMessage(from);
      facts.set(`message ${number}`, messageText(message, hex(properties)));
      if (isKept) facts.set(`retained ${message.topic}`, `${number}`);
      entries(facts, from, number);
      break;
    }
    case ENTRIES:
      entries(facts, from, from.f64());
      break;
    case STATES:
      while (!from.isAtEnd) {
        const name = `entry ${from.u32()} ${from.f64()}`;
        const [step, id, turn] = [from.u8(), from.u16(), from.f64()];
        const entry = facts.get(name);
        if (entry !== undefined) facts.set(name, canonical({ ...JSON.parse(entry), step, id, turn }));
      }
      break;
    case DONE:
      while (!from.isAtEnd) facts.delete(`entry ${from.u32()} ${from.f64()}`);
      break;
    case INBOUND:
      facts.set(`inbound ${from.u32()} ${from.u16()}`, `${from.u32() | 0}`);
      break;
    case RELEASED:
      facts.delete(`inbound ${from.u32()} ${from.u16()}`);
      break;
    case CLEARED:
      facts.delete(`retained ${from.text()}`);
      break;
    default:
      throw new Error(`a record of the type ${type}`);
  }
}

function entries(facts: Facts, from: RecordReader, message: number): void {
  while (!from.isAtEnd) {
    const name = `entry ${from.u32()} ${from.f64()}`;
    facts.set(name, entryText({ message, ...readEntry(from) }));
  }
}

/** Takes out what belongs to a session or a message that is not there, and messages that nobody needs. */
function prune(facts: Facts): Useless {
  const useless = { sessions: 0, subscriptions: 0, entries: 0 };
  const lost = new Set<string>();
  const needed = new Set<string>();
  for (const [name, value] of facts) {
    const [kind] = name.split(' ');
    const owner = ownerOf(name);
    if (kind === 'retained') needed.add(`message ${value}`);
    if (owner === null || kind === 'session') continue;
    if (!facts.has(`session ${owner}`)) {
      lost.add(owner);
      if (kind === 'subscription') useless.subscriptions += 1;
      if (kind === 'entry') useless.entries += 1;
      facts.delete(name);
    } else if (kind === 'entry') {
      const message = `message ${(JSON.parse(value) as { message: number }).message}`;
      if (facts.has(message)) needed.add(message);
      else {
        useless.entries += 1;
        facts.delete(name);
      }
    }
  }
  for (const name of facts.keys()) if (name.startsWith('message ') && !needed.has(name)) facts.delete(name);
  useless.sessions = lost.size;
  return useless;
}

/** The facts in a state that was read. */
export function factsIn({ sessions, messages, retained }: StoreState): Facts {
  const facts: Facts = new Map();
  for (const { number, properties, ...message } of messages.values()) {
    facts.set(`message ${number}`, messageText(message, properties.toString('hex')));
  }
  for (const [topic, number] of retained) facts.set(`retained ${topic}`, `${number}`);
  for (const { number, facts: session, subscriptions, entries: all, inbound } of sessions.values()) {
    facts.set(`session ${number}`, canonical(session));
    for (const [name, subscription] of subscriptions)
      facts.set(`subscription ${number} ${name}`, canonical(subscription));
    for (const { seq, ...entry } of all.values()) facts.set(`entry ${number} ${seq}`, entryText(entry));
    for (const [id, content] of inbound) facts.set(`inbound ${number} ${id}`, `${content}`);
  }
  return facts;
}
