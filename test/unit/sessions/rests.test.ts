// A session that rests: it has moved as many messages as it may in one turn, and goes on in the next.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AWAIT_PUBACK, AWAIT_PUBREC } from '../../../src/flow/outbound.ts';
import { PUBREL } from '../../../src/protocol/constants.ts';
import { SessionRig } from '../../support/builders.ts';
import { turn } from '../../support/memory-client.ts';

const UNBOUNDED = { maxInflightMessages: 65_535, maxQueuedMessages: Number.POSITIVE_INFINITY };
const MANY = 1200;

function giveMany(rig: SessionRig, count: number, qos: number): void {
  for (let i = 0; i < count; i++) rig.give(String(i), { qos });
}

function acknowledge({ session }: SessionRig, id: number): void {
  session.finish(id, AWAIT_PUBACK);
}

/** Everything that the client gets from now on, turn by turn until nothing waits. */
async function everything(rig: SessionRig): Promise<string[]> {
  const got = rig.payloads();
  for (let i = 0; i < 10; i++) {
    await turn();
    got.push(...rig.payloads());
  }
  return got;
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

test('a new message does not overtake the queue of a session that rests [MQTT-4.6.0-5]', async () => {
  for (const qos of [1, 2]) {
    const rig = new SessionRig(UNBOUNDED);
    giveMany(rig, MANY, qos);
    rig.attach();
    assert.ok(rig.session.queue.length > 0 && rig.session.window.hasRoom, 'the rest waits for its turn only');
    rig.give('new', { qos });
    assert.deepEqual(await everything(rig), [...numbers(MANY), 'new']);
  }
});

test('a new message does not overtake those that a resting session still has to send again [MQTT-4.6.0-1]', async () => {
  for (const qos of [1, 2]) {
    const rig = new SessionRig(UNBOUNDED);
    rig.attach();
    giveMany(rig, MANY, qos);
    rig.detach();
    rig.attach();
    rig.give('new', { qos });
    assert.deepEqual(await everything(rig), [...numbers(MANY), 'new']);
  }
});

test('nor does the queue overtake what is to be sent again, and an acknowledgement does not cut the rest short', async () => {
  const rig = new SessionRig({ ...UNBOUNDED, queueQos0Messages: true });
  rig.attach();
  giveMany(rig, MANY, 1);
  rig.detach();
  rig.give('zero');
  rig.give('one', { qos: 1 });
  rig.attach();
  const first = rig.payloads();
  assert.ok(first.length < MANY);
  acknowledge(rig, 1);
  assert.deepEqual(rig.payloads(), [], 'it rests');
  assert.deepEqual([...first, ...(await everything(rig))], [...numbers(MANY), 'zero', 'one']);
});

test('queued QoS 0 waits while a smaller receive maximum keeps older messages from being sent again', () => {
  const rig = new SessionRig({ queueQos0Messages: true });
  rig.attach();
  giveMany(rig, 3, 1);
  rig.detach();
  rig.give('zero');
  rig.attach({ receiveMaximum: 2 });
  assert.deepEqual(rig.payloads(), ['0', '1']);
  acknowledge(rig, 1);
  assert.deepEqual(rig.payloads(), ['2', 'zero']);
});

test('a connection that ends while its session rests does not keep the next one from its messages', async () => {
  const rig = new SessionRig(UNBOUNDED);
  giveMany(rig, MANY, 1);
  rig.attach();
  rig.detach();
  rig.attach();
  assert.deepEqual(await everything(rig), numbers(MANY));
  rig.detach();
  rig.session.clear();
  await turn();
  assert.deepEqual([rig.host.kept.count, rig.host.kept.bytes], [0, 0]);
});

test('what was acknowledged meanwhile is not sent again: no PUBLISH after its PUBREL [MQTT-4.3.3-6]', async () => {
  const rig = new SessionRig(UNBOUNDED);
  rig.attach();
  giveMany(rig, MANY, 2);
  rig.detach();
  rig.attach();
  rig.session.window.acknowledge(MANY, AWAIT_PUBREC);
  rig.session.refused(MANY - 1);
  assert.deepEqual(await everything(rig), numbers(MANY - 2));
  rig.detach();
  rig.attach();
  assert.deepEqual(
    rig
      .received()
      .filter(({ type }) => type === PUBREL)
      .map(({ id }) => id),
    [MANY],
  );
});
