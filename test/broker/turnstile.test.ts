// What comes all at once is let in by bounded numbers, in its order, so that others are served in between.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turnstile } from '../../src/broker/turnstile.ts';

interface Visitor {
  readonly number: number;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('nobody is let in before it is opened; then all are, in their order, a bounded number in each turn', async () => {
  const seen: number[] = [];
  const turnstile = new Turnstile<Visitor>(({ number }) => seen.push(number));
  for (let number = 0; number < 100; number++) turnstile.add({ number });
  await turn();
  assert.deepEqual(seen, []);
  turnstile.open();
  const counts = [seen.length];
  while (seen.length < 100) {
    turnstile.add({ number: 99 + counts.length });
    await turn();
    counts.push(seen.length);
    assert.ok(counts.length < 100, 'the last waits for ever');
  }
  assert.ok(counts.length >= 3, `let in after each turn: ${counts}`);
  const steps = counts.map((count, index) => count - (counts[index - 1] ?? 0));
  assert.ok(Math.max(...steps) <= 50, `let in at once: ${Math.max(...steps)}`);
  while (seen.length < 99 + counts.length) await turn();
  assert.deepEqual(
    seen,
    seen.map((_, index) => index),
  );
});

test('who comes alone is let in at once, and those who wait can be taken out', async () => {
  const seen: number[] = [];
  const turnstile = new Turnstile<Visitor>(({ number }) => seen.push(number));
  turnstile.open();
  turnstile.add({ number: 0 });
  assert.deepEqual(seen, [0]);
  for (let number = 1; number < 60; number++) turnstile.add({ number });
  const waiting = turnstile.takeWaiting().map(({ number }) => number);
  assert.deepEqual([...seen, ...waiting], [...Array(60).keys()]);
  assert.ok(waiting.length > 0);
  await turn();
  assert.equal(seen.length + waiting.length, 60);
  turnstile.add({ number: 60 });
  assert.equal(seen.at(-1), 60);
});
