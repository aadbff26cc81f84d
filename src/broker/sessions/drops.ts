// Messages that a session drops because it has no place for them: each is counted, the log hears of the first and, when the
// client has caught up, of their number.
import type { Logger } from '../../log/logger.ts';
import { type Metrics, metricIndex } from '../sys/metrics.ts';

const PUBLISH_DROPPED = metricIndex('publishDropped');

/** The drops of one session. */
export class Drops {
  /** Messages dropped since the client had caught up last. */
  count: number;
  private readonly clientId: string;
  private readonly log: Logger;
  private readonly metrics: Metrics;

  constructor(clientId: string, log: Logger, metrics: Metrics) {
    this.count = 0;
    this.clientId = clientId;
    this.log = log;
    this.metrics = metrics;
  }

  /** There was no place for a message. */
  add(): void {
    this.metrics.add(PUBLISH_DROPPED, 1);
    this.count += 1;
    if (this.count === 1) this.log.notice?.(`Outgoing messages are being dropped for client ${this.clientId}.`);
  }

  /** A message cannot go out any more for a reason of its own. */
  addOne(): void {
    this.metrics.add(PUBLISH_DROPPED, 1);
  }

  /** Nothing waits any more. */
  end(): void {
    if (this.count === 0) return;
    const messages = this.count === 1 ? '1 message was' : `${this.count} messages were`;
    this.log.notice?.(`${messages} dropped for client ${this.clientId} because too many waited for it.`);
    this.count = 0;
  }
}
