// A session's subscriptions by the filter that its client knows them by. Most clients have one, and a Map for each of them
// would cost more than the subscription itself; so one subscription stands for itself.
import type { Subscription } from '../routing/subscription.ts';

/** The subscriptions of one session, in the order in which they were made; a Map's names for what it does. */
export class SubscriptionTable {
  /** The one that there is while `all` is null, and its filter. */
  private only: Subscription | null;
  private onlyFilter: string;
  private all: Map<string, Subscription> | null;

  constructor() {
    this.only = null;
    this.onlyFilter = '';
    this.all = null;
  }

  get size(): number {
    if (this.all !== null) return this.all.size;
    return this.only === null ? 0 : 1;
  }

  get(filter: string): Subscription | undefined {
    if (this.all !== null) return this.all.get(filter);
    return this.only !== null && this.onlyFilter === filter ? this.only : undefined;
  }

  has(filter: string): boolean {
    return this.get(filter) !== undefined;
  }

  set(filter: string, subscription: Subscription): void {
    if (this.all !== null) {
      this.all.set(filter, subscription);
    } else if (this.only === null || this.onlyFilter === filter) {
      this.only = subscription;
      this.onlyFilter = filter;
    } else {
      this.all = new Map([
        [this.onlyFilter, this.only],
        [filter, subscription],
      ]);
      this.only = null;
      this.onlyFilter = '';
    }
  }

  delete(filter: string): void {
    if (this.all !== null) {
      this.all.delete(filter);
      if (this.all.size === 0) this.all = null;
    } else if (this.onlyFilter === filter) this.clear();
  }

  clear(): void {
    this.only = null;
    this.onlyFilter = '';
    this.all = null;
  }

  *values(): Generator<Subscription> {
    for (const [, subscription] of this) yield subscription;
  }

  *[Symbol.iterator](): Generator<[string, Subscription]> {
    if (this.all !== null) yield* this.all;
    else if (this.only !== null) yield [this.onlyFilter, this.only];
  }
}
