// A reload is taken whole or not at all: whatever is wrong with one file, nothing of the others counts, and the log says so.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { makeHash } from '../../src/broker/plugins/hashes.ts';
import { makeCertificate } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { built, Program } from '../support/process.ts';
import { join, LogFile, nothingCame, openFile, refusal, scratch, until } from './harness.ts';

const ann = { username: 'ann', password: 'secret' };
const bob = { username: 'bob', password: 'secret' };
const hash = await makeHash(Buffer.from('secret'), 'sha512');
const NOT_TAKEN = 'Error: The configuration was not reloaded; the broker goes on with the one it has.';
const server = makeCertificate({ subject: 'localhost', altNames: ['localhost'] });

/** What can be wrong at a reload: files to write, lines to add to the new configuration, what the log says. */
const FAULTS: [string, Record<string, string>, string[], RegExp][] = [
  [
    'a bad line of the configuration',
    {},
    ['allow_anonymous true', 'nonsense true'],
    /Unknown configuration variable 'nonsense'.*m\.conf:7/s,
  ],
  [
    'a bad password file',
    { passwd: 'bob:nonsense\n' },
    ['auto_id_prefix x-'],
    /password file ".*", line 1: the hash .*m\.conf:4/s,
  ],
  ['a bad ACL file', { acl: 'topic write\n\ntopic a/#/b\n' }, [], /in acl_file ".*", line 3: .*m\.conf:5/s],
  ['a bad ACL file of a listener that is new', {}, ['NEW', 'acl_file FOLDER/none'], /acl_file ".*none": No such file/],
  [
    'a bad certificate',
    { 'server.crt': 'none' },
    ['NEW', 'certfile FOLDER/server.crt', 'KEY'],
    /load certfile.*m\.conf/s,
  ],
  ['a log file that can not be opened', {}, ['log_dest none', 'log_dest file FOLDER'], /open log file .*m\.conf:7/s],
];

for (const [what, bad, lines, sentence] of FAULTS) {
  test(`${what}: nothing of the reload is taken`, async (context) => {
    const [port, added] = [await freePort(), await freePort()];
    const files = { passwd: `ann:${hash}\n`, acl: 'user ann\ntopic a\ntopic round/trip\n' };
    const before = [`listener ${port} 127.0.0.1`, 'max_qos 2', 'password_file FOLDER/passwd', 'acl_file FOLDER/acl'];
    const { write, reload, log, broker } = await openFile(context, before, {
      ...files,
      'server.crt': server.cert,
      'server.key': server.key,
    });
    const stays = await join(context, port, { ...ann, clientId: 'stays' });
    // Everything else is good, and would change what the broker does.
    const good = { passwd: `bob:${hash}\n`, acl: 'user bob\ntopic b\n' };
    for (const [name, text] of Object.entries({ ...good, ...bad })) write(name, text);
    const more = lines.map((line) =>
      line === 'NEW' ? `listener ${added} 127.0.0.1` : line === 'KEY' ? 'keyfile FOLDER/server.key' : line,
    );
    const perListener = more.some((line) => line.startsWith('acl_file'));
    const next = perListener
      ? ['per_listener_settings true', ...before.slice(0, 1), 'allow_anonymous true', ...more]
      : [...before.map((line) => line.replace('max_qos 2', 'max_qos 1')), ...more];
    await reload(next);
    await log.seen(NOT_TAKEN);
    assert.match(log.text, sentence);
    assert.deepEqual(broker.ports, [port]);
    assert.equal(await refusal(port), 0x87, 'nobody');
    assert.equal(await refusal(port, bob), 0x87, 'bob');
    assert.equal(await refusal(port, { ...ann, clientId: 'another' }), 0);
    assert.equal((await stays.publish('b', 'x', { qos: 1 })).reason.code, 0x87);
    assert.equal((await stays.publish('a', 'x', { qos: 2 })).reason.code, 0);
    await nothingCame(stays);
    // And a good one is taken afterwards, as if nothing had been.
    for (const [name, text] of Object.entries({ ...files, ...good })) write(name, text);
    await reload(before);
    assert.equal(await refusal(port, ann), 0x87);
    assert.equal(await refusal(port, bob), 0);
  });
}

test('a plugin of the program that can not reload keeps everything else back', async (context) => {
  let isBroken = true;
  const reload = (): void => {
    if (isBroken) throw new Error('Error: The rules of the plugin are bad.');
  };
  const port = await freePort();
  const rig = await openFile(
    context,
    [`listener ${port} 127.0.0.1`, 'password_file FOLDER/passwd'],
    { passwd: `ann:${hash}\n` },
    { plugins: [{ name: 'own', reload }] },
  );
  rig.write('passwd', `bob:${hash}\n`);
  await rig.reload();
  await rig.log.seen('Error: The rules of the plugin are bad.');
  await rig.log.seen(NOT_TAKEN);
  assert.equal(await refusal(port, ann), 0);
  assert.equal(await refusal(port, bob), 0x87);
  isBroken = false;
  await rig.reload();
  assert.equal(await refusal(port, bob), 0);
});

