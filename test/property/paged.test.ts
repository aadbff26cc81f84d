// Objects by number behave as in a Map, whatever is put in and taken out, and come in the order of their numbers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Paged } from '../../src/util/paged.ts';

const number = fc.oneof(fc.nat(40), fc.nat(1500), fc.constantFrom(255, 256, 257, 511, 512, 2 ** 40, 2 ** 40 + 1));

test('a table by number is a Map that comes in order', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('set', 'set', 'delete'), number), { maxLength: 400 }), (steps) => {
      const paged = new Paged<{ readonly n: number }>();
      const model = new Map<number, { readonly n: number }>();
      for (const [what, key] of steps) {
        if (what === 'set') {
          const value = { n: model.size };
          paged.set(key, value);
          model.set(key, value);
        } else assert.equal(paged.delete(key), model.delete(key));
        assert.deepEqual([paged.size, paged.get(key), paged.has(key)], [model.size, model.get(key), model.has(key)]);
      }
      assert.deepEqual(
        [...paged],
        [...model].sort(([a], [b]) => a - b),
      );
      assert.deepEqual([...paged.values()].length, model.size);
    }),
  );
});

test('what a few leave behind of many pages is little', () => {
  const paged = new Paged<object>();
  for (let i = 0; i < 100_000; i++) paged.set(i, { i });
  for (let i = 0; i < 100_000; i++) if (i % 1000 !== 0) paged.delete(i);
  assert.equal(paged.size, 100);
  assert.deepEqual(
    [...paged].map(([key]) => key),
    Array.from({ length: 100 }, (_, i) => i * 1000),
  );
  assert.deepEqual(paged.get(5000), { i: 5000 });
  paged.set(5000, { i: 1 });
  paged.set(5001, { i: 2 });
  assert.deepEqual([paged.size, paged.get(5000), paged.get(5001)], [101, { i: 1 }, { i: 2 }]);
});
