// A spawned broker and its store: whose files they are, and what a start that fails, is ended or finds damage leaves behind.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { built, Program } from '../support/process.ts';
import { join, until } from './harness.ts';
import { type StoreRig, storeRig } from './store-rig.ts';

const asRoot = { skip: process.getuid?.() === 0 ? false : 'only root can become another user' };
const NOBODY = 65_534;

/** A rig whose store holds a session with messages, and no broker. */
async function filled(context: TestContext, ...texts: readonly string[]): Promise<StoreRig> {
  const rig = await storeRig(context);
  const broker = await rig.run();
  await rig.fill(...texts);
  assert.equal((await broker.stop()).code, 0);
  return rig;
}

/** What the durable session gets from a broker that is started for it. */
async function waiting(rig: StoreRig, count: number): Promise<string[]> {
  const broker = await rig.run();
  const keeper = await rig.resume();
  const texts: string[] = [];
  while (texts.length < count) texts.push(String((await keeper.inbox.next()).payload));
  await keeper.end();
  assert.equal((await broker.stop()).code, 0);
  return texts;
}

/** Damages the record that holds a text. */
function damage(file: string, text: string): void {
  const bytes = readFileSync(file);
  const at = bytes.indexOf(text);
  assert.ok(at > 0);
  bytes[at] = bytes[at]! ^ 0xff;
  writeFileSync(file, bytes);
}

test('CVE-2017-9868: the folder and the files of the store are their owner’s only, under any umask', async (context) => {
  const rig = await storeRig(context);
  const command = `umask 0; exec '${process.execPath}' '${built('mqtt-broker')}' -c '${rig.at('m.conf')}'`;
  const broker = new Program('/bin/sh', ['-c', command]);
  context.after(() => broker.stop());
  await broker.seen(/version \S+ running/, 'stderr');
  await rig.fill('secret');
  const mode = (name: string): string => (statSync(path.join(rig.store, name)).mode & 0o777).toString(8);
  assert.equal(mode(''), '700');
  const names = readdirSync(rig.store);
  assert.ok(names.includes('lock') && rig.segments.length > 0, names.join(' '));
  assert.deepEqual(
    names.map((name) => `${name} ${mode(name)}`),
    names.map((name) => `${name} 600`),
  );
  assert.equal((await broker.stop()).code, 0);
});

test('a second broker on the same store is refused with the pid of the first, which goes on', async (context) => {
  const rig = await storeRig(context);
  const first = await rig.run();
  await rig.fill('one');
  const before = rig.contents();
  const other = await storeRig(context);
  writeFileSync(other.at('m.conf'), readFileSync(other.at('m.conf'), 'utf8').replace(other.at('db'), rig.at('db')));
  const { code, stderr } = await other.fail();
  assert.equal(code, 1);
  assert.ok(
    stderr.includes(
      `\nError: The store ${rig.store} is in use by the process ${first.pid}; stop that one first.\nError found at ${other.at('m.conf')}:4.\n`,
    ),
    stderr,
  );
  assert.deepEqual(rig.contents(), before);
  const keeper = await rig.resume();
  assert.equal(await keeper.inbox.text(), 'kept/text one');
  await keeper.end();
});

test('a port in use, a pid file that can’t be written and --test-config leave the store as it is', async (context) => {
  const rig = await filled(context, 'one', 'two');
  const before = rig.contents();
  const taken = createServer().listen(rig.port, '127.0.0.1');
  await once(taken, 'listening');
  const inUse = await rig.fail();
  taken.close();
  assert.equal(inUse.code, 1);
  assert.match(inUse.stderr, new RegExp(`Error: Address already in use\nPort ${rig.port} can't be opened\\.\n$`));
  assert.deepEqual(rig.contents(), before);
  rig.configure('pid_file FOLDER/none/pid');
  assert.equal((await rig.fail()).code, 14);
  assert.deepEqual(rig.contents(), before);
  rig.configure();
  assert.equal((await rig.fail('--test-config')).code, 0);
  assert.deepEqual(rig.contents(), before);
  assert.deepEqual(await waiting(rig, 2), ['one', 'two']);
});

test('none of them makes a store where there is none', async (context) => {
  const rig = await storeRig(context);
  const taken = createServer().listen(rig.port, '127.0.0.1');
  await once(taken, 'listening');
  assert.equal((await rig.fail()).code, 1);
  taken.close();
  assert.equal((await rig.fail('--test-config')).code, 0);
  assert.deepEqual(readdirSync(rig.at('db')), []);
});

test('a location that is missing is an error with its place, and is not made', async (context) => {
  const rig = await storeRig(context);
  rmSync(rig.at('db'), { recursive: true });
  const why = `The persistence_location '${rig.at('db')}' can't be used: No such file or directory.`;
  const { code, stderr } = await rig.fail();
  assert.equal(code, 1);
  const hint = 'Make the folder, and give it to the user that the broker runs as.';
  assert.ok(stderr.endsWith(`\nError: ${why}\n${hint}\nError found at ${rig.at('m.conf')}:4.\n`), stderr);
  const tested = await rig.fail('--test-config');
  assert.deepEqual([tested.code, tested.stderr], [0, `Warning: ${why} ${hint}\nConfiguration file is OK.\n`]);
  assert.deepEqual(readdirSync(rig.folder), ['m.conf']);
});

