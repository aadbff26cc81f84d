// Passwords that do not stand on the command line.
import assert from 'node:assert/strict';
import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Io } from '../../../src/cli/io.ts';
import { UsageError } from '../../../src/cli/messages.ts';
import { parseArguments } from '../../../src/cli/parse.ts';
import { type PasswordSource, readPassword } from '../../../src/cli/password-source.ts';
import { Interrupted, type Prompter } from '../../../src/cli/prompt.ts';
import { scratch } from '../../support/mosquitto.ts';

const NOWHERE: PasswordSource = { passwordFile: null, passwordEnv: null, passwordFd: null };

/** What a source gives: the password, or the sentence that it is refused with. */
async function read(
  source: Partial<PasswordSource>,
  env: Io['env'] = {},
  terminal: Prompter | null = null,
): Promise<string> {
  try {
    return await readPassword({ ...NOWHERE, ...source }, { env } as Io, () => terminal);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    assert.ok(!error.message.includes('secret'));
    return `refused: ${error.message}`;
  }
}

function fileWith(context: TestContext, content: string | Buffer): string {
  const file = path.join(scratch(context), 'f');
  writeFileSync(file, content);
  return file;
}

const LONGEST = 'x'.repeat(65_535);

describe('a file', () => {
  it('gives its first line', async (t) => {
    for (const [content, password] of [
      ['secret', 'secret'],
      ['secret\n', 'secret'],
      ['secret\r\nmore\n', 'secret'],
      [' se cret \n', ' se cret '],
      ['pä😀\n', 'pä😀'],
      [`${LONGEST}\n`, LONGEST],
    ] as const)
      assert.equal(await read({ passwordFile: fileWith(t, content) }), password);
  });

  it('is refused where it gives none', async (t) => {
    const refused = async (content: string | Buffer): Promise<string> => {
      const file = fileWith(t, content);
      return (await read({ passwordFile: file })).replace(file, 'F');
    };
    assert.equal(
      await refused(''),
      'refused: The first line of the password file F is empty: there is no password in it.',
    );
    assert.equal(
      await refused('\nsecret'),
      'refused: The first line of the password file F is empty: there is no password in it.',
    );
    assert.equal(
      await refused(`${LONGEST}x`),
      'refused: The first line of the password file F is longer than 65535 bytes.',
    );
    assert.equal(
      await refused(Buffer.from('secret\xff', 'latin1')),
      'refused: The first line of the password file F is not UTF-8 text.',
    );
    assert.equal(
      await read({ passwordFile: '/nonexistent/f' }),
      'refused: Unable to open password file /nonexistent/f. No such file or directory.',
    );
    assert.match(
      await read({ passwordFile: '/tmp' }),
      /^refused: Unable to open password file \/tmp\. Is a directory\.$/,
    );
  });
});

describe('a descriptor', () => {
  it('gives its first line, and keeps what follows', async (t) => {
    const descriptor = openSync(fileWith(t, 'secret\nmessage'), 'r');
    assert.equal(await read({ passwordFd: descriptor }), 'secret');
    const rest = Buffer.alloc(20);
    assert.equal(rest.toString('utf8', 0, readSync(descriptor, rest)), 'message');
    closeSync(descriptor);
  });

  it('is refused where it gives none', async (t) => {
    assert.equal(
      await read({ passwordFd: 123_456 }),
      'refused: Unable to read the password from file descriptor 123456. It is not open.',
    );
    const empty = openSync(fileWith(t, ''), 'r');
    assert.match(await read({ passwordFd: empty }), / is empty: there is no password in it\.$/);
    closeSync(empty);
    const long = openSync(fileWith(t, `${LONGEST}x\n`), 'r');
    assert.match(await read({ passwordFd: long }), / is longer than 65535 bytes\.$/);
    closeSync(long);
  });
});

it('a variable of the environment', async () => {
  assert.equal(await read({ passwordEnv: 'PW' }, { PW: 'secret\n' }), 'secret\n');
  assert.equal(await read({ passwordEnv: 'PW' }), 'refused: The environment variable PW is not set.');
  for (const name of ['constructor', '__proto__']) {
    assert.equal(await read({ passwordEnv: name }), `refused: The environment variable ${name} is not set.`);
  }
  assert.equal(
    await read({ passwordEnv: 'PW' }, { PW: '' }),
    'refused: The environment variable PW is empty: there is no password in it.',
  );
});

describe('the terminal', () => {
  /** Somebody who answers so; null for Ctrl-D. */
  function typist(answer: string | null): Prompter & { readonly log: string[] } {
    const log: string[] = [];
    return {
      log,
      async ask(question) {
        log.push(question ?? '');
        if (answer === '\x03') throw new Interrupted();
        return answer;
      },
      close: () => void log.push('closed'),
    };
  }

  it('is asked once and given back', async () => {
    const one = typist('secret');
    assert.deepEqual([await read({}, {}, one), one.log], ['secret', ['Password: ', 'closed']]);
  });

  it('is refused where nothing is typed', async () => {
    for (const answer of ['', null]) assert.equal(await read({}, {}, typist(answer)), 'refused: Empty password.');
    const one = typist('\x03');
    await assert.rejects(read({}, {}, one), Interrupted);
    assert.deepEqual(one.log, ['Password: ', 'closed']);
  });

  it('is missed by name', async () => {
    assert.equal(
      await read({}),
      'refused: -P argument given but no password specified.\nThere is no terminal to ask for it at: give it with --password-file, --password-env or --password-fd.',
    );
  });
});

describe('-P', () => {
  const parse = (...words: string[]): readonly [string | null, boolean] => {
    const { options, given } = parseArguments('pub', ['-t', 'a', '-n', '-u', 'u', ...words]);
    return [options.password, given.includes('password')];
  };

  it('has a value unless nothing or an option follows', () => {
    assert.deepEqual(parse('-P', 'x'), ['x', true]);
    assert.deepEqual(parse('-P', ''), ['', true]);
    assert.deepEqual(parse('-P', '-x9'), ['-x9', true]);
    assert.deepEqual(parse('-P', '--', '-d'), ['--', true]);
    assert.deepEqual(parse('-P'), [null, true]);
    assert.deepEqual(parse('-P', '-d'), [null, true]);
    assert.deepEqual(parse('--pw', '--repeat', '2'), [null, true]);
    assert.deepEqual(parse('-P', 'x', '-P'), [null, true]);
    assert.deepEqual(parse(), [null, false]);
  });

  it('excludes the other sources, and these each other', () => {
    const sentence = 'Give only one of -P, --password-file, --password-env and --password-fd.';
    const sources = [
      ['-P', 'x'],
      ['--password-file', 'x'],
      ['--password-env', 'x'],
      ['--password-fd', '3'],
    ];
    for (const one of sources)
      for (const other of sources) {
        if (one === other) parse(...one, ...other);
        else assert.throws(() => parse(...one, ...other), new UsageError(sentence));
      }
  });

  it('--password-fd is a number', () => {
    for (const word of ['x', '-1', '1.5'])
      assert.throws(() => parse('--password-fd', word), new UsageError(`Invalid file descriptor '${word}'.`));
  });
});
