// One session in the store: what is written of it as it changes. A session that ends with its connection has one too if its
// client left a will, for the will is to be published even if the broker ends first.
import {
  DONE,
  RELEASED,
  RELEASES,
  SENT,
  SESSION_END,
  type SessionFacts,
  STATES,
  type SubscriptionFacts,
  UNSUBSCRIBE,
  WAITS,
  willSize,
  writeEntry,
  writeInbound,
  writeSession,
  writeSubscription,
} from './records.ts';
import type { Store } from './store.ts';
import type { LiveMessage } from './stored-place.ts';

/** What the store asks a session for when it writes it anew. */
export interface SessionOwner {
  /** The session as it is now. */
  storedFacts(): SessionFacts;
  storedSubscriptions(): Iterable<SubscriptionFacts>;
  /** The delivery of a sequence number; null if it is over. */
  deliveryOf(seq: number): Delivery | null;
}

/** A message on its way to a session's client. */
export interface Delivery {
  readonly message: LiveMessage;
  readonly flags: number;
  readonly extra: Buffer;
  /** The packet identifier, 0 while it waits for a place in the window. */
  readonly id: number;
  readonly isReleased: boolean;
  /** Order of the PUBRELs. */
  readonly turn: number;
}

/** Bytes that a record of a kind takes beside its texts, roughly: cleaning is measured by it. */
const SESSION_COST = 70;
const SUBSCRIPTION_COST = 40;
export const INBOUND_COST = 26;
export const ENTRY_COST = 40;

/** Bytes of a session's own record, roughly. */
export function sessionCost({ clientId, username, will }: SessionFacts): number {
  const cost = SESSION_COST + Buffer.byteLength(clientId) + Buffer.byteLength(username ?? '');
  return will === null ? cost : cost + willSize(will);
}

/** Bytes of a subscription's record, roughly. */
export const subscriptionCost = (name: string): number => SUBSCRIPTION_COST + Buffer.byteLength(name);

/** A session's side of the store. */
export class SessionRecord {
  readonly number: number;
  /** Whether messages, subscriptions and identifiers are kept too, and not only the will. */
  keepsMessages: boolean;
  /** The oldest segment that may have something of it, messages apart: 0 where that lies before the start. */
  segment: number;
  private readonly store: Store;
  private readonly owner: SessionOwner;
  private lastSeq: number;
  /** QoS 2 identifiers that were received and not released, with what they brought. */
  private readonly inbound: Map<number, number>;
  /** Bytes of the session's own record, and with them of all the others that count. */
  private factsCost: number;
  private cost: number;

  constructor(store: Store, number: number, owner: SessionOwner, keepsMessages: boolean) {
    this.number = number;
    this.keepsMessages = keepsMessages;
    this.segment = 0;
    this.store = store;
    this.owner = owner;
    this.lastSeq = 0;
    this.inbound = new Map();
    this.factsCost = 0;
    this.cost = 0;
  }

  /** Number of the group that what was recorded last belongs to, and of the last one that is safe. */
  get lastGroup(): number {
    return this.store.lastNumber;
  }

  get durableGroup(): number {
    return this.store.durableNumber;
  }

  /** Calls `release` when what is recorded until now is safe. */
  whenDurable(release: () => void): void {
    this.store.whenDurable(release);
  }

  /** Goes on with what was read of the session. */
  restore(lastSeq: number, inbound: ReadonlyMap<number, number>): void {
    this.lastSeq = lastSeq;
    for (const [id, content] of inbound) this.inbound.set(id, content);
    this.grow(inbound.size * INBOUND_COST);
    for (const { name } of this.owner.storedSubscriptions()) this.grow(subscriptionCost(name));
    this.weigh(this.owner.storedFacts());
  }

  /** The session has changed: connected, gone, another expiry, its will taken. */
  changed(): void {
    const facts = this.owner.storedFacts();
    this.store.append((to) => writeSession(to, this.number, facts));
    this.weigh(facts);
  }

  /** A subscription was made, or an existing one has changed. */
  subscribed(subscription: SubscriptionFacts, isNew: boolean): void {
    if (!this.keepsMessages) return;
    this.store.append((to) => writeSubscription(to, this.number, subscription));
    if (isNew) this.grow(subscriptionCost(subscription.name));
  }

