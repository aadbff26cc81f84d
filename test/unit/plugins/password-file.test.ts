import assert from 'node:assert/strict';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { ALLOW, DEFER, DENY, type Plugin } from '../../../src/broker/hooks/points.ts';
import { HashPool, type HashVerdict } from '../../../src/broker/plugins/hash-pool.ts';
import { makeHash } from '../../../src/broker/plugins/hashes.ts';
import { parsePasswords, passwordFilePlugin } from '../../../src/broker/plugins/password-file.ts';
import { authRequest, keptLog, takeReload } from '../../support/hook-client.ts';
import { scratch } from '../../support/mosquitto.ts';

const tom = await makeHash(Buffer.from('secret'), 'sha512-pbkdf2', 10);
const ann = await makeHash(Buffer.from('geheim'), 'bcrypt', 4);
const bob = await makeHash(Buffer.from('\0 binary'), 'sha512');

/** A pool that counts what it is asked. */
class CountingPool extends HashPool {
  readonly asked: string[] = [];
  verdict: HashVerdict | null = null;

  override verify(address: string, username: string, password: Uint8Array, stored: string): Promise<HashVerdict> {
    this.asked.push(`${address} ${username} ${stored === tom ? 'tom' : stored === ann ? 'ann' : 'bob'}`);
    return this.verdict === null ? super.verify(address, username, password, stored) : Promise.resolve(this.verdict);
  }
}

interface Setting {
  readonly file: string;
  readonly plugin: Plugin;
  readonly pool: CountingPool;
  readonly lines: string[];
  /** Writes the file anew; only its owner may read it. */
  readonly write: (text: string) => void;
}

function setting(context: TestContext, text: string): Setting {
  const file = path.join(scratch(context), 'passwd');
  const write = (content: string): void => {
    writeFileSync(file, content, { mode: 0o600 });
  };
  write(text);
  const pool = new CountingPool();
  context.after(() => pool.close());
  const { log, lines } = keptLog();
  return { file, plugin: passwordFilePlugin(file, { log, pool }), pool, lines, write };
}

const both = `# users\n\ntom:${tom}\n  ann : ${ann} \r\nbob:${bob}`;

test('right passwords are allowed, wrong ones, missing ones and unknown names denied', async (context) => {
  const { plugin, lines } = setting(context, both);
  const ask = async (name: string | null, password: string | null): Promise<unknown> =>
    plugin.authenticate?.(authRequest(name, password));
  assert.equal(await ask('tom', 'secret'), ALLOW);
  assert.equal(await ask('ann', 'geheim'), ALLOW);
  assert.equal(await ask('bob', '\0 binary'), ALLOW);
  assert.equal(await ask('tom', 'geheim'), DENY);
  assert.equal(await ask('tom', 'tom'), DENY);
  assert.equal(await ask('tom', ''), DENY);
  assert.equal(await ask('tom', null), DENY);
  assert.equal(await ask('TOM', 'secret'), DENY);
  assert.equal(await ask(' ann ', 'geheim'), DENY);
  assert.equal(await ask('eve', 'secret'), DENY);
  assert.equal(await ask('__proto__', 'secret'), DENY);
  assert.equal(await ask('# users', ''), DENY);
  assert.equal(await ask(null, null), DEFER);
  assert.equal(await ask('', 'secret'), DEFER);
  const refusals = lines.map((line) =>
    line.replace(/^information Client client \[127\.0\.0\.1:50000\] is refused: /, ''),
  );
  assert.deepEqual(
    refusals.map((line) => line.replace(/ \S*passwd\.$/, ' FILE')),
    [
      ...new Array(3).fill("wrong password for user 'tom' of FILE"),
      "user 'tom' gave no password.",
      ...['TOM', ' ann ', 'eve', '__proto__', '# users'].map((name) => `user '${name}' is not in FILE`),
    ],
  );
  assert.ok(lines.every((line) => !/secret|geheim/.test(line)));
});

test('a right login is checked once, a wrong one each time', async (context) => {
  const { plugin, pool } = setting(context, both);
  assert.equal(await plugin.authenticate?.(authRequest('ann', 'geheim', '10.0.0.1')), ALLOW);
  assert.equal(plugin.authenticate?.(authRequest('ann', 'geheim', '10.0.0.2')), ALLOW);
  assert.equal(pool.asked.length, 1);
  assert.equal(await plugin.authenticate?.(authRequest('ann', 'wrong')), DENY);
  assert.equal(await plugin.authenticate?.(authRequest('ann', 'wrong')), DENY);
  assert.equal(pool.asked.length, 3);
});

