// What a session stands on: the broker's shared parts, and the connection of its client while that is there.
import type { Logger } from '../../log/logger.ts';
import type { Outbox } from '../../net/outbox.ts';
import type { TopicTable } from '../routing/topics.ts';
import type { Store } from '../store/store.ts';
import type { Metrics } from '../sys/metrics.ts';
import type { KeptMessages } from './kept.ts';
import type { SessionLimits } from './limits.ts';
import type { Pacing, Pausable } from './pacing.ts';

/** What sessions share: the broker's part that they need. */
export interface SessionHost {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly limits: SessionLimits;
  readonly topics: TopicTable;
  readonly kept: KeptMessages;
  readonly pacing: Pacing;
  /** What is on disk; null without persistence. */
  readonly store: Store | null;
}

/** The connection of a session while its client is there. */
export interface SessionLink {
  readonly outbox: Outbox;
  /** What its packets are read from. */
  readonly reading: Pausable;
  readonly shape: 0 | 1;
  /** Largest packet that the client takes, 0 without a limit. */
  readonly maximumPacketSize: number;
  /** Messages that the client takes unacknowledged. */
  readonly receiveMaximum: number;
  /** Whether the log has heard that a message was too large for this connection: once is enough. */
  hasToldSize?: boolean;
}
