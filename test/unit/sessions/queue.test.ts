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

test('a queue of any length is in order, and finds what the store knows by number', () => {
  const messages = Array.from({ length: 7 }, (_, i) => routing.message(`t/${i}`));
  const none = Buffer.alloc(0);
  const step = fc.record({ isPush: fc.boolean(), times: fc.oneof(fc.nat(20), fc.nat(700)), extras: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const queue = new MessageQueue(kept);
      const model: { message: Message; flags: number; extra: Buffer; seq: number }[] = [];
      let made = 0;
      for (const { isPush, times, extras } of steps) {
        for (let i = 0; isPush && i < times; i++) {
          made += 1;
          // Some are not in the store, and some have additions.
          const seq = made % 5 === 0 ? 0 : made;
          const extra = made % 4 < extras ? Buffer.from([made % 251]) : none;
          const item = { message: messages[made % 7]!, flags: made % 16, extra, seq };
          queue.push(item.message, item.flags, extra, seq);
          model.push(item);
        }
        for (let i = 0; !isPush && i < times && model.length > 0; i++) {
          assert.equal(queue.peek(), model.shift()!.message);
          queue.shift();
        }
        assert.equal(queue.length, model.length);
        model.forEach(({ message, flags, extra, seq }, i) => {
          const isSame =
            queue.messageAt(i) === message &&
            queue.flagsAt(i) === flags &&
            queue.extraAt(i).equals(extra) &&
            queue.seqAt(i) === seq &&
            (seq === 0 || queue.indexOf(seq) === i);
          assert.ok(isSame, `place ${i} of ${model.length}`);
        });
        assert.deepEqual([queue.indexOf(made + 1), queue.indexOf(0.5)], [-1, -1]);
        if (model.length === 0) continue;
        const { flags, extra, seq } = model[0]!;
        assert.deepEqual([queue.peekFlags(), queue.peekExtra(), queue.peekSeq()], [flags, extra, seq]);
      }
      queue.clear();
      assert.deepEqual([queue.length, queue.bytes, kept.count], [0, 0, 0]);
    }),
    { numRuns: 60 },
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
