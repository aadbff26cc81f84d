import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DUPLICATE, InboundWindow, NEW, OVER_QUOTA, REUSED } from '../../../src/flow/inbound.ts';

test('an identifier is new once, until it is released', () => {
  const window = new InboundWindow(10);
  assert.equal(window.release(5), false);
  assert.deepEqual([window.admit(5), window.admit(5), window.admit(65_535)], [NEW, DUPLICATE, NEW]);
  assert.equal(window.pending, 2);
  assert.deepEqual([window.release(5), window.release(5), window.admit(5)], [true, false, NEW]);
});

test('beyond the limit nothing new is admitted, what is known still is', () => {
  const window = new InboundWindow(2);
  window.admit(1);
  window.admit(2);
  assert.deepEqual([window.admit(3), window.admit(2), window.admit(1, 9)], [OVER_QUOTA, DUPLICATE, REUSED]);
  window.release(1);
  assert.equal(window.admit(3), NEW);
  window.clear();
  assert.deepEqual([window.pending, window.admit(2)], [0, NEW]);
});

test('other content under an identifier in use is a message of its own', () => {
  const window = new InboundWindow(10);
  assert.deepEqual([window.admit(1, 7), window.admit(1, 8), window.admit(1, 8)], [NEW, REUSED, DUPLICATE]);
  assert.equal(window.pending, 1);
});

test('what an earlier connection left does not count against the limit, until it comes again [MQTT-4.9.0-1]', () => {
  const window = new InboundWindow(2);
  window.admit(1);
  window.admit(2);
  assert.equal(window.isFull, true);
  window.reconnected();
  assert.equal(window.isFull, false);
  assert.deepEqual([window.admit(3), window.isFull, window.admit(1)], [NEW, false, DUPLICATE]);
  assert.deepEqual([window.isFull, window.admit(2), window.admit(4)], [true, OVER_QUOTA, OVER_QUOTA]);
  window.release(2);
  assert.equal(window.isFull, true);
  window.release(1);
  assert.deepEqual([window.isFull, window.admit(4), window.pending], [false, NEW, 2]);
  window.clear();
  assert.deepEqual([window.isFull, window.identifiers], [false, []]);
});

test('identifiers can be taken over from an earlier process', () => {
  const window = new InboundWindow(2);
  assert.deepEqual(window.identifiers, []);
  window.restore(
    new Map([
      [7, 0],
      [9, 5],
    ]),
  );
  assert.deepEqual([window.admit(7), window.admit(8), window.identifiers], [DUPLICATE, OVER_QUOTA, [7, 9]]);
  window.restore(new Map());
  assert.equal(window.pending, 2);
});
