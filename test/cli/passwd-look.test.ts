// mqtt-passwd verify and list: what they say, and that they leave the file alone.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import { type HashCost, type HashScheme, makeHash } from '../../src/broker/plugins/hashes.ts';
import { runTool } from '../support/cli.ts';
import { scratch } from '../support/mosquitto.ts';
import { fileIn, runPasswd } from '../support/passwd-run.ts';
import { built, finish, without } from '../support/process.ts';

const hashed = (password: string, scheme: HashScheme, cost: HashCost = {}): Promise<string> =>
  makeHash(Buffer.from(password), scheme, cost);

const BCRYPT = await hashed('secret', 'bcrypt', { iterations: 4 });
const PBKDF2 = await hashed('secret', 'sha512-pbkdf2');
const OLD_PBKDF2 = await hashed('secret', 'sha512-pbkdf2', { iterations: 101 });
const SHA512 = await hashed('secret', 'sha512');
const ARGON2ID = await hashed('secret', 'argon2id', { memory: 64, iterations: 2, parallelism: 4 });

describe('verify', () => {
  it('says whether the password fits, and tells by its exit code', async (t) => {
    const content = `# users\ntom:${PBKDF2}\n`;
    const file = fileIn(t, content);
    assert.deepEqual(await runTool('mqtt-passwd', ['verify', file, 'tom'], { stdin: 'secret\nmore\n' }), {
      code: 0,
      stdout: 'The password of user tom is right.\n',
      stderr: '',
    });
    const wrong = await runPasswd(['verify', file, 'tom'], { stdin: 'Secret' });
    assert.deepEqual([wrong.code, wrong.stdout, wrong.stderr], [1, '', 'Error: The password of user tom is wrong.\n']);
    const empty = await runPasswd(['verify', file, 'tom'], { stdin: '' });
    assert.deepEqual([empty.code, empty.stderr], [1, 'Error: The password of user tom is wrong.\n']);
    const unknown = await runPasswd(['verify', file, 'ann'], { stdin: 'secret' });
    assert.deepEqual([unknown.code, unknown.stderr], [1, `Error: There is no user ann in ${file}.\n`]);
    assert.equal(readFileSync(file, 'utf8'), content);
  });

  it('asks at a terminal, once and without echo', async (t) => {
    const file = fileIn(t, `tom:${PBKDF2}\n`);
    const { code, stdout, raw } = await runPasswd(['verify', file, 'tom'], { keys: 'secret\r' });
    assert.deepEqual([code, stdout, raw], [0, 'Password: \nThe password of user tom is right.\n', [true, false]]);
    assert.equal((await runPasswd(['verify', file, 'tom'], { keys: 'sec\x03' })).code, 130);
  });

  it('takes the password from the command line with -b', async (t) => {
    const file = fileIn(t, `tom:${PBKDF2}\n`);
    assert.equal((await runPasswd(['-b', 'verify', file, 'tom', 'secret'])).code, 0);
    assert.equal((await runPasswd(['-b', 'verify', file, 'tom', '-secret'])).code, 1);
  });

  for (const [kind, hash, hint] of [
    ['sha512', SHA512, 'is a single round of SHA-512, which is easily guessed'],
    ['bcrypt', BCRYPT, 'has the cost 4, and 10 is usual'],
    ['argon2id', ARGON2ID, 'takes 64 KiB of memory 2 times, which is little'],
    ['sha512-pbkdf2', OLD_PBKDF2, 'has 101 iterations, and 1000 are usual'],
  ] as const) {
    it(`says that a weak ${kind} hash is one, to who knows the password`, async (t) => {
      const file = fileIn(t, `tom:${hash}\r\n`);
      const { code, stderr } = await runPasswd(['verify', file, 'tom'], { stdin: 'secret\n' });
      const sentence = `Warning: The ${kind} hash of user tom ${hint}. Set the password again for a better one.\n`;
      assert.deepEqual([code, stderr], [0, sentence]);
      const wrong = await runPasswd(['verify', file, 'tom'], { stdin: 'x\n' });
      assert.equal(wrong.stderr, 'Error: The password of user tom is wrong.\n');
    });
  }

  it('says why a user can not be checked', async (t) => {
    const file = fileIn(t, `ann:plain\ntom:${PBKDF2}\ntom:${BCRYPT}\n`);
    const ann = await runPasswd(['verify', file, 'ann'], { stdin: 'plain' });
    assert.equal(ann.code, 1);
    assert.match(
      ann.stderr,
      /^Warning: Line 1: the hash of user ann is of no known type .*\.\nError: The hash of user ann can't be checked\.\n$/,
    );
    const tom = await runPasswd(['verify', file, 'tom'], { stdin: 'secret' });
    assert.deepEqual(
      [tom.code, tom.stderr],
      [0, 'Warning: Line 3: user tom is in line 2 already. A broker refuses the file.\n'],
    );
  });

  it('does the work of a check for an unknown user, too', async (t) => {
    const slow = fileIn(t, `tom:${await hashed('secret', 'sha512-pbkdf2', { iterations: 300_000 })}\n`);
    const order: string[] = [];
    await Promise.all([
      runPasswd(['verify', slow, 'ann'], { stdin: 'x' }).then(() => order.push('unknown')),
      hashed('x', 'sha512-pbkdf2', { iterations: 1000 }).then(() => order.push('other work')),
    ]);
    assert.deepEqual(order, ['other work', 'unknown']);
  });
});

