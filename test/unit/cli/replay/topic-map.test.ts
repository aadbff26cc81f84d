import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TOPIC_RULE, topicMapper } from '../../../../src/cli/replay/topic-map.ts';

/** Maps a topic by the rules of a command line. */
function mapped(topic: string, ...rules: string[]): string {
  return topicMapper(rules.map((rule) => TOPIC_RULE.parse([rule])))(topic);
}

test('FROM is the beginning of a topic in whole levels, and TO takes its place', () => {
  const cases: [topic: string, rule: string, expected: string][] = [
    ['site/a/temp', 'site/a=test/site/a', 'test/site/a/temp'],
    ['site/a', 'site/a=test', 'test'],
    ['site/ab', 'site/a=test', 'site/ab'],
    ['site', 'site/a=test', 'site'],
    ['site/a/temp', 'site/a/#=test/#', 'test/temp'],
    ['a/b', '=test', 'test/a/b'],
    ['a/b', '#=test/#', 'test/a/b'],
    ['a/b', 'a=', 'b'],
    ['a', 'a=', ''],
    ['/a', '/a=b', 'b'],
    ['/a', '=x', 'x//a'],
    ['site/7/temp/in', 'site/+/temp=house/+', 'house/7/in'],
    ['1/2/3', '+/+=+/x/+', '1/x/2/3'],
    ['1/2/3', '+/+=+', '1/3'],
    ['1/2/3', '+=all', 'all/2/3'],
    ['a/b', 'a=b=c', 'b=c/b'],
  ];
  for (const [topic, rule, expected] of cases) assert.equal(mapped(topic, rule), expected, rule);
});

test('of several rules the longest counts, then the one with fewer +, then the first', () => {
  assert.equal(mapped('a/b/c', 'a=1', 'a/b=2', '=3'), '2/c');
  assert.equal(mapped('a/x/c', 'a=1', 'a/b=2', '=3'), '1/x/c');
  assert.equal(mapped('z', 'a=1', 'a/b=2', '=3'), '3/z');
  assert.equal(mapped('a/b', '+/b=1', 'a/b=2', 'a/+=3'), '2');
  assert.equal(mapped('a/b', '+/b=1', 'a/+=3'), '1');
  assert.equal(mapped('a/b'), 'a/b');
  // What a rule made is not mapped again.
  assert.equal(mapped('a', 'a=b', 'b=c'), 'b');
});

test('rules that mean nothing are refused', () => {
  for (const [rule, why] of [
    ['a', 'it must be FROM=TO'],
    ['', 'it must be FROM=TO'],
    ['a+=b', "'+' must be a whole level, and '#' the last one"],
    ['#/a=b', "'+' must be a whole level, and '#' the last one"],
    ['a=b/#/c', "'+' must be a whole level, and '#' the last one"],
    ['a=+', "TO has more levels '+' than FROM, and nothing to put there"],
  ] as const) {
    assert.throws(() => TOPIC_RULE.parse([rule]), { message: `Invalid topic map "${rule}", ${why}.` });
  }
});
