import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Message } from '../../../src/broker/routing/message.ts';
import { MessageQueue } from '../../../src/broker/sessions/queue.ts';
import { Routing, SessionRig } from '../../support/builders.ts';

const routing = new Routing();
const { kept } = new SessionRig().host;

test('a queue gives back what it was given in that order, and knows its bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat({ max: 15 }), { freq: 3 }), { maxLength: 300 }), (steps) => {
      const queue = new MessageQueue(kept);
      const model: { message: Message; flags: number; extra: Buffer }[] = [];
      for (const flags of steps) {
        if (flags === null) {
          if (model.length === 0) continue;
          const first = model.shift()!;
          assert.equal(queue.peek(), first.message);
          assert.equal(queue.peekFlags(), first.flags);
          assert.equal(queue.peekExtra(), first.extra);
          queue.shift();
        } else {
          const item = {
            message: routing.message('t', { payload: 'x'.repeat(flags) }),
            flags,
            extra: Buffer.from([flags]),
          };
          queue.push(item.message, item.flags, item.extra, 0);
          model.push(item);
        }
        assert.deepEqual([queue.length, kept.count], [model.length, model.length]);
        assert.equal(
          queue.bytes,
          model.reduce((sum, { message }) => sum + message.size, 0),
        );
      }
      queue.clear();
      assert.deepEqual([queue.length, queue.bytes, kept.count, kept.bytes], [0, 0, 0, 0]);
    }),
    { numRuns: 100 },
  );
});

test('a queued message lets go of the chunk it came in', () => {
  const queue = new MessageQueue(kept);
  const message = routing.message('t');
  let owned = 0;
  message.own = () => {
    owned += 1;
  };
  queue.push(message, 0, Buffer.alloc(0), 0);
  assert.equal(owned, 1);
});
