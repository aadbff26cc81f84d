// Password and ACL files mean the same to the plugins and to Mosquitto's own tools.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { makeHash, verifyHash } from '../../src/broker/plugins/hashes.ts';
import { ACL_CASES } from '../support/acl-cases.ts';
import { freePort } from '../support/free-port.ts';
import { scratch, startBroker } from '../support/mosquitto.ts';
import { finish, without } from '../support/process.ts';

test('hashes by mosquitto_passwd are read', { skip: without('mosquitto_passwd') }, async (context) => {
  for (const scheme of ['sha512', 'sha512-pbkdf2']) {
    const file = path.join(scratch(context), 'passwd');
    const made = await finish('mosquitto_passwd', ['-H', scheme, '-c', '-b', file, 'tom', 'pässwort']);
    assert.equal(made.code, 0, made.stderr);
    const stored = readFileSync(file, 'utf8').trim().slice('tom:'.length);
    assert.equal(await verifyHash(Buffer.from('pässwort'), stored), true);
    assert.equal(await verifyHash(Buffer.from('passwort'), stored), false);
  }
});

test('our hashes let users into mosquitto', { skip: without('mosquitto', 'mosquitto_pub') }, async (context) => {
  const file = path.join(scratch(context), 'passwd');
  const password = Buffer.from('pässwort');
  writeFileSync(
    file,
    `ann:${await makeHash(password, 'sha512')}\ntom:${await makeHash(password, 'sha512-pbkdf2')}\n` +
      `bob:${await makeHash(password, 'sha512-pbkdf2', 20_000)}\n`,
    { mode: 0o600 },
  );
  const port = await freePort();
  await startBroker(context, 'mosquitto', [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous false',
    `password_file ${file}`,
  ]);
  const code = async (user: string, given: string): Promise<number | null> =>
    (await finish('mosquitto_pub', ['-p', `${port}`, '-t', 'a', '-m', 'x', '-u', user, '-P', given])).code;
  for (const user of ['ann', 'tom', 'bob']) {
    assert.equal(await code(user, 'pässwort'), 0, user);
    assert.equal(await code(user, 'passwort'), 5, user);
  }
});

for (const { name, acl, tries } of ACL_CASES) {
  test(`mosquitto too: ${name}`, { skip: without('mosquitto', 'mosquitto_pub') }, async (context) => {
    const file = path.join(scratch(context), 'acl');
    writeFileSync(file, acl);
    const port = await freePort();
    await startBroker(context, 'mosquitto', [`listener ${port} 127.0.0.1`, 'allow_anonymous true', `acl_file ${file}`]);
    for (const [user, id, topic, allowed] of tries) {
      const as = user === null ? ['-i', id] : ['-i', id, '-u', user];
      const result = await finish('mosquitto_pub', [
        '-p',
        `${port}`,
        '-V',
        '5',
        '-q',
        '1',
        ...as,
        '-t',
        topic,
        '-m',
        'x',
      ]);
      const denied = /not authorized/i.test(result.stdout + result.stderr);
      assert.equal(!denied, allowed, `${user} ${id} ${topic} ${result.stderr}`);
    }
  });
}
