// The outside ledger: what was sent, what was acknowledged and what was delivered, kept in a process that is not killed.
// Moments are counted, not measured: one thread sees everything, so its count is the order of things.
import { Horizon } from './horizon.ts';
import { Message, type MessagePlan } from './message.ts';
import { RetainedLedger } from './retained-ledger.ts';
import { Waiting } from './waiting.ts';
import { WillLedger } from './will-ledger.ts';

/** Kinds of broken promises. */
export type FaultKind =
  | 'lost'
  | 'duplicate'
  | 'order'
  | 'altered'
  | 'unasked'
  | 'session'
  | 'retained'
  | 'will'
  | 'expiry'
  | 'protocol'
  | 'stuck'
  | 'broker';

/** A broken promise: what was expected, and what is known of it. */
export interface Fault {
  readonly kind: FaultKind;
  readonly text: string;
  readonly arena: string;
  readonly round: number;
  readonly life: number;
  readonly history: readonly string[];
}

/** Numbers for the report. */
export interface Counts {
  published: number;
  acked: number;
  deliveries: number;
  refused: number;
}

/** Faults that are kept with their history; further ones are only counted. */
const MOST_FAULTS = 200;

/** The part of the usual patience that is left for a broker that is at fault already: the run has failed by then. */
const LEFT_PATIENCE = 0.1;

export class Ledger {
  readonly arena: string;
  readonly messages: Message[] = [];
  readonly horizon = new Horizon();
  readonly waiting = new Waiting();
  readonly retained = new RetainedLedger();
  readonly wills: WillLedger;
  readonly faults: Fault[] = [];
  readonly faultCounts = new Map<FaultKind, number>();
  readonly counts: Counts = { published: 0, acked: 0, deliveries: 0, refused: 0 };
  round = 0;
  /** The broker is being killed or stopped: connections may end. */
  isDying = false;
  /** It was sent SIGTERM. */
  isStopping = false;
  /** How often the broker was started. */
  life = 0;
  /** When the broker of this life let clients in, as wall-clock milliseconds. */
  upSince = 0;
  private at = 0;
  private readonly startMs = Date.now();

  constructor(arena: string) {
    this.arena = arena;
    this.wills = new WillLedger(this);
  }

  /** How long to wait, where a broker without fault is given so many milliseconds. */
  patience(limitMs: number): number {
    return this.faultCounts.size === 0 ? limitMs : limitMs * LEFT_PATIENCE;
  }

  /** The next moment. */
  tick(): number {
    this.at += 1;
    return this.at;
  }

  message(plan: MessagePlan): Message {
    const message = new Message(this.messages.length, plan);
    this.messages.push(message);
    return message;
  }

  /** A line of somebody's history. */
  line(text: string): string {
    return `  at ${this.at} (+${Date.now() - this.startMs} ms, life ${this.life}) ${text}`;
  }

  fault(kind: FaultKind, text: string, history: readonly string[]): void {
    this.faultCounts.set(kind, (this.faultCounts.get(kind) ?? 0) + 1);
    if (this.faults.length >= MOST_FAULTS) return;
    const { arena, round, life } = this;
    this.faults.push({ kind, text, arena, round, life, history: [...history, this.line('found')] });
  }

  /** PUBLISH goes out. */
  sent(message: Message, by: string): void {
    const now = this.tick();
    message.sends += 1;
    message.lastSentAt = now;
    if (message.sends === 1) {
      message.firstSentAt = now;
      message.firstSentMs = Date.now();
      this.counts.published += 1;
    }
    message.history.push(this.line(`${message.sends === 1 ? 'sent' : 'sent again'} by ${by}`));
    if (message.plan.retain) this.retained.sent(message, now);
  }

  /** PUBACK or PUBREC came for it. */
  acknowledged(message: Message, packet: string, code: number): void {
    const now = this.tick();
    message.history.push(this.line(`${packet} came with code ${code}`));
    message.settledAt = now;
    if (code >= 0x80) {
      this.counts.refused += 1;
      if (message.plan.retain) this.retained.refused(message);
      return;
    }
    message.ackedAt = now;
    message.ackedMs = Date.now();
    this.counts.acked += 1;
    if (message.plan.retain) this.retained.acknowledged(message, now);
    if (message.sends === 1) this.horizon.durable(message.firstSentAt);
  }

  /** The broker was killed and everything that it had sent was read. */
  killed(): void {
    this.tick();
    this.horizon.lost();
    this.wills.killed();
  }

  /** The broker runs again. */
  started(): void {
    this.life += 1;
    this.upSince = Date.now();
    this.wills.restarted(this.upSince);
  }
}
