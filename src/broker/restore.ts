// Building the broker's state from what was read of its store: sessions with their subscriptions, messages and wills, and the
// retained messages. Nothing is sent from here; clients come back, and what is due hangs on the wheel.
import { AWAIT_PUBACK, AWAIT_PUBCOMP, AWAIT_PUBREC } from '../flow/outbound.ts';
import type { PeerInfo } from '../net/transport.ts';
import { FLAG_QOS_SHIFT } from '../protocol/constants.ts';
import { splitShared } from '../protocol/topic.ts';
import { monotonicNow, wallNow } from '../util/clock.ts';
import type { Paged } from '../util/paged.ts';
import { grantRights } from './handlers/rights.ts';
import { replayRetained } from './handlers/subscribe.ts';
import { type ClientContext, DENY } from './hooks/points.ts';
import { Message } from './routing/message.ts';
import { Subscription } from './routing/subscription.ts';
import type { Topic } from './routing/topics.ts';
import { Session } from './sessions/session.ts';
import { StoredView } from './sessions/stored-view.ts';
import type { Core, ListenerSettings } from './settings.ts';
import type { StateEntry } from './store/entries.ts';
import {
  type Identity,
  RELEASES,
  readIdentity,
  type SessionFacts,
  type SubscriptionFacts,
  WAITS,
} from './store/records.ts';
import type { StateMessage, StateSession, StoreState } from './store/state.ts';
import type { Store } from './store/store.ts';

/** Finds a listener by the key that it had when something was stored; null if there is none any more. */
export type FindListener = (key: string) => { readonly key: string; readonly settings: ListenerSettings } | null;

/** Builds the state of a broker that has nothing yet. */
export class Restoring {
  private readonly core: Core;
  private readonly find: FindListener;
  private readonly topics: Map<string, Topic>;
  private readonly identities: Map<string, ClientContext | null>;

  constructor(core: Core, find: FindListener) {
    this.core = core;
    this.find = find;
    this.topics = new Map();
    this.identities = new Map();
  }

  /** A message that was read. */
  message(facts: StateMessage): Message {
    const { number, segment, storedAt } = facts;
    const message = Message.restored(
      this.topic(facts.topic),
      this.topic(facts.routedAs),
      this.source(facts.source),
      facts.qos,
      facts.retain,
      facts.properties,
      facts.expiryAt,
      facts.expiresAt,
      facts.payload,
    );
    message.stored = { number, since: Math.floor(storedAt / 1000), needs: 0, isKept: false, segment };
    return message;
  }

  /** Puts all of it in its place. What is taken is let go of on the way: there may be millions of messages. */
  run(store: Store, state: StoreState<Message>): void {
    const { core } = this;
    const { messages, retained, sessions } = state;
    for (const number of retained.values()) {
      const message = messages.get(number);
      if (message === undefined) continue;
      adoptOnce(store, message);
      store.adoptKept(message);
      core.retained.restore(message);
    }
    // Damage may have taken the end of a session whose client has another one since.
    const newest = new Map<string, number>();
    for (const { number, facts } of sessions.values()) {
      if (facts !== null) newest.set(facts.clientId, Math.max(number, newest.get(facts.clientId) ?? 0));
    }
    for (const [number, session] of sessions) {
      if (session.facts !== null) {
        if (newest.get(session.facts.clientId) === number) this.session(store, messages, session, session.facts);
        else store.dropSession(number);
      }
      sessions.delete(number);
    }
    core.registry.catchUp(wallNow());
  }

