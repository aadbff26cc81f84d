// Rules that were changed while the broker was down hold for what it finds in its store.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { join } from './harness.ts';
import { storeRig } from './store-rig.ts';

test('CVE-2021-34434: a right to read that was taken away meanwhile is gone for a stored session and its messages', async (context) => {
  const rig = await storeRig(context);
  rig.configure('acl_file FOLDER/acl');
  const allow = (...rules: readonly string[]): void => writeFileSync(rig.at('acl'), `${rules.join('\n')}\n`);
  allow('topic kept/#');
  const first = await rig.run();
  await rig.fill('one');
  assert.equal((await first.stop()).code, 0);
  allow('topic write kept/#', 'topic end');
  const second = await rig.run();
  const publisher = await join(context, rig.port);
  await publisher.publish('kept/text', 'two', { qos: 1 });
  const keeper = await rig.resume();
  await publisher.publish('kept/text', 'three', { qos: 1 });
  await keeper.subscribe({ filter: 'end', qos: 1 });
  await publisher.publish('end', 'now', { qos: 1 });
  assert.equal(await keeper.inbox.text(), 'end now');
  assert.equal((await second.stop()).code, 0);
});

test('a stored retained message is judged by the rights of who published it, as they are now', async (context) => {
  const rig = await storeRig(context);
  rig.configure('acl_file FOLDER/acl');
  const allow = (...rules: readonly string[]): void => writeFileSync(rig.at('acl'), `${rules.join('\n')}\n`);
  allow('topic kept/#', 'topic end');
  const first = await rig.run();
  const publisher = await join(context, rig.port);
  await publisher.publish('kept/value', 'old', { qos: 1, retain: true });
  await publisher.end();
  assert.equal((await first.stop()).code, 0);
  for (const [rule, wanted] of [
    ['topic kept/#', 'kept/value old'],
    ['topic read kept/#', 'end now'],
  ] as const) {
    allow(rule, 'topic end');
    const broker = await rig.run();
    const reader = await join(context, rig.port);
    await reader.subscribe({ filter: 'kept/#', qos: 1 });
    await reader.subscribe({ filter: 'end', qos: 1 });
    await reader.publish('end', 'now', { qos: 1 });
    assert.equal(await reader.inbox.text(), wanted);
    await reader.end();
    assert.equal((await broker.stop()).code, 0);
  }
});
