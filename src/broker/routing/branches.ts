// The children of a node in a tree of topic levels. Most nodes of deep topics have one child, and a Map for each of them
// would make a topic of 1,024 levels, two kilobytes on the wire, cost a quarter of a megabyte; so one child stands for itself.

/** None, one, or several nodes by their level. */
export type Branches<N extends { readonly level: string }> = N | Map<string, N> | null;

/** The child at a level, undefined without. */
export function branchAt<N extends { readonly level: string }>(branches: Branches<N>, level: string): N | undefined {
  if (branches === null) return undefined;
  if (branches instanceof Map) return branches.get(level);
  const { level: only } = branches;
  return only === level ? branches : undefined;
}

/** The children with one more, whose level is new among them. */
export function withBranch<N extends { readonly level: string }>(branches: Branches<N>, node: N): Branches<N> {
  if (branches === null) return node;
  if (branches instanceof Map) return branches.set(node.level, node);
  return new Map([
    [branches.level, branches],
    [node.level, node],
  ]);
}

/** The children without one of them. */
export function withoutBranch<N extends { readonly level: string }>(branches: Branches<N>, node: N): Branches<N> {
  if (!(branches instanceof Map)) return null;
  branches.delete(node.level);
  return branches.size === 0 ? null : branches;
}

/** The children one after the other; some may come or go meanwhile. */
export function eachBranch<N extends { readonly level: string }>(branches: Branches<N>): Iterator<N> {
  if (branches instanceof Map) return branches.values();
  return (branches === null ? [] : [branches]).values();
}
