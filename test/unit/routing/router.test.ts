import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Remembering, Routing, subscriptionTo } from '../../support/builders.ts';

test('every matching subscription gets a message, and the number of them is told', () => {
  const routing = new Routing();
  const one = new Remembering();
  const two = new Remembering();
  routing.subscribe(one, 'a/#');
  routing.subscribe(one, 'a/+');
  routing.subscribe(two, 'b');
  routing.subscribe(two, '$share/g/a/b');
  assert.equal(routing.router.publish(routing.message('a/b', { payload: 'm' })), 3);
  assert.equal(routing.router.publish(routing.message('c')), 0);
  assert.deepEqual([one.got, two.got], [['m', 'm'], ['m']]);
});

test('without duplicates, overlapping subscriptions give one copy with the highest QoS and all identifiers', () => {
  const routing = new Routing();
  routing.router.mergesOverlapping = true;
  const subscriber = new Remembering();
  routing.subscribe(subscriber, 'a/#', { qos: 1, noLocal: true, identifiers: [1] });
  routing.subscribe(subscriber, 'a/b', { qos: 0, retainAsPublished: true, identifiers: [2] });
  routing.subscribe(new Remembering(), 'a/b', { qos: 2 });
  assert.equal(routing.router.publish(routing.message('a/b')), 2);
  const [merged] = subscriber.subscriptions;
  assert.equal(subscriber.subscriptions.length, 1);
  assert.deepEqual(
    [merged?.qos, merged?.noLocal, merged?.retainAsPublished, [...(merged?.identifiers ?? [])].sort()],
    [1, false, true, [1, 2]],
  );
  assert.match(merged?.extra.toString('hex') ?? '', /^(0b010b02|0b020b01)$/);
});

test('a retained message is kept, then delivered; without payload it clears, but only with the flag', () => {
  const routing = new Routing();
  const subscriber = new Remembering();
  routing.subscribe(subscriber, '#');
  routing.router.publish(routing.message('a', { payload: 'kept', retain: true }));
  routing.router.publish(routing.message('a', { payload: '' }));
  assert.equal(routing.retained.get('a')?.payloadBuffer.toString(), 'kept');
  routing.router.publish(routing.message('a', { payload: '', retain: true }));
  assert.equal(routing.retained.get('a'), null);
  assert.deepEqual(subscriber.got, ['kept', '', '']);
});

test('members of a group take turns', () => {
  const routing = new Routing();
  const members = [new Remembering(), new Remembering(), new Remembering()];
  const subscriptions = members.map((member) => routing.subscribe(member, '$share/g/t'));
  const publish = (...payloads: string[]): void => {
    for (const payload of payloads) routing.router.publish(routing.message('t', { payload }));
  };
  const got = (): string[] => members.map((member) => member.got.splice(0).join(''));
  publish('1', '2', '3', '4');
  assert.deepEqual(got(), ['14', '2', '3']);
  routing.trie.remove(subscriptions[0]!);
  publish('5', '6', '7');
  assert.deepEqual(got(), ['', '57', '6']);
  // The same member with other options keeps its place.
  const again = subscriptionTo(members[1]!, '$share/g/t', { qos: 1 });
  routing.trie.add(again, subscriptions[1]!);
  publish('8', '9');
  assert.deepEqual(got(), ['', '9', '8']);
});

test('members that are away or refuse are passed over; if all are away, their sessions keep the messages', () => {
  const routing = new Routing();
  const members = [new Remembering(), new Remembering(), new Remembering()];
  for (const member of members) routing.subscribe(member, '$share/g/t');
  members[0]!.isOnline = false;
  members[1]!.takes = false;
  for (const payload of ['1', '2']) routing.router.publish(routing.message('t', { payload }));
  assert.deepEqual(
    members.map(({ got }) => got.join('')),
    ['', '', '12'],
  );
  members[2]!.isOnline = false;
  for (const payload of ['3', '4']) routing.router.publish(routing.message('t', { payload }));
  assert.deepEqual(
    members.map(({ got }) => got.join('')),
    ['3', '', '124'],
  );
});

test('of a group, who has a place for a message gets it, and one without it only where nobody has', () => {
  const routing = new Routing();
  const members = [new Remembering(), new Remembering(), new Remembering()];
  for (const member of members) routing.subscribe(member, '$share/g/t');
  const got = (payload: string): string => {
    routing.router.publish(routing.message('t', { payload }));
    return members.map((member) => member.got.splice(0).length).join('');
  };
  members[0]!.hasPlace = false;
  members[2]!.isOnline = false;
  assert.deepEqual([got('1'), got('2')], ['010', '010']);
  // A session that keeps it is better than a client for which it is dropped.
  members[1]!.hasPlace = false;
  assert.deepEqual([got('3'), got('4')], ['001', '001']);
  members[2]!.hasPlace = false;
  assert.deepEqual([got('5'), got('6'), got('7')], ['100', '010', '100']);
  members[0]!.isOnline = false;
  members[1]!.takes = false;
  assert.deepEqual([got('8'), got('9')], ['001', '100']);
});

test('a topic that an alias or a plugin holds on to finds new subscriptions after it left the table', () => {
  const routing = new Routing();
  const held = routing.topics.internName('held');
  const message = routing.message('held');
  routing.router.publish(message);
  for (let i = 0; held.isInterned; i++) routing.topics.internName(`x/${i}`);
  const subscriber = new Remembering();
  routing.subscribe(subscriber, 'held');
  assert.equal(routing.router.publish(message), 1);
  assert.equal(held.plan, null);
});
