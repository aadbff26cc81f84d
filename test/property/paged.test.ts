// Values by number behave as in a Map, whatever is put in and taken out, and come in the order of their numbers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Paged } from '../../src/util/paged.ts';

function listed<T extends object | number>(paged: Paged<T>): [number, T][] {
  const found: [number, T][] = [];
  paged.each((value, key) => found.push([key, value]));
  return found;
}

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
      const sorted = [...model].sort(([a], [b]) => a - b);
      assert.deepEqual(listed(paged), sorted);
      assert.deepEqual(
        paged.values(),
        sorted.map(([, value]) => value),
      );
    }),
  );
});

test('what is visited can be taken out or replaced', () => {
  fc.assert(
    fc.property(fc.array(number, { maxLength: 400 }), fc.nat(7), (numbers, kept) => {
      const paged = new Paged<number>();
      for (const key of numbers) paged.set(key, key);
      const sorted = [...new Set(numbers)].sort((a, b) => a - b);
      const visited: number[] = [];
      paged.each((_value, key) => {
        visited.push(key);
        if (key % 7 < kept) paged.set(key, key + 1);
        else paged.delete(key);
      });
      assert.deepEqual(visited, sorted);
      assert.deepEqual(
        listed(paged),
        sorted.filter((key) => key % 7 < kept).map((key) => [key, key + 1]),
      );
    }),
  );
});

test('what a few leave behind of many pages is little', () => {
  const paged = new Paged<object>();
  for (let i = 0; i < 100_000; i++) paged.set(i, { i });
  for (let i = 0; i < 100_000; i++) if (i % 1000 !== 0) paged.delete(i);
  assert.equal(paged.size, 100);
  assert.deepEqual(
    listed(paged).map(([key]) => key),
    Array.from({ length: 100 }, (_, i) => i * 1000),
  );
  assert.deepEqual(paged.get(5000), { i: 5000 });
  paged.set(5000, { i: 1 });
  paged.set(5001, { i: 2 });
  assert.deepEqual([paged.size, paged.get(5000), paged.get(5001)], [101, { i: 1 }, { i: 2 }]);
});
