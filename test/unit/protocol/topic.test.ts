import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  hasWildcard,
  splitShared,
  topicFilterFault,
  topicMatches,
  topicNameFault,
} from '../../../src/protocol/topic.ts';

test('filters match as section 4.7 says', () => {
  const matching: [filter: string, topic: string][] = [
    ['sport/tennis/player1/#', 'sport/tennis/player1'],
    ['sport/tennis/player1/#', 'sport/tennis/player1/ranking'],
    ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon'],
    ['sport/#', 'sport'],
    ['sport/+', 'sport/'],
    ['+/+', '/finance'],
    ['/+', '/finance'],
    ['#', '/'],
    ['#', 'a'],
    ['/', '/'],
    ['+/+', '/'],
    ['//', '//'],
    ['+/+/+', '//'],
    ['a/+/#', 'a/b'],
    ['a/+/#', 'a/'],
    ['a/+/#', 'a/b/c/d'],
    ['+', 'a'],
    ['+/b/#', 'a/b'],
    ['a//b', 'a//b'],
    ['a/+/b', 'a//b'],
    ['$SYS/#', '$SYS'],
    ['$SYS/#', '$SYS/a'],
    ['$SYS/+', '$SYS/a'],
    ['a/$b', 'a/$b'],
    ['+/$b', 'a/$b'],
    ['a/#', 'a/$b'],
  ];
  for (const [filter, topic] of matching) assert.equal(topicMatches(filter, topic), true, `${filter} against ${topic}`);
});

test('filters do not match what they should not [MQTT-4.7.2-1, MQTT3-4.7.2-1, MQTT-4.7.3-4, MQTT3-4.7.3-4]', () => {
  const others: [filter: string, topic: string][] = [
    ['+', '/finance'],
    ['sport/+', 'sport'],
    ['sport/+', 'sport/tennis/player1'],
    ['a/+/#', 'a'],
    ['a', 'ab'],
    ['ab', 'a'],
    ['a', 'a/'],
    ['a/', 'a'],
    ['a/b', 'a'],
    ['a', 'a/b'],
    ['A', 'a'],
    ['caf\u00e9', 'cafe\u0301'],
    ['a', ' a'],
    ['a', '\ufeffa'],
    ['#', '$SYS/a'],
    ['+/a', '$SYS/a'],
    ['+', '$SYS'],
    ['$SYS/+', '$SYS'],
    ['a/b/#', 'ab'],
    ['a/b/#', 'a/bc'],
    ['/a', 'a'],
    ['a/+', 'b/a'],
  ];
  for (const [filter, topic] of others) assert.equal(topicMatches(filter, topic), false, `${filter} against ${topic}`);
});

test('topic names [MQTT-4.7.0-1, MQTT-4.7.3-1, MQTT-4.7.3-2, MQTT-4.7.3-3, MQTT3-4.7.1-1, MQTT3-4.7.3-1, MQTT3-4.7.3-2, MQTT3-4.7.3-3]', () => {
  for (const name of ['a', '/', ' ', 'a//b', '$SYS', '$', 'ü/€/𝄞', 'x'.repeat(65_535), '/'.repeat(65_535), '\ufeff']) {
    assert.equal(topicNameFault(name), null, name.slice(0, 20));
  }
  for (const name of [
    '',
    '+',
    '#',
    'a/+',
    'a#',
    'a\0b',
    'a\n',
    '\ufffe',
    '\ud800',
    'a\udc00',
    'x'.repeat(65_536),
    'ü'.repeat(32_768),
  ]) {
    assert.equal(typeof topicNameFault(name), 'string', name.slice(0, 20));
  }
});

test('topic filters [MQTT-4.7.1-1, MQTT-4.7.1-2, MQTT-4.7.3-1, MQTT3-4.7.1-2, MQTT3-4.7.1-3, MQTT3-4.7.3-1]', () => {
  const valid = [
    'a',
    '#',
    '+',
    '/',
    '+/+',
    'a/#',
    '/#',
    '+/#',
    'a/+/b',
    '//',
    '$SYS/#',
    '$shared/a',
    '$share/g/a',
    '$share/g/#',
    '$share/g//',
    '$share/g/+/a',
    '$sharex',
  ];
  for (const filter of valid) assert.equal(topicFilterFault(filter), null, filter);
  const invalid = [
    '',
    'a#',
    '#a',
    '#/a',
    'a/#/b',
    'a+',
    '+a',
    'a/+b',
    'a/b+/c',
    '##',
    '++',
    'a\0',
    'a\n/b',
    '\u0085',
    '\ud800',
    'x'.repeat(65_536),
    '$share',
    '$share/',
    '$share/g',
    '$share/g/',
    '$share//a',
    '$share/+/a',
    '$share/#',
    '$share/g+/a',
  ];
  for (const filter of invalid) assert.equal(typeof topicFilterFault(filter), 'string', filter.slice(0, 20));
});

test("a shared subscription's filter falls into group and filter", () => {
  assert.deepEqual(splitShared('$share/g/a/b'), { group: 'g', filter: 'a/b' });
  assert.deepEqual(splitShared('$share/g//'), { group: 'g', filter: '/' });
  assert.equal(splitShared('$shared/g/a'), null);
  assert.equal(splitShared('a/$share/b'), null);
});

test('wildcards', () => {
  assert.deepEqual(['a', 'a/+', '#', ''].map(hasWildcard), [false, true, true, false]);
});

test('a topic of very many levels takes no recursion', () => {
  const deep = '/'.repeat(65_535);
  assert.equal(topicMatches('#', deep), true);
  assert.equal(topicMatches(`${'+/'.repeat(30_000)}#`, deep), true);
  assert.equal(topicMatches('+/'.repeat(30_000), deep), false);
});