test('a database of Mosquitto’s is left alone, and the log says so', async (context) => {
  const rig = await storeRig(context);
  const database = Buffer.from('\0\xb5\0mosquitto db', 'latin1');
  writeFileSync(rig.at('db', 'mosquitto.db'), database);
  const broker = await rig.run();
  await rig.fill('one');
  const { stderr } = await broker.stop();
  const note = `The file ${rig.at('db', 'mosquitto.db')}, a database of Mosquitto's perhaps, is neither read nor changed.`;
  assert.equal(stderr.split(note).length, 2, stderr);
  assert.deepEqual(readFileSync(rig.at('db', 'mosquitto.db')), database);
});

test('[no CVE, 2.0.16: bad store] a damaged store is copied aside, what is whole is kept, and the log tells all', async (context) => {
  const texts = Array.from({ length: 50 }, (_, i) => `text ${i}`);
  const rig = await filled(context, ...texts);
  const [segment = ''] = rig.segments;
  damage(path.join(rig.store, segment), 'text 25');
  const damaged = readFileSync(path.join(rig.store, segment));
  const broker = await rig.run();
  const copies = readdirSync(rig.store).filter((name) => name.startsWith(`${segment}.corrupt-`));
  assert.equal(copies.length, 1);
  assert.deepEqual(readFileSync(path.join(rig.store, copies[0]!)), damaged);
  assert.equal(statSync(path.join(rig.store, copies[0]!)).mode & 0o777, 0o600);
  const told = /is damaged: (\d+) bytes in 1 place .*\n.*\t(\S+): \1 bytes at offset (\d+)\n/.exec(broker.stderr);
  assert.ok(told !== null && told[2] === segment, broker.stderr);
  const [start, length] = [Number(told[3]), Number(told[1])];
  const place = damaged.indexOf(Buffer.from([0x74 ^ 0xff, ...Buffer.from('ext 25')]));
  assert.ok(start < place && place < start + length && length < 300, `${start} ${place} ${length}`);
  assert.ok(broker.stderr.includes(` ${path.join(rig.store, copies[0]!)}.`), broker.stderr);
  const keeper = await rig.resume();
  await (await join(context, rig.port)).publish('kept/text', 'last', { qos: 1 });
  const got: string[] = [];
  while (got.at(-1) !== 'last') got.push(String((await keeper.inbox.next()).payload));
  const whole = texts.filter((text) => text !== 'text 25');
  assert.deepEqual(got, [...whole, 'last']);
  assert.ok(broker.stderr.includes(', 49 messages for clients,'), broker.stderr);
  await keeper.end();
  // What was reported once is written anew, so that the next start does not find it again.
  await until(() => !rig.segments.includes(segment), 'the damaged file is gone');
  assert.equal((await broker.stop()).code, 0);
  const { stderr } = await (await rig.run()).stop();
  assert.doesNotMatch(stderr, /damaged|corrupt/);
  assert.equal(readdirSync(rig.store).filter((name) => name.includes('corrupt')).length, 1);
});

test('a damaged store that is started again and again is copied aside once', async (context) => {
  const rig = await filled(context, 'one', 'two', 'three');
  const [segment = ''] = rig.segments;
  damage(path.join(rig.store, segment), 'two');
  const damaged = readFileSync(path.join(rig.store, segment));
  for (let start = 0; start < 2; start++) {
    const broker = await rig.run();
    broker.signal('SIGKILL');
    await broker.ended;
    // As if it had been killed before it could write anything.
    for (const name of rig.segments) rmSync(path.join(rig.store, name));
    writeFileSync(path.join(rig.store, segment), damaged);
  }
  const copies = readdirSync(rig.store).filter((name) => name.includes('corrupt'));
  assert.equal(copies.length, 1, copies.join(' '));
});

test('persistence_on_corruption refuse does not start on a damaged store, and leaves every byte', async (context) => {
  const rig = await filled(context, 'one', 'two', 'three');
  rig.configure('persistence_on_corruption refuse');
  const [segment = ''] = rig.segments;
  damage(path.join(rig.store, segment), 'two');
  const before = rig.contents();
  const { code, stderr } = await rig.fail();
  assert.equal(code, 1);
  const sentence = `Error: The store ${rig.store} is damaged \\(${segment}, \\d+ bytes at offset \\d+\\); persistence_on_corruption refuse leaves it as it is\\.`;
  assert.match(stderr, new RegExp(`\n${sentence}\nError found at ${rig.at('m.conf')}:5\\.\n$`));
  assert.deepEqual(rig.contents(), before);
});

