import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlushTurn } from '../../../src/net/flush.ts';
import { nextTurn } from '../../support/fake-transport.ts';

test('a turn runs its first step, then every outbox once, in the order they asked', async () => {
  const order: string[] = [];
  const turn = new FlushTurn(() => order.push('first'));
  for (const name of ['a', 'b']) turn.schedule({ flush: () => order.push(name) });
  assert.deepEqual(order, []);
  await nextTurn();
  assert.deepEqual(order, ['first', 'a', 'b']);
  turn.request();
  turn.request();
  await nextTurn();
  assert.deepEqual(order, ['first', 'a', 'b', 'first']);
});

test('what is scheduled while the turn runs has a turn of its own', async () => {
  let count = 0;
  const turn = new FlushTurn();
  const again = { flush: (): void => void (++count < 3 && turn.schedule(again)) };
  turn.schedule(again);
  while (count < 3) await nextTurn();
  await nextTurn();
  assert.equal(count, 3);
});