describe('list', () => {
  it('shows line, kind, cost and name of every user', async (t) => {
    const content = `# users\n\ntom:${BCRYPT}\n ann lee :${PBKDF2}\r\nold:${SHA512}\n${'#\n'.repeat(5)}Jörg:${ARGON2ID}`;
    const file = fileIn(t, content);
    const { code, stdout, stderr } = await runPasswd(['list', file]);
    assert.equal(
      stdout,
      [
        ' 3  bcrypt         cost=4             tom\n',
        ' 4  sha512-pbkdf2  iterations=1000    ann lee\n',
        ' 5  sha512         rounds=1           old\n',
        '11  argon2id       m=64,t=2,p=4       Jörg\n',
      ].join(''),
    );
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(readFileSync(file, 'utf8'), content);
  });

  it('who has read enough may go, but a full disk is an error', { skip: without('head') }, async (t) => {
    const users = Array.from({ length: 20_000 }, (_, i) => `user${i}:${SHA512}\n`);
    const file = fileIn(t, users.join(''));
    const tool = `"${process.execPath}" "${built('mqtt-passwd')}"`;
    const sh = (script: string) => finish('bash', ['-o', 'pipefail', '-c', script]);
    assert.deepEqual(await sh(`${tool} list ${file} | head -n 1`), {
      code: 0,
      stdout: '    1  sha512         rounds=1           user0\n',
      stderr: '',
    });
    const full = { code: 1, stdout: '', stderr: 'Error: The output is cut off: No space left on device.\n' };
    assert.deepEqual(await sh(`${tool} list ${file} > /dev/full`), full);
    const created = await sh(`${tool} -c -b -I 4 - tom x > /dev/full`);
    assert.deepEqual(created, { ...full, stderr: `Adding password for user tom\n${full.stderr}` });
    // The user is in the file: that nobody reads so is no failure.
    assert.equal((await sh(`${tool} -D ${file} user7 && ${tool} -b -I 4 ${file} user7 x > /dev/full`)).code, 0);
  });

  it('an empty file has nobody', async (t) => {
    const { code, stdout, stderr } = await runPasswd(['list', fileIn(t, '')]);
    assert.deepEqual([code, stdout, stderr], [0, '', '']);
  });

  it('warns about every bad line, without showing what may be a password', async (t) => {
    const file = fileIn(t, `tom:${BCRYPT}\noops\n`);
    const ignored = await runPasswd(['list', file]);
    assert.deepEqual(
      [ignored.code, ignored.stderr],
      [0, "Warning: Line 2 is ignored: there is no ':' between a name and a hash.\n"],
    );
    writeFileSync(file, `tom:${BCRYPT}\n:x\nann:hush\ntom:${BCRYPT}\na\x1bb:$7$1$x$y\n`);
    const { code, stdout, stderr } = await runPasswd(['list', file]);
    assert.equal(code, 1);
    assert.equal(stdout, '1  bcrypt         cost=4             tom\n');
    assert.equal(
      stderr,
      [
        'Warning: Line 2: the user name is empty. A broker refuses the file.\n',
        'Warning: Line 3: the hash of user ann is of no known type ($2b$, $6$, $7$ or $argon2id$). A broker refuses the file.\n',
        'Warning: Line 4: user tom is in line 1 already. A broker refuses the file.\n',
        'Warning: Line 5: the hash of user a\\x1bb has a salt that is not base64. A broker refuses the file.\n',
      ].join(''),
    );
  });

  it('a file that is not UTF-8 is refused, as by the broker', async (t) => {
    const file = fileIn(t, '');
    writeFileSync(file, Buffer.from(`tom:${BCRYPT}\n\xff:x\n`, 'latin1'));
    const { code, stdout, stderr } = await runPasswd(['list', file]);
    assert.deepEqual(
      [code, stdout, stderr],
      [1, '', `Error: File ${file} is not UTF-8 text, see line 2. A broker refuses it.\n`],
    );
  });
});

describe('which words are commands', () => {
  it('none with an option of mosquitto_passwd, nor three words with -b: those are file and user', async (t) => {
    const folder = scratch(t);
    const run = (...args: string[]) => runTool('mqtt-passwd', args, { cwd: folder });
    assert.equal((await run('-c', '-b', '-I', '4', 'list', 'tom', 'x')).stdout, 'Adding password for user tom\n');
    assert.equal((await run('-b', '-I', '4', 'list', 'verify', 'x')).code, 0);
    assert.equal((await run('-D', 'list', 'tom')).code, 0);
    assert.match(readFileSync(path.join(folder, 'list'), 'utf8'), /^verify:\S+\n$/);
    assert.equal(
      (await run('-b', 'verify', 'tom', 'x')).stderr,
      'Error: Unable to open password file verify. No such file or directory.\n',
    );
    assert.match((await run('list', './list')).stdout, /^1 {2}bcrypt .* verify\n$/);
    assert.match((await run('-b', './list', 'tom', 'x')).stdout, /^Adding/);
  });

  for (const [args, sentence] of [
    [['list'], 'The command list takes a password file. A file of that name is written ./list.'],
    [
      ['verify', 'f'],
      'The command verify takes a password file and a username. A file of that name is written ./verify.',
    ],
    [['list', 'f', 'x'], "Unexpected argument 'x'."],
    [
      ['verify', 'f', 'tom', 'x'],
      'Unexpected argument behind the username. A password is taken from the command line only with -b.',
    ],
  ] as const) {
    it(`${args.join(' ')} is wrong usage`, async () => {
      const { code, stdout, stderr } = await runPasswd(args);
      assert.deepEqual(
        [code, stdout, stderr],
        [1, '', `Error: ${sentence}\n\nUse 'mqtt-passwd --help' to see usage.\n`],
      );
    });
  }
});
