// --help, --version and wrong usage of every command, as the shell sees them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { optionsOf } from '../../src/cli/options/tables.ts';
import { helpText, versionText } from '../../src/cli/usage.ts';
import { runTool } from '../support/cli.ts';
import { finish, without } from '../support/process.ts';

const ANSI = '\x1b[';

for (const tool of ['broker', 'pub', 'sub', 'rr', 'passwd'] as const) {
  const name = `mqtt-${tool}`;
  // Scripts know that Mosquitto's clients exit with 1 here, and its broker with 0.
  const helpCode = tool === 'broker' ? 0 : 1;
  const wrongCode = tool === 'broker' ? 3 : 1;

  describe(name, () => {
    it('--help', async () => {
      assert.deepEqual(await runTool(name, ['--help']), { code: helpCode, stdout: helpText(tool), stderr: '' });
    });

    it('--version', async () => {
      assert.deepEqual(await runTool(name, ['--version']), { code: helpCode, stdout: versionText(tool), stderr: '' });
    });

    it('an unknown option', async () => {
      const { code, stdout, stderr } = await runTool(name, ['--foo']);
      const hint = tool === 'broker' ? '' : `\nUse '${name} --help' to see usage.\n`;
      assert.deepEqual([code, stderr], [wrongCode, `Error: Unknown option '--foo'.\n${hint}`]);
      assert.equal(stdout, tool === 'broker' ? helpText(tool) : '');
    });

    it('refuses what is known but not supported', async () => {
      const row = optionsOf(tool).find((candidate) => candidate.refused !== undefined);
      if (row === undefined) return assert.ok(tool === 'broker' || tool === 'passwd');
      const { code, stdout, stderr } = await runTool(name, [row.names[0] ?? '', 'value']);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /^Error: The option '[^']+' is known but not supported\. .+\.\n\nUse /);
    });
  });
}

describe('clients say what is missing', () => {
  it('mqtt-pub without a message: the sentence, and the whole usage', async () => {
    const { code, stdout, stderr } = await runTool('mqtt-pub', ['-t', 'a']);
    assert.deepEqual([code, stdout, stderr], [1, helpText('pub'), 'Error: Both topic and message must be supplied.\n']);
  });

  it('mqtt-sub without a topic', async () => {
    const { code, stdout, stderr } = await runTool('mqtt-sub', []);
    const sentence = 'Error: You must specify a topic to subscribe to (-t) or unsubscribe from (-U).';
    assert.deepEqual([code, stdout, stderr], [1, '', `${sentence}\n\nUse 'mqtt-sub --help' to see usage.\n`]);
  });

  it('a CA file that is not there, by name', async () => {
    const { code, stdout, stderr } = await runTool('mqtt-sub', ['-t', 'a', '--cafile', '/nonexistent/ca']);
    const sentences = 'Error: Problem setting TLS options: File not found.\nThere is no file "/nonexistent/ca".\n';
    assert.deepEqual([code, stdout, stderr], [1, '', sentences]);
  });
});

describe('the same sentences as Mosquitto', { skip: without('mosquitto_sub', 'mosquitto_pub', 'mosquitto_rr') }, () => {
  const first = (text: string): string => text.split('\n')[0] ?? '';
  const cases: readonly (readonly ['pub' | 'sub' | 'rr', readonly string[]])[] = [
    ['sub', ['--foo']],
    ['sub', ['-t']],
    ['sub', ['-t', 'a', '-p']],
    ['sub', ['-t', 'a', '-p', '70000']],
    ['sub', ['-t', 'a', '-q', '3']],
    ['sub', ['-t', 'a', '-i', 'x', '-I', 'y']],
    ['sub', ['-t', 'a', '-k', '4']],
    ['sub', ['-t', 'a', '-V', '6']],
    ['sub', ['-t', 'a', '-L', 'foo://x']],
    ['sub', ['-L', 'mqtt://localhost']],
    ['sub', ['-t', 'a', '-c']],
    ['sub', ['-t', 'a', '-x', 'abc']],
    ['sub', ['-t', 'a', '-C', '0']],
    ['sub', ['-t', 'a', '-W', '0']],
    ['sub', ['-t', 'a/#/b']],
    ['sub', ['-t', 'a', '--will-topic', 'a/#']],
    ['sub', ['-t', 'a', '--will-payload', 'x']],
    ['sub', ['-t', 'a', '--cert', 'x']],
    ['sub', ['-t', 'a', '--cafile', '/nonexistent']],
    ['sub', ['-t', 'a', '-M', '0']],
    ['sub', ['-t', 'a', '-D', 'connect', 'content-type', 'a']],
    ['sub', ['-t', 'a', '-D', 'foo', 'user-property', 'a', 'b']],
    ['pub', ['-t', 'a', '-m', 'x', '-n']],
    ['pub', ['-t', 'a/#', '-m', 'x']],
    ['pub', ['-t', 'a']],
    ['pub', ['-t', 'a', '-m', 'x', '--repeat', '0']],
    ['rr', ['-t', 'a', '-m', 'x']],
    ['rr', ['-t', 'a', '-e', 'b/#', '-m', 'x']],
  ];
  for (const [tool, args] of cases) {
    it(`${tool} ${args.join(' ')}`, async () => {
      const ours = await runTool(`mqtt-${tool}`, args);
      const theirs = await finish(`mosquitto_${tool}`, args);
      assert.deepEqual([ours.code, first(ours.stderr)], [theirs.code, first(theirs.stderr)]);
    });
  }
});

it('no colours where nobody looks at a terminal', async () => {
  const { stdout, stderr } = await runTool('mqtt-pub', ['-t', 'a'], { env: { NO_COLOR: undefined, FORCE_COLOR: '1' } });
  assert.ok(!`${stdout}${stderr}`.includes(ANSI));
});
