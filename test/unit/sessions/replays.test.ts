import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Message } from '../../../src/broker/routing/message.ts';
import { Subscription } from '../../../src/broker/routing/subscription.ts';
import { TopicTable } from '../../../src/broker/routing/topics.ts';
import { Replays } from '../../../src/broker/sessions/replay.ts';

const topics = new TopicTable();
const message = Message.made(topics.internName('a'), Buffer.from('x'), 0, true, {}, null, 0);

test('a filter that is subscribed to again takes the place of its unfinished replay', () => {
  const got: string[] = [];
  const target = {
    hasRoom: false,
    isOnline: true,
    deliver: () => true,
    deliverRetained: (_: Message, { filter, qos }: Subscription) => void got.push(`${filter} ${qos}`),
  };
  const replays = new Replays(target);
  const subscribe = (filter: string, qos: number): void =>
    replays.add(new Subscription(target, filter, null, qos, false, false, []), [message].values(), () => true);
  for (let i = 0; i < 1000; i++) subscribe('a', i % 2);
  subscribe('b', 0);
  subscribe('a', 2);
  assert.equal(replays.length, 2);
  target.hasRoom = true;
  replays.advance();
  assert.deepEqual(got, ['b 0', 'a 2']);
  assert.equal(replays.length, 0);
});
