import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AWAIT_PUBACK,
  AWAIT_PUBCOMP,
  AWAIT_PUBREC,
  DONE,
  OutboundWindow,
  RELEASE,
  UNKNOWN,
} from '../../../src/flow/outbound.ts';

const order = (window: OutboundWindow<{ n: number }>): number[] => {
  const found: number[] = [];
  window.forEach((_id, { n }) => {
    found.push(n);
  });
  return found;
};

test('acknowledgements find their message in any order; each ends it once', () => {
  const window = new OutboundWindow<{ n: number }>(100);
  const ids = Array.from({ length: 20 }, (_, n) => window.take({ n }, 1));
  assert.deepEqual(
    ids,
    Array.from({ length: 20 }, (_, i) => i + 1),
  );
  for (const id of [20, 1, 7, 13]) {
    assert.equal(window.messageOf(id)?.n, id - 1);
    assert.equal(window.acknowledge(id, AWAIT_PUBREC), UNKNOWN);
    assert.equal(window.acknowledge(id, AWAIT_PUBCOMP), UNKNOWN);
    assert.equal(window.acknowledge(id, AWAIT_PUBACK), DONE);
    assert.equal(window.acknowledge(id, AWAIT_PUBACK), UNKNOWN);
    assert.equal(window.messageOf(id), null);
  }
  assert.equal(window.inFlight, 16);
  assert.equal(window.acknowledge(0, AWAIT_PUBACK), UNKNOWN);
  assert.equal(window.acknowledge(65_535, AWAIT_PUBACK), UNKNOWN);
});

test('QoS 2 waits for PUBREC, then for PUBCOMP; a PUBREC that comes again is released again', () => {
  const window = new OutboundWindow<{ n: number }>(10);
  const id = window.take({ n: 1 }, 2);
  assert.equal(window.acknowledge(id, AWAIT_PUBACK), UNKNOWN);
  assert.equal(window.acknowledge(id, AWAIT_PUBCOMP), UNKNOWN);
  assert.equal(window.acknowledge(id, AWAIT_PUBREC), RELEASE);
  assert.equal(window.acknowledge(id, AWAIT_PUBREC), RELEASE);
  assert.equal(window.inFlight, 1);
  assert.equal(window.acknowledge(id, AWAIT_PUBCOMP), DONE);
  assert.equal(window.acknowledge(id, AWAIT_PUBREC), UNKNOWN);
});

test('a full window has no room, and the largest one uses every identifier but 0, each for one message [MQTT-2.2.1-4, MQTT-4.3.2-1, MQTT-4.3.3-1, MQTT3-2.3.1-2, MQTT3-2.3.1-4]', () => {
  const window = new OutboundWindow<{ n: number }>(65_535);
  const ids = new Set<number>();
  for (let n = 0; window.hasRoom; n++) ids.add(window.take({ n }, 1));
  assert.equal(ids.size, 65_535);
  assert.equal(ids.has(0), false);
  for (const id of [65_535, 30_000]) {
    assert.equal(window.acknowledge(id, AWAIT_PUBACK), DONE);
    assert.equal(window.take({ n: -1 }, 1), id);
  }
});

test('the order is that of sending, also for one that stayed while the identifiers went all the way round', () => {
  const window = new OutboundWindow<{ n: number }>(10);
  window.take({ n: 0 }, 1);
  window.take({ n: 1 }, 1);
  for (let i = 0; i < 65_540; i++) window.acknowledge(window.take({ n: -1 }, 1), AWAIT_PUBACK);
  for (const n of [2, 3, 4]) window.take({ n }, 1);
  assert.deepEqual(order(window), [0, 1, 2, 3, 4]);
});

test('what a message is sent with comes back for sending it again', () => {
  const window = new OutboundWindow<{ n: number }>(100);
  const extra = Buffer.from([1]);
  for (let n = 0; n < 30; n++) window.take({ n }, 2, n & 7, extra);
  window.acknowledge(3, AWAIT_PUBREC);
  assert.equal(window.drop(4), true);
  assert.equal(window.drop(4), false);
  const seen: unknown[] = [];
  window.forEach((id, { n }, state, flags, bytes) => {
    seen.push([id, n, state, flags, bytes === extra]);
  });
  assert.equal(seen.length, 29);
  assert.deepEqual(seen[2], [5, 4, AWAIT_PUBREC, 4, true]);
  assert.deepEqual(seen.at(-1), [3, 2, AWAIT_PUBCOMP, 2, true]);
});

test('a forgotten window starts empty, and goes on behind the identifiers that it used', () => {
  const window = new OutboundWindow<{ n: number }>(10);
  for (let n = 0; n < 9; n++) window.take({ n }, 1);
  window.clear();
  assert.deepEqual([window.inFlight, window.hasRoom, order(window).length], [0, true, 0]);
  assert.equal(window.acknowledge(1, AWAIT_PUBACK), UNKNOWN);
  assert.equal(window.drop(1), false);
  assert.equal(window.take({ n: 9 }, 1), 10);
});

test('what an earlier process had in flight is put back under its identifiers, in order, and passed over [MQTT-4.4.0-1]', () => {
  const window = new OutboundWindow<{ n: number }>(100);
  const saved = [40_000, 1, 65_535, 1025, 2, 33];
  saved.forEach((id, n) => {
    window.restore(id, { n }, n % 2 === 0 ? AWAIT_PUBACK : AWAIT_PUBCOMP);
  });
  window.continueAfter(65_534);
  assert.equal(window.lastIdentifier, 65_534);
  assert.deepEqual(order(window), [0, 1, 2, 3, 4, 5]);
  assert.equal(window.inFlight, 6);
  assert.deepEqual([window.take({ n: 6 }, 1), window.take({ n: 7 }, 1)], [3, 4]);
  assert.equal(window.acknowledge(1, AWAIT_PUBCOMP), DONE);
  assert.equal(window.acknowledge(65_535, AWAIT_PUBACK), DONE);
  assert.deepEqual(order(window), [0, 3, 4, 5, 6, 7]);
});
