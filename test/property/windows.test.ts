// The windows of QoS 1 and 2 and the timer wheel against simple models of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DUPLICATE, InboundWindow, NEW, OVER_QUOTA, REUSED } from '../../src/flow/inbound.ts';
import {
  AWAIT_PUBACK,
  AWAIT_PUBCOMP,
  AWAIT_PUBREC,
  DONE,
  OutboundWindow,
  RELEASE,
  UNKNOWN,
} from '../../src/flow/outbound.ts';
import { Wheel, type WheelEntry } from '../../src/util/wheel.ts';

interface InFlight {
  readonly id: number;
  readonly message: object;
  state: number;
}

test('the outbound window hands out free identifiers and finds every acknowledgement, in any order', () => {
  const step = fc.record({ act: fc.constantFrom('take1', 'take2', 'ack', 'rec', 'comp', 'drop'), at: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 1, max: 40 }), (steps, limit) => {
      const window = new OutboundWindow<object>(limit);
      let model: InFlight[] = [];
      for (const { act, at } of steps) {
        if (act === 'take1' || act === 'take2') {
          assert.equal(window.hasRoom, model.length < limit);
          if (!window.hasRoom) continue;
          const message = {};
          const qos = act === 'take1' ? 1 : 2;
          const id = window.take(message, qos);
          assert.ok(id >= 1 && id <= 65_535 && model.every((other) => other.id !== id));
          model.push({ id, message, state: qos === 1 ? AWAIT_PUBACK : AWAIT_PUBREC });
          continue;
        }
        // Now and then an identifier that nobody uses.
        const known = model[at % (model.length + 1)];
        const id = known?.id ?? 60_000;
        assert.equal(window.messageOf(id), known?.message ?? null);
        if (act === 'drop') {
          assert.equal(window.drop(id), known !== undefined);
          model = model.filter((one) => one !== known);
          continue;
        }
        const waitingFor = act === 'ack' ? AWAIT_PUBACK : act === 'rec' ? AWAIT_PUBREC : AWAIT_PUBCOMP;
        const isRepeatedRec = act === 'rec' && known?.state === AWAIT_PUBCOMP;
        const answer = window.acknowledge(id, waitingFor);
        if (known === undefined || (known.state !== waitingFor && !isRepeatedRec)) assert.equal(answer, UNKNOWN);
        else if (act === 'rec') {
          assert.equal(answer, RELEASE);
          if (!isRepeatedRec) {
            // PUBRELs are sent again in the order of their PUBRECs.
            model = [...model.filter((one) => one !== known), known];
            known.state = AWAIT_PUBCOMP;
          }
        } else {
          assert.equal(answer, DONE);
          model = model.filter((one) => one !== known);
        }
        assert.equal(window.inFlight, model.length);
      }
      const seen: InFlight[] = [];
      window.forEach((id, message, state) => {
        seen.push({ id, message, state });
      });
      assert.deepEqual(seen, model);
    }),
    { numRuns: 500 },
  );
});

test('identifiers go on behind 65,535 with 1 and pass over the one that is still in use', () => {
  const window = new OutboundWindow<object>(10);
  const stuck = window.take({}, 1);
  assert.equal(stuck, 1);
  let last = stuck;
  let highest = 0;
  let wraps = 0;
  for (let i = 0; i < 150_000; i++) {
    const id = window.take({}, 1);
    assert.ok(id > 1 && id <= 65_535);
    if (id < last) wraps += 1;
    last = id;
    highest = Math.max(highest, id);
    assert.equal(window.acknowledge(id, AWAIT_PUBACK), DONE);
  }
  assert.ok(wraps >= 2);
  assert.equal(highest, 65_535);
  assert.equal(window.acknowledge(stuck, AWAIT_PUBACK), DONE);
});

test('the inbound window knows what it has seen until PUBREL', () => {
  const step = fc.record({
    act: fc.constantFrom('publish', 'release'),
    id: fc.integer({ min: 1, max: 6 }),
    content: fc.nat(2),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (steps, limit) => {
      const window = new InboundWindow(limit);
      const model = new Map<number, number>();
      for (const { act, id, content } of steps) {
        if (act === 'release') assert.equal(window.release(id), model.delete(id));
        else {
          const known = model.get(id);
          const isOver = known === undefined && model.size >= limit;
          const wanted = known === content ? DUPLICATE : isOver ? OVER_QUOTA : known === undefined ? NEW : REUSED;
          assert.equal(window.admit(id, content), wanted);
          if (!isOver) model.set(id, content);
        }
        assert.equal(window.pending, model.size);
      }
    }),
    { numRuns: 500 },
  );
});

test('the wheel calls each entry once, at the first tick not before its time, however far it is', () => {
  const entry = fc.record({ due: fc.nat({ max: 5000 }), again: fc.nat({ max: 3 }), removed: fc.boolean() });
  fc.assert(
    fc.property(
      fc.array(entry, { maxLength: 30 }),
      fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 60 }),
      (entries, steps) => {
        const wheel = new Wheel(10, 0, 16);
        const calls = entries.map((): number[] => []);
        const wheelEntries = entries.map(({ again }, i): WheelEntry => {
          let left = again;
          return {
            due: (now) => {
              calls[i]!.push(now);
              left -= 1;
              return left >= 0 ? now + 100 : 0;
            },
          };
        });
        entries.forEach(({ due, removed }, i) => {
          wheel.add(wheelEntries[i]!, due);
          if (removed) wheel.remove(wheelEntries[i]!);
        });
        let now = 0;
        const times: number[] = [];
        for (const step of [...steps, ...new Array(60).fill(100)]) {
          now += step;
          times.push(now);
          wheel.advance(now);
        }
        const tick = (time: number): number => Math.max(10, Math.ceil(time / 10) * 10);
        entries.forEach(({ due, again, removed }, i) => {
          const wanted: number[] = [];
          let waiting = removed ? Number.POSITIVE_INFINITY : tick(due);
          let left = again;
          for (const time of times) {
            if (Math.floor(time / 10) * 10 < waiting) continue;
            wanted.push(time);
            left -= 1;
            waiting = left >= 0 ? tick(time + 100) : Number.POSITIVE_INFINITY;
          }
          assert.deepEqual(calls[i], wanted);
        });
      },
    ),
    { numRuns: 300 },
  );
});
