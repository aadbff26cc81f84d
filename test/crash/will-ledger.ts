// What must become of each will. A will is a message that its CONNECT brings, and a durable session with a QoS 2
// subscription watches for all of them.
import { type Claim, isKnown } from './horizon.ts';
import type { Ledger } from './ledger.ts';
import type { Message } from './message.ts';

/**
 * held: its client is connected. fires: it is to be published at `dueMs` unless the client is back before. gone: it must not
 * be published. either: something was in flight when the broker was killed.
 */
type Fate = 'held' | 'fires' | 'gone' | 'either';

export interface WillRecord {
  readonly message: Message;
  /** Seconds. */
  readonly delay: number;
  fate: Fate;
  /** Wall-clock milliseconds. */
  dueMs: number;
  /** DISCONNECT was sent: the claim that the broker knows it. */
  farewell: Claim | null;
  /** For sessions whose CONNACK does not wait for the disk: the claim that the will is noted. */
  arrival: Claim | null;
  isDelivered: boolean;
  isSettled: boolean;
}

/** Delays are whole seconds of a coarse clock. */
const SLACK_MS = 2500;

export class WillLedger {
  private readonly ledger: Ledger;
  private readonly byMessage = new Map<Message, WillRecord>();
  /** The wills of each client that are not settled. */
  private readonly byClient = new Map<string, WillRecord[]>();
  /** Kills that found a will in a connected client's hands. */
  held = 0;

  constructor(ledger: Ledger) {
    this.ledger = ledger;
  }

  /** CONNECT goes out with this will, or with none. */
  connecting(clientId: string, message: Message | null, delay: number): WillRecord | null {
    for (const will of this.openOf(clientId)) {
      // The session is taken up before the will is due, or not: CONNACK will tell.
      if (will.fate === 'fires' && will.dueMs > Date.now() - SLACK_MS && will.delay > 0) will.fate = 'either';
    }
    if (message === null) return null;
    message.sends = 1;
    message.firstSentAt = this.ledger.tick();
    message.lastSentAt = message.firstSentAt;
    message.firstSentMs = Date.now();
    message.history.push(this.ledger.line('sent in CONNECT'));
    const will: WillRecord = {
      message,
      delay,
      fate: 'either',
      dueMs: 0,
      farewell: null,
      arrival: null,
      isDelivered: false,
      isSettled: false,
    };
    this.byMessage.set(message, will);
    this.byClient.set(clientId, [...this.openOf(clientId), will]);
    return will;
  }

  /** CONNACK came. `isResumed`: the session was there. `arrival` is a claim where CONNACK itself proves nothing. */
  connected(clientId: string, will: WillRecord | null, isResumed: boolean, arrival: Claim | null): void {
    if (will !== null) {
      // A broker that stops publishes it, or leaves it to the next start.
      will.fate = this.ledger.isStopping ? 'either' : 'held';
      will.arrival = arrival;
      will.message.history.push(this.ledger.line('CONNACK came'));
    }
    for (const earlier of this.openOf(clientId)) {
      if (earlier === will || earlier.delay === 0 || earlier.fate === 'gone') continue;
      const isEarly = earlier.dueMs > Date.now() + SLACK_MS;
      if (isResumed && isEarly && earlier.dueMs > 0 && !earlier.isDelivered) earlier.fate = 'gone';
      earlier.message.history.push(this.ledger.line(`its client came back${isResumed ? '' : ' to a new session'}`));
    }
  }

  /** DISCONNECT went out. */
  disconnecting(will: WillRecord, farewell: Claim): void {
    will.fate = 'either';
    will.farewell = farewell;
    will.message.history.push(this.ledger.line('DISCONNECT sent'));
  }

  /** The client broke its connection. */
  dropped(will: WillRecord): void {
    will.message.history.push(this.ledger.line('the connection was broken by the client'));
    if (will.fate !== 'held') return;
    will.fate = 'fires';
    will.dueMs = Date.now() + will.delay * 1000;
  }

  /** The broker was asked to stop: what it makes of the wills of connected clients is not looked at. */
  stopping(): void {
    for (const will of this.open()) if (will.fate !== 'gone') will.fate = 'either';
  }

  killed(): void {
    for (const will of this.open()) {
      const isNoted = will.arrival === null || will.arrival.isDurable;
      if (will.fate === 'fires' && !isNoted) will.fate = 'either';
      if (will.fate !== 'held') continue;
      if (isNoted) this.held += 1;
      will.fate = isNoted ? 'fires' : 'either';
      will.dueMs = Number.POSITIVE_INFINITY;
      will.message.history.push(this.ledger.line('the broker was killed'));
    }
  }

  /** A client that was connected counts as gone from now on. */
  restarted(nowMs: number): void {
    for (const will of this.open()) {
      if (will.isDelivered || (will.fate !== 'fires' && will.fate !== 'either')) continue;
      will.dueMs = nowMs + will.delay * 1000;
    }
  }

  /** The watcher got it. */
  delivered(message: Message): void {
    const will = this.byMessage.get(message);
    if (will === undefined || will.isDelivered) return;
    will.isDelivered = true;
    if (will.fate === 'held') this.fault(will, 'was published although its client is connected');
    else if (will.farewell !== null && isKnown(will.farewell, this.ledger.life)) {
      this.fault(will, 'was published although its client had disconnected properly');
    } else if (will.fate === 'gone') this.fault(will, 'was published although its client was back in time');
    else if (will.fate === 'fires' && will.dueMs !== Number.POSITIVE_INFINITY && Date.now() < will.dueMs - SLACK_MS) {
      this.fault(will, `was published ${will.dueMs - Date.now()} ms too early`);
    }
  }

  /** Wills that must have been published by now and have not come. */
  missing(): WillRecord[] {
    const now = Date.now();
    return this.open().filter(
      (will) => will.fate === 'fires' && !will.isDelivered && (will.delay === 0 || will.dueMs + SLACK_MS < now),
    );
  }

  /** Reports what is missing; forgets what can't change any more. */
  settle(): void {
    for (const will of this.missing()) {
      this.fault(will, 'was not published');
      will.isSettled = true;
    }
    for (const [clientId, wills] of this.byClient) {
      const isOver = (will: WillRecord): boolean => will.fate !== 'held' && (will.isDelivered || this.isPast(will));
      this.byClient.set(
        clientId,
        wills.filter((will) => !will.isSettled && !isOver(will)),
      );
    }
  }

  /** Whether nothing can be due any more of a will that is gone or in doubt. */
  private isPast(will: WillRecord): boolean {
    if (will.fate === 'gone' || will.farewell?.isDurable === true) return true;
    return will.fate === 'either' && will.dueMs > 0 && will.dueMs + SLACK_MS < Date.now();
  }

  /** Milliseconds until the last will that is to come is due; 0 where none is. */
  longestWait(): number {
    const due = this.open()
      .filter((will) => will.fate === 'fires' && !will.isDelivered)
      .map((will) => will.dueMs + SLACK_MS - Date.now());
    return Math.max(0, ...due);
  }

  private fault(will: WillRecord, what: string): void {
    const times = `fate ${will.fate}, delay ${will.delay} s, due in ${will.dueMs - Date.now()} ms`;
    this.ledger.fault('will', `the ${will.message.describe()} ${what} (${times})`, will.message.history);
  }

  private openOf(clientId: string): WillRecord[] {
    return this.byClient.get(clientId) ?? [];
  }

  private open(): WillRecord[] {
    return [...this.byClient.values()].flat();
  }
}
