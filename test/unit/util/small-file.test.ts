import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { readSmallFile } from '../../../src/util/small-file.ts';
import { makePipe } from '../../support/pipe.ts';

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'small-file-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const pipe = (context: TestContext): string => makePipe(folderOf(context));

const read = (file: string, largest = 1000, patienceMs = 0): string =>
  readSmallFile(file, largest, patienceMs).bytes.toString();

test('a file is read whole, with its mode, up to the bound', (context) => {
  const file = path.join(folderOf(context), 'f');
  writeFileSync(file, 'x'.repeat(100_000), { mode: 0o640 });
  const { bytes, mode } = readSmallFile(file, 100_000);
  assert.equal(bytes.toString(), 'x'.repeat(100_000));
  assert.equal(mode & 0o777, 0o640);
  assert.throws(() => read(file, 99_999), { name: 'UnreadableFile', message: 'It is larger than 99999 bytes' });
  writeFileSync(file, '');
  assert.equal(read(file), '');
});

test('a file of a gigabyte is refused before any of it is read', (context) => {
  const file = path.join(folderOf(context), 'f');
  writeFileSync(file, '');
  truncateSync(file, 1024 ** 3);
  const before = process.memoryUsage().arrayBuffers;
  assert.throws(() => read(file), { message: 'It is larger than 1000 bytes' });
  assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000);
});

test('what can not be read is told in the words of the system, with its code', (context) => {
  const folder = folderOf(context);
  assert.throws(() => read(path.join(folder, 'none')), { message: 'No such file or directory', code: 'ENOENT' });
  assert.throws(() => read(folder), { message: 'Is a directory' });
  assert.throws(() => read(path.join(folder, 'x'.repeat(300))), { message: 'File name too long' });
});

test('devices have a bound, too', () => {
  assert.equal(read('/dev/null'), '');
  assert.throws(() => read('/dev/zero', 200_000), { message: 'It is larger than 200000 bytes' });
});

test('a pipe that nobody writes to is not waited for', (context) => {
  assert.throws(() => read(pipe(context)), { message: 'It is a pipe that nobody writes to' });
});

test('a pipe is read to its end, within the time that is given', async (context) => {
  const file = pipe(context);
  // While somebody has it open to read, a writer neither waits nor fails.
  const held = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  context.after(() => closeSync(held));
  const writer = spawn('sh', ['-c', 'exec 3>"$0"; echo ready; echo what it says >&3', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(writer.stdout, 'data');
  assert.equal(read(file, 1000, 20_000), 'what it says\n');
});

test('a pipe whose writer says nothing is given up', async (context) => {
  const file = pipe(context);
  // A shell that has it open for both directions is a writer that needs no reader.
  const writer = spawn('sh', ['-c', 'exec 3<>"$0"; echo ready; read -r line', file], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  context.after(() => writer.kill());
  await once(writer.stdout, 'data');
  assert.throws(() => read(file, 1000, 20), { message: 'It is a pipe or device that has no end' });
});
