// Secrets stay with the tool: others see no password in the list of processes, in traces or on the screen.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { describe, it, type TestContext } from 'node:test';
import { ALLOW, DENY } from '../../src/index.ts';
import { runTool } from '../support/cli.ts';
import { scratch } from '../support/mosquitto.ts';
import { built, finish, whereIs, without } from '../support/process.ts';
import { type EmbeddedBroker, embeddedBroker } from './embedded-broker.ts';

/** A broker that lets in the user `tom` with the password `se cret` only. */
function toms(context: TestContext): Promise<EmbeddedBroker> {
  const authenticate = ({ username, password }: { username: string | null; password: Buffer | null }) =>
    username === 'tom' && password?.toString() === 'se cret' ? ALLOW : DENY;
  return embeddedBroker(context, 0, { plugins: [{ name: 'tom', authenticate }] });
}

const PROC = existsSync('/proc/self/cmdline') ? false : 'no /proc here';

describe('the list of processes', { skip: PROC }, () => {
  const nowhere = ['-h', '127.0.0.1', '-p', '1'];
  const long = 'x'.repeat(50_000);
  const cases: readonly (readonly [string, readonly string[], string])[] = [
    ['mqtt-pub', [...nowhere, '-t', 'a', '-n', '-u', 'u', '-P', 'secret'], '-u u -P ***'],
    ['mqtt-sub', [...nowhere, '--pw', 'secret', '-t', long, '-u', 'u'], `--pw *** -t ${long} -u u`],
    ['mqtt-rr', ['-L', 'mqtt://u:secret@127.0.0.1:1/t', '-e', 'r', '-n'], '-L mqtt://u:***@127.0.0.1:1/t -e r -n'],
    ['mqtt-sub', ['-L', 'mqtt://u:sec@ret@127.0.0.1:1/t'], '-L mqtt://u:***@127.0.0.1:1/t'],
    [
      'mqtt-sub',
      [
        ...nowhere,
        '-t',
        'a',
        '-D',
        'connect',
        'authentication-method',
        'm',
        '-D',
        'connect',
        'authentication-data',
        'secret',
      ],
      '-D connect authentication-data ***',
    ],
    ['mqtt-bench', ['conn', ...nowhere, '-n', '2', '--workers', '2', '-u', 'u', '-P', 'secret'], '-u u -P ***'],
    ['mqtt-passwd', ['-c', '-b', '-I', '4', '-', 'tom', 'secret'], 'mqtt-passwd -c -b -I 4 - tom ***'],
  ];
  for (const [name, args, shown] of cases) {
    it(`${name} ${args.join(' ').slice(0, 80)}`, async (context) => {
      // The tool and its workers tell at their ends what stands there.
      const hook = path.join(scratch(context), 'hook.cjs');
      const tell = "fs.readFileSync('/proc/self/cmdline', 'utf8').replace(/\\0+$/, '').replaceAll('\\0', ' ')";
      writeFileSync(
        hook,
        `const fs = require('fs'); process.on('exit', () => fs.writeSync(2, 'SEEN ' + ${tell} + '\\n'));`,
      );
      const { stderr } = await runTool(name, args, { env: { NODE_OPTIONS: `--require=${hook}` } });
      const seen = stderr.split('\n').filter((line) => line.startsWith('SEEN '));
      assert.equal(seen.length, name === 'mqtt-bench' ? 3 : 1, stderr);
      assert.ok(
        seen.every((line) => !/sec|ret@/.test(line)),
        seen.join('\n'),
      );
      assert.ok(
        seen.some((line) => line.startsWith(`SEEN ${name} `) && line.endsWith(shown.slice(-1000))),
        seen.join('\n'),
      );
    });
  }

  it('is left alone without a secret', async (context) => {
    const hook = path.join(scratch(context), 'hook.cjs');
    writeFileSync(hook, "process.on('exit', () => require('fs').writeSync(2, process.title));");
    const env = { NODE_OPTIONS: `--require=${hook}` };
    assert.match((await runTool('mqtt-pub', [...nowhere, '-t', 'a', '-n'], { env })).stderr, /node[^/]*$/);
  });
});

