// The trie against topicMatches, topicMatches against a regular expression, and cached plans against fresh ones.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Message } from '../../src/broker/routing/message.ts';
import { Retained } from '../../src/broker/routing/retained.ts';
import { Router } from '../../src/broker/routing/router.ts';
import type { Subscriber } from '../../src/broker/routing/subscriber.ts';
import { Subscription } from '../../src/broker/routing/subscription.ts';
import { TopicTable } from '../../src/broker/routing/topics.ts';
import { Trie } from '../../src/broker/routing/trie.ts';
import { topicFilterFault, topicMatches, topicNameFault } from '../../src/protocol/topic.ts';
import { topicFilter, topicName } from '../support/arbitrary-packets.ts';

const nobody: Subscriber = { isOnline: true, isStored: false, hasPlaceFor: () => true, deliver: () => true };
const subscriptionTo = (filter: string): Subscription => new Subscription(nobody, filter, null, 0, false, false, []);

// Few levels and short ones, so that filters meet topics.
const level = fc.constantFrom('', 'a', 'b', '$x');
const name = fc
  .array(level, { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join('/'))
  .filter((topic) => topic !== '');
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 4 }), fc.boolean())
  .map(([levels, rest]) => [...levels, ...(rest ? ['#'] : [])].join('/'))
  .filter((text) => text !== '');

/** A filter made from a topic: it matches but for what a dollar in front forbids, or nearly does. */
const filterFrom = (topic: string): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.array(fc.constantFrom('keep', 'keep', 'plus', 'other'), { minLength: 5, maxLength: 5 }),
      fc.integer({ min: 0, max: 5 }),
      fc.boolean(),
    )
    .map(([acts, length, rest]) => {
      const levels = topic.split('/').map((part, i) => (acts[i] === 'plus' ? '+' : acts[i] === 'other' ? 'b' : part));
      return [...levels.slice(0, rest ? length : 5), ...(rest ? ['#'] : [])].join('/');
    })
    .filter((text) => text !== '');

/** A topic and some filters: made by themselves, and made from it. */
const meeting = name.chain((topic) =>
  fc.tuple(fc.constant(topic), fc.array(fc.oneof(filter, filterFrom(topic)), { maxLength: 12 })),
);

