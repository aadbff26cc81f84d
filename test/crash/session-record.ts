// What the ledger knows of a session on the broker: its subscriptions with their moments, and what it got.
import { splitShared, topicMatches } from '../../src/protocol/topic.ts';
import type { Delivery } from './connection.ts';
import { type Claim, isKnown } from './horizon.ts';
import type { Ledger } from './ledger.ts';
import { type Message, serialOf } from './message.ts';

/** One subscription; moments are 0 for "not yet" but removedAt, which is Infinity. */
export interface Subscribed {
  readonly filter: string;
  readonly group: string | null;
  /** The filter without its group. */
  readonly pattern: string;
  readonly qos: number;
  readonly askedAt: number;
  ackedAt: number;
  removalAskedAt: number;
  removedAt: number;
}

/** A message that the session got. */
export interface Got {
  readonly message: Message;
  times: number;
  /** The client's last words on it: PUBACKs and PUBCOMPs. */
  readonly claims: Claim[];
}

/** Whole seconds are rounded, the broker's clock is coarse, and the machine may be busy. */
const EXPIRY_SLACK_MS = 2500;

export class SessionRecord {
  readonly clientId: string;
  readonly isDurable: boolean;
  readonly subscriptions: Subscribed[] = [];
  readonly got = new Map<number, Got>();
  /** Whether something was sent that ends the session, though it may not have been heard. */
  endAskedAt = 0;
  private readonly ledger: Ledger;
  /** The last message received for the first time, by publisher, topic and QoS. */
  private readonly lastOf = new Map<string, Message>();
  /** Messages below this serial number were looked at, and had arrived where they were due. */
  private checkedTo = 0;
  /** When the session had given out everything, and the broker must know that the client has it. */
  private emptiedAt = 0;

  constructor(ledger: Ledger, clientId: string, isDurable: boolean) {
    this.ledger = ledger;
    this.clientId = clientId;
    this.isDurable = isDurable;
    this.checkedTo = ledger.messages.length;
  }

  /** SUBSCRIBE goes out. */
  subscribing(filter: string, qos: number): Subscribed {
    const shared = splitShared(filter);
    const subscription = {
      filter,
      group: shared?.group ?? null,
      pattern: shared?.filter ?? filter,
      qos,
      askedAt: this.ledger.tick(),
      ackedAt: 0,
      removalAskedAt: 0,
      removedAt: Number.POSITIVE_INFINITY,
    };
    this.subscriptions.push(subscription);
    return subscription;
  }

  /** UNSUBSCRIBE was acknowledged: every subscription to the filter that was asked for before is gone. */
  removed(filter: string): void {
    const now = this.ledger.tick();
    for (const one of this.subscriptions) if (one.filter === filter && one.removedAt > now) one.removedAt = now;
  }

  /** UNSUBSCRIBE goes out. */
  removing(filter: string): void {
    const now = this.ledger.tick();
    for (const one of this.subscriptions) {
      if (one.filter === filter && one.removalAskedAt === 0) one.removalAskedAt = now;
    }
  }

  /** Whether the message must reach this session by itself (share groups are looked at as groups). */
  requires(message: Message): boolean {
    if (message.ackedAt === 0 || message.plan.isWill || message.plan.length === 0 || this.endAskedAt > 0) return false;
    const isRequired = this.subscriptions.some(
      (one) =>
        one.group === null &&
        one.ackedAt > 0 &&
        one.ackedAt < message.firstSentAt &&
        one.removalAskedAt === 0 &&
        topicMatches(one.pattern, message.plan.topic),
    );
    return isRequired && message.expiresMs(message.firstSentMs) - EXPIRY_SLACK_MS > Date.now();
  }

  /** Messages that were due and did not come, of those that were not looked at before. */
  missing(): Message[] {
    return this.ledger.messages.slice(this.checkedTo).filter((one) => this.requires(one) && !this.got.has(one.serial));
  }