test('refuse does not start either where a whole file is missing', async (context) => {
  const rig = await filled(context, 'one');
  await waiting(rig, 1);
  const broker = await rig.run();
  await rig.fill('two');
  await broker.stop();
  assert.ok(rig.segments.length >= 3, rig.segments.join(' '));
  rmSync(path.join(rig.store, rig.segments[1]!));
  const before = rig.contents();
  rig.configure('persistence_on_corruption refuse');
  const { code, stderr } = await rig.fail();
  assert.equal(code, 1);
  assert.match(stderr, /\nError: The store \S+ is damaged \((?:a group|\d+ groups) of records (?:is|are) missing\); /);
  assert.deepEqual(rig.contents(), before);
});

for (const moment of ['starting', 'Opening ipv4 listen socket', 'running']) {
  test(`SIGTERM as soon as a broker says "${moment}" loses nothing`, async (context) => {
    const rig = await filled(context, 'one', 'two');
    const broker = rig.spawn();
    await broker.seen(moment, 'stderr');
    assert.equal((await broker.stop()).code, 0);
    assert.deepEqual(readdirSync(rig.store).includes('lock'), false);
    assert.deepEqual(await waiting(rig, 2), ['one', 'two']);
  });
}

test('SIGUSR1 makes the store small; what is alive stays', async (context) => {
  const rig = await storeRig(context);
  const broker = await rig.run();
  await rig.fill('one', 'two');
  const publisher = await join(context, rig.port);
  const value = Buffer.alloc(100_000, 'x');
  for (let i = 0; i < 40; i++) await publisher.publish('retained', value, { qos: 1, retain: true });
  const old = rig.segments;
  const size = (): number => rig.segments.reduce((sum, name) => sum + statSync(path.join(rig.store, name)).size, 0);
  assert.ok(size() > 4_000_000, String(size()));
  broker.signal('SIGUSR1');
  await until(() => rig.segments.every((name) => !old.includes(name)), 'new segments only');
  assert.ok(size() < 200_000, String(size()));
  assert.equal((await broker.stop()).code, 0);
  assert.deepEqual(await waiting(rig, 2), ['one', 'two']);
});

test('SIGUSR1 does nothing without persistence', async (context) => {
  const rig = await storeRig(context);
  writeFileSync(rig.at('m.conf'), `listener ${rig.port} 127.0.0.1\nallow_anonymous true\n`);
  const broker = await rig.run();
  broker.signal('SIGUSR1');
  const client = await join(context, rig.port);
  await client.end();
  assert.equal((await broker.stop()).code, 0);
  assert.deepEqual(readdirSync(rig.folder).sort(), ['db', 'm.conf']);
});

test('the store belongs to the user that the broker becomes', asRoot, async (context) => {
  const rig = await storeRig(context);
  rig.configure('user nobody');
  rig.give(NOBODY, NOBODY);
  const broker = await rig.run();
  await rig.fill('one');
  for (const name of ['', ...readdirSync(rig.store)]) {
    assert.equal(statSync(path.join(rig.store, name)).uid, NOBODY, name);
  }
  assert.equal((await broker.stop()).code, 0);
  assert.deepEqual(await waiting(rig, 1), ['one']);
});

test('a store that this user may not write to is an error, and the pid file is as it was', asRoot, async (context) => {
  const rig = await storeRig(context);
  rig.configure('user nobody', 'pid_file FOLDER/pid');
  writeFileSync(rig.at('pid'), '4711\n');
  // The folder can be entered, and is root's.
  rig.give(0, 0);
  chmodSync(rig.folder, 0o755);
  const { code, stderr } = await rig.fail();
  assert.equal(code, 1);
  const sentence = `Error: The store ${rig.store} can't be opened: Permission denied.`;
  assert.ok(stderr.endsWith(`\n${sentence}\nError found at ${rig.at('m.conf')}:4.\n`), stderr);
  assert.equal(readFileSync(rig.at('pid'), 'utf8'), '4711\n');
  assert.deepEqual(readdirSync(rig.at('db')), []);
});

test('the configuration that Debian installs starts as it is', async (context) => {
  const rig = await storeRig(context);
  mkdirSync(rig.at('conf.d'));
  writeFileSync(rig.at('conf.d', 'listener.conf'), `listener ${rig.port} 127.0.0.1\nallow_anonymous true\n`);
  const lines = [
    '# Place your local configuration in /etc/mosquitto/conf.d/',
    '#',
    'pid_file FOLDER/mosquitto.pid',
    '',
    'persistence true',
    'persistence_location FOLDER/db/',
    '',
    'log_dest file FOLDER/mosquitto.log',
    '',
    'include_dir FOLDER/conf.d',
    '',
  ];
  writeFileSync(rig.at('m.conf'), lines.join('\n').replaceAll('FOLDER', rig.folder));
  const broker = rig.spawn();
  const log = (): string => readFileSync(rig.at('mosquitto.log'), 'utf8');
  await until(() => readdirSync(rig.folder).includes('mosquitto.log') && log().includes(' running\n'), 'it runs');
  await rig.fill('one');
  assert.equal((await broker.stop()).code, 0);
  assert.deepEqual(
    log()
      .split('\n')
      .filter((line) => /error|warning/i.test(line)),
    [],
  );
});
