// What is on its way to a session is kept in little room, and comes out as it went in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Entries, type StateEntry } from '../../src/broker/store/entries.ts';
import { RELEASES, SENT, WAITS } from '../../src/broker/store/records.ts';

const NOTHING = Buffer.alloc(0);

const seq = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 1500 }), fc.constant(2 ** 40));
const message = fc.oneof(
  fc.integer({ min: 1, max: 50 }),
  fc.constantFrom(2 ** 27, 2 ** 28 - 1, 2 ** 31, 2 ** 40 + 1, 2 ** 49 - 2, 2 ** 49 - 1, 2 ** 49, 2 ** 53 - 1),
);
const entry = fc
  .record({
    seq,
    message,
    flags: fc.nat(15),
    extra: fc.constantFrom(NOTHING, NOTHING, Buffer.from([0x0b, 1]), Buffer.from([0x0b, 2])),
    step: fc.constantFrom(WAITS, WAITS, SENT, RELEASES),
    id: fc.integer({ min: 1, max: 65_535 }),
    turn: fc.integer({ min: 1, max: 9 }),
  })
  .map(
    (made): StateEntry => ({
      ...made,
      id: made.step === WAITS ? 0 : made.id,
      turn: made.step === RELEASES ? made.turn : 0,
    }),
  );

const sorted = (model: ReadonlyMap<number, StateEntry>): StateEntry[] =>
  [...model.values()].sort((a, b) => a.seq - b.seq);

test('entries are a Map by sequence number that comes in order', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof({ arbitrary: entry, weight: 3 }, seq), { maxLength: 300 }), (steps) => {
      const entries = new Entries();
      const model = new Map<number, StateEntry>();
      for (const step of steps) {
        const at = typeof step === 'number' ? step : step.seq;
        if (typeof step === 'number') assert.equal(entries.delete(at), model.delete(at));
        else {
          entries.set(step);
          model.set(at, step);
        }
        assert.deepEqual([entries.size, entries.has(at), entries.get(at)], [model.size, model.has(at), model.get(at)]);
      }
      assert.deepEqual(entries.values(), sorted(model));
    }),
  );
});

test('an entry that is visited can be taken out or replaced', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 300 }), fc.nat(3), (made, kept) => {
      const entries = new Entries();
      const model = new Map<number, StateEntry>();
      for (const one of made) {
        entries.set(one);
        model.set(one.seq, one);
      }
      const before = sorted(model);
      const visited: StateEntry[] = [];
      entries.each((one) => {
        visited.push(one);
        if (one.seq % 4 < kept) entries.set({ ...one, step: SENT, id: 7, turn: 0 });
        else entries.delete(one.seq);
      });
      assert.deepEqual(visited, before);
      const left = before.filter((one) => one.seq % 4 < kept).map((one) => ({ ...one, step: SENT, id: 7, turn: 0 }));
      assert.deepEqual(entries.values(), left);
    }),
  );
});
