import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { UsageError } from '../../../src/cli/messages.ts';
import type { Tool } from '../../../src/cli/options/row.ts';
import { bytesOf, checkArguments } from '../../../src/cli/raw-arguments.ts';
import { scratch } from '../../support/mosquitto.ts';

/** What checkArguments says of words that came as these bytes behind the program's name; null if nothing. */
function verdict(context: TestContext, ...words: (string | Buffer)[]): string | null {
  return verdictOf(context, 'pub', words);
}

function verdictOf(context: TestContext, tool: Tool, words: readonly (string | Buffer)[]): string | null {
  const bytes = ['node', 'mqtt-pub', ...words].flatMap((word) => [Buffer.from(word as string), Buffer.from([0])]);
  const file = path.join(scratch(context), 'cmdline');
  writeFileSync(file, Buffer.concat(bytes));
  const argv = words.map((word) => word.toString());
  try {
    checkArguments(tool, argv, file);
    return null;
  } catch (error) {
    assert.ok(error instanceof UsageError);
    return error.message;
  }
}

test('an argument that is not UTF-8 is refused by the option in front of it', (context) => {
  const latin1 = Buffer.from('gr\xfcn', 'latin1');
  assert.equal(verdict(context, '-t', latin1, '-m', 'x'), 'Malformed UTF-8 in -t argument.');
  assert.equal(verdict(context, 'file', latin1), 'Malformed UTF-8 in argument.');
  assert.equal(verdictOf(context, 'bench', ['-m', latin1]), 'Malformed UTF-8 in -m argument.');
});

test('what may be any bytes is passed on as it came', (context) => {
  const cases: readonly (readonly string[])[] = [
    ['-m'],
    ['--message'],
    ['--will-payload'],
    ['-D', 'publish', 'correlation-data'],
    ['--property', 'connect', 'authentication-data'],
  ];
  for (const [i, words] of cases.entries()) {
    const given = Buffer.from([0xff, 0x41, 0x80, i + 1]);
    assert.equal(verdict(context, ...words, given), null);
    assert.deepEqual(bytesOf(given.toString()), given);
  }
  assert.deepEqual(bytesOf('grün'), Buffer.from('grün'));
});

test('two arguments of bytes that look the same as text cannot be told apart', (context) => {
  const [one, other] = [Buffer.from([0x80]), Buffer.from([0x81])];
  const twice = (second: Buffer) => verdict(context, '-m', one, '--will-payload', second);
  assert.equal(twice(one), null);
  assert.equal(twice(other), 'Malformed UTF-8 in --will-payload argument.');
});

test('text is fine, also where it has the replacement character, and what came from a program', (context) => {
  assert.equal(verdict(context, '-t', 'grün', '-m', ''), null);
  assert.equal(verdict(context, '-t', '\uFFFD'), null);
  const file = path.join(scratch(context), 'cmdline');
  writeFileSync(file, Buffer.from('node\0-t\0\xff\0', 'latin1'));
  checkArguments('pub', ['-x', '\uFFFD'], file);
  checkArguments('pub', ['-t', '\uFFFD'], path.join(file, 'none'));
});
