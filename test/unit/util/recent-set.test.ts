import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentSet } from '../../../src/util/recent-set.ts';

test('the string unused for longest goes when the set is full', () => {
  const set = new RecentSet(2);
  set.add('a');
  set.add('b');
  assert.equal(set.has('a'), true);
  set.add('c');
  assert.deepEqual([set.has('a'), set.has('b'), set.has('c')], [true, false, true]);
  set.add('a');
  set.add('d');
  assert.deepEqual([set.has('a'), set.has('c'), set.has('d')], [true, false, true]);
});

test('a cleared set is empty', () => {
  const set = new RecentSet(2);
  set.add('a');
  set.clear();
  assert.equal(set.has('a'), false);
});
