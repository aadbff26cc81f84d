// mqtt-passwd and the others who use the file: further writers, somebody at the terminal, a mount, a process that was killed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { PassThrough } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Io } from '../../src/cli/io.ts';
import { parseArguments } from '../../src/cli/parse.ts';
import { hashFile } from '../../src/cli/password/change.ts';
import { runTool } from '../support/cli.ts';
import { scratch } from '../support/mosquitto.ts';
import { fileIn, QUICK, runPasswd } from '../support/passwd-run.ts';
import { built, finish, Program, whereIs, without } from '../support/process.ts';

const namesIn = (file: string): string[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(':')[0] ?? '');

describe('several writers', () => {
  it('ten at once all have their way', async (t) => {
    const file = fileIn(t, 'ann:x\ngone:y\n');
    const users = Array.from({ length: 8 }, (_, i) => `user${i}`);
    const results = await Promise.all([
      ...users.map((user) => runTool('mqtt-passwd', ['-b', ...QUICK, file, user, 'x'])),
      runPasswd(['-b', ...QUICK, file, 'tom', 'x']),
      runPasswd(['-D', file, 'gone']),
    ]);
    assert.deepEqual(
      results.map(({ code, stderr }) => [code, stderr]),
      results.map(() => [0, '']),
    );
    assert.deepEqual(namesIn(file).sort(), ['ann', 'tom', ...users]);
    assert.deepEqual(readdirSync(path.dirname(file)), ['passwd.conf']);
  });

  it('one waits while another process has the lock', async (t) => {
    const file = fileIn(t, 'ann:x\n');
    const lock = path.join(path.dirname(file), '.passwd.conf.lock');
    const other = new Program('sleep', ['20']);
    t.after(() => other.stop());
    const stat = readFileSync(`/proc/${other.pid}/stat`, 'utf8');
    writeFileSync(lock, `${other.pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}\n`);
    const deleting = runPasswd(['-D', file, 'ann']);
    assert.equal(await Promise.race([deleting, delay(50, 'waits')]), 'waits');
    assert.equal(readFileSync(file, 'utf8'), 'ann:x\n');
    rmSync(lock);
    assert.equal((await deleting).code, 0);
    assert.equal(readFileSync(file, 'utf8'), '');
  });

  it('-U hashes what another one adds meanwhile', async (t) => {
    const file = fileIn(t, 'ann:1\ntom:1\n');
    const io = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough(), env: {} };
    const { options } = parseArguments('passwd', ['-U', ...QUICK, file]);
    // When this returns, the file was read and the first hash is being made.
    const hashing = hashFile(options, file, io as unknown as Io);
    writeFileSync(file, 'tom:1\nbob:2\n');
    assert.equal(await hashing, 0);
    assert.match(readFileSync(file, 'utf8'), /^tom:\$2b\$\S+\nbob:\$2b\$\S+\n$/);
  });

  it('the lock of a process that is gone is nobody’s, once no other container can have made it', async (t) => {
    const file = fileIn(t, 'ann:x\n');
    const lock = path.join(path.dirname(file), '.passwd.conf.lock');
    writeFileSync(lock, `${process.pid} 1\n`);
    const deleting = runPasswd(['-D', file, 'ann']);
    assert.equal(await Promise.race([deleting, delay(50, 'waits')]), 'waits');
    utimesSync(lock, 1, 1);
    assert.equal((await deleting).code, 0);
    assert.deepEqual(readdirSync(path.dirname(file)), ['passwd.conf']);
  });
});

