// What a reload (SIGHUP) applies, to whom, and what it does with files that are bad.
import assert from 'node:assert/strict';
import { existsSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeHash } from '../../src/broker/plugins/hashes.ts';
import { freePort, freePorts } from '../support/free-port.ts';
import { type FileRig, join, nothingCame, openFile, refusal } from './harness.ts';

const hash = (password: string): Promise<string> => makeHash(Buffer.from(password), 'sha512');
const ann = { username: 'ann', password: 'secret' };
const bob = { username: 'bob', password: 'secret' };

async function withFiles(
  context: TestContext,
  files: Readonly<Record<string, string>>,
  more: readonly string[] = [],
): Promise<FileRig> {
  const lines = [
    `listener ${await freePort()} 127.0.0.1`,
    ...('passwd' in files ? ['password_file FOLDER/passwd'] : ['allow_anonymous true']),
    ...('acl' in files ? ['acl_file FOLDER/acl'] : []),
    ...more,
  ];
  return openFile(context, lines, files);
}

test('users that were added get in, removed ones and old passwords do not', async (context) => {
  const { port, write, reload } = await withFiles(context, { passwd: `ann:${await hash('secret')}\n` });
  assert.equal(await refusal(port, ann), 0);
  assert.equal(await refusal(port, bob), 0x87);
  write('passwd', `bob:${await hash('secret')}\n`);
  await reload();
  assert.equal(await refusal(port, ann), 0x87, 'a remembered login must not outlive its user');
  assert.equal(await refusal(port, bob), 0);
  write('passwd', `bob:${await hash('another')}\n`);
  await reload();
  assert.equal(await refusal(port, bob), 0x87);
  assert.equal(await refusal(port, { ...bob, password: 'another' }), 0);
});

test('a connected user who was taken out of the password file is told to go', async (context) => {
  const line = `bob:${await hash('secret')}\n`;
  const both = `ann:${await hash('secret')}\n${line}`;
  const { port, write, reload, log } = await withFiles(context, { passwd: both });
  const [gone, stays] = [await join(context, port, ann), await join(context, port, bob)];
  const told = new Promise((resolve) => gone.on('disconnect', (reason) => resolve(reason.code)));
  write('passwd', line);
  await reload();
  assert.equal(await told, 0x87);
  await nothingCame(stays);
  await log.seen("is disconnected: user 'ann' was removed or has another password.");
});

test('clients without a name are told to go when names are asked for', async (context) => {
  const port = await freePort();
  const listener = `listener ${port} 127.0.0.1`;
  const { reload } = await openFile(context, [listener, 'allow_anonymous true'], {
    passwd: `ann:${await hash('secret')}\n`,
  });
  const nobody = await join(context, port);
  const named = await join(context, port, ann);
  const told = new Promise((resolve) => nobody.on('disconnect', (reason) => resolve(reason.code)));
  await reload([listener, 'password_file FOLDER/passwd']);
  assert.equal(await told, 0x87);
  await nothingCame(named);
});

test('rights that are revoked end for those who are connected [CVE-2021-34434]', async (context) => {
  const { port, write, reload, log } = await withFiles(context, { acl: 'topic a/#\ntopic round/trip\n' });
  const reader = await join(context, port, { clientId: 'reader' });
  const writer = await join(context, port, { clientId: 'writer' });
  await reader.subscribe({ filter: 'a/b', qos: 1 });
  await writer.publish('a/b', 'one', { qos: 1 });
  assert.equal(await reader.inbox.text(), 'a/b one');
  write('acl', 'topic write a/#\ntopic round/trip\n');
  await reload();
  // The topic and its plan were used before: what was remembered of them is void.
  assert.equal((await writer.publish('a/b', 'two', { qos: 1 })).reason.code, 0);
  await nothingCame(reader);
  write('acl', 'topic read a/#\ntopic round/trip\n');
  await reload();
  assert.equal((await writer.publish('a/b', 'three', { qos: 1 })).reason.code, 0x87);
  await log.seen("Denied PUBLISH from writer (d0, q1, r0, m3, 'a/b', ... (5 bytes))");
  write('acl', 'topic a/#\n');
  await reload();
  await writer.publish('a/b', 'four', { qos: 1 });
  assert.equal(await reader.inbox.text(), 'a/b four');
});

