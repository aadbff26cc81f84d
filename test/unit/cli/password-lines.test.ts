import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deleteUser, setUser, userNameFault } from '../../../src/cli/password-lines.ts';

const names = fc.constantFrom('tom', 'ann', 'bo', 'Jörg');

test('a file behaves like a map from users to hashes', () => {
  const step = fc.record({ user: names, hash: fc.option(fc.constantFrom('h1', 'h2', 'h3')) });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const model = new Map<string, string>();
      let text = '# comment\n';
      for (const { user, hash } of steps) {
        if (hash === null) {
          const after = deleteUser(text, user);
          assert.equal(after !== null, model.delete(user));
          text = after ?? text;
        } else {
          const { text: after, existed } = setUser(text, user, hash);
          assert.equal(existed, model.has(user));
          model.set(user, hash);
          text = after;
        }
      }
      const lines = Buffer.from(text, 'latin1').toString().split('\n');
      assert.deepEqual(lines.slice(1, -1).sort(), [...model].map(([user, hash]) => `${user}:${hash}`).sort());
      assert.equal(lines[0], '# comment');
    }),
  );
});

test('a missing line end at the end of the file is made good', () => {
  assert.equal(setUser('ann:x', 'tom', 'y').text, 'ann:x\ntom:y\n');
  assert.equal(setUser('', 'tom', 'y').text, 'tom:y\n');
});

test('names that a password file can hold', () => {
  for (const name of ['tom', 'a b', 'Jörg', '+', 'x#']) assert.equal(userNameFault(name), null, name);
  assert.equal(userNameFault('x'.repeat(65_536)), 'Username must be less than 65536 characters long.');
});