  private session(store: Store, messages: Paged<Message>, from: StateSession, facts: SessionFacts): void {
    const { core } = this;
    const session = new Session(facts.clientId, core);
    const context = this.context(facts);
    session.context = context;
    session.mountPoint = facts.mountPoint;
    session.listener = facts.listener;
    session.expiryInterval = facts.expiryInterval;
    session.will = facts.will;
    // Who was connected when the broker ended has been away since now.
    session.awaySince = facts.awaySince === 0 ? wallNow() : facts.awaySince;
    const listener = this.find(facts.listener);
    if (listener !== null) grantRights(session, context, listener.settings.hooks);
    // Without its rules nothing says that the client may; what it is to read is asked about again when it is back.
    else session.mayWrite = () => DENY;
    for (const subscription of from.subscriptions.values()) this.subscription(session, subscription);
    session.inbound.restore(from.inbound);
    const record = store.adopt(new StoredView(session), from.number, facts.expiryInterval > 0);
    record.restore(from.lastSeq, from.inbound);
    session.record = record;
    const put = (entry: StateEntry): void => {
      const message = messages.get(entry.message);
      if (message === undefined) return;
      adoptOnce(store, message);
      record.restoreEntry(message);
      putBack(session, message, entry);
    };
    const flights: StateEntry[] = [];
    const taken = new Set<number>([0]);
    from.entries.each((entry) => {
      if (entry.step === WAITS) put(entry);
      // Damage may have taken the end of the first that used an identifier; then the second can't be in flight under it, too.
      else if (taken.has(entry.id)) put({ ...entry, step: WAITS });
      else flights.push(entry);
      taken.add(entry.id);
    });
    for (const entry of flights.sort(asSent)) put(entry);
    core.registry.restore(session, monotonicNow(), wallNow());
    if (facts.awaySince === 0) record.changed();
  }

  private subscription(session: Session, facts: SubscriptionFacts): void {
    const subscription = new Subscription(
      session,
      facts.filter,
      splitShared(facts.filter)?.group ?? null,
      facts.qos,
      facts.noLocal,
      facts.retainAsPublished,
      facts.identifier === 0 ? [] : [facts.identifier],
    );
    session.subscriptions.set(facts.name, subscription);
    this.core.trie.add(subscription, null);
    if (facts.isReplaying) replayRetained(this.core, session, subscription);
  }

  /** One Topic for all messages of the same name. */
  private topic(name: string): Topic {
    let topic = this.topics.get(name);
    if (topic === undefined) {
      topic = this.core.topics.internName(name);
      this.topics.set(name, topic);
    }
    return topic;
  }

  private source(text: string): ClientContext | null {
    let source = this.identities.get(text);
    if (source === undefined) {
      const identity = readIdentity(text);
      source = identity === null ? null : this.context(identity);
      this.identities.set(text, source);
    }
    return source;
  }

  /** Stands for a connection of an earlier process, as far as rules ask about it. */
  private context({ clientId, username, listener }: Identity): ClientContext {
    const info: PeerInfo = { address: '', port: 0, localPort: 0, kind: 'tcp', tls: null };
    const found = this.find(listener);
    if (found !== null) this.core.origins.set(info, found);
    return { clientId, username, peer: info };
  }
}

/** The order of packets in flight: PUBRELs as they went out, messages as they came. */
function asSent(a: StateEntry, b: StateEntry): number {
  const rank = ({ step }: StateEntry): number => (step === RELEASES ? 0 : 1);
  return rank(a) - rank(b) || a.turn - b.turn || a.seq - b.seq;
}

/** The first that needs a message brings it into the store. */
function adoptOnce(store: Store, message: Message): void {
  const stored = message.stored!;
  if (stored.needs === 0) store.adoptMessage(message, stored);
}

function putBack(session: Session, message: Message, entry: StateEntry): void {
  const { step, flags, extra, seq } = entry;
  if (step === WAITS) {
    session.restoreWaiting(message, flags, extra, seq);
    return;
  }
  const isOnce = ((flags >> FLAG_QOS_SHIFT) & 3) === 2;
  const state = step === RELEASES ? AWAIT_PUBCOMP : isOnce ? AWAIT_PUBREC : AWAIT_PUBACK;
  session.restoreInFlight(message, state, entry);
}
