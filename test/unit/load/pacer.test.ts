// The schedule of a rate: exact over any time, and never in bursts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Pacer, TICK_MS } from '../../../src/load/pacer.ts';

test('over any ticks that are not too late, exactly the rate is kept', () => {
  const ticks = fc.array(fc.double({ min: 0.1, max: 1.5, noNaN: true }), { minLength: 1, maxLength: 500 });
  fc.assert(
    fc.property(fc.double({ min: 0.5, max: 1e6, noNaN: true }), ticks, (perSecond, steps) => {
      const pacer = new Pacer(perSecond, 100);
      const most = Math.max(1, Math.ceil((perSecond / 1000) * TICK_MS * 2));
      let now = 100;
      let sent = 0;
      for (const step of steps) {
        now += step;
        const due = pacer.due(now);
        assert.ok(due <= most, 'no burst of more than two ticks');
        pacer.done(due);
        sent += due;
        assert.ok(sent <= ((now - 100) * perSecond) / 1000 + 1, 'never ahead of the schedule');
      }
      const left = Math.floor(((now - 100) * perSecond) / 1000) + 1 - sent;
      assert.ok(left <= most, `${left} are behind`);
      assert.equal(pacer.missed, 0);
    }),
  );
});

test('what is late is made up for at twice the rate, and given up after a second', () => {
  const pacer = new Pacer(10_000, 0);
  assert.equal(pacer.due(500), 20);
  assert.equal(pacer.missed, 0);
  assert.equal(pacer.due(5000), 20);
  assert.equal(pacer.missed, 50_001 - 10_020);
});

test('a slow rate waits until the next one is due', () => {
  const pacer = new Pacer(2, 0);
  assert.equal(pacer.due(0), 1);
  pacer.done(1);
  assert.equal(pacer.due(499), 0);
  assert.equal(pacer.wait(100), 400);
  assert.equal(pacer.due(500), 1);
});
