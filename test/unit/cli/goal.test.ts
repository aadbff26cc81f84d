import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { goalFor } from '../../../src/cli/commands/goal.ts';
import { UsageError } from '../../../src/cli/messages.ts';
import { received } from './messages.ts';

type Options = Parameters<typeof goalFor>[0];

/** What comes of some messages and an end with a code. */
async function outcome(options: Partial<Options>, payloads: readonly string[], code: number, isComplete = false) {
  const goal = await goalFor({ count: null, expect: null, until: null, timeout: 5, ...options }, () => undefined);
  const at = payloads.findIndex((payload) => goal.reached(received({ payload: Buffer.from(payload) })));
  const { code: exit, sentence } = goal.verdict(code, isComplete);
  return [at, exit, sentence];
}

const three = { count: 3, exactly: false };
const exactlyTwo = { count: 2, exactly: true };
const none = { count: 0, exactly: true };

describe('what mqtt-sub waits for', () => {
  it('is a number of messages', async () => {
    assert.deepEqual(await outcome({ count: 2 }, ['a', 'b', 'c'], 0), [1, 0, null]);
    assert.deepEqual(await outcome({}, ['a', 'b'], 27), [-1, 27, null]);
  });

  it('is an expected number of messages', async () => {
    const few = 'Expected 3 messages, got 2.';
    assert.deepEqual(await outcome({ expect: three }, ['a', 'b', 'c'], 0), [2, 0, null]);
    assert.deepEqual(await outcome({ expect: three }, ['a', 'b'], 27), [-1, 27, few]);
    assert.deepEqual(await outcome({ expect: three }, ['a', 'b'], 0), [-1, 1, few], 'Ctrl-C');
  });

  it('is an exact number of messages', async () => {
    assert.deepEqual(await outcome({ expect: exactlyTwo }, ['a', 'b'], 27), [-1, 0, null]);
    assert.deepEqual(await outcome({ expect: exactlyTwo }, ['a'], 27), [-1, 27, 'Expected 2 messages, got 1.']);
    assert.deepEqual(await outcome({ expect: exactlyTwo }, ['a', 'b', 'c'], 0), [2, 1, 'Expected 2 messages, got 3.']);
    assert.deepEqual(await outcome({ expect: exactlyTwo }, ['a', 'b'], 0), [
      -1,
      1,
      'Expected 2 messages, got 2. The time of -W was not over.',
    ]);
    assert.deepEqual(await outcome({ expect: exactlyTwo }, ['a', 'b'], 0, true), [-1, 0, null], '--retained-only');
    assert.deepEqual(await outcome({ expect: exactlyTwo }, ['a'], 0, true), [-1, 1, 'Expected 2 messages, got 1.']);
    assert.deepEqual(await outcome({ expect: none }, [], 27), [-1, 0, null]);
    assert.deepEqual(await outcome({ expect: none }, ['a'], 0), [0, 1, 'Expected 0 messages, got 1.']);
    assert.deepEqual(await outcome({ expect: { count: 1, exactly: true } }, [], 27), [
      -1,
      27,
      'Expected 1 message, got 0.',
    ]);
    await assert.rejects(outcome({ expect: none, timeout: null }, [], 0), UsageError);
  });

  it('is a condition, or a number of messages after which it gives up', async () => {
    const sentence = 'No message fulfilled the condition of --until.';
    assert.deepEqual(await outcome({ until: 'payload == "on"' }, ['off', 'on', 'x'], 0), [1, 0, null]);
    assert.deepEqual(await outcome({ until: '/on/', count: 2 }, ['off', 'on'], 0), [1, 0, null]);
    assert.deepEqual(await outcome({ until: '/on/', count: 2 }, ['off', 'x', 'on'], 0), [1, 1, sentence]);
    assert.deepEqual(await outcome({ until: '/on/' }, ['off'], 27), [-1, 27, sentence]);
    await assert.rejects(outcome({ until: '/on' }, [], 0), UsageError);
  });
});
