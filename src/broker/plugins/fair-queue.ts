// A bounded waiting line that nobody can fill for the others: turns go round the groups (network addresses), and within a
// group round its members (user names). When the line is full, whoever belongs to the longest group gives way.

/** What waits in one group: a line per member, the member whose turn it is first. */
interface Group<T> {
  readonly members: Map<string, T[]>;
  length: number;
}

/** Items that wait, by group and member. Empty groups and members are forgotten. */
export class FairQueue<T> {
  readonly #limit: number;
  readonly #groups = new Map<string, Group<T>>();
  #length = 0;

  /** At most `limit` items wait. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#length;
  }

  /** Adds an item; returns the one that has to give way (perhaps this very item), or null. */
  push(group: string, member: string, item: T): T | null {
    let givesWay: T | null = null;
    if (this.#length >= this.#limit) {
      const longest = this.#longestGroup();
      if (longest === null || longest.length <= (this.#groups.get(group)?.length ?? 0) + 1) return item;
      givesWay = this.#takeNewest(longest);
    }
    let line = this.#groups.get(group);
    if (line === undefined) {
      line = { members: new Map(), length: 0 };
      this.#groups.set(group, line);
    }
    const waiting = line.members.get(member);
    if (waiting === undefined) line.members.set(member, [item]);
    else waiting.push(item);
    line.length += 1;
    this.#length += 1;
    return givesWay;
  }

  /** Takes the item whose turn it is, or undefined. */
  shift(): T | undefined {
    const [group, line] = first(this.#groups) ?? [];
    if (group === undefined || line === undefined) return undefined;
    const [member, waiting] = first(line.members) ?? [];
    if (member === undefined || waiting === undefined) return undefined;
    const item = waiting.shift();
    // Map keeps the order of insertion: deleted and set again, the group and the member stand last.
    line.members.delete(member);
    if (waiting.length > 0) line.members.set(member, waiting);
    line.length -= 1;
    this.#length -= 1;
    this.#groups.delete(group);
    if (line.length > 0) this.#groups.set(group, line);
    return item;
  }

  #longestGroup(): Group<T> | null {
    let longest: Group<T> | null = null;
    for (const group of this.#groups.values()) {
      if (longest === null || group.length > longest.length) longest = group;
    }
    return longest;
  }

  /** Takes the newest item of the member with the longest line out of a group that has more than one item. */
  #takeNewest(group: Group<T>): T | null {
    let longest: [string, T[]] | null = null;
    for (const entry of group.members) {
      if (longest === null || entry[1].length > longest[1].length) longest = entry;
    }
    if (longest === null) return null;
    const [member, waiting] = longest;
    const item = waiting.pop();
    if (waiting.length === 0) group.members.delete(member);
    group.length -= 1;
    this.#length -= 1;
    return item ?? null;
  }
}

function first<T>(map: Map<string, T>): [string, T] | undefined {
  for (const entry of map) return entry;
  return undefined;
}