/** The rule of section 4.7 once more, as a regular expression. */
function oracle(filterText: string, topic: string): boolean {
  if (topic.startsWith('$') && /^[+#]/.test(filterText)) return false;
  const levels = filterText.split('/').map((part) => (part === '+' ? '[^/]*' : part.replace('$', '\\$')));
  if (levels.at(-1) === '#') {
    const before = levels.slice(0, -1).join('/');
    return new RegExp(levels.length === 1 ? '^' : `^${before}(/|$)`).test(topic);
  }
  return new RegExp(`^${levels.join('/')}$`).test(topic);
}

test('topicMatches is the rule of section 4.7', () => {
  fc.assert(
    fc.property(meeting, ([topic, filters]) => {
      for (const text of filters) assert.equal(topicMatches(text, topic), oracle(text, topic), `${text} on ${topic}`);
    }),
    { numRuns: 5000 },
  );
});

test('the made names and filters are those that the rules are about', () => {
  const pairs = fc
    .sample(meeting, { numRuns: 500, seed: 1 })
    .flatMap(([topic, filters]) => filters.map((text) => [text, topic] as const));
  const wanted: Readonly<Record<string, (text: string, topic: string) => boolean>> = {
    'a wildcard in front of a dollar': (text, topic) => topic.startsWith('$') && /^[+#]/.test(text),
    'a dollar in front of a dollar': (text, topic) => topic.startsWith('$') && topicMatches(text, topic),
    'a dollar further on': (text, topic) => topic.includes('/$') && topicMatches(text, topic),
    'an empty level in front': (text, topic) => topic.startsWith('/') && topicMatches(text, topic),
    'an empty level at the end': (text, topic) => /[^/]\/$/.test(topic) && topicMatches(text, topic),
    'an empty level for a plus sign': (text, topic) =>
      topicMatches(text, topic) && topic.split('/').some((part, i) => part === '' && text.split('/')[i] === '+'),
    'a number sign for its parent': (text, topic) => text.endsWith('/#') && topicMatches(text.slice(0, -2), topic),
    'no match': (text, topic) => !topicMatches(text, topic),
  };
  for (const [what, isIt] of Object.entries(wanted)) {
    const count = pairs.filter(([text, topic]) => isIt(text, topic)).length;
    assert.ok(count >= 20, `${what}: ${count} of ${pairs.length}`);
  }
});

test('made names and filters are valid', () => {
  fc.assert(fc.property(topicName, (topic) => assert.equal(topicNameFault(topic), null)));
  fc.assert(fc.property(topicFilter, (text) => assert.equal(topicFilterFault(text), null)));
});

test('the trie finds what matches, after any adding and removing, and is empty in the end', () => {
  fc.assert(
    fc.property(meeting, fc.array(fc.nat(), { maxLength: 8 }), ([topic, filters], gone) => {
      const trie = new Trie(new TopicTable());
      let present = filters.map(subscriptionTo);
      for (const subscription of present) trie.add(subscription, null);
      for (const index of gone) {
        const removed = present[index % Math.max(1, present.length)];
        if (removed === undefined) continue;
        trie.remove(removed);
        present = present.filter((one) => one !== removed);
      }
      const found = new Set(trie.match(topic).subscriptions);
      const wanted = new Set(present.filter((one) => topicMatches(one.filter, topic)));
      assert.deepEqual(found, wanted);
      assert.equal(trie.count, present.length);
      for (const one of present) trie.remove(one);
      assert.equal(trie.match(topic).subscriptions.length, 0);
      assert.equal(trie.count, 0);
    }),
    { numRuns: 1000 },
  );
});

test('a cached plan is the plan that would be made now, whatever came and went', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), text: filter }),
    fc.record({ kind: fc.constant('remove' as const), at: fc.nat() }),
    fc.record({ kind: fc.constant('ask' as const), topic: name }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const topics = new TopicTable();
      const trie = new Trie(topics);
      const router = new Router(topics, trie, new Retained());
      const present: Subscription[] = [];
      // Held by a publisher's alias: such a topic may have left the table.
      const held = topics.internName('a/b');
      for (const one of steps) {
        if (one.kind === 'add') {
          present.push(subscriptionTo(one.text));
          trie.add(present.at(-1)!, null);
        } else if (one.kind === 'remove') {
          const [removed] = present.splice(one.at % Math.max(1, present.length), 1);
          if (removed !== undefined) trie.remove(removed);
        } else {
          for (const topic of [topics.internName(one.topic), held]) {
            const plan = new Set(router.planFor(topic).subscriptions);
            assert.deepEqual(plan, new Set(present.filter((s) => topicMatches(s.filter, topic.name))));
          }
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('a topic that lost its place in the table does not keep an old plan', () => {
  const topics = new TopicTable();
  const trie = new Trie(topics);
  const router = new Router(topics, trie, new Retained());
  const held = topics.internName('held');
  assert.equal(router.planFor(held).subscriptions.length, 0);
  // Far more names than the table has places: some take the place of the one that is held.
  for (let i = 0; i < 100_000; i++) topics.internName(`other/${i}`);
  assert.equal(held.isInterned, false);
  trie.add(subscriptionTo('held'), null);
  assert.equal(router.planFor(held).subscriptions.length, 1);
});

test('retained messages are found by filter as by comparing each, and go one by one', () => {
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 12 }), filter, (names, filterText) => {
      const topics = new TopicTable();
      const retained = new Retained();
      const keep = (topic: string, payload: string): void =>
        retained.store(Message.made(topics.internName(topic), Buffer.from(payload), 0, true, {}, null, 0));
      for (const topic of names) keep(topic, topic);
      const found = [...retained.match(filterText)].flatMap((message) =>
        message === null ? [] : [message.topic.name],
      );
      assert.deepEqual(found.sort(), names.filter((topic) => topicMatches(filterText, topic)).sort());
      assert.equal(retained.count, names.length);
      for (const topic of names) keep(topic, '');
      assert.deepEqual([retained.count, retained.bytes], [0, 0]);
    }),
    { numRuns: 500 },
  );
});
