// mqtt-passwd as a user and a script meet it.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import { verifyHash } from '../../src/broker/plugins/hashes.ts';
import { runTool } from '../support/cli.ts';
import { scratch } from '../support/mosquitto.ts';
import { fileIn, passwd, QUICK } from '../support/passwd-run.ts';

const lines = (file: string): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1);

/** The stored hash of a user. */
function hashOf(file: string, user: string): string {
  const line = lines(file).find((candidate) => candidate.startsWith(`${user}:`));
  assert.ok(line !== undefined, `${user} is not in the file`);
  return line.slice(user.length + 1).trimEnd();
}

describe('adding and changing users', () => {
  it('-c makes a file with one user, bcrypt by default, for its owner only', async (t) => {
    const file = fileIn(t);
    const { code, stdout, stderr } = await runTool('mqtt-passwd', ['-c', '-b', file, 'tom', '111111']);
    assert.deepEqual([code, stdout, stderr], [0, 'Adding password for user tom\n', '']);
    assert.match(hashOf(file, 'tom'), /^\$2b\$10\$/);
    assert.equal(await verifyHash(Buffer.from('111111'), hashOf(file, 'tom')), true);
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('-c replaces a file that is there, and leaves nothing else behind', async (t) => {
    const file = fileIn(t, 'ann:x\n', 0o644);
    assert.equal((await passwd(['-c', '-b', ...QUICK, file, 'tom', 'x'])).code, 0);
    assert.deepEqual(
      lines(file).map((line) => line.split(':')[0]),
      ['tom'],
    );
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(path.dirname(file)), ['passwd.conf']);
  });

  it('-b changes a password and keeps every other line', async (t) => {
    const file = fileIn(t, '# users\n\n  ann : x  \ntom:old\nodd line\n\xff:y', 0o600);
    writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.from([0x0a, 0xff, 0x3a, 0x79])]));
    const before = readFileSync(file, 'latin1').split('\n');
    const { code, stdout } = await passwd(['-b', ...QUICK, file, 'tom', 'new']);
    assert.deepEqual([code, stdout], [0, 'Updating password for user tom\n']);
    const after = readFileSync(file, 'latin1').split('\n');
    assert.equal(after.length, before.length);
    assert.deepEqual(
      after.map((line, i) => (line.startsWith('tom:') ? 'changed' : line === before[i])),
      before.map((line) => (line.startsWith('tom:') ? 'changed' : true)),
    );
  });

  it('leaves a file alone that is no text, and one that has no end', async (t) => {
    const file = fileIn(t, 'ELF\0\n');
    const { code, stderr } = await passwd([...QUICK, '-b', file, 'ann', 'secret']);
    assert.deepEqual([code, stderr], [1, `Error: File ${file} is no password file: it is not text.\n`]);
    assert.equal(readFileSync(file, 'latin1'), 'ELF\0\n');
    const endless = await passwd([...QUICK, '-b', '/dev/zero', 'ann', 'secret']);
    assert.deepEqual(
      [endless.code, endless.stderr],
      [1, 'Error: Unable to open password file /dev/zero. It is larger than 134217728 bytes.\n'],
    );
  });

  it('a user with blanks around the name is the same user, and stands once afterwards', async (t) => {
    const file = fileIn(t, ' tom :a\nann:b\ntom:c\n');
    await passwd(['-b', ...QUICK, file, 'tom', 'new']);
    assert.deepEqual(
      lines(file).map((line) => line.split(':')[0]),
      ['tom', 'ann'],
    );
  });

  it('the mode stays, and a file that everybody may read is warned about', async (t) => {
    const file = fileIn(t, 'ann:x\n', 0o640);
    assert.equal((await passwd(['-b', ...QUICK, file, 'tom', 'x'])).stderr, '');
    assert.equal(statSync(file).mode & 0o777, 0o640);
    const open = fileIn(t, 'ann:x\n', 0o644);
    const { stderr } = await passwd(['-b', ...QUICK, open, 'tom', 'x']);
    assert.equal(
      stderr,
      `Warning: File ${open} has world readable permissions. Future versions will refuse to load this file.\n`,
    );
    assert.equal(statSync(open).mode & 0o777, 0o644);
  });

  it('writes through a symbolic link', async (t) => {
    const file = fileIn(t, 'ann:x\n');
    const link = path.join(path.dirname(file), 'link');
    symlinkSync(file, link);
    assert.equal((await passwd(['-b', ...QUICK, link, 'tom', 'x'])).code, 0);
    assert.equal(lines(file).length, 2);
  });

  it('takes a password that looks like an option', async (t) => {
    const file = fileIn(t);
    await passwd(['-c', '-b', ...QUICK, file, 'tom', '-secret']);
    assert.equal(await verifyHash(Buffer.from('-secret'), hashOf(file, 'tom')), true);
  });

  it('-c - prints to standard output only', async (t) => {
    const cwd = scratch(t);
    const { code, stdout, stderr } = await runTool('mqtt-passwd', ['-c', '-b', ...QUICK, '-', 'tom', 'x'], { cwd });
    assert.equal(code, 0);
    assert.match(stdout, /^tom:\$2b\$04\$\S{53}\n$/);
    assert.equal(stderr, 'Adding password for user tom\n');
    assert.deepEqual(readdirSync(cwd), []);
  });

  for (const [scheme, form] of [
    ['bcrypt', /^\$2b\$/],
    ['sha512-pbkdf2', /^\$7\$\d+\$/],
    ['sha512', /^\$6\$/],
    ['argon2id', /^\$argon2id\$/],
  ] as const) {
    it(`-H ${scheme}`, async (t) => {
      const file = fileIn(t);
      assert.equal((await passwd(['-H', scheme, '-c', '-b', file, 'tom', 'x'])).code, 0);
      assert.match(hashOf(file, 'tom'), form);
      assert.equal(await verifyHash(Buffer.from('x'), hashOf(file, 'tom')), true);
    });
  }

  for (const [args, form] of [
    [['-H', 'sha512-pbkdf2', '-I', '77'], /^\$7\$77\$/],
    [['-I', '5'], /^\$2b\$05\$/],
    [
      ['-H', 'argon2id', '-I', '3', '--argon2-memory', '128', '--argon2-parallelism', '2'],
      /^\$argon2id\$v=19\$m=128,t=3,p=2\$/,
    ],
  ] as const) {
    it(`the cost: ${args.join(' ')}`, async (t) => {
      const file = fileIn(t);
      assert.equal((await passwd([...args, '-c', '-b', file, 'tom', 'x'])).code, 0);
      assert.match(hashOf(file, 'tom'), form);
      assert.equal(await verifyHash(Buffer.from('x'), hashOf(file, 'tom')), true);
    });
  }

  it('a file that may not be one is not asked a password for', async (t) => {
    const missing = path.join(scratch(t), 'none');
    const { stdout, stderr } = await passwd([missing, 'tom'], 'x\nx\n');
    assert.equal(stdout, '');
    assert.equal(stderr, `Error: Unable to open password file ${missing}. No such file or directory.\n`);
  });
});

