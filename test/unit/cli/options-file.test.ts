// Options files. What lines mean was observed with mosquitto_sub 2.0.11, which prints no place in front of its sentences.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { UsageError } from '../../../src/cli/messages.ts';
import type { Options } from '../../../src/cli/options/tables.ts';
import { optionsOf } from '../../../src/cli/options/tables.ts';
import { readOptionsFile } from '../../../src/cli/options-file.ts';
import { parseArguments } from '../../../src/cli/parse.ts';
import { scratch } from '../../support/mosquitto.ts';

/** A folder for XDG_CONFIG_HOME with this options file in it. */
function home(context: TestContext, text: string | Buffer, name = 'mqtt-sub'): string {
  const folder = scratch(context);
  writeFileSync(path.join(folder, name), text);
  return folder;
}

/** The options of mqtt-sub with an options file. */
function sub(context: TestContext, text: string | Buffer, ...words: string[]): Options<'sub'> {
  return parseArguments('sub', words, { XDG_CONFIG_HOME: home(context, text) }).options;
}

/** The sentence that a file is refused with; F stands for its name. */
function refusal(context: TestContext, text: string | Buffer, ...words: string[]): string {
  const folder = home(context, text);
  try {
    parseArguments('sub', words, { XDG_CONFIG_HOME: folder });
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return error.message.replaceAll(path.join(folder, 'mqtt-sub'), 'F');
  }
  return 'accepted';
}

describe('a line', () => {
  it('is an option and the rest as its value, blanks and quotes as they are', (t) => {
    const { topics, id, username } = sub(t, '-t a b\n  -t  c \n--topic "d"\n-i \'x\' y\n-u two  words\n');
    assert.deepEqual([topics, id, username], [['a b', ' c ', '"d"'], "'x' y", 'two  words']);
  });

  it('may be a switch, a comment or blank, may end as on Windows, and the last one needs no end', (t) => {
    const { debug, topics, port, keepAlive } = sub(t, '\uFEFF#-q 2\n\n   \n-d\r\n-p 99\r\n-k  7 \n-t #');
    assert.deepEqual([debug, topics, port, keepAlive], [true, ['#'], 99, 7]);
  });

  it('may hold a second option behind a switch', (t) => {
    assert.deepEqual([sub(t, '-d -v\n', '-t', 'a').verbose, sub(t, '-d -v\n', '-t', 'a').debug], [true, true]);
  });

  it('may have a tab behind the option', (t) => assert.equal(sub(t, '\t-i\tx\ty\n', '-t', 'a').id, 'x\ty'));

  it('may be as long as it likes', (t) => {
    assert.equal(sub(t, `-i ${'x'.repeat(5000)}\n`, '-t', 'a').id, 'x'.repeat(5000));
  });

  it('has a password that is spelled as an option', (t) => {
    assert.equal(sub(t, '-P -d\n-u u\n', '-t', 'a').password, '-d');
  });
});

describe('-D in a file', () => {
  const properties = (t: TestContext, line: string): unknown[] =>
    sub(t, line, '-t', 'a').properties.map(({ command, row, value }) => [command, row.option, value]);

  it('takes words between blanks', (t) => {
    assert.deepEqual(properties(t, '-D connect receive-maximum  5 \n'), [['connect', 'receive-maximum', 5]]);
  });

  it('takes values in quotes', (t) => {
    for (const [line, key, value] of [
      ['"a key" \'a "value"\'', 'a key', 'a "value"'],
      ['"" "say \\"x\\" \\\\ \\n"', '', 'say "x" \\ \\n'],
      ['it\'s {"x":1}', "it's", '{"x":1}'],
    ] as const) {
      assert.deepEqual(properties(t, `-D connect user-property ${line}\n`), [
        ['connect', 'user-property', [key, value]],
      ]);
    }
  });

  it('is refused where words are missing, too many, or a quote is not closed', (t) => {
    const missing = '--property argument given but not enough arguments specified.';
    assert.equal(refusal(t, '\n-D connect receive-maximum\n'), `F:2: ${missing}`);
    assert.equal(refusal(t, '-D connect user-property k\n'), `F:1: ${missing}`);
    assert.match(refusal(t, '-D connect user-property k v w\n'), /^F:1: Too many words behind -D: .* in quotes\.$/);
    for (const end of ['"v', "'v", '"v"w', '"v\\"', '"'])
      assert.match(refusal(t, `-D connect user-property k ${end}\n`), /^F:1: A quote that is opened must be closed/);
  });
});

