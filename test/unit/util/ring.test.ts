import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Ring } from '../../../src/util/ring.ts';

test('a ring is a queue, whatever goes in and out', () => {
  const step = fc.constantFrom('push', 'push', 'shift', 'clear');
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
      const ring = new Ring<{ n: number }>();
      let model: { n: number }[] = [];
      let next = 0;
      for (const act of steps) {
        if (act === 'push') {
          const item = { n: next++ };
          ring.push(item);
          model.push(item);
        } else if (act === 'shift') assert.equal(ring.shift(), model.shift() ?? null);
        else if (next % 7 === 0) {
          ring.clear();
          model = [];
        }
        assert.equal(ring.length, model.length);
        assert.equal(ring.at(0), model[0] ?? null);
        assert.equal(ring.at(model.length), null);
        if (model.length > 0) assert.equal(ring.at(model.length - 1), model.at(-1));
      }
    }),
    { numRuns: 200 },
  );
});

test('a ring that was long and ran empty goes on', () => {
  const ring = new Ring<{ n: number }>();
  for (let round = 0; round < 3; round++) {
    for (let n = 0; n < 1000; n++) ring.push({ n });
    for (let n = 0; n < 1000; n++) assert.equal(ring.shift()?.n, n);
    assert.equal(ring.shift(), null);
  }
});
