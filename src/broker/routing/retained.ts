// Retained messages: one per topic, found by filter. A tree by level, walked by loop; a replay takes its matches bit by
// bit, so that a subscriber to '#' does not stop the broker.
import { topicMatches } from '../../protocol/topic.ts';
import { type Branches, branchAt, eachBranch, withBranch, withoutBranch } from './branches.ts';
import type { Message } from './message.ts';

class Node {
  readonly parent: Node | null;
  readonly level: string;
  children: Branches<Node> = null;
  message: Message | null = null;

  constructor(parent: Node | null, level: string) {
    this.parent = parent;
    this.level = level;
  }
}

/** Who keeps retained messages beyond the process. */
export interface RetainedKeeper {
  /** A message took the place of another one, or of none; it has not been delivered yet. */
  keep(message: Message, previous: Message | null): void;
  /** A message is retained no more. */
  clear(message: Message): void;
}

/** The retained messages of one broker. */
export class Retained {
  private readonly root: Node;
  /** Null without persistence. */
  keeper: RetainedKeeper | null;
  /** Messages and their bytes. */
  count: number;
  bytes: number;

  constructor() {
    this.root = new Node(null, '');
    this.keeper = null;
    this.count = 0;
    this.bytes = 0;
  }

  /** Keeps a message for its topic; one with an empty payload removes what is kept [MQTT-3.3.1-6]. */
  store(message: Message): void {
    if (message.payloadLength === 0) {
      this.remove(message.topic.name);
      return;
    }
    const previous = this.place(message);
    if (this.keeper !== null && isKept(message)) this.keeper.keep(message, previous);
  }

  /** Puts back what an earlier process had kept. */
  restore(message: Message): void {
    this.place(message);
  }

  /** Returns the message in whose place it stands now. */
  private place(message: Message): Message | null {
    message.own();
    let node = this.root;
    for (const level of message.topic.name.split('/')) {
      let next: Node | undefined = branchAt(node.children, level);
      if (next === undefined) {
        next = new Node(node, level);
        node.children = withBranch(node.children, next);
      }
      node = next;
    }
    const previous = node.message;
    if (previous === null) this.count += 1;
    else this.bytes -= previous.size;
    node.message = message;
    this.bytes += message.size;
    return previous;
  }

  /** The message kept for a topic, null without. */
  get(topic: string): Message | null {
    return this.find(topic)?.message ?? null;
  }

  remove(topic: string): void {
    const node = this.find(topic);
    const message = node?.message ?? null;
    if (node === null || message === null) return;
    this.bytes -= message.size;
    this.count -= 1;
    node.message = null;
    if (isKept(message)) this.keeper?.clear(message);
    let empty = node;
    while (empty.parent !== null && empty.message === null && empty.children === null) {
      const parent: Node = empty.parent;
      parent.children = withoutBranch(parent.children, empty);
      empty = parent;
    }
  }

  /**
   * Matches of a filter (not a shared one), one at a time; the tree may change meanwhile. Null stands for a step of work
   * that found nothing, so that the caller can bound the work and not only the finds.
   */
  *match(filter: string): Generator<Message | null> {
    for (const message of this.walk(filter.split('/'))) {
      yield message !== null && topicMatches(filter, message.topic.name) ? message : null;
    }
  }

  /** What stands at each node on the way of a filter's levels; unlike a filter, '#' also goes where topics begin with '$'. */
  private *walk(levels: readonly string[]): Generator<Message | null> {
    // Each frame iterates the children of one node, which stand at `depth` levels.
    const stack: { children: Iterator<Node>; depth: number }[] = [];
    const descend = (node: Node, depth: number): void => {
      const level = levels[depth];
      if (level === undefined || node.children === null) return;
      if (level === '+' || level === '#') stack.push({ children: eachBranch(node.children), depth });
      else {
        const child = branchAt(node.children, level);
        if (child !== undefined) stack.push({ children: [child].values(), depth });
      }
    };
    descend(this.root, 0);
    while (stack.length > 0) {
      const { children, depth } = stack[stack.length - 1]!;
      const step = children.next();
      if (step.done === true) {
        stack.pop();
        continue;
      }
      const node = step.value;
      const isRest = levels[depth] === '#';
      yield node.message;
      descend(node, isRest ? depth : depth + 1);
    }
  }

  /** Removes what has expired; returns how many. */
  sweep(nowMs: number): number {
    const expired: string[] = [];
    for (const message of this.walk(['#'])) if (message?.hasExpired(nowMs) === true) expired.push(message.topic.name);
    for (const topic of expired) this.remove(topic);
    return expired.length;
  }

  private find(topic: string): Node | null {
    let node = this.root;
    for (const level of topic.split('/')) {
      const next: Node | undefined = branchAt(node.children, level);
      if (next === undefined) return null;
      node = next;
    }
    return node;
  }
}

/** The broker's own figures are made anew by every process. */
const isKept = (message: Message): boolean => !message.topic.name.startsWith('$SYS/');