describe('the command line', () => {
  it('wins over the file, and adds to its lists', (t) => {
    const { topics, qos, host } = sub(t, '-t a\n-q 1\n-h one\n', '-t', 'b', '-q', '2');
    assert.deepEqual([topics, qos, host], [['a', 'b'], 2, 'one']);
  });

  it('must not contradict the file', (t) => {
    const sentence = '-i and -I argument cannot be used together.\nOptions were also read from F.';
    assert.equal(refusal(t, '-i x\n', '-t', 'a', '-I', 'y'), sentence);
  });

  it('may take the password from elsewhere', (t) => {
    const { password, passwordEnv } = sub(t, '-P secret\n-u u\n', '-t', 'a', '--password-env', 'X');
    assert.deepEqual([password, passwordEnv], [null, 'X']);
    assert.equal(sub(t, '--password-env X\n-u u\n', '-t', 'a', '-P', 'y').passwordEnv, null);
    assert.match(refusal(t, '--password-env X\n-P y\n', '-t', 'a'), /^Give only one of -P, /);
  });

  it('with --help reads no file', (t) => assert.equal(sub(t, '--foo\n', '--help').help, true));
});

describe('what is wrong is said with its place', () => {
  for (const [text, sentence] of [
    ['# x\n\n--foo\n', "F:3: Unknown option '--foo'."],
    ['--topc a\n', "F:1: Unknown option '--topc'.\nDid you mean '--topic'?"],
    ['-t\n', 'F:1: -t argument given but no topic specified.'],
    ['-t \n', 'F:1: -t argument given but no topic specified.'],
    ['-q 3\n', 'F:1: Invalid QoS given: 3'],
    ['-d yes\n', "F:1: Unknown option 'yes'."],
    ['-d # comment\n', "F:1: Unknown option '# comment'."],
    [' # comment\n', "F:1: Unknown option '#'."],
    ['-o other\n', "F:1: The option '-o' has no place in an options file."],
    ['--help\n', "F:1: The option '--help' has no place in an options file."],
    ['-i a\0b\n', 'F:1: The line holds a NUL character.'],
    [Buffer.from('-i gr\xfcn\n', 'latin1'), 'Options file F is not UTF-8 text.'],
  ] as const) {
    it(JSON.stringify(text.toString()), (t) => assert.equal(refusal(t, text, '-t', 'a'), sentence));
  }
});

describe('which file is read', () => {
  const rows = optionsOf('sub');
  const fileOf = (
    named: string | null,
    env: Record<string, string>,
    platform: NodeJS.Platform = 'linux',
  ): string | null => readOptionsFile('sub', rows, named, env, platform).file;

  it('that of -o, and then no other', (t) => {
    const folder = home(t, '-q 1\n');
    writeFileSync(path.join(folder, 'own'), '-k 9\n');
    const env = { XDG_CONFIG_HOME: folder };
    const { options } = parseArguments('sub', ['-o', path.join(folder, 'own'), '-t', '-o'], env);
    assert.deepEqual([options.keepAlive, options.qos, options.topics], [9, 0, ['-o']]);
    assert.throws(
      () => parseArguments('sub', ['-o', '/nonexistent/x'], env),
      new UsageError('Unable to open options file /nonexistent/x. No such file or directory.', 'nothing'),
    );
    assert.throws(() => parseArguments('sub', ['-o', folder], env), /Unable to open options file .* Is a directory\.$/);
  });

  it("ours before Mosquitto's", (t) => {
    const folder = home(t, '', 'mosquitto_sub');
    assert.equal(fileOf(null, { XDG_CONFIG_HOME: folder }), path.join(folder, 'mosquitto_sub'));
    writeFileSync(path.join(folder, 'mqtt-sub'), '');
    assert.equal(fileOf(null, { XDG_CONFIG_HOME: folder }), path.join(folder, 'mqtt-sub'));
  });

  it('below HOME only without XDG_CONFIG_HOME, and a directory is no file', (t) => {
    const folder = scratch(t);
    mkdirSync(path.join(folder, '.config', 'mqtt-sub'), { recursive: true });
    assert.equal(fileOf(null, { HOME: folder }), null);
    const file = path.join(folder, '.config', 'mosquitto_sub');
    writeFileSync(file, '');
    assert.equal(fileOf(null, { HOME: folder }), file);
    assert.equal(fileOf(null, { HOME: folder, XDG_CONFIG_HOME: '' }), null);
    assert.equal(fileOf(null, { HOME: folder, XDG_CONFIG_HOME: '/nonexistent' }), null);
    assert.equal(fileOf(null, {}), null);
  });

  it('%USERPROFILE%\\mqtt-sub.conf on Windows', (t) => {
    const folder = scratch(t);
    const file = `${folder}\\mosquitto_sub.conf`;
    writeFileSync(file, '');
    assert.equal(fileOf(null, { USERPROFILE: folder, HOME: folder }, 'win32'), file);
  });

  it('none for tools that have none', () => {
    assert.deepEqual(parseArguments('passwd', ['file'], { HOME: '/nonexistent' }).operands, ['file']);
  });
});
