// The same command lines for mosquitto_passwd and mqtt-passwd: what they print, their exit codes, and who is in the file.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { verifyHash } from '../../src/broker/plugins/hashes.ts';
import { scratch } from '../support/mosquitto.ts';
import { runPasswd } from '../support/passwd-run.ts';
import { finish, type Result, without } from '../support/process.ts';

const HASHED = `ann:${'$6$lhQ8zRl7qB8Si62M$0oZ4BsZx6BQu4SWHaSmC7NwaQqxtUTmD6q8hFOETIYrA7Uu9FP0fisRUS69atxH5QEeOXo6Vvzr063XTtnmECQ=='}\n`;

/** `F` stands for the file, which has the user ann. (With a comment in it, mosquitto_passwd 2.0 loses what stands behind it.) */
const CASES: readonly (readonly [args: readonly string[], stdin?: string])[] = [
  [['-b', 'F', 'tom', 'secret']],
  [['-b', 'F', 'ann', 'secret']],
  [['-H', 'sha512', '-b', 'F', 'tom', 'secret']],
  [['-H', 'sha512-pbkdf2', '-I', '5', '-b', 'F', 'tom', 'secret']],
  [['-c', '-b', 'F', 'tom', 'secret']],
  [['-b', 'F', 'Jörg à', 'pässwörd']],
  [['-b', 'F', 'tom', '-x']],
  [['F', 'tom'], 'secret\nsecret\n'],
  [['F', 'tom'], 'secret\r\nsecret'],
  [['F', 'tom'], ' a \n a \n'],
  [['-c', 'F', 'tom'], 'secret\nsecret\nmore\n'],
  [['F', 'tom'], 'secret\nSecret\n'],
  [['F', 'tom'], 'secret\n'],
  [['F', 'tom'], 'secret\n\n'],
  [['F', 'tom'], '\n'],
  [['F', 'tom'], ''],
  [['-D', 'F', 'ann']],
  [['-D', 'F', 'tom']],
  [['-b', 'F', 'a:b', 'x']],
  [['-b', 'F', 'a\tb', 'x']],
  [['-b', 'F', 'x'.repeat(65_536), 'x']],
  [['-b', 'F', 'tom', 'x'.repeat(65_536)]],
  [['-b', 'NONE', 'tom', 'x']],
  [['-D', 'NONE', 'tom']],
  [['-U', 'NONE']],
  [['NONE', 'tom']],
  [['-c', '-D', 'F', 'tom']],
  [['-c', '-U', 'F']],
  [['-D', '-U', 'F', 'tom']],
  [['-b', '-D', 'F', 'tom']],
  [['-c']],
  [['-c', 'F']],
  [['-c', '-b', 'F', 'tom']],
  [['-D', 'F']],
  [['-U']],
  [['-H']],
  [['-I']],
  [['-I', '0', '-b', 'F', 'tom', 'x']],
  [['-I', 'x', '-b', 'F', 'tom', 'x']],
];

/** What the older tool (2.0) does not print, and the pointer to --help that each tool has its own of. */
const common = (text: string): string =>
  text.replace(/^(?:Adding|Updating) password for user .*\n/m, '').replace(/\n+Use '.*' to see usage\.\n$/, '\n');

/** The users of a file, and whether they have this password. */
async function usersIn(file: string, password: string): Promise<unknown> {
  if (!existsSync(file)) return null;
  const lines = readFileSync(file, 'utf8').split('\n');
  return Promise.all(
    lines.map(async (line) => {
      const [user, hash] = line.split(':');
      return hash === undefined ? line : [user, await verifyHash(Buffer.from(password), hash)];
    }),
  );
}

describe('as mosquitto_passwd', { skip: without('mosquitto_passwd') }, () => {
  for (const [args, stdin = ''] of CASES) {
    it(`${args.map((arg) => arg.slice(0, 40)).join(' ')} ${stdin === '' ? '' : JSON.stringify(stdin)}`, async (t) => {
      const password = stdin.split(/\r?\n/)[0] || args.at(-1) || '';
      const outcomes: unknown[] = [];
      const tools: ((args: readonly string[]) => Promise<Result>)[] = [
        (words) => finish('mosquitto_passwd', words, { input: stdin }),
        (words) =>
          runPasswd(words.includes('-H') || words.includes('-U') ? words : ['-H', 'sha512', ...words], { stdin }),
      ];
      for (const tool of tools) {
        const folder = scratch(t);
        const file = path.join(folder, 'f');
        writeFileSync(file, HASHED, { mode: 0o600 });
        const words = args.map((arg) => arg.replace(/^F$/, file).replace(/^NONE$/, path.join(folder, 'none')));
        const { code, stdout, stderr } = await tool(words);
        outcomes.push({
          code,
          stdout: common(stdout),
          stderr: common(stderr).replaceAll(folder, ''),
          users: await usersIn(file, password),
        });
      }
      assert.deepEqual(outcomes[1], outcomes[0]);
    });
  }

  it('-U hashes the same passwords', async (t) => {
    const folder = scratch(t);
    const [theirs, ours] = [path.join(folder, 'theirs'), path.join(folder, 'ours')];
    for (const file of [theirs, ours]) writeFileSync(file, 'ann:secret\ntom:secret\n', { mode: 0o600 });
    assert.equal((await finish('mosquitto_passwd', ['-U', theirs])).code, 0);
    assert.equal((await runPasswd(['-U', ours])).code, 0);
    assert.deepEqual(await usersIn(ours, 'secret'), await usersIn(theirs, 'secret'));
  });
});
