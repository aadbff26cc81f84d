// Client ids to sessions: who is connected, who is away and for how long, and which wills wait. Knows no sockets; a
// connection is something that can be told that it was taken over.
import { NEVER_EXPIRES } from '../../protocol/constants.ts';
import { wallNow } from '../../util/clock.ts';
import type { Wheel, WheelEntry } from '../../util/wheel.ts';
import type { Trie } from '../routing/trie.ts';
import { metricIndex } from '../sys/metrics.ts';
import type { SessionHost } from './host.ts';
import { Session } from './session.ts';
import { StoredView } from './stored-view.ts';

const CLIENTS_EXPIRED = metricIndex('clientsExpired');

/** The connection that holds a session. */
export interface Holder {
  /** Another connection has come with the same client id [MQTT-3.1.4-3]: close, and let go of the session. */
  takenOver(): void;
}

/** What becomes of a session's will when the connection is gone; a promise if that takes time. */
export type WillPublisher = (session: Session) => Promise<void> | null;

/** A session and what may come due for it. */
interface Entry {
  readonly session: Session;
  holder: Holder | null;
  /** Made when the client leaves: while it is there nothing comes due, and most clients are there. */
  expiry: Due | null;
  willDelay: Due | null;
}

/** The end of a session, or its will. */
class Due implements WheelEntry {
  private readonly session: Session;
  private readonly act: (session: Session) => void;

  constructor(session: Session, act: (session: Session) => void) {
    this.session = session;
    this.act = act;
  }

  due(): number {
    this.act(this.session);
    return 0;
  }
}

/** All sessions of a broker. */
export class SessionRegistry {
  private readonly entries: Map<string, Entry>;
  private readonly host: SessionHost;
  private readonly trie: Trie;
  private readonly wheel: Wheel;
  private readonly publishWill: WillPublisher;
  private readonly expireNow: (session: Session) => void;
  private readonly willNow: (session: Session) => void;
  /** Clients connected now, and the most there were. */
  connected: number;
  maximum: number;
  /** Longest time in seconds that an absent client's session is kept, NEVER_EXPIRES without a bound. */
  maximumExpiry: number;

  constructor(host: SessionHost, trie: Trie, wheel: Wheel, publishWill: WillPublisher) {
    this.entries = new Map();
    this.host = host;
    this.trie = trie;
    this.wheel = wheel;
    this.publishWill = publishWill;
    this.expireNow = ({ clientId }) => this.expire(clientId);
    this.willNow = (session) => this.willIsDue(session);
    this.connected = 0;
    this.maximum = 0;
    this.maximumExpiry = NEVER_EXPIRES;
  }

  /** Sessions, connected or not. */
  get total(): number {
    return this.entries.size;
  }

  /** Every session. */
  *sessions(): Generator<Session> {
    for (const entry of this.entries.values()) yield entry.session;
  }

  /** The session of a client id, if there is one. */
  get(clientId: string): Session | null {
    return this.entries.get(clientId)?.session ?? null;
  }

  /**
   * Gives a session to a new connection: the one that there is, or a new one. An older connection is told first; its will
   * and an ending session are dealt with before the new one starts [MQTT-3.1.2-4, MQTT-3.1.2-5].
   */
  open(clientId: string, cleanStart: boolean, holder: Holder): { session: Session; wasPresent: boolean } {
    const old = this.entries.get(clientId);
    if (old !== undefined) {
      old.holder?.takenOver();
      const current = this.entries.get(clientId);
      if (current !== undefined) {
        this.cancelExpiry(current);
        if (cleanStart) this.end(clientId);
        else {
          // The client is back before its will was due [MQTT-3.1.3-9].
          this.cancelWill(current);
          current.session.will = null;
          current.session.awaySince = 0;
          current.holder = holder;
          this.countConnected(1);
          return { session: current.session, wasPresent: true };
        }
      }
    }
    const { session } = this.enter(new Session(clientId, this.host), holder);
    this.countConnected(1);
    return { session, wasPresent: false };
  }

  /**
   * Puts back a session that an earlier process had, its client away (`nowMs` is the wheel's monotonic time, `wallMs` wall-clock
   * time). Its will and its end come when they are due.
   */
  restore(session: Session, nowMs: number, wallMs: number): void {
    const entry = this.enter(session, null);
    const away = Math.max(0, wallMs - session.awaySince);
    const expiry = Math.min(session.expiryInterval, this.maximumExpiry);
    if (expiry !== NEVER_EXPIRES) this.expireAt(entry, nowMs + expiry * 1000 - away);
    if (session.will === null) return;
    this.willAt(entry, nowMs + willDelayOf(session) * 1000 - away);
  }