  unsubscribed(name: string): void {
    if (!this.keepsMessages) return;
    this.store.append((to) => {
      to.begin(UNSUBSCRIBE);
      to.u32(this.number);
      to.text(name);
    });
    this.grow(-subscriptionCost(name));
  }

  /** A message is to be delivered, at once under a packet identifier or later (0). Returns its sequence number, 0 for none. */
  add(message: LiveMessage, flags: number, extra: Buffer, id: number): number {
    if (!this.keepsMessages) return 0;
    this.lastSeq += 1;
    const { store, number, lastSeq } = this;
    const to = store.openFor(message);
    to.u32(number);
    to.f64(lastSeq);
    writeEntry(to, flags, extra, id === 0 ? WAITS : SENT, id, 0);
    store.refer(message, ENTRY_COST);
    return lastSeq;
  }

  /** A message that was read is to be delivered. */
  restoreEntry(message: LiveMessage): void {
    this.store.refer(message, ENTRY_COST);
  }

  /** What waited is sent. */
  sent(seq: number, id: number): void {
    this.state(seq, SENT, id, 0);
  }

  /** The client has the message and was asked to release it. */
  released(seq: number, id: number, turn: number): void {
    this.state(seq, RELEASES, id, turn);
  }

  /** A delivery is over, in whatever way. */
  done(seq: number, message: LiveMessage): void {
    const to = this.store.openList(DONE);
    to.u32(this.number);
    to.f64(seq);
    this.store.unrefer(message, ENTRY_COST);
  }

  /** A QoS 2 message came under an identifier. */
  received(id: number, content: number): void {
    if (!this.keepsMessages) return;
    if (!this.inbound.has(id)) this.grow(INBOUND_COST);
    this.inbound.set(id, content);
    this.store.append((to) => writeInbound(to, this.number, id, content));
  }

  /** The identifier is free again. */
  freed(id: number): void {
    if (!this.inbound.delete(id)) return;
    this.grow(-INBOUND_COST);
    this.store.append((to) => {
      to.begin(RELEASED);
      to.u32(this.number);
      to.u16(id);
    });
  }

  /** The session is over: its entries go with it. */
  ended(messages: Iterable<LiveMessage>): void {
    for (const message of messages) this.store.unrefer(message, ENTRY_COST);
    this.store.append((to) => {
      to.begin(SESSION_END);
      to.u32(this.number);
    });
    this.grow(-this.cost);
    this.store.forget(this);
  }

  /** Writes all of it anew, apart from messages: an old segment goes. */
  rewrite(): void {
    const { store, owner, number } = this;
    store.append((to) => {
      writeSession(to, number, owner.storedFacts());
      if (!this.keepsMessages) return;
      for (const subscription of owner.storedSubscriptions()) writeSubscription(to, number, subscription);
      for (const [id, content] of this.inbound) writeInbound(to, number, id, content);
    });
    this.segment = store.openSegment;
  }

  /** Writes those of an old record's entries anew that are not over. */
  rewriteEntry(seq: number, number: number, begin: () => void): void {
    const delivery = this.owner.deliveryOf(seq);
    if (delivery === null || delivery.message.stored?.number !== number) return;
    const { flags, extra, id, isReleased, turn } = delivery;
    begin();
    const to = this.store.writer;
    to.u32(this.number);
    to.f64(seq);
    writeEntry(to, flags, extra, id === 0 ? WAITS : isReleased ? RELEASES : SENT, id, turn);
  }

  private state(seq: number, step: number, id: number, turn: number): void {
    const to = this.store.openList(STATES);
    to.u32(this.number);
    to.f64(seq);
    to.u8(step);
    to.u16(id);
    to.f64(turn);
  }

  private weigh(facts: SessionFacts): void {
    const cost = sessionCost(facts);
    this.grow(cost - this.factsCost);
    this.factsCost = cost;
  }

  private grow(bytes: number): void {
    this.cost += bytes;
    this.store.grow(bytes);
  }
}