  /** The session has given out everything: nothing that was sent before may come again. */
  settle(): void {
    this.checkedTo = this.ledger.messages.length;
    this.emptiedAt = this.ledger.tick();
    this.got.clear();
  }

  /** Judges what the client got, as a message that was not received before as far as the client's own state tells. */
  receive(delivery: Delivery): Got | null {
    const { ledger } = this;
    ledger.tick();
    ledger.counts.deliveries += 1;
    // A retained message that was cleared, passed on: nothing tells which one it was.
    if (delivery.payload.length === 0) return null;
    const message = ledger.messages[serialOf(delivery.payload)];
    const title = `${this.clientId} got on ${delivery.topic}, QoS ${delivery.qos}`;
    if (message === undefined || message.sends === 0) {
      ledger.fault('altered', `${title}: ${delivery.payload.toString('latin1', 0, 40)}, which nobody published`, []);
      return null;
    }
    const marks = `${delivery.dup ? ' (DUP)' : ''}${delivery.retain ? ' (retained)' : ''} id ${delivery.id}`;
    message.history.push(ledger.line(`delivered to ${this.clientId}, QoS ${delivery.qos}${marks}`));
    if (message.plan.topic !== delivery.topic || !delivery.payload.equals(message.payload)) {
      ledger.fault('altered', `${title} a changed ${message.describe()}`, message.history);
      return null;
    }
    this.judgeExpiry(message, delivery);
    if (delivery.retain) {
      this.judgeRetained(message, delivery);
      return null;
    }
    if (message.plan.isWill) ledger.wills.delivered(message);
    else if (message.lastSentAt < this.emptiedAt) {
      const text = `${title} once more ${message.describe()}, long after the session was empty`;
      ledger.fault('duplicate', text, this.told(message));
    }
    const got = this.got.get(message.serial) ?? { message, times: 0, claims: [] };
    this.got.set(message.serial, got);
    got.times += 1;
    this.judgeRight(message, delivery);
    this.judgeTimes(got, delivery);
    return got;
  }

  /** There must be a subscription that it can have come through, of this QoS. */
  private judgeRight(message: Message, delivery: Delivery): void {
    const through = this.subscriptions.filter(
      (one) =>
        one.askedAt < message.settledAt &&
        message.firstSentAt < one.removedAt &&
        topicMatches(one.pattern, message.plan.topic),
    );
    if (through.length === 0) {
      const text = `${this.clientId} got ${message.describe()} without a subscription that was there at its time`;
      this.ledger.fault('unasked', text, this.told(message));
    } else if (!through.some((one) => Math.min(one.qos, message.plan.qos) === delivery.qos)) {
      const text = `${this.clientId} got ${message.describe()} with QoS ${delivery.qos}`;
      this.ledger.fault('unasked', text, this.told(message));
    }
    const shared = through.find((one) => one.group !== null);
    if (shared !== undefined) this.judgeShared(message, shared.group!, delivery);
    else this.judgeOrder(message, delivery);
  }

  private judgeShared(message: Message, group: string, delivery: Delivery): void {
    const first = message.sharedTo.get(group);
    message.sharedTo.set(group, first ?? this.clientId);
    if (first === undefined || first === this.clientId || delivery.qos < 2) return;
    const text = `${this.clientId} and ${first} of the share group ${group} both got ${message.describe()}`;
    this.ledger.fault('duplicate', text, message.history);
  }

  private judgeOrder(message: Message, delivery: Delivery): void {
    if (this.got.get(message.serial)!.times > 1 || message.plan.isWill) return;
    const key = `${message.plan.publisher} ${message.plan.topic} ${message.plan.qos} ${delivery.qos}`;
    const last = this.lastOf.get(key);
    // A copy of QoS 1 that the publisher sent again may come behind what it had sent in between.
    const isLate = last !== undefined && (message.plan.qos === 2 || message.lastSentAt < last.firstSentAt);
    if (last !== undefined && isLate && last.serial > message.serial) {
      const text = `${this.clientId} got ${message.describe()} for the first time after ${last.describe()}`;
      this.ledger.fault('order', text, [...this.told(message), ...last.history]);
    }
    if (last === undefined || last.serial < message.serial) this.lastOf.set(key, message);
  }

