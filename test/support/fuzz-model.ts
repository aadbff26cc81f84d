// What MQTT says that becomes of messages, written down as plainly as it goes: filters are compared level by level, every
// session is a list, and time moves when it is told to. It predicts what each client must get; fuzz-traffic.ts compares.
import {
  type Copy,
  type ModelLink,
  type ModelMessage,
  type ModelOptions,
  ModelSession,
  type ModelSubscription,
  type ModelWill,
  NEVER,
  type Slot,
} from './fuzz-terms.ts';

/** Whether a filter matches a topic, level by level. */
export function matches(filter: string, topic: string): boolean {
  const want = filter.split('/');
  const have = topic.split('/');
  if (topic.startsWith('$') && (want[0] === '+' || want[0] === '#')) return false;
  for (let i = 0; i < want.length; i++) {
    if (want[i] === '#') return true;
    if (i >= have.length || (want[i] !== '+' && want[i] !== have[i])) return false;
  }
  return want.length === have.length;
}

/** Bytes of the largest packet that the model's small messages become: limits of clients are above it. */
export const SMALL_PACKET = 600;

/** The reference broker. */
export class Model {
  readonly sessions = new Map<string, ModelSession>();
  readonly retained = new Map<string, ModelMessage>();
  slots: Slot[] = [];
  now = 0;
  private readonly options: ModelOptions;
  /** Wills that are to be published, while a client connects. */
  private late: ModelMessage[] | null = null;

  constructor(options: ModelOptions) {
    this.options = options;
  }

  /** Seconds that a session may outlive its connection. */
  static readonly longestExpiry = 3600;

  /** A client connects; returns whether its session was there. */
  connect(clientId: string, cleanStart: boolean, expiry: number, will: ModelWill | null, link: ModelLink): boolean {
    if (this.options.lateWills) this.late = [];
    const wasPresent = this.open(clientId, cleanStart, expiry, will, link);
    const wills = this.late ?? [];
    this.late = null;
    for (const message of wills) this.publish(message);
    return wasPresent;
  }

  private open(
    clientId: string,
    cleanStart: boolean,
    expiry: number,
    will: ModelWill | null,
    link: ModelLink,
  ): boolean {
    this.release(clientId);
    let session = this.sessions.get(clientId);
    if (session !== undefined && cleanStart) {
      this.end(session);
      session = undefined;
    }
    const wasPresent = session !== undefined;
    session ??= new ModelSession(clientId);
    this.sessions.set(clientId, session);
    session.link = { ...link, window: Math.min(link.window, this.options.maxInflight) };
    session.expiry = expiry;
    session.endsAt = NEVER;
    session.will = will;
    session.willAt = NEVER;
    for (const copy of session.inflight) {
      copy.sent = copy.released;
      if (copy.released) session.expected.releases.push(copy);
    }
    if (link.holds !== 'completions') session.inflight = session.inflight.filter((copy) => !copy.released);
    this.settle(session);
    return wasPresent;
  }

  /** The connection of a client is gone; its will is what is left of it. */
  release(clientId: string): void {
    const session = this.sessions.get(clientId);
    if (session === undefined || session.link === null) return;
    session.link = null;
    const expiry = Math.min(session.expiry, Model.longestExpiry);
    if (expiry === 0) {
      this.end(session);
      return;
    }
    session.endsAt = this.now + expiry * 1000;
    const delay = session.will?.delay ?? 0;
    if (delay > 0) session.willAt = this.now + delay * 1000;
    else this.publishWill(session);
  }

  /** Time passes: wills and ends of sessions come due in their order. */
  advance(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (;;) {
      let next: ModelSession | null = null;
      let at = end;
      for (const session of this.sessions.values()) {
        const due = Math.min(session.endsAt, session.willAt);
        if (due <= at) {
          at = due;
          next = session;
        }
      }
      if (next === null) break;
      this.now = at;
      if (next.endsAt <= at) this.end(next);
      else this.publishWill(next);
    }
    this.now = end;
  }

  /** Routes a message; returns whether any subscription matches. */
  publish(message: ModelMessage): boolean {
    if (message.retain) {
      if (message.payload.length === 0) this.retained.delete(message.topic);
      else this.retained.set(message.topic, message);
    }
    let hasMatch = false;
    const groups = new Map<string, Map<string, Copy>>();
    for (const session of this.sessions.values()) {
      const own: ModelSubscription[] = [];
      for (const subscription of session.subscriptions.values()) {
        if (!matches(subscription.shared?.filter ?? subscription.filter, message.topic)) continue;
        hasMatch = true;
        if (subscription.shared === null) own.push(subscription);
        else {
          const key = JSON.stringify(subscription.shared);
          const members = groups.get(key) ?? new Map<string, Copy>();
          groups.set(key, members.set(session.clientId, this.copyOf(message, [subscription], false)));
        }
      }
      if (own.length === 0) continue;
      for (const some of this.options.merges ? [own] : own.map((one) => [one])) {
        // [MQTT-3.8.3-3]
        if (message.publisher === session.clientId && some.every((one) => one.noLocal)) continue;
        this.give(session, this.copyOf(message, some, false));
      }
    }
    for (const candidates of groups.values()) this.share(message, candidates);
    return hasMatch;
  }

