// Completion scripts: made from the tables, read by the shells themselves.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Choice, Subject } from '../../../src/cli/completion/facts.ts';
import { fishScript } from '../../../src/cli/completion/fish.ts';
import { completionScript } from '../../../src/cli/completion/script.ts';
import { zshScript } from '../../../src/cli/completion/zsh.ts';
import '../../../src/cli/options/bench.ts';
import type { Tool } from '../../../src/cli/options/row.ts';
import { optionsOf } from '../../../src/cli/options/tables.ts';
import { scratch } from '../../support/mosquitto.ts';
import { finish, without } from '../../support/process.ts';

const TOOLS: readonly Tool[] = ['broker', 'pub', 'sub', 'rr', 'passwd', 'bench'];

/**
 * What bash is offered for a command line whose last word is being typed. A cursor word of its own is the empty string.
 * In the place of a list, `default` and `dirnames` say that readline looks for files or directories.
 */
async function offered(tool: Tool, lines: readonly (readonly string[])[]): Promise<string[][]> {
  const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
  const script = [
    completionScript(tool, 'bash'),
    `compopt() { if ((\${#COMPREPLY[@]} == 0)); then COMPREPLY=("$2"); fi; }`,
    `ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mqtt_${tool}; echo "\${COMPREPLY[*]}"; }`,
    ...lines.map((words) => `ask ${[`mqtt-${tool}`, ...words].map(quote).join(' ')}`),
  ];
  const { code, stdout, stderr } = await finish('bash', ['--norc', '-s'], { input: script.join('\n') });
  assert.deepEqual([code, stderr], [0, '']);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(' ').filter((word) => word !== ''));
}

describe('bash', { skip: without('bash') }, () => {
  const cases: readonly (readonly [Tool, readonly string[], readonly string[]])[] = [
    ['pub', ['--reta'], ['--retain']],
    ['pub', ['--password-'], ['--password-file', '--password-env', '--password-fd']],
    ['pub', ['-t', ''], []],
    ['pub', ['-t', 'a', '--cle'], []],
    ['pub', ['-m', '-h', '--hos'], ['--host']],
    ['pub', ['-m', '-D', 'connect'], []],
    ['pub', ['-V', 'mqttv3'], ['mqttv31', 'mqttv311']],
    ['pub', ['--qos', ''], ['0', '1', '2']],
    ['pub', ['-f', ''], ['default']],
    ['pub', ['--capath', ''], ['dirnames']],
    ['pub', ['-P', '--use'], ['--username']],
    ['pub', ['-P', '--retain', '--use'], ['--username']],
    ['pub', ['-P', 'x', '--use'], ['--username']],
    ['pub', ['-P', 'x'], []],
    ['pub', ['-D', 'un'], ['unsubscribe']],
    ['pub', ['-D', 'publish', 'c'], ['content-type', 'correlation-data']],
    ['pub', ['-D', 'disconnect', ''], ['session-expiry-interval', 'reason-string', 'user-property']],
    ['pub', ['-D', 'nothing', ''], []],
    ['pub', ['-D', 'publish', 'content-type', '--h'], []],
    ['pub', ['-D', 'publish', 'content-type', 'x', '--hel'], ['--help']],
    ['pub', ['-D', 'publish', 'user-property', 'k', '--hel'], []],
    ['pub', ['-D', 'publish', 'user-property', 'k', 'v', '--hel'], ['--help']],
    ['pub', ['--completion', ''], ['bash', 'zsh', 'fish']],
    ['sub', ['--retain-handling', 'n'], ['new', 'never']],
    ['rr', ['--tls-version', ''], ['tlsv1.2', 'tlsv1.3']],
    ['passwd', ['-H', 'sha'], ['sha512-pbkdf2', 'sha512']],
    ['passwd', ['-b', 'fi'], ['default']],
    ['passwd', ['fi'], ['default']],
    ['passwd', [''], ['verify', 'list']],
    ['passwd', ['list', ''], ['default']],
    ['passwd', ['--v'], ['--version']],
    ['broker', ['--store-i'], ['--store-info', '--store-import']],
    ['bench', [''], ['conn', 'pub', 'sub', 'load']],
    ['bench', ['load', '--pub'], ['--publishers']],
  ];
  for (const tool of TOOLS) {
    it(`mqtt-${tool}`, async () => {
      const own = cases.filter(([name]) => name === tool);
      const found = await offered(
        tool,
        own.map(([, words]) => words),
      );
      assert.deepEqual(
        found.map((words, i) => [own[i]?.[1].join(' '), words]),
        own.map(([, words, expected]) => [words.join(' '), expected]),
      );
    });
  }
});

describe('every script', () => {
  for (const tool of TOOLS) {
    it(`of mqtt-${tool} names every option that there is, and none else`, () => {
      for (const { names, refused } of optionsOf(tool)) {
        for (const name of names) {
          const word = new RegExp(`(?<![\\w-])${name}(?![\\w-])`);
          assert.equal(word.test(completionScript(tool, 'bash')), refused === undefined, `bash ${name}`);
          assert.equal(word.test(completionScript(tool, 'zsh')), refused === undefined, `zsh ${name}`);
          const flag = name.startsWith('--') ? ` -l ${name.slice(2)} ` : ` -s ${name.slice(1)} `;
          assert.equal(completionScript(tool, 'fish').includes(flag), refused === undefined, `fish ${name}`);
        }
      }
    });
  }

  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    it(`is ${shell} without a mistake`, { skip: without(shell) }, async (context) => {
      const folder = scratch(context);
      for (const tool of TOOLS) {
        const file = path.join(folder, tool);
        writeFileSync(file, completionScript(tool, shell));
        assert.deepEqual(await finish(shell, ['-n', file]), { code: 0, stdout: '', stderr: '' }, tool);
      }
    });
  }
});

describe('descriptions', () => {
  const summary = "it's a [x]: \\\\ and $y";
  const option: Choice = {
    names: ['-z', '--zone'],
    summary,
    value: 'ZONE',
    offer: 'nothing',
    isOptional: false,
    isRepeatable: false,
    several: null,
  };
  const subject: Subject = { name: 'mqtt-test', options: [option], commands: [], takesFiles: false };

  /** What a shell prints that reads this. */
  async function printed(context: TestContext, shell: string, lines: readonly string[]): Promise<string> {
    const file = path.join(scratch(context), 'script');
    writeFileSync(file, lines.join('\n'));
    const { stdout, stderr } = await finish(shell, [shell === 'fish' ? '-N' : '-f', file]);
    assert.equal(stderr, '');
    return stdout;
  }

  it('are what zsh hands to its function _arguments, brackets escaped', { skip: without('zsh') }, async (context) => {
    const stubs = ['_arguments() { print -rl -- "$@" }', 'compdef() { $1 }'];
    assert.equal(
      await printed(context, 'zsh', [...stubs, ...zshScript(subject)]),
      ['-z', '--zone'].map((name) => `(-z --zone)${name}[it's a \\[x\\]: \\\\\\\\ and $y]:ZONE: \n`).join('') +
        '*: :\n',
    );
  });

  it('are what fish shows', { skip: without('fish') }, async (context) => {
    const ask = "complete -C 'mqtt-test --zo'";
    assert.equal(await printed(context, 'fish', [...fishScript(subject), ask]), `--zone\t${summary}\n`);
  });

  it('stand beside the names of properties', { skip: without('fish') }, async (context) => {
    const lines = [completionScript('pub', 'fish'), "complete -C 'mqtt-pub -D publish corr'"];
    assert.equal(await printed(context, 'fish', lines), 'correlation-data\n');
  });
});