test('many logins with the same credentials at once are one check', async (context) => {
  const { plugin, pool } = setting(context, both);
  const logins = Array.from({ length: 20 }, () => plugin.authenticate?.(authRequest('ann', 'geheim')));
  assert.deepEqual(new Set(await Promise.all(logins)), new Set([ALLOW]));
  assert.equal(pool.asked.length, 1);
});

test('an unknown name costs the check of a real hash, always of the same one', async (context) => {
  const { plugin, pool } = setting(context, both);
  for (let i = 0; i < 2; i++) assert.equal(await plugin.authenticate?.(authRequest('eve', 'geheim')), DENY);
  assert.equal(pool.asked.length, 2);
  assert.equal(pool.asked[0], pool.asked[1]);
  for (let i = 0; i < 64; i++) await plugin.authenticate?.(authRequest(`eve${i}`, 'secret'));
  const decoys = new Set(pool.asked.map((line) => line.split(' ')[2]));
  assert.deepEqual([...decoys].sort(), ['ann', 'bob', 'tom']);
  assert.equal(await plugin.authenticate?.(authRequest('tom', 'secret')), ALLOW);
});

test('a login that finds too many waiting is denied, told of and not remembered', async (context) => {
  const { plugin, pool, lines } = setting(context, both);
  pool.verdict = 'busy';
  assert.equal(await plugin.authenticate?.(authRequest('tom', 'secret', '10.0.0.9')), DENY);
  assert.deepEqual(lines, [
    'warning Warning: Too many logins are waiting for their password check; one from 10.0.0.9 is refused.',
  ]);
  pool.verdict = null;
  assert.equal(await plugin.authenticate?.(authRequest('tom', 'secret')), ALLOW);
});

test('a reload brings new users and passwords and forgets who was right', async (context) => {
  const { plugin, pool, write } = setting(context, both);
  assert.equal(await plugin.authenticate?.(authRequest('tom', 'secret')), ALLOW);
  assert.equal(await plugin.authenticate?.(authRequest('ann', 'geheim')), ALLOW);
  write(`tom:${await makeHash(Buffer.from('new'), 'sha512')}\nann:${ann}\n`);
  takeReload(plugin);
  assert.equal(await plugin.authenticate?.(authRequest('tom', 'secret')), DENY);
  assert.equal(await plugin.authenticate?.(authRequest('tom', 'new')), ALLOW);
  assert.equal(await plugin.authenticate?.(authRequest('bob', '\0 binary')), DENY);
  const before = pool.asked.length;
  assert.equal(await plugin.authenticate?.(authRequest('ann', 'geheim')), ALLOW);
  assert.equal(pool.asked.length, before + 1);
});

test('what a reload read does not count before it is taken', async (context) => {
  const { plugin, write } = setting(context, both);
  write(`tom:${bob}\n`);
  const commit = plugin.reload?.();
  assert.equal(await plugin.authenticate?.(authRequest('tom', 'secret')), ALLOW);
  assert.equal(await plugin.authenticate?.(authRequest('ann', 'geheim')), ALLOW);
  assert.ok(typeof commit === 'function');
  commit();
  assert.equal(await plugin.authenticate?.(authRequest('tom', 'secret')), DENY);
  assert.equal(await plugin.authenticate?.(authRequest('tom', '\0 binary')), ALLOW);
});

test('who came in by a password that changed may not stay', async (context) => {
  const { plugin, write } = setting(context, both);
  // Two at once share one check, and one comes when the login is remembered.
  const twins = [authRequest('tom', 'secret'), authRequest('tom', 'secret')];
  for (const login of twins.map((request) => plugin.authenticate?.(request))) assert.equal(await login, ALLOW);
  const late = authRequest('tom', 'secret');
  assert.equal(plugin.authenticate?.(late), ALLOW);
  const other = authRequest('ann', 'geheim');
  assert.equal(await plugin.authenticate?.(other), ALLOW);
  const stranger = authRequest('tom', 'whatever');
  const stay = (): unknown[] => [...twins, late, other, stranger].map((request) => plugin.remain?.(request));
  takeReload(plugin);
  assert.deepEqual(stay(), [ALLOW, ALLOW, ALLOW, ALLOW, ALLOW]);
  write(`tom:${bob}\nann:${ann}\n`);
  takeReload(plugin);
  // How the stranger came in is nothing that this file knows of.
  assert.deepEqual(stay(), [DENY, DENY, DENY, ALLOW, ALLOW]);
  write(`ann:${ann}\n`);
  takeReload(plugin);
  assert.deepEqual(stay(), [DENY, DENY, DENY, ALLOW, DENY]);
});

