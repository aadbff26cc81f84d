import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sameSecret, wipe } from '../../../src/util/secret.ts';

test('secrets are the same only byte for byte', () => {
  const bytes = (text: string): Buffer => Buffer.from(text);
  assert.equal(sameSecret(bytes('abc'), bytes('abc')), true);
  assert.equal(sameSecret(bytes('abc'), bytes('abd')), false);
  assert.equal(sameSecret(bytes('abc'), bytes('ab')), false);
  assert.equal(sameSecret(bytes(''), bytes('')), true);
});

test('a wiped secret is gone', () => {
  const secret = Buffer.from('abc');
  wipe(secret);
  assert.deepEqual(secret, Buffer.alloc(3));
});
