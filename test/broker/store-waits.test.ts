// What plugins and the log hear while a broker waits for its disk. What clients see stands in test/wire/cases/waits.wire and
// disk-fails.wire.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { MemoryClient } from '../support/memory-client.ts';
import { Disk } from '../support/wire-disk.ts';
import { open, type Rig, scratch, until } from './harness.ts';

/** A client whose session lasts. */
const LASTS = { cleanStart: false } as const;

/** A broker with a store on a disk of the test's own, and what a plugin heard of its clients. */
async function openOnDisk(context: TestContext): Promise<Rig & { readonly disk: Disk; readonly heard: string[] }> {
  const disk = new Disk();
  const heard: string[] = [];
  const stop = disk.use();
  context.after(() => {
    disk.mend();
    disk.release();
  });
  const plugin = {
    name: 'ear',
    connected: ({ clientId }: { readonly clientId: string }) => void heard.push(`${clientId} came`),
    disconnected: ({ clientId }: { readonly clientId: string }) => void heard.push(`${clientId} went`),
  };
  const global = { persistence: true, persistenceSync: 'off', persistenceLocation: scratch(context) } as const;
  const rig = await open(context, { global }, { plugins: [plugin] });
  stop();
  return { ...rig, disk, heard };
}

test('a plugin hears of a client when it is let in, and of its end only if it was', async (context) => {
  const { broker, disk, heard, log } = await openOnDisk(context);
  disk.hold();
  const one = new MemoryClient(broker, 'one', LASTS);
  await log.seen(/New client connected from \S+ as one /);
  one.drop();
  await log.seen(/Client one \S+ disconnected/);
  const two = new MemoryClient(broker, 'two', LASTS);
  await log.seen(/New client connected from \S+ as two /);
  assert.deepEqual(heard, []);
  disk.release();
  await until(() => heard.length > 0, 'the second is let in');
  two.drop();
  await until(() => heard.length > 1, 'the second goes');
  assert.deepEqual(heard, ['two came', 'two went']);
});

test('a disk that fails is told of once, and once that it works again', async (context) => {
  const { broker, disk, log } = await openOnDisk(context);
  disk.fail('ENOSPC');
  const client = new MemoryClient(broker, 'publisher');
  client.publish('t', 'x', 1, 1, true);
  await log.seen("can't be written");
  for (let attempt = 0; attempt < 5; attempt++) {
    disk.attempt();
    await disk.quiet();
  }
  client.ping();
  await until(() => client.pongs === 1, 'PINGRESP');
  assert.equal(client.pubacks, 0);
  disk.mend();
  await until(() => client.pubacks === 1, 'PUBACK');
  await log.seen('can be written again');
  assert.equal(log.count("can't be written"), 1);
  assert.equal(log.count('can be written again'), 1);
  disk.fail('EIO');
  client.publish('t', 'y', 1, 2, true);
  await until(() => log.count("can't be written") === 2, 'the next failure is told of');
  assert.match(log.text, /^.*Error: The store \S+ can't be written: ENOSPC: .*$/m);
});

test('a broker that stops before all is written says so', async (context) => {
  const { broker, disk, log } = await openOnDisk(context);
  disk.fail('EIO');
  const client = new MemoryClient(broker, 'publisher');
  client.publish('t', 'x', 1, 1, true);
  await log.seen("can't be written");
  await broker.stop();
  await log.seen('The store could not be written at the end');
  assert.equal(client.pubacks, 0);
});

test('a broker that stops writes what its disk holds back, and then says nothing', async (context) => {
  const { broker, disk, log } = await openOnDisk(context);
  disk.hold();
  const client = new MemoryClient(broker, 'publisher');
  client.publish('t', 'x', 1, 1, true);
  client.ping();
  await until(() => client.pongs === 1, 'PINGRESP');
  const stopped = broker.stop();
  disk.release();
  await stopped;
  assert.equal(log.count('could not be written'), 0);
});