test('a client whose password changed is told to go, and its will is published', async (context) => {
  const port = await freePort();
  const passwd = `ann:${hash}\nbob:${hash}\n`;
  const { write, reload, log } = await openFile(
    context,
    [`listener ${port} 127.0.0.1`, 'password_file FOLDER/passwd'],
    { passwd },
  );
  const stays = await join(context, port, bob);
  await stays.subscribe('will');
  const will = { topic: 'will', payload: Buffer.from('gone'), qos: 0, retain: false, properties: {} } as const;
  const goes = await join(context, port, { ...ann, will, clientId: 'goes' });
  const told = new Promise((resolve) => goes.on('disconnect', (reason) => resolve(reason.code)));
  await reload();
  assert.equal((await goes.publish('a', 'x', { qos: 1 })).reason.code, 0x10, 'the same file changes nothing');
  write('passwd', `ann:${await makeHash(Buffer.from('other'), 'sha512')}\nbob:${hash}\n`);
  await reload();
  assert.equal(await told, 0x87);
  await log.seen("Client goes is disconnected: user 'ann' was removed or has another password.");
  assert.equal(await stays.inbox.text(), 'will gone');
  // Also where the password comes from another file now.
  write('other', `ann:${hash}\nbob:${await makeHash(Buffer.from('other'), 'sha512')}\n`);
  const toldToo = new Promise((resolve) => stays.on('disconnect', (reason) => resolve(reason.code)));
  await reload([`listener ${port} 127.0.0.1`, 'password_file FOLDER/other']);
  assert.equal(await toldToo, 0x87);
});

test('a listener that can not be opened anew is told of, keeps its clients under the rules of now, and comes back', async (context) => {
  const port = await freePort();
  const lines = [`listener ${port}`, 'socket_domain ipv4', 'allow_anonymous true'];
  const { write, reload, log, broker } = await openFile(context, lines);
  const client = await join(context, port);
  const blocker = createServer().listen({ port, host: '::', ipv6Only: true });
  context.after(() => blocker.close());
  await once(blocker, 'listening');
  write('acl', 'topic a\ntopic round/trip\n');
  const both = [`listener ${port}`, 'allow_anonymous true', 'acl_file FOLDER/acl'];
  await reload(both);
  await log.seen(
    `Error: The listener on port ${port} can't be opened: Address already in use. ` +
      'Whoever is connected by it stays; nobody else can connect to it. The next reload tries again.',
  );
  assert.deepEqual(broker.ports, []);
  await assert.rejects(join(context, port), { code: 'ECONNREFUSED' });
  assert.equal((await client.publish('b', 'x', { qos: 1 })).reason.code, 0x87);
  write('acl', 'topic b\ntopic round/trip\n');
  blocker.close();
  await once(blocker, 'close');
  await reload(both);
  assert.deepEqual(broker.ports, [port]);
  assert.equal((await client.publish('b', 'x', { qos: 1 })).reason.code, 0x10);
  assert.equal(await refusal(port, { clientId: 'new' }), 0);
});

/** Opens connections until the broker can take no more and closes one at once. */
async function exhaust(context: TestContext, port: number, log: LogFile): Promise<Socket[]> {
  const sockets: Socket[] = [];
  context.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  const before = log.count('New connection');
  for (let closed = false; !closed; ) {
    const socket = connectTcp(port, '127.0.0.1');
    socket.on('error', () => undefined).on('close', () => (closed = true));
    socket.resume();
    sockets.push(socket);
    await until(() => closed || log.count('New connection') === before + sockets.length, 'an answer of the broker');
  }
  return sockets;
}

// CVE-2017-7652
test('SIGHUP without a free file descriptor leaves the rules in force', async (context) => {
  const folder = scratch(context);
  const at = (name: string): string => path.join(folder, name);
  const port = await freePort();
  writeFileSync(at('passwd'), `ann:${hash}\n`, { mode: 0o600 });
  writeFileSync(at('acl'), 'user ann\ntopic a\n');
  const lines = [`listener ${port} 127.0.0.1`, `password_file ${at('passwd')}`, `acl_file ${at('acl')}`];
  writeFileSync(at('m.conf'), [...lines, `log_dest file ${at('log')}`, ''].join('\n'));
  const command = `ulimit -n 60; exec "$0" "$@"`;
  const program = new Program('sh', ['-c', command, process.execPath, built('mqtt-broker'), '-v', '-c', at('m.conf')]);
  context.after(() => program.stop());
  const log = new LogFile(at('log'));
  writeFileSync(log.path, '', { flag: 'a' });
  await log.seen(' running\n');
  // The check of a password starts a worker, which needs descriptors of its own.
  const client = await join(context, port, { ...ann, clientId: 'first' });
  const sockets = await exhaust(context, port, log);
  writeFileSync(at('passwd'), `bob:${hash}\n`, { mode: 0o600 });
  rmSync(at('acl'));
  program.signal('SIGHUP');
  await log.seen(NOT_TAKEN);
  assert.match(log.text, /Error: Unable to open config file .*m\.conf\..*\n.*Too many open files\./);
  assert.equal((await client.publish('b', 'x', { qos: 1 })).reason.code, 0x87);
  assert.equal((await client.publish('a', 'x', { qos: 1 })).reason.code, 0x10);
  for (const socket of sockets) socket.destroy();
  await until(() => log.count('connection closed by client') >= sockets.length - 1, 'descriptors are free');
  // Also a file that is gone while its descriptor would be there.
  renameSync(at('m.conf'), at('gone'));
  program.signal('SIGHUP');
  await log.seen(/No such file or directory\.\n.*was not reloaded/);
  assert.equal(await refusal(port), 0x87);
  assert.equal(await refusal(port, bob), 0x87);
  assert.equal(await refusal(port, { ...ann, clientId: 'second' }), 0);
  assert.equal((await program.stop()).code, 0);
});
