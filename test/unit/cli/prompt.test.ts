// Passwords typed at a terminal, with a stream in its place.
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import type { Io } from '../../../src/cli/io.ts';
import { Interrupted, openPrompter, type Prompter } from '../../../src/cli/prompt.ts';

/** A prompter, what it wrote, and the raw modes that it set. */
function open(
  typed: readonly (string | Buffer)[],
  isTTY = true,
): { prompter: Prompter; written(): string; modes: boolean[] } {
  const modes: boolean[] = [];
  const input = new PassThrough();
  for (const chunk of typed) input.write(chunk);
  input.end();
  const stdin = Object.assign(input, { isTTY, setRawMode: (mode: boolean) => modes.push(mode) });
  const output = new PassThrough();
  const prompter = openPrompter({ stdin: stdin as unknown as Io['stdin'] }, output);
  return { prompter, written: () => String(output.read() ?? ''), modes };
}

describe('at a terminal', () => {
  it('nothing that is typed is shown, and the terminal is restored', async () => {
    const { prompter, written, modes } = open(['sec', 'ret\r', 'again\n']);
    assert.deepEqual([await prompter.ask('One: '), await prompter.ask('Two: ')], ['secret', 'again']);
    assert.deepEqual(modes, [true]);
    prompter.close();
    assert.deepEqual([modes, written()], [[true, false], 'One: \nTwo: \n']);
  });

  it('both answers may come at once', async () => {
    const { prompter } = open(['a\rb\r']);
    assert.deepEqual([await prompter.ask(''), await prompter.ask('')], ['a', 'b']);
  });

  it('backspace takes a character back, Ctrl-U all of them', async () => {
    assert.equal(await open(['ab\x7fc\b\bd\r']).prompter.ask(''), 'd');
    assert.equal(await open(['ü\x7fx\r']).prompter.ask(''), 'x');
    assert.equal(await open(['wrong\x15right\r']).prompter.ask(''), 'right');
    assert.equal(await open(['\x7f\x7fa\r']).prompter.ask(''), 'a');
  });

  it('characters may be split over chunks', async () => {
    const bytes = Buffer.from('pä😀\r');
    const chunks = [...bytes].map((byte) => Buffer.from([byte]));
    assert.equal(await open(chunks).prompter.ask(''), 'pä😀');
  });

  it('Ctrl-C interrupts', async () => {
    const { prompter, modes } = open(['sec\x03']);
    await assert.rejects(prompter.ask('Password: '), Interrupted);
    prompter.close();
    assert.deepEqual(modes, [true, false]);
  });

  it('Ctrl-D on an empty line is the end', async () => {
    assert.equal(await open(['\x04']).prompter.ask(''), null);
    assert.equal(await open(['a\x04b\r']).prompter.ask(''), 'ab');
  });
});

describe('on a pipe', () => {
  it('an answer is a line', async () => {
    const { prompter, modes } = open(['one\r\ntw', 'o\n', 'three'], false);
    const answers = [await prompter.ask(''), await prompter.ask(''), await prompter.ask(''), await prompter.ask('')];
    assert.deepEqual([answers, modes], [['one', 'two', 'three', null], []]);
  });

  it('a line without end is not gathered for ever', async () => {
    const { prompter } = open(['x'.repeat(200_000)], false);
    assert.ok((await prompter.ask(''))!.length >= 70_000);
  });
});
