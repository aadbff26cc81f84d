import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { memoryPair } from '../../../src/net/memory.ts';
import { Recorder } from './recorder.ts';

test('a pair that lies and cuts still carries every byte once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 20 }),
      fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
      async (parts, numbers) => {
        const [near, far] = memoryPair({ refuse: 0.5, longestChunk: 7, random: () => numbers.next().value });
        const [nearSide, farSide] = [new Recorder(near), new Recorder(far)];
        let refused = false;
        for (const part of parts) refused = !near.write(Buffer.from(part)) || refused;
        const all = Buffer.concat(parts);
        await farSide.untilReceived(all.length);
        assert.ok(farSide.bytes().equals(all));
        if (refused) await nearSide.until(() => nearSide.writables > 0);
      },
    ),
    { numRuns: 50 },
  );
});

test('memory that write() took with true may be used again at once', async () => {
  const [near, far] = memoryPair();
  new Recorder(near);
  const farSide = new Recorder(far);
  const scratch = Buffer.from('first');
  assert.equal(near.write(scratch), true);
  scratch.write('XXXXX');
  await farSide.untilReceived(5);
  assert.equal(farSide.bytes().toString(), 'first');
});
