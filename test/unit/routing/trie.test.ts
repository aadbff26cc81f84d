import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Remembering, Routing, subscriptionTo } from '../../support/builders.ts';

const filtersFor = (routing: Routing, topic: string): string[] =>
  routing.trie
    .match(topic)
    .subscriptions.map(({ filter }) => filter)
    .sort();

/** The tree itself, to see that nothing is left in it. */
const treeOf = ({ trie }: Routing): unknown => Reflect.get(trie, 'root');

test('wildcards match what section 4.7 says', () => {
  const routing = new Routing();
  const filters = ['#', '+', '/', '/+', '+/+', 'a', 'a/#', 'a/+', 'a/+/#', 'a//b', 'a/+/b', '$SYS/#', '$SYS/+', '+/x'];
  for (const filter of filters) routing.subscribe(new Remembering(), filter);
  const table: [topic: string, matching: string[]][] = [
    ['a', ['#', '+', 'a', 'a/#']],
    ['a/b', ['#', '+/+', 'a/#', 'a/+', 'a/+/#']],
    ['a/', ['#', '+/+', 'a/#', 'a/+', 'a/+/#']],
    ['a//b', ['#', 'a/#', 'a/+/#', 'a/+/b', 'a//b']],
    ['/', ['#', '+/+', '/', '/+']],
    ['$SYS', ['$SYS/#']],
    ['$SYS/x', ['$SYS/#', '$SYS/+']],
    ['b/x', ['#', '+/+', '+/x']],
    ['__proto__', ['#', '+']],
  ];
  for (const [topic, matching] of table) assert.deepEqual(filtersFor(routing, topic), matching.sort(), topic);
});

test('subscriptions leave in any order, and the tree is pruned behind them', () => {
  const routing = new Routing();
  const subscriber = new Remembering();
  const all = ['a/b/c', 'a/b/c', 'a/b/c', 'a/b', 'a/#'].map((filter) => routing.subscribe(subscriber, filter));
  assert.equal(routing.trie.count, 5);
  routing.trie.remove(all[0]!);
  routing.trie.remove(all[2]!);
  assert.deepEqual(routing.trie.match('a/b/c').subscriptions, [all[4], all[1]]);
  for (const at of [1, 4, 3]) routing.trie.remove(all[at]!);
  assert.equal(routing.trie.count, 0);
  assert.equal(filtersFor(routing, 'a/b/c').length, 0);
  // Nothing of it is left: the root is as it was made.
  assert.deepEqual(treeOf(routing), treeOf(new Routing()));
  routing.trie.remove(all[0]!);
  assert.equal(routing.trie.count, 0);
});

test('a subscription that is made anew takes the place of the old one', () => {
  const routing = new Routing();
  const subscriber = new Remembering();
  const old = routing.subscribe(subscriber, 'a/+');
  const other = routing.subscribe(new Remembering(), 'a/+');
  const next = subscriptionTo(subscriber, 'a/+', { qos: 2 });
  routing.trie.add(next, old);
  assert.deepEqual(routing.trie.match('a/b').subscriptions, [next, other]);
  assert.equal(routing.trie.count, 2);
  routing.trie.remove(next);
  assert.deepEqual(routing.trie.match('a/b').subscriptions, [other]);
});

test('one that names another filter than the one it replaces leaves nothing of that behind', () => {
  // Mount points differ between listeners: 'door' is 'house/door' for one and 'shed/door' for the other.
  const routing = new Routing();
  const subscriber = new Remembering();
  for (let i = 0; i < 3; i++) routing.subscribe(new Remembering(), 'house/door');
  for (const [from, to] of [
    ['house/door', 'shed/door'],
    ['$share/g/house/door', '$share/g/shed/door'],
  ] as const) {
    const old = routing.subscribe(subscriber, from);
    const next = subscriptionTo(subscriber, to);
    routing.trie.add(next, old);
    const { subscriptions, groups } = routing.trie.match('shed/door');
    assert.equal(subscriptions.length + groups.length, 1);
    assert.equal(routing.trie.match('house/door').subscriptions.length, 3);
    assert.equal(routing.trie.match('house/door').groups.length, 0);
    assert.equal(routing.trie.count, 4);
    routing.trie.remove(next);
  }
  assert.deepEqual([routing.trie.count, routing.trie.sharedCount], [3, 0]);
});

test('members of a group share one place, and groups of other names have their own', () => {
  const routing = new Routing();
  const one = routing.subscribe(new Remembering(), '$share/g/a/#');
  const two = routing.subscribe(new Remembering(), '$share/g/a/#');
  const three = routing.subscribe(new Remembering(), '$share/h/a/#');
  assert.deepEqual([routing.trie.count, routing.trie.sharedCount], [3, 3]);
  assert.equal(routing.trie.match('a/b').groups.length, 2);
  assert.equal(routing.trie.match('a/b').subscriptions.length, 0);
  for (const subscription of [one, two, three]) routing.trie.remove(subscription);
  assert.deepEqual(treeOf(routing), treeOf(new Routing()));
});

test('only the plans that a filter concerns go out of date', () => {
  const routing = new Routing();
  const subscriber = new Remembering();
  const plans = () => ['a', 'a/b', 'c/d'].map((topic) => routing.router.planFor(routing.topics.internName(topic)));
  const changed = (act: () => void): boolean[] => {
    const before = plans();
    act();
    return plans().map((plan, i) => plan !== before[i]);
  };
  assert.deepEqual(
    changed(() => undefined),
    [false, false, false],
  );
  assert.deepEqual(
    changed(() => routing.subscribe(subscriber, 'a/b')),
    [false, true, false],
  );
  assert.deepEqual(
    changed(() => routing.subscribe(subscriber, 'a/+')),
    [true, true, false],
  );
  assert.deepEqual(
    changed(() => routing.subscribe(subscriber, '$share/g/c/#')),
    [false, false, true],
  );
  assert.deepEqual(
    changed(() => routing.subscribe(subscriber, '+/b')),
    [true, true, true],
  );
  assert.deepEqual(
    changed(() => routing.trie.remove(routing.trie.match('a/b').subscriptions.find(({ filter }) => filter === 'a/b')!)),
    [false, true, false],
  );
  assert.deepEqual(
    changed(() => routing.trie.outdateAll()),
    [true, true, true],
  );
});

test('a topic with very many levels is matched and stored without recursion', () => {
  const routing = new Routing();
  const deep = new Array(30_000).fill('a').join('/');
  const subscription = routing.subscribe(new Remembering(), deep);
  assert.deepEqual(routing.trie.match(deep).subscriptions, [subscription]);
  routing.trie.remove(subscription);
  assert.equal(routing.trie.match(deep).subscriptions.length, 0);
});
