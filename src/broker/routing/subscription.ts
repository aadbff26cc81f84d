// One subscription of one subscriber, as the trie holds it.
import { encodeSubscriptionIdentifiers } from '../../protocol/publish.ts';
import type { Subscriber } from './subscriber.ts';

const NO_EXTRA = Buffer.alloc(0);

/** A subscription: where it leads and with which options. A changed one is a new object in the old one's place. */
export class Subscription {
  readonly subscriber: Subscriber;
  /** The filter as subscribed, with `$share/group/` where there is one. */
  readonly filter: string;
  /** Name of the share group, null for an ordinary subscription. */
  readonly group: string | null;
  readonly qos: number;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** Subscription identifiers: one as subscribed, more where overlapping subscriptions are merged. */
  readonly identifiers: readonly number[];
  /** The identifiers as property bytes. */
  readonly extra: Buffer;
  /** Index in the trie node's list; the trie's own. */
  slot: number;

  constructor(
    subscriber: Subscriber,
    filter: string,
    group: string | null,
    qos: number,
    noLocal: boolean,
    retainAsPublished: boolean,
    identifiers: readonly number[],
  ) {
    this.subscriber = subscriber;
    this.filter = filter;
    this.group = group;
    this.qos = qos;
    this.noLocal = noLocal;
    this.retainAsPublished = retainAsPublished;
    this.identifiers = identifiers;
    this.extra = identifiers.length === 0 ? NO_EXTRA : encodeSubscriptionIdentifiers(identifiers);
    this.slot = -1;
  }
}
