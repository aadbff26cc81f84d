import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Subscription } from '../../../src/broker/routing/subscription.ts';
import { SubscriptionTable } from '../../../src/broker/sessions/subscription-table.ts';
import { Remembering } from '../../support/builders.ts';

const subscriber = new Remembering();
const made = (filter: string): Subscription => new Subscription(subscriber, filter, null, 0, false, false, []);

test('a table of subscriptions answers as a Map does, whatever comes and goes', () => {
  const filter = fc.constantFrom('a', 'b', '+/c', '#');
  const step = fc.oneof(
    fc.record({ act: fc.constant('set' as const), filter }),
    fc.record({ act: fc.constant('delete' as const), filter }),
    fc.record({ act: fc.constant('clear' as const), filter }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const table = new SubscriptionTable();
      const model = new Map<string, Subscription>();
      for (const { act, filter: at } of steps) {
        if (act === 'set') {
          const subscription = made(at);
          table.set(at, subscription);
          model.set(at, subscription);
        } else if (act === 'delete') {
          table.delete(at);
          model.delete(at);
        } else {
          table.clear();
          model.clear();
        }
        assert.equal(table.size, model.size);
        assert.deepEqual([...table], [...model]);
        assert.deepEqual([...table.values()], [...model.values()]);
        for (const name of ['a', 'b', '+/c', '#', '']) {
          assert.equal(table.get(name), model.get(name));
          assert.equal(table.has(name), model.has(name));
        }
      }
    }),
  );
});