test('an ACL file that is named for the first time holds for those who are connected, or away [CVE-2021-34434]', async (context) => {
  const port = await freePort();
  const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true'];
  const { write, reload } = await openFile(context, lines);
  const away = { clientId: 'away', cleanStart: false, properties: { sessionExpiryInterval: 100 } };
  const first = await join(context, port, away);
  await first.subscribe({ filter: 'a/b', qos: 1 });
  await first.end();
  const reader = await join(context, port, { clientId: 'reader' });
  const writer = await join(context, port, { clientId: 'writer' });
  await reader.subscribe({ filter: 'a/b', qos: 1 });
  await writer.publish('a/b', 'one', { qos: 1 });
  assert.equal(await reader.inbox.text(), 'a/b one');
  write('acl', 'topic write a/#\ntopic round/trip\n');
  await reload([...lines, 'acl_file FOLDER/acl']);
  await writer.publish('a/b', 'two', { qos: 1 });
  await nothingCame(reader);
  write('acl2', 'topic read a/#\ntopic round/trip\n');
  await reload([...lines, 'acl_file FOLDER/acl2']);
  assert.equal((await writer.publish('a/b', 'three', { qos: 1 })).reason.code, 0x87);
  const again = await join(context, port, away);
  assert.equal(again.info.sessionPresent, true);
  assert.equal(await again.inbox.text(), 'a/b one');
  await nothingCame(again);
  await reload(lines);
  await writer.publish('a/b', 'four', { qos: 1 });
  assert.equal(await reader.inbox.text(), 'a/b four');
});

test('a retained message of somebody who lost the right is not given out [CVE-2018-12546]', async (context) => {
  const { port, write, reload } = await withFiles(context, { acl: 'topic a/#\ntopic round/trip\n' });
  const writer = await join(context, port);
  await writer.publish('a/b', 'kept', { retain: true, qos: 1 });
  await writer.subscribe('a/b');
  assert.equal(await writer.inbox.text(), 'a/b kept');
  write('acl', 'topic read a/#\ntopic round/trip\n');
  await reload();
  const reader = await join(context, port);
  await reader.subscribe('a/b');
  await nothingCame(reader);
});

test('bad files keep the old state and are named with their line', async (context) => {
  const { port, write, reload, log, folder } = await withFiles(context, {
    passwd: `ann:${await hash('secret')}\n`,
    acl: 'user ann\ntopic a\n',
  });
  const stillHolds = async (): Promise<void> => {
    assert.equal(await refusal(port, { version: '3.1.1' }), 5);
    assert.equal(await refusal(port, bob), 0x87);
    const client = await join(context, port, { ...ann, clientId: 'ann' });
    assert.equal((await client.publish('a', 'x', { qos: 1 })).reason.code, 0x10);
    assert.equal((await client.publish('b', 'x', { qos: 1 })).reason.code, 0x87);
    await client.end();
  };
  write('passwd', 'bob:nonsense\n');
  await reload();
  await log.seen(`Error: Unable to decode line in password file "${folder}/passwd", line 1: the hash of user "bob"`);
  await stillHolds();
  rmSync(path.join(folder, 'passwd'));
  await reload();
  await log.seen(`Error: Unable to open password file "${folder}/passwd": No such file or directory`);
  await stillHolds();
  write('passwd', `ann:${await hash('secret')}\n`);
  write('acl', 'user ann\ntopic wrong b\n');
  await reload();
  await log.seen(`Error: Invalid topic access type "wrong" in acl_file "${folder}/acl", line 2`);
  await stillHolds();
  rmSync(path.join(folder, 'acl'));
  await reload();
  await log.seen(`Error: Unable to open acl_file "${folder}/acl": No such file or directory`);
  await stillHolds();
  await reload([`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'max_queued_message 10']);
  await log.seen(`Error: Unknown configuration variable 'max_queued_message'.`);
  await log.seen(`Error found at ${folder}/m.conf:4.`);
  await log.seen('Error: The configuration was not reloaded; the broker goes on with the one it has.');
  await stillHolds();
  await reload([`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'acl_file FOLDER/absent']);
  await log.seen(`Error: Unable to open acl_file "${folder}/absent": No such file or directory`);
  await stillHolds();
});

test('a configuration that can no longer be read leaves the rules in force [CVE-2017-7652]', async (context) => {
  const { port, reload, log, folder } = await withFiles(context, { passwd: `ann:${await hash('secret')}\n` });
  renameSync(path.join(folder, 'm.conf'), path.join(folder, 'moved'));
  await reload();
  await log.seen(`Error: Unable to open config file ${folder}/m.conf`);
  assert.equal(await refusal(port), 0x87);
  assert.equal(await refusal(port, ann), 0);
});