describe('-c and a file that is there', () => {
  const file = (t: TestContext) => fileIn(t, '# a:b\nann:x\ntom:y\n');
  const question = (name: string) => `Overwrite ${name} with 2 users? [y/N] `;

  it('is asked about at a terminal', async (t) => {
    for (const answer of ['y', 'Yes', 'YES']) {
      const name = file(t);
      const { code, stdout } = await runPasswd(['-c', ...QUICK, name, 'bob'], { keys: `${answer}\rpw\rpw\r` });
      assert.equal(code, 0);
      assert.equal(
        stdout,
        `${question(name)}${answer}\nPassword: \nReenter password: \nAdding password for user bob\n`,
      );
      assert.deepEqual(namesIn(name), ['bob']);
    }
  });

  it('stays for any other answer, and for Ctrl-C', async (t) => {
    const name = file(t);
    for (const answer of ['\r', 'n\r', 'no\r', 'yy\r', '\x04']) {
      const { code, stderr, raw } = await runPasswd(['-c', ...QUICK, name, 'bob'], { keys: answer });
      assert.deepEqual([code, stderr, raw], [1, 'Error: Nothing was changed.\n', [true, false]]);
    }
    const interrupted = await runPasswd(['-c', ...QUICK, name, 'bob'], { keys: 'y\rsecret\x03' });
    assert.deepEqual([interrupted.code, interrupted.raw], [130, [true, false]]);
    assert.deepEqual(namesIn(name), ['# a', 'ann', 'tom']);
  });

  it('is not asked about in a pipe, with -b, or where there are no users', async (t) => {
    const piped = await runPasswd(['-c', ...QUICK, file(t), 'bob'], { stdin: 'pw\npw\n' });
    assert.equal(piped.stdout, 'Password: \nReenter password: \nAdding password for user bob\n');
    const batch = await runPasswd(['-c', '-b', ...QUICK, file(t), 'bob', 'pw'], { keys: '' });
    assert.equal(batch.stdout, 'Adding password for user bob\n');
    const nobody = await runPasswd(['-c', ...QUICK, fileIn(t, '# a:b\n'), 'bob'], { keys: 'pw\rpw\r' });
    assert.equal(nobody.stdout, 'Password: \nReenter password: \nAdding password for user bob\n');
  });
});

it('at a real terminal nothing that is typed is seen, and Ctrl-C leaves the file', {
  skip: without('script'),
}, async (t) => {
  const file = fileIn(t, 'ann:x\n');
  const command = `${process.execPath} ${built('mqtt-passwd')} ${QUICK.join(' ')} ${file} tom; stty -a`;
  for (const [again, outcome] of [
    ['s3cret\r', 'Adding password for user tom'],
    ['\x03', ''],
  ] as const) {
    const before = readFileSync(file, 'utf8');
    const terminal = spawn(whereIs('script') ?? '', ['-qec', command, '/dev/null'], {
      timeout: 20_000,
      env: { ...process.env, NO_COLOR: '1' },
    });
    let seen = '';
    let typed = 0;
    terminal.stdout.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      const asked = Number(seen.includes('Password: ')) + Number(seen.includes('Reenter password: '));
      for (; typed < asked; typed++) terminal.stdin.write(typed === 0 ? 's3cret\r' : again);
    });
    await once(terminal, 'close');
    assert.match(seen, /^Password: \r\nReenter password: \r\n/);
    assert.ok(seen.includes(outcome) && !seen.includes('s3cret'), seen);
    assert.match(seen, / icanon .* echo /s);
    if (outcome === '') assert.equal(readFileSync(file, 'utf8'), before);
    else assert.deepEqual(namesIn(file), ['ann', 'tom']);
  }
});

/** Why there can be no mounts here; false where there can. */
async function noMounts(): Promise<string | false> {
  const missing = without('unshare', 'mount');
  if (missing !== false) return missing;
  const { code } = await finish('unshare', ['-m', 'true']).catch(() => ({ code: 1 }));
  return code === 0 ? false : 'only root may mount';
}

it('a single file that is mounted stays mounted', { skip: await noMounts() }, async (t) => {
  const folder = scratch(t);
  const outside = path.join(folder, 'outside');
  const file = path.join(folder, 'in', 'passwd.conf');
  const script = [
    'mkdir in && touch in/passwd.conf && mount --bind outside in/passwd.conf || exit 9',
    ...['tom', 'bob'].map((user) => `"$0" "$1" -b ${QUICK.join(' ')} in/passwd.conf ${user} x || exit 8`),
    '"$0" "$1" -D in/passwd.conf ann',
  ];
  writeFileSync(outside, 'ann:x\n# end', { mode: 0o600 });
  const { ino } = statSync(outside);
  const result = await finish(
    'unshare',
    ['-m', 'sh', '-c', script.join('\n'), process.execPath, built('mqtt-passwd')],
    { cwd: folder },
  );
  assert.deepEqual([result.code, result.stderr], [0, '']);
  assert.deepEqual(namesIn(outside), ['# end', 'tom', 'bob']);
  assert.equal(statSync(outside).ino, ino);
  assert.deepEqual(readdirSync(path.dirname(file)), ['passwd.conf']);
});