  /**
   * At QoS 2 on both ways a message comes once. Otherwise each copy that the publisher sent may come again until the broker
   * must know that the subscriber has it; see horizon.ts.
   */
  private judgeTimes(got: Got, delivery: Delivery): void {
    const { message } = got;
    if (got.times === 1) return;
    if (delivery.qos === 2) {
      const text = `${this.clientId} got ${message.describe()} ${got.times} times at QoS 2`;
      this.ledger.fault('duplicate', text, this.told(message));
      return;
    }
    const copies = message.plan.qos === 2 ? 1 : message.sends;
    const done = got.claims.filter((claim) => isKnown(claim, this.ledger.life)).length;
    if (done < copies) return;
    const text = `${this.clientId} got ${message.describe()} again, although the broker must know that it has it`;
    this.ledger.fault('duplicate', text, this.told(message));
  }

  private judgeExpiry(message: Message, delivery: Delivery): void {
    const { expiry } = message.plan;
    if (expiry === null) return;
    const now = Date.now();
    const latest = message.ackedMs === 0 || message.sends > 1 ? now : message.ackedMs;
    // What was begun to be sent is sent to its end, however late.
    if (!delivery.dup && now > message.expiresMs(latest) + EXPIRY_SLACK_MS) {
      const text = `${this.clientId} got ${message.describe()} ${now - message.expiresMs(latest)} ms after it expired`;
      this.ledger.fault('expiry', text, message.history);
    }
    if (delivery.expiry === null) return;
    const most = Math.max(0, expiry - (now - latest - EXPIRY_SLACK_MS) / 1000);
    const least = expiry - (now - message.firstSentMs + EXPIRY_SLACK_MS) / 1000;
    if (delivery.expiry <= most && delivery.expiry >= least) return;
    const range = `between ${least.toFixed(1)} and ${most.toFixed(1)}`;
    const text = `${this.clientId} got ${message.describe()} with ${delivery.expiry} s left instead of ${range}`;
    this.ledger.fault('expiry', text, message.history);
  }

  /** What a new subscription gives must not be older than what was the retained message when it was asked for. */
  private judgeRetained(message: Message, delivery: Delivery): void {
    const matching = this.subscriptions.filter((one) => topicMatches(one.pattern, delivery.topic));
    const asked = Math.min(...matching.map((one) => one.askedAt));
    if (matching.length > 0 && this.ledger.retained.allowed(delivery.topic, asked).has(message)) return;
    const text = `${this.clientId} got as retained ${message.describe()}, which was not that any more`;
    this.ledger.fault('retained', text, [...this.told(message), ...this.ledger.retained.told(delivery.topic)]);
  }

  /** The history of a message, with what this session has to do with it. */
  told(message: Message): string[] {
    const lines = this.subscriptions
      .filter((one) => topicMatches(one.pattern, message.plan.topic))
      .map(
        ({ filter, qos, askedAt, ackedAt, removalAskedAt, removedAt }) =>
          `  ${this.clientId} subscribed to ${filter} (QoS ${qos}): asked ${askedAt}, acknowledged ${ackedAt}, removal asked ${removalAskedAt}, removed ${removedAt}`,
      );
    const claims = (this.got.get(message.serial)?.claims ?? []).map(
      ({ sentAt, processedAt, isDurable }) =>
        `  last word of ${this.clientId}: sent ${sentAt}, processed ${processedAt}, ${isDurable ? 'durable' : 'in doubt'}`,
    );
    return [...lines, ...message.history, ...claims];
  }
}