test('a log file that was moved away is opened anew, and may change its name', async (context) => {
  const { port, reload, log, folder } = await withFiles(context, {});
  await log.seen('running');
  renameSync(log.path, `${log.path}.1`);
  await reload();
  await refusal(port, { clientId: 'after' });
  await log.seen(' as after (');
  assert.equal(log.text.includes('starting'), false);
  // A second log_dest replaces the file of the first line.
  await reload([
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'log_dest none',
    `log_dest file ${folder}/other`,
  ]);
  await refusal(port, { clientId: 'elsewhere' });
  assert.equal(existsSync(`${folder}/other`), true);
  assert.equal(log.text.includes('elsewhere'), false);
});

test('listeners are added and removed; clients of a removed one are told', async (context) => {
  const [one, two] = (await freePorts(2)) as [number, number];
  const { broker, reload, log } = await openFile(context, [`listener ${one} 127.0.0.1`, 'allow_anonymous true']);
  const stays = await join(context, one);
  await reload([`listener ${one} 127.0.0.1`, `listener ${two} 127.0.0.1`, 'allow_anonymous true']);
  assert.deepEqual(broker.ports, [one, two]);
  await log.seen(`Opening ipv4 listen socket on port ${two}.`);
  const goes = await join(context, two, { clientId: 'goes' });
  const told = new Promise((resolve) => goes.on('disconnect', (reason) => resolve(reason.code)));
  await reload([`listener ${one} 127.0.0.1`, 'allow_anonymous true']);
  assert.deepEqual(broker.ports, [one]);
  assert.equal(await told, 0x98);
  await assert.rejects(join(context, two), { code: 'ECONNREFUSED' });
  await nothingCame(stays);
  // From one address to all of them: another listener on the same port.
  await reload([`listener ${one}`, 'allow_anonymous true']);
  assert.deepEqual(broker.ports, [one]);
  assert.equal(await refusal(one), 0);
});

test('a port that is taken costs that listener only, until the next reload', async (context) => {
  const [one, two] = (await freePorts(2)) as [number, number];
  const blocker = await openFile(context, [`listener ${two} 127.0.0.1`, 'allow_anonymous true']);
  const { broker, reload, log, write } = await openFile(context, [`listener ${one} 127.0.0.1`, 'allow_anonymous true']);
  write('acl', 'topic a\n');
  const lines = [
    `listener ${one} 127.0.0.1`,
    `listener ${two} 127.0.0.1`,
    'allow_anonymous true',
    'acl_file FOLDER/acl',
  ];
  await reload(lines);
  await log.seen(`Error: The listener on port ${two} can't be opened: `);
  assert.deepEqual(broker.ports, [one]);
  const client = await join(context, one);
  assert.equal((await client.publish('b', 'x', { qos: 1 })).reason.code, 0x87, 'the rest of the configuration holds');
  await blocker.broker.stop();
  await reload(lines);
  assert.deepEqual(broker.ports, [one, two]);
});

/** Lets a reload go on until it waits for the system. */
async function untilItWaits(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

test('a broker that is stopped while it reloads leaves no listener open', async (context) => {
  const [port, added] = await freePorts(2);
  const { reload, broker } = await openFile(context, [`listener ${port} 127.0.0.1`, 'allow_anonymous true']);
  const reloading = reload([`listener ${port} 127.0.0.1`, `listener ${added} 127.0.0.1`, 'allow_anonymous true']);
  await untilItWaits();
  await broker.stop();
  await reloading;
  await assert.rejects(join(context, added!), /ECONNREFUSED/);
});

test('what is remembered while a reload is under way does not outlive it', async (context) => {
  const [port, added] = await freePorts(2);
  const files = { old: 'topic a\ntopic round/trip\n', new: 'topic round/trip\n' };
  const lines = (acl: string): string[] => ['allow_anonymous true', `acl_file FOLDER/${acl}`];
  const { reload, broker } = await openFile(context, [`listener ${port} 127.0.0.1`, ...lines('old')], files);
  const reader = await join(context, port!);
  await reader.subscribe('a');
  const reloading = reload([`listener ${port} 127.0.0.1`, `listener ${added} 127.0.0.1`, ...lines('new')]);
  await untilItWaits();
  broker.publish('a', 'meanwhile');
  await reloading;
  broker.publish('a', 'afterwards');
  await reader.subscribe('round/trip');
  broker.publish('round/trip', 'done');
  const texts = [];
  for (let text = ''; text !== 'round/trip done'; texts.push(text)) text = await reader.inbox.text();
  assert.ok(!texts.includes('a afterwards'), texts.join());
});
