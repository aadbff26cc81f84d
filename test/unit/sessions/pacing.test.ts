import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Brake, Pacing, type Pausable } from '../../../src/broker/sessions/pacing.ts';
import { Wheel } from '../../../src/util/wheel.ts';
import { Gate } from '../../support/builders.ts';
import { turn } from '../../support/memory-client.ts';

interface Rig {
  readonly pacing: Pacing;
  readonly wheel: Wheel;
  readonly brakes: readonly Brake[];
}

function rigWith(brakes: number): Rig {
  const wheel = new Wheel(100, 0);
  const pacing = new Pacing(wheel, 16);
  return { pacing, wheel, brakes: Array.from({ length: brakes }, () => new Brake(pacing)) };
}

/** A publisher's message is routed, and these queues are above their mark. */
function publish({ pacing }: Rig, publisher: Pausable, brakes: readonly Brake[]): void {
  pacing.publisher = publisher;
  for (const brake of brakes) brake.hold(null);
  pacing.publisher = null;
}

test('a publisher that two queues hold is read from again when both have let it go', async () => {
  const rig = rigWith(2);
  const [fast, slow] = rig.brakes;
  const publisher = new Gate();
  publish(rig, publisher, rig.brakes);
  fast!.release();
  await turn();
  assert.equal(publisher.isPaused, true, 'the slower one still holds it');
  slow!.release();
  await turn();
  assert.equal(publisher.isPaused, false);
  publish(rig, publisher, [slow!]);
  assert.equal(publisher.isPaused, true, 'and may do so again');
});

test('a publisher that is held anew before it was woken is not woken', async () => {
  const rig = rigWith(1);
  const publisher = new Gate();
  publish(rig, publisher, rig.brakes);
  rig.brakes[0]!.release();
  publish(rig, publisher, rig.brakes);
  await turn();
  assert.equal(publisher.isPaused, true);
});

test('whatever queues do, a publisher is held exactly while one of them holds it, and nobody is held for ever', async () => {
  const action = fc.record({
    what: fc.constantFrom('publish', 'publish', 'release', 'recover', 'tick'),
    publisher: fc.nat(2),
    brakes: fc.uniqueArray(fc.nat(3), { minLength: 1 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
      const rig = rigWith(4);
      const publishers = [new Gate(), new Gate(), new Gate()];
      const holds = rig.brakes.map(() => new Set<Gate>());
      let now = performance.now();
      for (const { what, publisher, brakes } of actions) {
        const gate = publishers[publisher]!;
        if (what === 'publish') {
          // Who is held is not read from.
          if (gate.isPaused) continue;
          for (const i of brakes) if (!rig.brakes[i]!.isSpent) holds[i]!.add(gate);
          publish(
            rig,
            gate,
            brakes.map((i) => rig.brakes[i]!),
          );
        } else if (what === 'tick') {
          now += 400;
          rig.wheel.advance(now);
          for (const held of holds) held.clear();
        } else {
          for (const i of brakes) {
            rig.brakes[i]![what]();
            holds[i]!.clear();
          }
        }
        await turn();
        for (const one of publishers) {
          const isHeld = holds.some((held) => held.has(one));
          assert.equal(one.isPaused, isHeld);
        }
      }
      rig.wheel.advance(now + 10_000);
      await turn();
      assert.deepEqual(
        publishers.map(({ isPaused }) => isPaused),
        [false, false, false],
      );
      assert.equal(rig.wheel.size, 0);
    }),
    { numRuns: 200 },
  );
});
