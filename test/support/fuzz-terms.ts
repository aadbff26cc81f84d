// The terms in which the reference model of fuzz-model.ts speaks.
import type { Properties } from '../../src/protocol/properties.ts';
import type { Holds } from './fuzz-peer.ts';

/** Settings of the broker that the prediction depends on. */
export interface ModelOptions {
  /** One copy for all overlapping subscriptions of a session. */
  readonly merges: boolean;
  readonly maxInflight: number;
  /** Messages that may wait for one client; what comes then is dropped. */
  readonly maxQueued: number;
  readonly queueQos0: boolean;
  readonly upgradeQos: boolean;
  /** Plugins take their time with wills: one that a take-over brings about is published after it. */
  readonly lateWills: boolean;
}

export interface ModelMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly retain: boolean;
  /** Without expiry. */
  readonly properties: Properties;
  /** Model time in milliseconds, 0 if never. */
  readonly expiresAt: number;
  /** The client that sent it; null for the broker's own. */
  readonly publisher: string | null;
}

export interface ModelSubscription {
  readonly filter: string;
  /** Group and filter of a shared one. */
  readonly shared: { readonly group: string; readonly filter: string } | null;
  readonly qos: number;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly identifier: number | null;
}

/** A message on its way to one client. */
export interface Copy {
  readonly message: ModelMessage;
  readonly qos: number;
  readonly retain: boolean;
  readonly identifiers: readonly number[];
  /** Seconds of its life that are left as it is sent, null where it lives for ever. */
  remaining: number | null;
  dup: boolean;
  /** The packet identifier; known once it came. */
  id: number | null;
  /** PUBREC has come. */
  released: boolean;
  /** Sent on this connection. */
  sent: boolean;
}

export interface ModelLink {
  readonly window: number;
  /** 0 without. */
  readonly maximumPacketSize: number;
  holds: Holds;
}

export interface ModelWill {
  readonly message: Omit<ModelMessage, 'expiresAt'>;
  readonly lifetime: number | null;
  readonly delay: number;
}

/** What must come to one client. */
export interface Expected {
  copies: Copy[];
  /** Copies whose PUBREL must come, or, for a session that is resumed, comes again. */
  releases: Copy[];
}

/** A message of a shared subscription: one of the candidates gets its copy. */
export interface Slot {
  readonly candidates: ReadonlyMap<string, Copy>;
  /** Nobody need get it now: no candidate is there, or one may be too small for it. */
  readonly isOpen: boolean;
}

/** No expiry. */
export const NEVER = Number.POSITIVE_INFINITY;

export class ModelSession {
  readonly clientId: string;
  readonly subscriptions = new Map<string, ModelSubscription>();
  inflight: Copy[] = [];
  queue: Copy[] = [];
  /** What the full queue had no place for. */
  dropped: Copy[] = [];
  readonly inbound = new Set<number>();
  link: ModelLink | null = null;
  /** Seconds. */
  expiry = 0;
  endsAt = NEVER;
  will: ModelWill | null = null;
  willAt = NEVER;
  expected: Expected = { copies: [], releases: [] };

  constructor(clientId: string) {
    this.clientId = clientId;
  }
}