  /**
   * All are put back: what came due while no broker ran happens now (`wallMs` is wall-clock time), before any client is let
   * in. The wills first, for a session that ends with its connection or has ended since.
   */
  catchUp(wallMs: number): void {
    const sessions = [...this.sessions()];
    for (const session of sessions) {
      if (wallMs - session.awaySince >= willDelayOf(session) * 1000) this.willIsDue(session);
    }
    for (const session of sessions) {
      const expiry = Math.min(session.expiryInterval, this.maximumExpiry);
      if (expiry === 0) this.end(session.clientId);
      else if (expiry !== NEVER_EXPIRES && wallMs - session.awaySince >= expiry * 1000) this.expire(session.clientId);
    }
  }

  /** A session has been opened and prepared: it goes to the store, if its client is to find it again or left a will. */
  storeOpened(session: Session): void {
    const { store } = this.host;
    if (store === null) return;
    if (session.record === null) {
      const isLasting = Math.min(session.expiryInterval, this.maximumExpiry) > 0;
      if (!isLasting && session.will === null) return;
      session.record = store.add(new StoredView(session), isLasting);
    }
    session.record.changed();
  }

  private enter(session: Session, holder: Holder | null): Entry {
    const { clientId } = session;
    const entry: Entry = { session, holder, expiry: null, willDelay: null };
    this.entries.set(clientId, entry);
    this.host.kept.sessions = this.entries.size;
    return entry;
  }

  /**
   * The connection that held a session is gone (`nowMs` is the wheel's monotonic time). The will, if it is still set, is
   * published now or after its delay; the session ends now or when its expiry interval has passed.
   */
  release(session: Session, nowMs: number): void {
    const entry = this.entries.get(session.clientId);
    if (entry === undefined || entry.session !== session || entry.holder === null) return;
    entry.holder = null;
    this.countConnected(-1);
    session.awaySince = wallNow();
    session.detach();
    const expiry = Math.min(session.expiryInterval, this.maximumExpiry);
    if (expiry === 0) {
      this.end(session.clientId);
      return;
    }
    session.record?.changed();
    const delay = willDelayOf(session);
    if (session.will !== null && delay > 0) this.willAt(entry, nowMs + delay * 1000);
    else this.willIsDue(session);
    if (expiry !== NEVER_EXPIRES) this.expireAt(entry, nowMs + expiry * 1000);
  }

  /**
   * Publishes every will that is set: the broker stops. Those that wait for their delay too, unless they are on disk and go
   * on waiting there. Resolves when all are out.
   */
  async publishWills(): Promise<void> {
    const due = [...this.entries.values()].filter(({ session }) => !session.isStored || willDelayOf(session) === 0);
    await Promise.all(due.map(({ session }) => this.takeWill(session)));
  }

  /** Ends a session: the will first, for it is due at the latest now [MQTT-3.1.2-10]. */
  private end(clientId: string): void {
    const entry = this.entries.get(clientId);
    if (entry === undefined) return;
    this.cancelExpiry(entry);
    this.cancelWill(entry);
    this.willIsDue(entry.session);
    this.entries.delete(clientId);
    this.host.kept.sessions = this.entries.size;
    for (const subscription of entry.session.subscriptions.values()) this.trie.remove(subscription);
    entry.session.subscriptions.clear();
    entry.session.clear();
  }

  private expireAt(entry: Entry, dueMs: number): void {
    entry.expiry ??= new Due(entry.session, this.expireNow);
    this.wheel.add(entry.expiry, dueMs);
  }

  private willAt(entry: Entry, dueMs: number): void {
    entry.willDelay ??= new Due(entry.session, this.willNow);
    this.wheel.add(entry.willDelay, dueMs);
  }

  private cancelExpiry(entry: Entry): void {
    if (entry.expiry !== null) this.wheel.remove(entry.expiry);
    entry.expiry = null;
  }

  private cancelWill(entry: Entry): void {
    if (entry.willDelay !== null) this.wheel.remove(entry.willDelay);
    entry.willDelay = null;
  }

  private expire(clientId: string): void {
    this.host.log.notice?.(`Expiring client ${clientId} due to timeout.`);
    this.host.metrics.add(CLIENTS_EXPIRED, 1);
    this.end(clientId);
  }

  private willIsDue(session: Session): void {
    void this.takeWill(session);
  }

  private takeWill(session: Session): Promise<void> | null {
    if (session.will === null) return null;
    const published = this.publishWill(session);
    session.will = null;
    // It is off the disk when what came of it is there.
    if (published === null) session.record?.changed();
    else void published.then(() => session.record?.changed());
    return published;
  }

  private countConnected(change: number): void {
    this.connected += change;
    if (this.connected > this.maximum) this.maximum = this.connected;
  }
}

/** Seconds that a session's will waits for its client to come back. */
const willDelayOf = ({ will }: Session): number => will?.properties.willDelayInterval ?? 0;