describe('a password from elsewhere logs in, and no trace shows it', () => {
  it('from a file, a variable, an options file; workers of mqtt-bench have it too', async (context) => {
    const { where } = await toms(context);
    const folder = scratch(context);
    const file = path.join(folder, 'password');
    writeFileSync(file, 'se cret\n');
    const options = path.join(folder, 'mosquitto_sub');
    writeFileSync(options, '# login\n-u tom\n-P se cret\n-E\n');
    chmodSync(options, 0o644);
    const pub = [...where, '-t', 'a', '-m', 'x', '-u', 'tom', '-d', '-V', 'mqttv5'];
    const bench = ['conn', ...where, '-n', '2', '--duration', '0.001', '-u', 'tom', '--workers', '2'];
    for (const [name, args, env] of [
      ['mqtt-pub', [...pub, '--password-file', file], {}],
      ['mqtt-pub', [...pub, '--password-env', 'PW'], { PW: 'se cret' }],
      ['mqtt-sub', [...where, '-t', 'a', '-d'], { XDG_CONFIG_HOME: folder }],
      ['mqtt-bench', [...bench, '--password-file', file], {}],
    ] as const) {
      const { code, stdout, stderr } = await runTool(name, args, { env });
      assert.deepEqual([code, stderr], [0, ''], name);
      assert.ok(!stdout.includes('cret'));
    }
    const { code, stdout } = await runTool('mqtt-pub', [...pub, '--password-fd', '0'], { stdin: 'se cret\nrest' });
    assert.deepEqual([code, stdout.includes('cret')], [0, false]);
    const refused = await runTool('mqtt-pub', [...pub, '-P', 'wrong one']);
    assert.deepEqual([refused.code, /wrong/.test(refused.stdout + refused.stderr)], [135, false]);
  });
});

/** The command script of Linux; others have other options. */
const SCRIPT = process.platform === 'linux' ? without('script') : 'needs the script(1) of Linux';

describe('-P without a value', () => {
  /** What the terminal shows of a command line, when somebody types this at the question; with the exit code. */
  async function typed(args: readonly string[], answer: string): Promise<{ code: number | null; shown: string }> {
    const words = [process.execPath, built('mqtt-pub'), ...args].map((word) => `'${word}'`).join(' ');
    const child = spawn(whereIs('script') ?? '', ['-qefc', `printf 'line\\n' | ${words}`, '/dev/null'], {
      timeout: 20_000,
    });
    let shown = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const before = shown;
      shown += text;
      if (!before.includes('Password: ') && shown.includes('Password: ')) child.stdin.write(answer);
    });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject).on('close', resolve);
    });
    child.stdin.end();
    return { code, shown };
  }

  it('asks at the terminal without echo, though the messages come by standard input', { skip: SCRIPT }, async (t) => {
    const { where } = await toms(t);
    const args = [...where, '-t', 'a', '-u', 'tom', '-l', '-q', '1', '-P'];
    assert.deepEqual(await typed(args, 'se cret\r'), { code: 0, shown: 'Password: \r\n' });
    const wrong = await typed([...args, '-d'], 'guess\r');
    assert.equal(wrong.code, 5);
    assert.doesNotMatch(wrong.shown, /guess/);
    assert.deepEqual(await typed(args, 'se\x03'), { code: 130, shown: 'Password: \r\n' });
  });

  it('is a usage error without a terminal', { skip: without('setsid') }, async () => {
    // In a session of its own, for whoever runs the tests at a terminal.
    const words = [process.execPath, built('mqtt-pub'), '-t', 'a', '-m', 'b', '-u', 'u', '-P'];
    const { code, stdout, stderr } = await finish('setsid', ['-w', ...words]);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(
      stderr,
      /^Error: -P argument given but no password specified\.\nThere is no terminal .*\n\nUse 'mqtt-pub --help'/,
    );
  });
});
