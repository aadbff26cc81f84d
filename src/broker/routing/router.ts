// The one way of a message to its subscribers: retain it, find the plan of its topic, deliver.
import type { Message } from './message.ts';
import { makePlan, type Plan } from './plan.ts';
import type { Retained } from './retained.ts';
import type { Topic, TopicTable } from './topics.ts';
import type { Trie } from './trie.ts';

/** Subscriptions in all cached plans together: beyond it they are made anew, or many topics with many receivers fill the memory. */
const MOST_PLANNED = 4_000_000;

/** The router of one broker. */
export class Router {
  private readonly topics: TopicTable;
  private readonly trie: Trie;
  private readonly retained: Retained;
  /** Overlapping subscriptions of one subscriber give one copy instead of one each (allow_duplicate_messages false). */
  mergesOverlapping: boolean;
  /** Work done since the start: subscriptions looked for and delivered to. What a peer may cause in one turn is measured by it. */
  work: number;
  private planned: number;

  constructor(topics: TopicTable, trie: Trie, retained: Retained) {
    this.topics = topics;
    this.trie = trie;
    this.retained = retained;
    this.mergesOverlapping = false;
    this.work = 0;
    this.planned = 0;
  }

  /** Routes a message and returns how many subscriptions matched; a share group counts once. */
  publish(message: Message): number {
    if (message.retain) this.retained.store(message);
    const plan = this.planFor(message.topic);
    const subscriptions = plan.subscriptions;
    this.work += subscriptions.length + plan.groups.length;
    for (let i = 0; i < subscriptions.length; i++) {
      const subscription = subscriptions[i]!;
      subscription.subscriber.deliver(message, subscription, plan, i);
    }
    for (let i = 0; i < plan.groups.length; i++) plan.groups[i]!.deliver(message);
    return subscriptions.length + plan.groups.length;
  }

  /** Whether a message has to be stored: for its topic, or for a session that is on disk. */
  isStored(message: Message): boolean {
    if (message.retain) return true;
    const { subscriptions, groups } = this.planFor(message.topic);
    return (
      subscriptions.some(({ qos, subscriber }) => qos > 0 && subscriber.isStored) ||
      groups.some((group) => group.isStored)
    );
  }

  /** The plan of a topic, made anew if a subscription that concerns it has changed. */
  planFor(topic: Topic): Plan {
    const current = topic.isInterned || topic.isLong ? topic : this.topics.internName(topic.name);
    const stamp = this.trie.stampFor(current);
    const cached = current.plan;
    if (cached !== null && cached.stamp === stamp) return cached;
    const stepsBefore = this.trie.steps;
    const plan = makePlan(this.trie.match(current.name), stamp, this.mergesOverlapping);
    this.work += this.trie.steps - stepsBefore;
    if (current.isInterned) this.remember(current, plan);
    return plan;
  }

  private remember(topic: Topic, plan: Plan): void {
    this.planned += plan.subscriptions.length + plan.groups.length;
    if (this.planned > MOST_PLANNED) {
      this.topics.forgetPlans();
      this.planned = plan.subscriptions.length + plan.groups.length;
    }
    topic.plan = plan;
  }
}