describe('asking for the password', () => {
  it('twice, on standard output, a line each', async (t) => {
    const file = fileIn(t);
    const { code, stdout, stderr } = await passwd(['-c', ...QUICK, file, 'tom'], 'secret\nsecret\n');
    const expected = 'Password: \nReenter password: \nAdding password for user tom\n';
    assert.deepEqual([code, stdout, stderr], [0, expected, '']);
    assert.equal(await verifyHash(Buffer.from('secret'), hashOf(file, 'tom')), true);
  });

  it('the last line needs no end', async (t) => {
    const file = fileIn(t);
    assert.equal((await passwd(['-c', ...QUICK, file, 'tom'], 'secret\r\nsecret')).code, 0);
    assert.equal(await verifyHash(Buffer.from('secret'), hashOf(file, 'tom')), true);
  });

  for (const [what, stdin, code, questions, sentence] of [
    ['two that differ', 'a\nb\n', 2, 'Password: \nReenter password: \n', 'Error: Passwords do not match.\n'],
    ['one only', 'a\n', 1, 'Password: \nReenter password: ', 'Error: Empty password.\n'],
    ['one and an empty one', 'a\n\n', 1, 'Password: \nReenter password: ', 'Error: Empty password.\n'],
    ['an empty one', '\n\n', 1, 'Password: ', 'Error: Empty password.\n'],
    ['none', '', 1, 'Password: ', 'Error: Empty password.\n'],
    [
      'one that is not UTF-8',
      '\uFFFD\n\uFFFD\n',
      1,
      'Password: \nReenter password: \n',
      'Error: The password is not valid UTF-8.\n',
    ],
  ] as const) {
    it(`${what}: exit code ${code}, and the file stays`, async (t) => {
      const file = fileIn(t, 'ann:x\n');
      const result = await passwd([file, 'tom'], stdin);
      assert.deepEqual([result.code, result.stdout, result.stderr], [code, questions, sentence]);
      assert.equal(readFileSync(file, 'utf8'), 'ann:x\n');
    });
  }

  it('with -c - the questions keep out of standard output', async () => {
    const { stdout, stderr } = await passwd(['-c', ...QUICK, '-', 'tom'], 'x\nx\n');
    assert.match(stdout, /^tom:\S+\n$/);
    assert.match(stderr, /^Password: \nReenter password: \n/);
  });
});

