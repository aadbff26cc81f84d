// Names and passwords at the broker: who is let in, and that checking passwords never holds up anybody else.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { makeHash } from '../../src/broker/plugins/hashes.ts';
import type { ClientOptions } from '../../src/client/options.ts';
import { freePort } from '../support/free-port.ts';
import { type FileRig, join, openFile, refusal, until } from './harness.ts';

const ann = { username: 'ann', password: 'secret' };

async function withPasswords(context: TestContext, passwd: string, more: readonly string[] = []): Promise<FileRig> {
  const lines = [`listener ${await freePort()} 127.0.0.1`, 'password_file FOLDER/passwd', ...more];
  return openFile(context, lines, { passwd });
}

test('every version is told in its own words that it is not let in', async (context) => {
  const { port } = await withPasswords(context, `ann:${await makeHash(Buffer.from('secret'), 'bcrypt', 4)}\n`);
  const codes: [ClientOptions['version'], number][] = [
    ['3.1', 5],
    ['3.1.1', 5],
    ['5', 0x87],
  ];
  for (const [version = '5', code] of codes) {
    assert.equal(await refusal(port, { version }), code, `nobody, ${version}`);
    assert.equal(await refusal(port, { version, username: 'ann' }), code, 'no password');
    assert.equal(await refusal(port, { version, username: '', password: 'secret' }), code, 'an empty name');
    assert.equal(await refusal(port, { version, ...ann, password: 'wrong' }), code);
    assert.equal(await refusal(port, { version, ...ann, password: '' }), code);
    assert.equal(await refusal(port, { version, ...ann, username: 'bob' }), code);
    assert.equal(await refusal(port, { version, ...ann, username: 'ANN' }), code);
    assert.equal(await refusal(port, { version, ...ann }), 0);
  }
  assert.equal(await refusal(port, { version: '5', password: 'secret' }), 0x87, 'a password without a name');
});

test('lines without a hash are nobody who could log in [CVE-2018-12551]', async (context) => {
  const hash = await makeHash(Buffer.from('secret'), 'sha512');
  const { port, log } = await withPasswords(context, `# users\n\nbob\nann:${hash}\n`);
  assert.equal(await refusal(port, { username: 'bob', password: '' }), 0x87);
  assert.equal(await refusal(port, { username: 'bob' }), 0x87);
  assert.equal(await refusal(port, ann), 0);
  await log.seen('line 3, is ignored');
  assert.equal(log.text.includes('secret'), false);
});

/** Logs in with wrong passwords, all at once; counts how many have been refused. */
function attack(port: number, count: number, username: string): { refused: number } {
  const state = { refused: 0 };
  for (let i = 0; i < count; i++) {
    // The last ones are still waiting when the test ends and the broker with it.
    refusal(port, { username, password: `wrong ${i}` }).then(
      () => {
        state.refused += 1;
      },
      () => undefined,
    );
  }
  return state;
}

test('messages flow on while fifty wrong bcrypt passwords are being checked', async (context) => {
  const passwd = `ann:${await makeHash(Buffer.from('secret'), 'bcrypt', 11)}\n`;
  const { port, log } = await withPasswords(context, passwd, ['listener_allow_anonymous true']);
  const reader = await join(context, port);
  const writer = await join(context, port);
  await reader.subscribe({ filter: 'a', qos: 1 });
  const state = attack(port, 50, 'ann');
  await until(() => log.count('New connection') === 52, 'all are there');
  const before = state.refused;
  // Each of these checks takes a tenth of a second and more, so few have ended when all messages are there.
  for (let i = 0; i < 100; i++) {
    await writer.publish('a', String(i), { qos: 1 });
    assert.equal(await reader.inbox.text(), `a ${i}`);
  }
  assert.ok(state.refused - before < 40, `${state.refused - before} checks ended before 100 messages were through`);
});

test('many wrong logins from one address do not hold up a good one from another', async (context) => {
  const passwd = `ann:${await makeHash(Buffer.from('secret'), 'bcrypt', 11)}\n`;
  const { port, log } = await withPasswords(context, passwd);
  const state = attack(port, 40, 'ann');
  await until(() => log.count('New connection') === 40, 'all are there');
  const endpoint = { kind: 'tcp', host: '127.0.0.1', port, localAddress: '127.0.0.2' } as const;
  const before = state.refused;
  await join(context, port, { ...ann, endpoint });
  assert.ok(state.refused - before <= 3, `${state.refused - before} others were looked at first`);
});

test('a login that was right does not pay for its hash again, also not twice at once', async (context) => {
  const jobs = context.mock.method(Worker.prototype, 'postMessage');
  const { port, reload } = await withPasswords(context, `ann:${await makeHash(Buffer.from('secret'), 'bcrypt', 4)}\n`);
  await Promise.all([join(context, port, ann), join(context, port, ann), join(context, port, ann)]);
  assert.equal(jobs.mock.callCount(), 1);
  for (let i = 0; i < 5; i++) assert.equal(await refusal(port, ann), 0);
  assert.equal(jobs.mock.callCount(), 1);
  assert.equal(await refusal(port, { ...ann, password: 'wrong' }), 0x87);
  assert.equal(await refusal(port, { ...ann, password: 'wrong' }), 0x87);
  assert.equal(jobs.mock.callCount(), 3, 'a wrong one is never remembered');
  await reload();
  assert.equal(await refusal(port, ann), 0);
  assert.equal(jobs.mock.callCount(), 4, 'a reload forgets');
});

test('use_username_as_clientid takes over by user name and refuses the nameless', async (context) => {
  const { port } = await openFile(context, [
    `listener ${await freePort()} 127.0.0.1`,
    'allow_anonymous true',
    'use_username_as_clientid true',
  ]);
  assert.equal(await refusal(port, { clientId: 'x' }), 0x87);
  assert.equal(await refusal(port, { clientId: 'x', version: '3.1.1' }), 5);
  const first = await join(context, port, { clientId: '', username: 'tom' });
  assert.equal(first.info.clientId, 'tom');
  const told = new Promise((resolve) => first.on('disconnect', (reason) => resolve(reason.code)));
  const second = await join(context, port, { clientId: 'y', username: 'tom' });
  assert.equal(await told, 0x8e);
  // Only who left the choice to the broker is told of it [MQTT-3.2.2-16].
  assert.equal(second.info.properties.assignedClientIdentifier, undefined);
});

test('allow_zero_length_clientid false refuses an empty client id', async (context) => {
  const { port } = await openFile(context, [
    `listener ${await freePort()} 127.0.0.1`,
    'allow_anonymous true',
    'allow_zero_length_clientid false',
  ]);
  assert.equal(await refusal(port, { clientId: '' }), 0x85);
  assert.equal(await refusal(port, { clientId: '', version: '3.1.1' }), 2);
  assert.equal(await refusal(port, { clientId: 'x' }), 0);
});