  /** Makes a subscription, and gives the retained messages that go with it. */
  subscribe(session: ModelSession, subscription: ModelSubscription, retainHandling: number): void {
    const isNew = !session.subscriptions.has(subscription.filter);
    session.subscriptions.set(subscription.filter, subscription);
    if (subscription.shared !== null || retainHandling === 2 || (retainHandling === 1 && !isNew)) return;
    for (const message of this.retained.values()) {
      if (message.expiresAt !== 0 && message.expiresAt <= this.now) continue;
      if (subscription.noLocal && message.publisher === session.clientId) continue;
      if (matches(subscription.filter, message.topic)) this.give(session, this.copyOf(message, [subscription], true));
    }
  }

  /** The client's acknowledgements end some deliveries; those that it refuses have no PUBREL. */
  finish(session: ModelSession, copies: readonly Copy[], isRefusal: boolean): void {
    session.inflight = session.inflight.filter((copy) => !copies.includes(copy));
    const released = copies.filter((copy) => copy.qos === 2 && !copy.released && !isRefusal);
    session.expected.releases.push(...released);
    this.settle(session);
  }

  /** Whether a client gets a message of this size. */
  private isTooLarge(link: ModelLink | null, message: ModelMessage): boolean {
    return link !== null && link.maximumPacketSize > 0 && message.payload.length > SMALL_PACKET;
  }

  private copyOf(message: ModelMessage, subscriptions: readonly ModelSubscription[], isRetained: boolean): Copy {
    const granted = Math.max(...subscriptions.map(({ qos }) => qos));
    return {
      message,
      qos: this.options.upgradeQos ? granted : Math.min(message.qos, granted),
      retain: isRetained || (message.retain && subscriptions.some((one) => one.retainAsPublished)),
      identifiers: subscriptions.flatMap(({ identifier }) => (identifier === null ? [] : [identifier])),
      remaining: null,
      dup: false,
      id: null,
      released: false,
      sent: false,
    };
  }

  /** One member gets it: an online one, unless one of these can't take it; then it may be anybody, or nobody. */
  private share(message: ModelMessage, members: ReadonlyMap<string, Copy>): void {
    const online = [...members].filter(([clientId]) => this.sessions.get(clientId)!.link !== null);
    const isOpen = online.length === 0 || online.some(([clientId]) => !this.hasPlace(clientId, message));
    for (const copy of members.values()) copy.remaining = this.remainingOf(message);
    this.slots.push({ candidates: isOpen ? members : new Map(online), isOpen });
  }

  private hasPlace(clientId: string, message: ModelMessage): boolean {
    const session = this.sessions.get(clientId)!;
    return !this.isTooLarge(session.link, message) && session.queue.length < this.options.maxQueued;
  }

  private give(session: ModelSession, copy: Copy): void {
    const { link } = session;
    if (this.isTooLarge(link, copy.message)) return;
    if (link === null && copy.qos === 0 && !this.options.queueQos0) return;
    // What was queued while the client was away goes first [MQTT-4.6.0-5].
    if (link !== null && copy.qos === 0 && session.queue.every(({ qos }) => qos > 0)) {
      this.send(session, copy);
      return;
    }
    if (session.queue.length >= this.options.maxQueued) session.dropped.push(copy);
    else session.queue.push(copy);
    this.settle(session);
  }

  /** Sends what the window lets through: first what was sent on an earlier connection, then what waits. */
  private settle(session: ModelSession): void {
    const { link } = session;
    if (link === null) return;
    for (;;) {
      const again = session.inflight.find((copy) => !copy.sent);
      if (again !== undefined) {
        if (session.inflight.filter((copy) => copy.sent).length >= link.window) return;
        if (this.isTooLarge(link, again.message)) {
          session.inflight = session.inflight.filter((copy) => copy !== again);
          continue;
        }
        again.dup = true;
        this.send(session, again);
        continue;
      }
      const next = session.queue[0];
      if (next === undefined) return;
      const isDead = next.message.expiresAt !== 0 && next.message.expiresAt <= this.now;
      if (!isDead && next.qos > 0 && session.inflight.length >= link.window) return;
      session.queue.shift();
      if (isDead || this.isTooLarge(link, next.message)) continue;
      if (next.qos > 0) session.inflight.push(next);
      this.send(session, next);
    }
  }

  private send(session: ModelSession, copy: Copy): void {
    copy.sent = true;
    copy.remaining = this.remainingOf(copy.message);
    session.expected.copies.push(copy);
    if (copy.qos === 0) return;
    const { holds } = session.link!;
    if (copy.qos === 2 && holds !== 'acks') {
      copy.released = true;
      session.expected.releases.push(copy);
    }
    if (holds === 'nothing') session.inflight = session.inflight.filter((other) => other !== copy);
  }

  private remainingOf(message: ModelMessage): number | null {
    return message.expiresAt === 0 ? null : Math.max(0, (message.expiresAt - this.now) / 1000);
  }

  private end(session: ModelSession): void {
    this.publishWill(session);
    this.sessions.delete(session.clientId);
  }

  private publishWill(session: ModelSession): void {
    const { will } = session;
    session.will = null;
    session.willAt = NEVER;
    if (will === null) return;
    const expiresAt = will.lifetime === null ? 0 : this.now + will.lifetime * 1000;
    const message = { ...will.message, expiresAt };
    if (this.late === null) this.publish(message);
    else this.late.push(message);
  }
}