describe('-D', () => {
  it('deletes a user', async (t) => {
    const file = fileIn(t, '# c\nann:x\ntom:y\n');
    assert.deepEqual(await passwd(['-D', file, 'ann']), { code: 0, stdout: '', stderr: '' });
    assert.equal(readFileSync(file, 'utf8'), '# c\ntom:y\n');
  });

  it('warns about one who is not there', async (t) => {
    const file = fileIn(t, 'ann:x\n');
    const { code, stderr } = await passwd(['-D', file, 'tom']);
    assert.deepEqual([code, stderr], [1, 'Warning: User tom not found in password file.\n']);
    assert.equal(readFileSync(file, 'utf8'), 'ann:x\n');
  });
});

describe('-U', () => {
  it('hashes every plain password, and a second time changes nothing', async (t) => {
    const file = fileIn(t, '# users\n\ntom:111111\nann:a:b \r\nJörg:ü');
    assert.deepEqual(await passwd(['-U', ...QUICK, file]), { code: 0, stdout: '', stderr: '' });
    assert.deepEqual(lines(file).slice(0, 2), ['# users', '']);
    assert.equal(await verifyHash(Buffer.from('111111'), hashOf(file, 'tom')), true);
    assert.equal(await verifyHash(Buffer.from('a:b'), hashOf(file, 'ann')), true);
    assert.equal(await verifyHash(Buffer.from('ü'), hashOf(file, 'Jörg')), true);
    const once = readFileSync(file, 'utf8');
    assert.equal((await passwd(['-U', ...QUICK, file])).code, 0);
    assert.equal(readFileSync(file, 'utf8'), once);
  });

  for (const [what, content, sentence] of [
    ['a line without colon', 'tom:x\noops\n', 'Error: Corrupt password file at line 2.\n'],
    ['a damaged hash', 'tom:$7$1000$abc\n', 'Error: Corrupt password file at line 1.\n'],
    ['an empty password', 'tom:\n', 'Error: Empty password.\n'],
  ] as const) {
    it(`leaves a file with ${what} as it is`, async (t) => {
      const file = fileIn(t, content);
      const { code, stderr } = await passwd(['-U', ...QUICK, file]);
      assert.deepEqual([code, stderr], [1, sentence]);
      assert.equal(readFileSync(file, 'utf8'), content);
    });
  }
});

it('the file is for its owner only, whatever the umask is [CVE-2017-9868]', async (t) => {
  const old = process.umask(0);
  try {
    const file = fileIn(t);
    assert.equal((await passwd(['-c', '-b', ...QUICK, file, 'tom', 'x'])).code, 0);
    assert.equal(statSync(file).mode & 0o777, 0o600);
  } finally {
    process.umask(old);
  }
});
