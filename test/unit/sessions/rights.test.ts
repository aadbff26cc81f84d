// Messages that wait while their client loses the right to read them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AWAIT_PUBREC } from '../../../src/flow/outbound.ts';
import { PUBREL } from '../../../src/protocol/constants.ts';
import { SessionRig } from '../../support/builders.ts';

/** Takes the right to read one topic away, as a reload of the rules does. */
function revoke({ session }: SessionRig, secret = 'secret'): void {
  session.mayRead = (topic) => topic !== secret;
  session.rightsChanged();
}

test('what waits for a client that is away is not given out when it may not read it any more [CVE-2021-34434]', () => {
  const rig = new SessionRig({ queueQos0Messages: true });
  for (const qos of [0, 1, 2]) {
    for (const topic of ['open', 'secret']) rig.give(`${topic} ${qos}`, { topic, qos });
  }
  revoke(rig);
  rig.give('later', { topic: 'open', qos: 1 });
  rig.attach();
  assert.deepEqual(rig.payloads(), ['open 0', 'open 1', 'open 2', 'later']);
  assert.equal(rig.metric('publishDropped'), 3);
  rig.session.clear();
  assert.equal(rig.host.kept.count, 0);
});

test('nor what waits for a place in the window, or for a client that does not read', () => {
  const rig = new SessionRig({ maxInflightMessages: 1 });
  rig.attach();
  for (const topic of ['open', 'secret', 'open']) rig.give(topic, { topic, qos: 1 });
  revoke(rig);
  rig.session.refused(1);
  assert.deepEqual(rig.payloads(), ['open', 'open']);

  const slow = new SessionRig();
  slow.attach();
  slow.transport.isStuck = true;
  slow.give('x'.repeat(100_000), { topic: 'open' });
  slow.received();
  for (const topic of ['secret', 'open', 'secret']) slow.give(topic, { topic });
  assert.equal(slow.session.late.length, 3);
  revoke(slow);
  slow.transport.drain();
  assert.deepEqual(slow.payloads(), ['open']);
});

test('what was in flight is not sent again to a client that may not read it any more', () => {
  const rig = new SessionRig();
  rig.attach();
  for (const topic of ['secret', 'open', 'secret']) rig.give(topic, { topic, qos: 2 });
  rig.session.window.acknowledge(3, AWAIT_PUBREC);
  rig.detach();
  revoke(rig);
  rig.attach();
  assert.deepEqual(
    rig.received().map(({ type, id, payload }) => [type, id, payload]),
    [
      [PUBREL, 3, ''],
      [3, 2, 'open'],
    ],
  );
  assert.deepEqual([rig.session.window.inFlight, rig.host.kept.count], [2, 2]);
});

test('the right counts for the name behind the mount point, which the client does not see', () => {
  const rig = new SessionRig();
  rig.session.mountPoint = 'house/';
  rig.give('gone', { topic: 'house/secret', qos: 1 });
  rig.give('here', { topic: 'house/open', qos: 1 });
  revoke(rig, 'house/secret');
  rig.attach();
  assert.deepEqual(rig.payloads(), ['here']);
});

test('only what waited then is asked about again', () => {
  const rig = new SessionRig({ maxInflightMessages: 1 });
  const asked: string[] = [];
  for (const topic of ['a', 'b']) rig.give(topic, { topic, qos: 1 });
  rig.session.mayRead = (topic) => {
    asked.push(topic);
    return true;
  };
  rig.session.rightsChanged();
  rig.give('c', { topic: 'c', qos: 1 });
  assert.deepEqual(asked.splice(0), ['c']);
  rig.attach();
  for (const id of [1, 2, 3]) rig.session.refused(id);
  assert.deepEqual(rig.payloads(), ['a', 'b', 'c']);
  assert.deepEqual(asked, ['a', 'b']);
});
