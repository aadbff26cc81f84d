// A store in numbers, for people who look after it.

import { NEVER_EXPIRES } from '../../protocol/constants.ts';
import { WAITS } from '../store/records.ts';
import { ENTRY_COST, INBOUND_COST, sessionCost, subscriptionCost } from '../store/session-record.ts';
import type { StateMessage, StateSession, StoreState } from '../store/state.ts';
import { MESSAGE_COST } from '../store/store.ts';

/** How many, and the bytes of their topics, properties and payloads. */
export interface Amount {
  count: number;
  bytes: number;
}

/** What waits for a session. */
export interface SessionLoad {
  readonly clientId: string;
  readonly waiting: number;
  readonly inFlight: number;
  readonly bytes: number;
  /** Wall-clock milliseconds; 0 while it is connected. */
  readonly awaySince: number;
}

/** The numbers. */
export interface StoreSummary {
  /** Sessions that outlive a connection; of those, how many do so for a time only, and whose clients are not away. */
  readonly sessions: number;
  readonly expiring: number;
  readonly connected: number;
  /** Sessions that end with the connection, which are stored for their will. */
  readonly willsOnly: number;
  /** Who is away for the longest time; null where nobody is. */
  readonly longestAway: SessionLoad | null;
  readonly subscriptions: number;
  /** Deliveries that wait for room in their client's window, and those that are on their way. */
  readonly waiting: Amount;
  readonly inFlight: Amount;
  readonly retained: Amount;
  /** Each message counted once, whatever needs it. */
  readonly messages: Amount;
  /** Of those on their way to a session, the one that was stored first. */
  readonly oldest: StateMessage | null;
  /** The sessions that most waits for, at most as many as were asked for. */
  readonly busiest: readonly SessionLoad[];
  /** What the files would need for what counts in them, as the broker reckons when it cleans. */
  readonly liveBytes: number;
}

/** Sums a state up; `most` bounds the list of sessions. */
export function summarize(state: StoreState, most: number): StoreSummary {
  const waiting = nothing();
  const inFlight = nothing();
  const all = [...state.sessions.values()];
  const lasting = all.filter(({ facts }) => facts!.expiryInterval > 0);
  let oldest: StateMessage | null = null;
  let subscriptions = 0;
  let liveBytes = 0;
  for (const session of all) {
    subscriptions += session.subscriptions.size;
    liveBytes += costOf(session);
    session.entries.each(({ message: number, step }) => {
      const message = state.messages.get(number)!;
      add(step === WAITS ? waiting : inFlight, message);
      // Lines that were written by hand may not say when.
      if (message.storedAt === 0) return;
      if (oldest === null || message.storedAt < oldest.storedAt) oldest = message;
    });
  }
  const messages = sum(state.messages.values());
  const loads = lasting.map((session) => loadOf(session, state));
  const away = loads.filter(({ awaySince }) => awaySince > 0);
  return {
    sessions: lasting.length,
    expiring: lasting.filter(({ facts }) => facts!.expiryInterval !== NEVER_EXPIRES).length,
    connected: loads.length - away.length,
    willsOnly: all.length - lasting.length,
    longestAway: away.sort((a, b) => a.awaySince - b.awaySince)[0] ?? null,
    subscriptions,
    waiting,
    inFlight,
    retained: sum([...state.retained.values()].map((number) => state.messages.get(number)!)),
    messages,
    oldest,
    busiest: loads
      .filter((load) => countOf(load) > 0)
      .sort((a, b) => countOf(b) - countOf(a))
      .slice(0, most),
    liveBytes: liveBytes + messages.bytes + messages.count * MESSAGE_COST,
  };
}

const nothing = (): Amount => ({ count: 0, bytes: 0 });
const countOf = ({ waiting, inFlight }: SessionLoad): number => waiting + inFlight;

function add(amount: Amount, message: StateMessage): void {
  amount.count += 1;
  amount.bytes += sizeOf(message);
}

function sum(messages: Iterable<StateMessage>): Amount {
  const amount = nothing();
  for (const message of messages) add(amount, message);
  return amount;
}

const sizeOf = ({ topic, properties, payload }: StateMessage): number =>
  Buffer.byteLength(topic) + properties.length + payload.end - payload.start;

function loadOf({ facts, entries }: StateSession, { messages }: StoreState): SessionLoad {
  const { clientId, awaySince } = facts!;
  let waiting = 0;
  let bytes = 0;
  entries.each(({ step, message }) => {
    if (step === WAITS) waiting += 1;
    bytes += sizeOf(messages.get(message)!);
  });
  return { clientId, waiting, inFlight: entries.size - waiting, bytes, awaySince };
}

function costOf({ facts, subscriptions, inbound, entries }: StateSession): number {
  let cost = sessionCost(facts!);
  for (const name of subscriptions.keys()) cost += subscriptionCost(name);
  return cost + inbound.size * INBOUND_COST + entries.size * ENTRY_COST;
}
