import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { UsageError } from '../../../src/cli/messages.ts';
import { checkArguments } from '../../../src/cli/raw-arguments.ts';
import { scratch } from '../../support/mosquitto.ts';

/** What checkArguments says of words that came as these bytes behind the program's name; null if nothing. */
function verdict(context: TestContext, ...words: (string | Buffer)[]): string | null {
  const bytes = ['node', 'mqtt-pub', ...words].flatMap((word) => [Buffer.from(word as string), Buffer.from([0])]);
  const file = path.join(scratch(context), 'cmdline');
  writeFileSync(file, Buffer.concat(bytes));
  const argv = words.map((word) => word.toString());
  try {
    checkArguments(argv, file);
    return null;
  } catch (error) {
    assert.ok(error instanceof UsageError);
    return error.message;
  }
}

test('an argument that is not UTF-8 is refused by the option in front of it', (context) => {
  const latin1 = Buffer.from('gr\xfcn', 'latin1');
  assert.equal(verdict(context, '-t', latin1, '-m', 'x'), 'Malformed UTF-8 in -t argument.');
  assert.equal(
    verdict(context, '-t', 'a', '-m', latin1),
    'Malformed UTF-8 in -m argument.\nFor a message that is no text, use -f or -s.',
  );
  assert.equal(verdict(context, 'file', latin1), 'Malformed UTF-8 in argument.');
});

test('text is fine, also where it has the replacement character, and what came from a program', (context) => {
  assert.equal(verdict(context, '-t', 'grün', '-m', ''), null);
  assert.equal(verdict(context, '-t', '\uFFFD'), null);
  const file = path.join(scratch(context), 'cmdline');
  writeFileSync(file, Buffer.from('node\0-t\0\xff\0', 'latin1'));
  checkArguments(['-x', '\uFFFD'], file);
  checkArguments(['-t', '\uFFFD'], path.join(file, 'none'));
});
