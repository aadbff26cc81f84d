// What must not get past the store: answers of plugins that come late, and messages when nothing more may wait for a disk that
// fails.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ALLOW, type Decision, WRITE } from '../../src/broker/hooks/points.ts';
import { PINGRESP, PUBREC } from '../../src/protocol/constants.ts';
import { MemoryClient } from '../support/memory-client.ts';
import { Disk } from '../support/wire-disk.ts';
import { open, scratch, until } from './harness.ts';

const LASTS = { cleanStart: false } as const;

const settings = (context: TestContext) =>
  ({ persistence: true, persistenceSync: 'off', persistenceLocation: scratch(context) }) as const;

test('a QoS 2 message that comes again while a plugin thinks about it is answered once, when that is settled', async (context) => {
  let decide: ((decision: Decision) => void) | null = null;
  const slow = {
    name: 'slow',
    authorize: ({ clientId }: { readonly clientId: string }, access: number) =>
      clientId === 'a' && access === WRITE
        ? new Promise<Decision>((resolve) => {
            decide = resolve;
          })
        : ALLOW,
  };
  const { broker, log } = await open(context, { global: settings(context) }, { plugins: [slow] });
  const got: string[] = [];
  const reader = new MemoryClient(broker, 'reader', { ...LASTS, onPublish: ({ payload }) => void got.push(payload) });
  reader.subscribe(['t'], 1);
  await log.seen('Sending SUBACK to reader');
  const first = new MemoryClient(broker, 'a', LASTS);
  first.publish('t', 'on', 2, 1);
  await until(() => decide !== null, 'the plugin is asked');
  first.drop();
  await log.seen(/Client a \S+ disconnected/);
  const second = new MemoryClient(broker, 'a', LASTS);
  second.publish('t', 'on', 2, 1);
  second.ping();
  await until(() => second.counts[PINGRESP] === 1, 'PINGRESP');
  assert.equal(second.counts[PUBREC], 0);
  const answer: (decision: Decision) => void = decide!;
  answer(ALLOW);
  await until(() => second.counts[PUBREC] === 1 && got.length === 1, 'the message and PUBREC');
  assert.deepEqual(got, ['on']);
});

test('when as much waits for a failing disk as may, further messages are turned down, not kept', async (context) => {
  const disk = new Disk();
  const stop = disk.use();
  const { broker, log } = await open(context, { global: settings(context) });
  stop();
  context.after(() => {
    disk.mend();
    disk.release();
  });
  const away = new MemoryClient(broker, 'away', LASTS);
  away.subscribe(['big'], 1);
  await log.seen('Sending SUBACK to away');
  away.drop();
  await log.seen(/Client away \S+ disconnected/);
  disk.fail('ENOSPC');
  const payload = Buffer.alloc(1_500_000, 'x');
  const probe = new MemoryClient(broker, 'probe');
  let sent = 0;
  for (let closed = false; !closed; sent++) {
    assert.ok(sent < 60, `${sent} messages of 1.5 MB wait`);
    const client = new MemoryClient(broker, `p${sent}`);
    client.publish('big', payload, 1, 1);
    await log.seen(`Received PUBLISH from p${sent} `);
    // What the broker did with it is settled when somebody else has been served since.
    probe.ping();
    await until(() => probe.pongs === sent + 1, 'PINGRESP');
    closed = client.isOver;
  }
  assert.ok(sent > 10, 'some wait');
});
