// Rights that change while messages wait: what a client may not read any more does not come, whenever it was published.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { MemoryClient, type MemoryClientOptions, turn, turnUntil } from '../support/memory-client.ts';
import { type FileRig, openFile } from './harness.ts';

const ALL = 'topic open\ntopic secret\n';
const NOT_SECRET = 'topic open\n';

async function withRules(context: TestContext, acl: string): Promise<FileRig> {
  const lines = [
    `listener ${await freePort()} 127.0.0.1`,
    'allow_anonymous true',
    'acl_file FOLDER/acl',
    'max_inflight_messages 1',
  ];
  return openFile(context, lines, { acl });
}

interface Reader extends MemoryClient {
  readonly got: string[];
}

/** A client with a session that lasts. Its messages are acknowledged only by hand. */
async function join({ broker }: FileRig, fields: MemoryClientOptions = {}): Promise<Reader> {
  const got: string[] = [];
  const client = new MemoryClient(broker, 'reader', {
    acknowledges: false,
    cleanStart: false,
    onPublish: ({ topic, payload }) => got.push(`${topic} ${payload}`),
    ...fields,
  });
  await turnUntil(() => client.counts[2] === 1, 'it is in');
  return Object.assign(client, { got });
}

async function subscribed(rig: FileRig, fields: MemoryClientOptions = {}): Promise<Reader> {
  const reader = await join(rig, fields);
  reader.subscribe(['#'], 1);
  await turnUntil(() => reader.counts[9] === 1, 'it has subscribed');
  return reader;
}

async function gone(reader: Reader): Promise<void> {
  reader.drop();
  await turnUntil(() => reader.isOver, 'it is gone');
  for (let i = 0; i < 5; i++) await turn();
}

function publish({ broker }: FileRig): void {
  for (const [topic, payload] of [
    ['open', '1'],
    ['secret', '2'],
    ['open', '3'],
  ]) {
    broker.publish(topic!, payload!, { qos: 1 });
  }
}

async function takeAll(reader: Reader): Promise<string[]> {
  for (let i = 0; i < 50; i++) {
    await turn();
    reader.acknowledge(10);
  }
  return reader.got;
}

test('after a reload a connected client gets nothing from its queue that it may not read any more [CVE-2021-34434]', async (context) => {
  const rig = await withRules(context, ALL);
  const reader = await subscribed(rig);
  publish(rig);
  await turnUntil(() => reader.publishes === 1, 'the first is in flight');
  rig.write('acl', NOT_SECRET);
  await rig.reload();
  assert.deepEqual(await takeAll(reader), ['open 1', 'open 3']);
});

test('nor does one that was away meanwhile', async (context) => {
  const rig = await withRules(context, ALL);
  await gone(await subscribed(rig));
  publish(rig);
  rig.write('acl', NOT_SECRET);
  await rig.reload();
  const reader = await join(rig);
  assert.deepEqual(await takeAll(reader), ['open 1', 'open 3']);
  await gone(reader);
  publish(rig);
  rig.write('acl', ALL);
  await rig.reload();
  assert.deepEqual(await takeAll(await join(rig)), ['open 1', 'open 3'], 'it could not be read when it came');
});

test('who comes with the client id of another user gets of what waits what it may read itself', async (context) => {
  const rig = await withRules(context, `user ann\n${ALL}user bob\n${NOT_SECRET}`);
  const ann = await subscribed(rig, { username: 'ann' });
  rig.broker.publish('secret', '0', { qos: 1 });
  await turnUntil(() => ann.publishes === 1, 'the first is in flight');
  await gone(ann);
  publish(rig);
  assert.deepEqual(await takeAll(await join(rig, { username: 'bob' })), ['open 1', 'open 3']);
});