test('a user removed while the check is under way does not get in', async (context) => {
  const { plugin, write } = setting(context, both);
  const login = plugin.authenticate?.(authRequest('ann', 'geheim'));
  write(`tom:${tom}\n`);
  takeReload(plugin);
  assert.equal(await login, DENY);
});

test('a reload of a bad or missing file throws and keeps the old users (CVE-2017-7652)', async (context) => {
  const { plugin, write, file } = setting(context, both);
  write(`tom:${tom}\ntom:${tom}\n`);
  assert.throws(() => plugin.reload?.(), {
    message: `Error: Duplicate user "tom" in password file "${file}", line 2.`,
  });
  rmSync(file);
  assert.throws(() => plugin.reload?.(), {
    message: `Error: Unable to open password file "${file}": No such file or directory.`,
  });
  assert.equal(await plugin.authenticate?.(authRequest('tom', 'secret')), ALLOW);
  assert.equal(await plugin.authenticate?.(authRequest('eve', 'x')), DENY);
});

test('a file that everybody may read is warned of', (context) => {
  const { plugin, file, lines } = setting(context, both);
  chmodSync(file, 0o644);
  takeReload(plugin);
  assert.equal(lines.length, 1);
  assert.match(String(lines[0]), /^warning Warning: File .*passwd has world readable permissions/);
  chmodSync(file, 0o640);
  takeReload(plugin);
  assert.equal(lines.length, 1);
});

test('an empty file knows nobody', async (context) => {
  const { plugin } = setting(context, '');
  assert.equal(await plugin.authenticate?.(authRequest('tom', 'secret')), DENY);
  assert.equal(plugin.authenticate?.(authRequest(null, null)), DEFER);
});

// CVE-2018-12551: a malformed line must never become a user without a password.
const malformed: [line: string, says: string][] = [
  [`:${tom}`, 'Error: Unable to decode line in password file "f", line 2: the user name is empty.'],
  [`  :${tom}`, 'Error: Unable to decode line in password file "f", line 2: the user name is empty.'],
  [':', 'Error: Unable to decode line in password file "f", line 2: the user name is empty.'],
  [
    'eve:',
    'Error: Unable to decode line in password file "f", line 2: the hash of user "eve" is of no known type ($2b$, $6$, $7$ or $argon2id$).',
  ],
  [
    'eve: secret',
    'Error: Unable to decode line in password file "f", line 2: the hash of user "eve" is of no known type ($2b$, $6$, $7$ or $argon2id$).',
  ],
  [
    'eve:$6$!!$!!',
    'Error: Unable to decode line in password file "f", line 2: the hash of user "eve" has a salt that is not base64.',
  ],
  [`tom:${tom}`, 'Error: Duplicate user "tom" in password file "f", line 2.'],
];
for (const [line, message] of malformed) {
  test(`refused: ${line.slice(0, 20)}`, () => {
    assert.throws(() => parsePasswords([`tom:${tom}`, line], 'f', () => undefined), { message });
  });
}

test('a line without a colon is no user and is warned of', () => {
  const warnings: string[] = [];
  const users = parsePasswords(['eve', `tom:${tom}:more`, ' \t', '#x:y'], 'f', (text) => warnings.push(text));
  assert.deepEqual([...users], [['tom', tom]]);
  assert.deepEqual(warnings, [
    `Warning: password file "f", line 1, is ignored: there is no ':' between a name and a hash.`,
  ]);
});

test('a file that is not UTF-8 is refused with the line; a byte order mark is no part of a name', async (context) => {
  const { plugin, file } = setting(context, `\uFEFFtom:${tom}\n`);
  assert.equal(await plugin.authenticate?.(authRequest('tom', 'secret')), ALLOW);
  writeFileSync(file, Buffer.concat([Buffer.from('# ok\n'), Buffer.from([0x74, 0xfc, 0x3a, 0x0a])]));
  assert.throws(() => plugin.reload?.(), {
    message: `Error: The password file "${file}" is not UTF-8 text, see line 2.`,
  });
});
