import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METRICS, Metrics, metricIndex, PACKET_IN, PACKET_OUT } from '../../../src/broker/sys/metrics.ts';
import { SysTree } from '../../../src/broker/sys/tree.ts';
import { PACKET_NAMES, PUBLISH } from '../../../src/protocol/constants.ts';

function setUp(readGauges: (set: (key: string, value: number) => void) => void = () => undefined) {
  const metrics = new Metrics();
  const published: string[] = [];
  const tree = new SysTree(metrics, (topic, payload) => published.push(`${topic} ${payload}`), readGauges, 1000);
  return { metrics, published, tree };
}

test('each topic and key of the table stands there once, below no other than $SYS/broker/', () => {
  const topics = METRICS.flatMap((row) => row.topics);
  assert.equal(new Set(topics).size, topics.length);
  assert.equal(new Set(METRICS.map((row) => row.key)).size, METRICS.length);
  assert.throws(() => metricIndex('nonsense'), /no metric nonsense/);
  for (let type = 1; type <= 15; type++) {
    const name = PACKET_NAMES[type]!.toLowerCase();
    assert.deepEqual([METRICS[PACKET_IN[type]!]?.key, METRICS[PACKET_OUT[type]!]?.key], [`${name}In`, `${name}Out`]);
  }
});

test('packets and bytes are counted under their types', () => {
  const metrics = new Metrics();
  metrics.packetIn(PUBLISH);
  metrics.packetOut(2);
  metrics.sentPublish(1, 10);
  metrics.sentBytes(25);
  const value = (key: string): number => metrics.values[metricIndex(key)]!;
  assert.deepEqual(
    [
      'messagesReceived',
      'publishIn',
      'messagesSent',
      'connackOut',
      'publishOut',
      'publishSent',
      'publishBytesSent',
      'bytesSent',
    ].map(value),
    [1, 1, 2, 1, 1, 1, 10, 25],
  );
});

test('only what changed is published again', () => {
  let clients = 3;
  const { metrics, published, tree } = setUp((set) => set('clientsConnected', clients));
  tree.announce('version 1');
  tree.announce('version 1');
  tree.update(1000);
  assert.ok(published.includes('$SYS/broker/version version 1'));
  assert.ok(published.includes('$SYS/broker/uptime 0 seconds'));
  assert.ok(published.includes('$SYS/broker/clients/connected 3'));
  assert.ok(published.includes('$SYS/broker/clients/active 3'));
  published.length = 0;
  tree.update(1000);
  assert.equal(published.length, 0);
  clients = 2;
  metrics.sentBytes(7);
  tree.update(1999);
  assert.deepEqual(published.filter((line) => !line.includes('/load/')).sort(), [
    '$SYS/broker/bytes/sent 7',
    '$SYS/broker/clients/active 2',
    '$SYS/broker/clients/connected 2',
  ]);
});

test('loads are moving averages per minute over 1, 5 and 15 minutes', () => {
  const { metrics, published, tree } = setUp();
  const expected = [0, 0, 0];
  const events = [600, 0, 30, 1000];
  let now = 1000;
  for (const count of events) {
    now += 10_000;
    metrics.sentBytes(count);
    published.length = 0;
    tree.update(now);
    [1, 5, 15].forEach((minutes, i) => {
      const rate = (count * 60) / 10;
      expected[i] = rate + Math.exp(-10 / (60 * minutes)) * (expected[i]! - rate);
      assert.ok(published.includes(`$SYS/broker/load/bytes/sent/${minutes}min ${expected[i]!.toFixed(2)}`));
    });
  }
});
