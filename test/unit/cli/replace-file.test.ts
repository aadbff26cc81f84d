import assert from 'node:assert/strict';
import { chmodSync, linkSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { replaceFile } from '../../../src/cli/replace-file.ts';
import { scratch } from '../../support/mosquitto.ts';

test('a reader that has the old file open keeps it whole', async (t) => {
  const folder = scratch(t);
  const file = path.join(folder, 'f');
  writeFileSync(file, 'old', { mode: 0o600 });
  const other = path.join(folder, 'other-name');
  linkSync(file, other);
  await replaceFile(file, Buffer.from('new'));
  assert.deepEqual([readFileSync(file, 'utf8'), readFileSync(other, 'utf8')], ['new', 'old']);
  assert.deepEqual(readdirSync(folder).sort(), ['f', 'other-name']);
});

test('the owner stays', async (t) => {
  const file = path.join(scratch(t), 'f');
  writeFileSync(file, 'old');
  chmodSync(file, 0o660);
  const before = statSync(file);
  await replaceFile(file, Buffer.from('new'));
  const after = statSync(file);
  assert.deepEqual([after.uid, after.gid, after.mode], [before.uid, before.gid, before.mode]);
});

test('what is no plain file is written in place', async () => {
  const before = statSync('/dev/null');
  await replaceFile('/dev/null', Buffer.from('x'));
  const after = statSync('/dev/null');
  assert.deepEqual([after.ino, after.mode], [before.ino, before.mode]);
});

test('a failure leaves nothing behind', async (t) => {
  const folder = scratch(t);
  await assert.rejects(replaceFile(path.join(folder, 'none', 'f'), Buffer.from('x')), { code: 'ENOENT' });
  await assert.rejects(replaceFile(folder, Buffer.from('x')), { code: 'EISDIR' });
  assert.deepEqual(readdirSync(folder), []);
});
