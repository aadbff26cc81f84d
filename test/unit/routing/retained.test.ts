import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Routing } from '../../support/builders.ts';

function keep(routing: Routing, topic: string, payload = topic, expiry?: number): void {
  const properties = expiry === undefined ? {} : { messageExpiryInterval: expiry };
  routing.retained.store(routing.message(topic, { payload, retain: true, properties }));
}

const found = (routing: Routing, filter: string): string[] =>
  [...routing.retained.match(filter)].flatMap((message) => (message === null ? [] : [message.topic.name])).sort();

test('one message is kept for each topic, and counted with its bytes', () => {
  const routing = new Routing();
  keep(routing, 'a/b', '12345');
  keep(routing, 'a/b', '123');
  keep(routing, 'a', '1');
  assert.deepEqual([routing.retained.count, routing.retained.bytes], [2, 3 + 3 + 1 + 1]);
  assert.equal(routing.retained.get('a/b')?.payloadBuffer.toString(), '123');
  assert.equal(routing.retained.get('a/b/c'), null);
  keep(routing, 'a/b', '');
  keep(routing, 'never/kept', '');
  routing.retained.remove('a/c');
  assert.deepEqual([routing.retained.count, routing.retained.bytes], [1, 2]);
  keep(routing, 'a', '');
  assert.deepEqual(routing.retained, new Routing().retained);
});

test('filters find them as they find live messages', () => {
  const routing = new Routing();
  for (const topic of ['a', 'a/b', 'a/', '/', 'a/b/c', '$SYS/x', 'b']) keep(routing, topic);
  const table: [filter: string, topics: string[]][] = [
    ['#', ['a', 'a/b', 'a/', '/', 'a/b/c', 'b']],
    ['a/#', ['a', 'a/b', 'a/', 'a/b/c']],
    ['a/+/#', ['a/b', 'a/', 'a/b/c']],
    ['+', ['a', 'b']],
    ['+/+', ['a/b', 'a/', '/']],
    ['$SYS/#', ['$SYS/x']],
    ['+/x', []],
    ['a/b', ['a/b']],
    ['a/+', ['a/b', 'a/']],
  ];
  for (const [filter, topics] of table) assert.deepEqual(found(routing, filter), topics.sort(), filter);
});

test('the tree may change under a search: what stays is found, and nothing twice', () => {
  const routing = new Routing();
  for (let i = 0; i < 20; i++) keep(routing, `t/${i}/x`);
  const seen: string[] = [];
  for (const message of routing.retained.match('t/#')) {
    if (message === null) continue;
    seen.push(message.topic.name);
    const i = seen.length;
    if (i === 3) for (let gone = 10; gone < 15; gone++) keep(routing, `t/${gone}/x`, '');
    if (i === 5) keep(routing, 't/new/x');
    keep(routing, message.topic.name, '');
  }
  assert.equal(new Set(seen).size, seen.length);
  for (const i of [0, 5, 9, 15, 19]) assert.ok(seen.includes(`t/${i}/x`), `t/${i}/x`);
  assert.ok(!seen.includes('t/12/x'));
  for (const message of routing.retained.match('t/#'))
    if (message !== null) routing.retained.remove(message.topic.name);
  assert.equal(routing.retained.count, 0);
});

test('a sweep removes what has expired, also below topics that begin with $', () => {
  const routing = new Routing();
  keep(routing, 'soon', 'x', 1);
  keep(routing, '$house/soon', 'x', 1);
  keep(routing, 'later', 'x', 100);
  keep(routing, 'never');
  assert.equal(routing.retained.sweep(1000), 2);
  assert.equal(routing.retained.sweep(1000), 0);
  assert.deepEqual([routing.retained.count, found(routing, '#')], [2, ['later', 'never']]);
});

test('a search that finds nothing still steps, so that its caller can bound the work', () => {
  const routing = new Routing();
  for (let i = 0; i < 100; i++) keep(routing, `t/${i}`);
  const steps = [...routing.retained.match('+/nothing')];
  assert.deepEqual(steps, [null]);
  assert.equal([...routing.retained.match('+/+/+')].length, 101);
});
