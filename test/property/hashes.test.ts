import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { makeHash, parseStoredHash, verifyHash } from '../../src/broker/plugins/hashes.ts';
import { parsePasswords } from '../../src/broker/plugins/password-file.ts';

const password = fc.uint8Array({ maxLength: 90 }).map((bytes) => Buffer.from(bytes));

/** HMAC fills its key up with zeros (RFC 2104 section 2), and so PBKDF2 its password: those at the end don't count. */
function keyOf(password: Buffer): Buffer {
  return password.subarray(0, password.findLastIndex((byte) => byte !== 0) + 1);
}

test('cheap forms: a hash is matched by its own password and by no other', async () => {
  await fc.assert(
    fc.asyncProperty(password, password, fc.constantFrom('sha512', 'sha512-pbkdf2'), async (own, other, scheme) => {
      const stored = await makeHash(own, scheme, scheme === 'sha512' ? undefined : 1);
      assert.equal(await verifyHash(own, stored), true);
      const isSame = scheme === 'sha512' ? own.equals(other) : keyOf(own).equals(keyOf(other));
      assert.equal(await verifyHash(other, stored), isSame);
    }),
    { numRuns: 200, examples: [[Buffer.alloc(0), Buffer.from([0]), 'sha512-pbkdf2']] },
  );
});

test('bcrypt: any text of up to 72 bytes without NUL is matched by itself only', async () => {
  const text = fc
    .string({ unit: 'binary', maxLength: 40 })
    .filter((value) => Buffer.byteLength(value) <= 72 && !value.includes('\0'));
  await fc.assert(
    fc.asyncProperty(text, text, async (own, other) => {
      const stored = await makeHash(Buffer.from(own), 'bcrypt', 4);
      assert.equal(await verifyHash(Buffer.from(own), stored), true);
      assert.equal(await verifyHash(Buffer.from(other), stored), own === other);
    }),
    { numRuns: 12 },
  );
});

test('any text is a hash or has a fault; nothing throws', () => {
  const pieces = fc
    .array(fc.constantFrom('$', '6', '7', '2b', '10', 'argon2id', 'v=19', 'm=8,t=1,p=1', 'AAAA', '=', '__proto__', 'é'))
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.oneof(pieces, fc.string()), (text) => {
      const parsed = parseStoredHash(text);
      assert.ok(typeof parsed === 'string' ? parsed.length > 0 : typeof parsed.verify === 'function');
    }),
  );
});

test('any text is a password file or is refused with a sentence that names the line', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom('', '#', ':', 'tom:', ':x', 'tom', '__proto__:x', ' tom : $7$1$x$y ', '\r'),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      try {
        parsePasswords(lines, 'f', () => undefined);
      } catch (error) {
        assert.ok(error instanceof Error);
        assert.match(error.message, /^Error: .* password file "f", line [0-9]+.*\.$/s);
      }
    }),
  );
});
