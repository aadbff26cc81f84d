// Filters to subscriptions: a tree by topic level. Adding, removing and matching walk by loop, never by recursion.
// It also keeps the generations that tell when a cached plan is out of date: an exact filter concerns only its own topic,
// a wildcard filter the topics of its first level, and only '#' or '+/…' concern all topics.
import { hasWildcard, splitShared } from '../../protocol/topic.ts';
import { type Branches, branchAt, withBranch, withoutBranch } from './branches.ts';
import { ShareGroup } from './shared.ts';
import type { Subscription } from './subscription.ts';
import { hashBytes, type Topic, type TopicTable } from './topics.ts';

class Node {
  readonly parent: Node | null;
  readonly level: string;
  children: Branches<Node> = null;
  /** Subscriptions to exactly this filter. */
  subscriptions: Subscription[] | null = null;
  groups: Map<string, ShareGroup> | null = null;

  constructor(parent: Node | null, level: string) {
    this.parent = parent;
    this.level = level;
  }

  get isEmpty(): boolean {
    return this.children === null && this.subscriptions === null && this.groups === null;
  }
}

/** What matched a topic. */
export interface Matches {
  readonly subscriptions: Subscription[];
  readonly groups: ShareGroup[];
}

const GENERATIONS = 256;

/** The subscriptions of one broker. */
export class Trie {
  private readonly topics: TopicTable;
  private readonly root: Node;
  private readonly firstLevelGenerations: Float64Array;
  private globalGeneration: number;
  /** Subscriptions in all, and those that are shared. */
  count: number;
  sharedCount: number;
  /** Nodes that were visited for matches since the start. */
  steps: number;

  constructor(topics: TopicTable) {
    this.topics = topics;
    this.root = new Node(null, '');
    this.firstLevelGenerations = new Float64Array(GENERATIONS);
    this.globalGeneration = 0;
    this.count = 0;
    this.sharedCount = 0;
    this.steps = 0;
  }

  /** Adds a subscription, or puts it in the place of the one that it replaces, the subscriber's own of before. */
  add(subscription: Subscription, replaced: Subscription | null): void {
    let previous = replaced;
    // A client that came back through a listener with another mount point names another filter by the same words.
    if (previous !== null && previous.filter !== subscription.filter) {
      this.remove(previous);
      previous = null;
    }
    const filter = innerFilter(subscription);
    const node = this.findOrMake(filter);
    if (subscription.group === null) {
      const list = node.subscriptions;
      if (list === null) {
        // Most filters have one subscription; a list that grew by push() would have room for sixteen more.
        node.subscriptions = [subscription];
        subscription.slot = 0;
      } else if (previous === null) subscription.slot = list.push(subscription) - 1;
      else {
        subscription.slot = previous.slot;
        list[previous.slot] = subscription;
      }
    } else {
      node.groups ??= new Map();
      let group = node.groups.get(subscription.group);
      if (group === undefined) {
        group = new ShareGroup();
        node.groups.set(subscription.group, group);
      }
      group.add(subscription, previous);
    }
    if (previous === null) {
      this.count += 1;
      if (subscription.group !== null) this.sharedCount += 1;
    }
    this.outdate(filter);
  }

  /** Removes a subscription that is in the trie. */
  remove(subscription: Subscription): void {
    const filter = innerFilter(subscription);
    let node = this.find(filter);
    if (node === null) return;
    if (subscription.group === null) {
      const list = node.subscriptions!;
      const last = list.pop()!;
      if (last !== subscription) {
        list[subscription.slot] = last;
        last.slot = subscription.slot;
      }
      if (list.length === 0) node.subscriptions = null;
    } else {
      const group = node.groups!.get(subscription.group)!;
      group.remove(subscription);
      if (group.size === 0) node.groups!.delete(subscription.group);
      if (node.groups!.size === 0) node.groups = null;
      this.sharedCount -= 1;
    }
    this.count -= 1;
    while (node.parent !== null && node.isEmpty) {
      const parent: Node = node.parent;
      parent.children = withoutBranch(parent.children, node);
      node = parent;
    }
    this.outdate(filter);
  }

  /** Everything whose filter matches the topic; `$` topics are not matched by a wildcard in the first level [MQTT-4.7.2-1]. */
  match(topic: string): Matches {
    const matches: Matches = { subscriptions: [], groups: [] };
    const levels = topic.split('/');
    const nodes: Node[] = [this.root];
    const depths: number[] = [0];
    const hidden = topic.charCodeAt(0) === 0x24;
    while (nodes.length > 0) {
      const node = nodes.pop()!;
      this.steps += 1;
      const depth = depths.pop()!;
      const children = node.children;
      const wild = children !== null && !(hidden && depth === 0);
      if (wild) {
        const rest = branchAt(children, '#');
        if (rest !== undefined) collect(rest, matches);
      }
      if (depth === levels.length) {
        collect(node, matches);
        continue;
      }
      if (children === null) continue;
      if (wild) {
        const plus = branchAt(children, '+');
        if (plus !== undefined) {
          nodes.push(plus);
          depths.push(depth + 1);
        }
      }
      const level = levels[depth]!;
      // A level of a topic name is never '+' or '#', so these children are not found twice.
      const exact = branchAt(children, level);
      if (exact !== undefined) {
        nodes.push(exact);
        depths.push(depth + 1);
      }
    }
    return matches;
  }

  /** The stamp that a plan made now for this topic carries; a plan with another stamp is out of date. */
  stampFor(topic: Topic): number {
    return this.globalGeneration + this.firstLevelGenerations[topic.firstLevelHash & (GENERATIONS - 1)]!;
  }

  /** Makes every plan out of date: permissions may have changed. */
  outdateAll(): void {
    this.globalGeneration += 1;
  }

  private outdate(filter: string): void {
    if (!hasWildcard(filter)) {
      this.topics.forget(filter);
      return;
    }
    const slash = filter.indexOf('/');
    const level = slash === -1 ? filter : filter.slice(0, slash);
    if (level === '#' || level === '+') {
      this.globalGeneration += 1;
    } else {
      const bytes = Buffer.from(level);
      const slot = hashBytes(bytes, 0, bytes.length) & (GENERATIONS - 1);
      this.firstLevelGenerations[slot] = this.firstLevelGenerations[slot]! + 1;
    }
  }

  private find(filter: string): Node | null {
    let node = this.root;
    for (const level of filter.split('/')) {
      const next: Node | undefined = branchAt(node.children, level);
      if (next === undefined) return null;
      node = next;
    }
    return node;
  }

  private findOrMake(filter: string): Node {
    let node = this.root;
    for (const level of filter.split('/')) {
      let next: Node | undefined = branchAt(node.children, level);
      if (next === undefined) {
        next = new Node(node, level);
        node.children = withBranch(node.children, next);
      }
      node = next;
    }
    return node;
  }
}

function innerFilter(subscription: Subscription): string {
  return subscription.group === null ? subscription.filter : splitShared(subscription.filter)!.filter;
}

function collect(node: Node, matches: Matches): void {
  if (node.subscriptions !== null)
    for (const subscription of node.subscriptions) matches.subscriptions.push(subscription);
  if (node.groups !== null) for (const group of node.groups.values()) matches.groups.push(group);
}
