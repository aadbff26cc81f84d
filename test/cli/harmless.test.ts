// What a person sees of names and words of others: nothing in it controls the terminal. And a tool that is done ends.
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { Console } from '../../src/cli/commands/console.ts';
import { main as pub } from '../../src/cli/commands/pub.ts';
import { main as sub } from '../../src/cli/commands/sub.ts';
import type { Io } from '../../src/cli/io.ts';
import { PLAIN } from '../../src/cli/terminal.ts';
import { runTool } from '../support/cli.ts';
import { runCommand } from '../support/run-command.ts';
import { ACCEPTED, falseBroker } from './embedded-broker.ts';

describe('sentences', { concurrency: true }, () => {
  const red = '\u001b[31m\u009b2J';
  const shown = '\\x1b[31m\\x9b2J';
  for (const [what, main, argv, sentence] of [
    ['an unknown option', pub, [`--${red}`], `Error: Unknown option '--${shown}'.`],
    ['a file', pub, ['-t', 'a', '-f', `/nope/${red}`], `Error: Unable to open file "/nope/${shown}".`],
    ['an options file', sub, ['-o', `/nope/${red}`], `Error: Unable to open options file /nope/${shown}.`],
    ['a CA file', sub, ['-t', 'a', '--cafile', `/nope/${red}`], `There is no file "/nope/${shown}".`],
    ['a spool', pub, ['-t', 'a', '-l', '--spool', `/nope/${red}`], `Error: Unable to open the spool "/nope/${shown}"`],
  ] as const) {
    it(`name ${what} harmlessly`, async () => {
      const { code, stderr } = await runCommand(main, argv);
      assert.equal(code, 1);
      assert.ok(stderr.includes(sentence), stderr);
      assert.doesNotMatch(stderr, /[^\P{Cc}\n]/u);
    });
  }

  it('of a tool at work are harmless, and keep their lines', async () => {
    const stderr = new PassThrough();
    const console = new Console({ stdout: new PassThrough(), stderr } as unknown as Io, PLAIN, PLAIN, false);
    console.error(`Error: ${red}.`);
    console.warn(`Warning: a\n${red}`);
    console.detail(`b\r${red}`);
    await console.finish();
    assert.equal(String(stderr.read()), `Error: ${shown}.\nWarning: a\n${shown}\nb\\x0d${shown}\n`);
  });
});

describe('the end of a tool', () => {
  it('does not wait for the next repetition once the connection is lost', async (context) => {
    const port = await falseBroker(context, (chunk, socket) => {
      if (chunk[0] === 0x10) socket.write(ACCEPTED);
      else socket.destroy();
    });
    const repeat = ['--repeat', '2', '--repeat-delay', '1000'];
    assert.deepEqual(
      await runTool('mqtt-pub', ['-h', '127.0.0.1', '-p', String(port), '-t', 'a', '-m', 'b', ...repeat]),
      {
        code: 7,
        stdout: '',
        stderr: 'Error: The connection was lost.\n',
      },
    );
  });
});
