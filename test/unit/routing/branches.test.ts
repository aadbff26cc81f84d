// The children of a tree's node: none, one without a Map, or several; all the same to who asks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Branches,
  branchAt,
  eachBranch,
  withBranch,
  withoutBranch,
} from '../../../src/broker/routing/branches.ts';

interface Leaf {
  readonly level: string;
}

test('children behave as a map does', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', '__proto__', ''), fc.boolean())), (steps) => {
      const model = new Map<string, Leaf>();
      let branches: Branches<Leaf> = null;
      for (const [level, adds] of steps) {
        const known = model.get(level);
        if (adds && known === undefined) {
          const leaf = { level };
          model.set(level, leaf);
          branches = withBranch(branches, leaf);
        } else if (!adds && known !== undefined) {
          model.delete(level);
          branches = withoutBranch(branches, known);
        }
        assert.equal(branches === null, model.size === 0);
        for (const one of ['a', 'b', 'c', '__proto__', '']) assert.equal(branchAt(branches, one), model.get(one));
        assert.deepEqual(new Set(iterated(branches)), new Set(model.values()));
      }
    }),
  );
});

test('one child needs no map', () => {
  const leaf = { level: 'a' };
  assert.equal(withBranch<Leaf>(null, leaf), leaf);
});

function iterated(branches: Branches<Leaf>): Leaf[] {
  const found: Leaf[] = [];
  const each = eachBranch(branches);
  for (let step = each.next(); step.done !== true; step = each.next()) found.push(step.value);
  return found;
}
