import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Message } from '../../../src/broker/routing/message.ts';
import { Subscription } from '../../../src/broker/routing/subscription.ts';
import { TopicTable } from '../../../src/broker/routing/topics.ts';
import { Replays } from '../../../src/broker/sessions/replay.ts';
import { sourceOf } from '../../support/builders.ts';

const topics = new TopicTable();
const message = Message.made(topics.internName('a'), Buffer.from('x'), 0, true, {}, null, 0);

test('a filter that is subscribed to again takes the place of its unfinished replay', () => {
  const got: string[] = [];
  const target = {
    hasRoom: false,
    isOnline: true,
    isStored: false,
    replayed: () => undefined,
    hasPlaceFor: () => true,
    deliver: () => true,
    deliverRetained: (_: Message, { filter, qos }: Subscription) => void got.push(`${filter} ${qos}`),
  };
  const replays = new Replays(target);
  const subscribe = (filter: string, qos: number): void =>
    replays.add(new Subscription(target, filter, null, qos, false, false, []), sourceOf([message]), () => true);
  for (let i = 0; i < 1000; i++) subscribe('a', i % 2);
  subscribe('b', 0);
  subscribe('a', 2);
  assert.equal(replays.length, 2);
  target.hasRoom = true;
  replays.advance();
  assert.deepEqual(got, ['b 0', 'a 2']);
  assert.equal(replays.length, 0);
});

/** Lets the promises that are settled by now have their say. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A target and a source of one topic whose message a test replaces, with a plugin that a test answers for. */
function slowly(): {
  replays: Replays;
  target: { hasRoom: boolean };
  got: string[];
  kept: { message: Message | null };
  answer: (isAccepted: boolean) => Promise<void>;
  questions: () => number;
} {
  const got: string[] = [];
  const kept: { message: Message | null } = { message: retained('1') };
  const target = {
    hasRoom: true,
    isOnline: true,
    isStored: false,
    replayed: () => undefined,
    hasPlaceFor: () => true,
    deliver: () => true,
    deliverRetained: ({ payloadBuffer }: Message) => void got.push(payloadBuffer.toString()),
  };
  const replays = new Replays(target);
  const source = { match: () => [kept.message].values(), get: () => kept.message };
  const waiting: ((isAccepted: boolean) => void)[] = [];
  let questions = 0;
  replays.add(new Subscription(target, 'a', null, 0, false, false, []), source, () => {
    questions += 1;
    return new Promise((resolve) => waiting.push(resolve));
  });
  replays.advance();
  const answer = (isAccepted: boolean): Promise<void> => {
    waiting.shift()!(isAccepted);
    return settled();
  };
  return { replays, target, got, kept, answer, questions: () => questions };
}

function retained(payload: string): Message {
  return Message.made(topics.internName('a'), Buffer.from(payload), 0, true, {}, null, 0);
}

test('a message that is replaced while a plugin decides is not sent behind the newer one', async () => {
  const { replays, got, kept, answer } = slowly();
  kept.message = retained('2');
  await answer(true);
  assert.deepEqual(got, [], 'the newer one is asked about first');
  await answer(true);
  assert.deepEqual(got, ['2']);
  assert.equal(replays.length, 0);
});

test('a message that is removed while a plugin decides is not sent', async () => {
  const { replays, got, kept, answer } = slowly();
  kept.message = null;
  await answer(true);
  assert.deepEqual(got, []);
  assert.equal(replays.length, 0);
});

test('a message that a plugin lets through when the client has gone waits for it', async () => {
  const { replays, target, got, answer } = slowly();
  target.hasRoom = false;
  await answer(true);
  assert.deepEqual([got, replays.length], [[], 1]);
  target.hasRoom = true;
  replays.advance();
  await answer(true);
  assert.deepEqual(got, ['1']);
});

test('a message that is replaced faster than plugins answer does not hold up those behind it', async () => {
  const { replays, kept, answer, questions } = slowly();
  for (let i = 2; replays.length > 0 && i < 100; i++) {
    kept.message = retained(String(i));
    await answer(true);
  }
  assert.equal(replays.length, 0);
  assert.equal(questions(), 8);
});
