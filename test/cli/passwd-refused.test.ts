// What mqtt-passwd refuses: one sentence, the exit code, and the file as it was.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { scratch } from '../support/mosquitto.ts';
import { fileIn, passwd, QUICK } from '../support/passwd-run.ts';

describe('refused, with exit code 1', () => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [['-b', 'F', 'a:b', 'x'], "Error: Username must not contain the ':' character.\n"],
    [['-b', 'F', '', 'x'], 'Error: Username must not be empty.\n'],
    [['-b', 'F', 'a\nb', 'x'], 'Error: Username must not contain control characters.\n'],
    [['-b', 'F', '#a', 'x'], "Error: Username must not begin with the '#' character.\n"],
    [['-b', 'F', ' a', 'x'], 'Error: Username must not begin or end with a blank.\n'],
    [['-b', 'F', 'a', ''], 'Error: Empty password.\n'],
    [
      ['-b', '-H', 'sha512', '-I', '5', 'F', 'a', 'x'],
      'Error: A sha512 hash has no number of iterations; use sha512-pbkdf2.\n',
    ],
    [['-b', '-I', '17', 'F', 'a', 'x'], 'Error: The cost of bcrypt must be a whole number from 4 to 16, not 17.\n'],
    [
      ['-b', '--argon2-memory', '99', 'F', 'a', 'x'],
      'Error: A bcrypt hash has no measure of memory or parallelism; use argon2id.\n',
    ],
    [
      ['-b', '-H', 'argon2id', '--argon2-memory', '15', '--argon2-parallelism', '2', 'F', 'a', 'x'],
      'Error: The memory of argon2id in KiB with 2 lanes must be a whole number from 16 to 1048576, not 15.\n',
    ],
    [
      ['-b', '-H', 'argon2id', '--argon2-parallelism', '65', 'F', 'a', 'x'],
      'Error: The parallelism of argon2id must be a whole number from 1 to 64, not 65.\n',
    ],
    [
      ['-b', '-H', 'argon2id', '-I', '5', '--argon2-memory', '1048576', 'F', 'a', 'x'],
      'Error: The number of argon2id passes over 1048576 KiB must be a whole number from 1 to 4, not 5.\n',
    ],
    [['-D', 'F'], 'Error: -D argument given but password file or username missing.\n'],
    [['-U'], 'Error: -U argument given but password file missing.\n'],
    [['-c', 'F'], 'Error: -c argument given but password file or username missing.\n'],
    [['-c', '-b', 'F', 'a'], 'Error: -c argument given but password file, username, or password missing.\n'],
    [
      ['F', 'a', 'secret'],
      "Error: Unexpected argument behind the username. A password is taken from the command line only with -b.\n\nUse 'mqtt-passwd --help' to see usage.\n",
    ],
    [
      ['-b', 'F', 'a', 'top', 'secret'],
      "Error: Unexpected argument behind the password. A password with blanks needs quotes.\n\nUse 'mqtt-passwd --help' to see usage.\n",
    ],
    [['-D', 'F', 'ann', 'b'], "Error: Unexpected argument 'b'.\n\nUse 'mqtt-passwd --help' to see usage.\n"],
    [['-U', 'F', 'b'], "Error: Unexpected argument 'b'.\n\nUse 'mqtt-passwd --help' to see usage.\n"],
    [
      ['-b', '-H', 'argon2id', '--argon2-memory', '64k', 'F', 'a', 'x'],
      "Error: The memory for argon2id must be a whole number of KiB from 8 on, not '64k'.\n\nUse 'mqtt-passwd --help' to see usage.\n",
    ],
    [
      ['-H', 'md5', 'F', 'a'],
      "Error: Unknown hash type 'md5', use bcrypt, argon2id, sha512-pbkdf2 or sha512.\n\nUse 'mqtt-passwd --help' to see usage.\n",
    ],
    [['-c', '-D', 'F', 'a'], "Error: -c and -D cannot be used together.\n\nUse 'mqtt-passwd --help' to see usage.\n"],
  ];
  for (const [args, sentence] of cases) {
    it(JSON.stringify(args), async (t) => {
      const file = fileIn(t, 'ann:x\n');
      const result = await passwd(args.map((arg) => (arg === 'F' ? file : arg)));
      assert.deepEqual([result.code, result.stdout, result.stderr], [1, '', sentence]);
      assert.equal(readFileSync(file, 'utf8'), 'ann:x\n');
    });
  }

  it('a file that is not there', async (t) => {
    const file = fileIn(t);
    for (const args of [
      ['-b', file, 'a', 'x'],
      ['-D', file, 'a'],
      ['-U', file],
    ]) {
      const { code, stderr } = await passwd(args);
      assert.deepEqual(
        [code, stderr],
        [1, `Error: Unable to open password file ${file}. No such file or directory.\n`],
      );
    }
    assert.equal(existsSync(file), false);
  });

  it('a folder that is not there, or a folder for a file', async (t) => {
    const folder = scratch(t);
    const inside = path.join(folder, 'none', 'file');
    const { code, stdout, stderr } = await passwd(['-c', '-b', ...QUICK, inside, 'a', 'x']);
    assert.deepEqual(
      [code, stdout, stderr],
      [1, '', `Error: Unable to open file ${inside} for writing. No such file or directory.\n`],
    );
    mkdirSync(path.join(folder, 'dir'));
    const { stderr: second } = await passwd(['-c', '-b', ...QUICK, path.join(folder, 'dir'), 'a', 'x']);
    assert.match(second, /for writing\. Is a directory\.\n$/);
  });

  it('no arguments at all: the whole usage on standard output', async () => {
    const { code, stdout, stderr } = await passwd([]);
    assert.deepEqual([code, stderr], [1, 'Error: Password file and username must be given.\n']);
    assert.match(stdout, /^mqtt-passwd keeps .*\n/);
    assert.match(stdout, /^Usage: mqtt-passwd /m);
  });
});
