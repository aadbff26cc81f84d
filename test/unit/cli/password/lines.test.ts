import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deleteUser, replaceSecrets, setUser, userNameFault, usersIn } from '../../../../src/cli/password/lines.ts';

const names = fc.constantFrom('tom', 'ann', 'bo', 'Jörg', 'voilà');

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

test('what is not touched stays byte for byte, line ends included', () => {
  const odd = ['# comment\r\n', '\n', '  \r\n', 'odd line\n', '\xff\xfe: x \r\n', ':nameless\n', 'ann:x', '\r\r\n'];
  const line = fc.constantFrom(...odd, 'tom:1\n', ' tom : 2\r\n');
  const last = fc.constantFrom('', 'ann:y', '# end');
  fc.assert(
    fc.property(fc.array(line), last, (lines, tail) => {
      const text = lines.join('') + tail;
      const others = (changed: string) =>
        (changed.match(/[^\n]*\n|[^\n]+$/g) ?? []).filter((l) => !/^ ?tom ?:/.test(l));
      const before = others(text);
      const after = others(setUser(text, 'tom', 'new').text);
      // A line is put behind the last one only if that has an end.
      if (!/^ ?tom ?:/m.test(text) && before.length > 0) before.push((before.pop() ?? '').replace(/[^\n]$/, '$&\n'));
      assert.deepEqual(
        after.map((l) => l.replace(/\r?\n$/, '\n')),
        before.map((l) => l.replace(/\r?\n$/, '\n')),
      );
      assert.equal(others(deleteUser(text, 'tom') ?? text).join(''), others(text).join(''));
      assert.equal(setUser(setUser(text, 'tom', 'a').text, 'tom', 'b').text, setUser(text, 'tom', 'b').text);
    }),
  );
});

test('a new line has the ends of its file, and so has one that is changed', () => {
  assert.equal(setUser('ann:x\r\ntom:z\r\n', 'tom', 'y').text, 'ann:x\r\ntom:y\r\n');
  assert.equal(setUser('ann:x\r\n', 'tom', 'y').text, 'ann:x\r\ntom:y\r\n');
  assert.equal(setUser('bo:x\r\nann:x', 'tom', 'y').text, 'bo:x\r\nann:x\r\ntom:y\r\n');
  assert.equal(setUser('ann:x', 'tom', 'y').text, 'ann:x\ntom:y\n');
  assert.equal(setUser('tom:x\nann:x', 'tom', 'y').text, 'tom:y\nann:x');
  assert.equal(setUser('', 'tom', 'y').text, 'tom:y\n');
  assert.equal(deleteUser('tom:x\nann:x', 'tom'), 'ann:x');
});

test('a name is the same with blanks or a byte order mark before it, whatever its bytes are', () => {
  const bytes = (text: string) => Buffer.from(text).toString('latin1');
  // Its last byte is a blank of Latin-1.
  assert.equal(setUser(bytes('à:1\n'), 'à', '2').text, bytes('à:2\n'));
  assert.equal(setUser(bytes('\uFEFFtom:1\nann:2\n'), 'tom', '3').text, bytes('\uFEFFtom:3\nann:2\n'));
  assert.equal(deleteUser(bytes('\t tom\v:1\n'), 'tom'), '');
  assert.deepEqual(usersIn(bytes('# a:b\n\uFEFF\nà:1\nodd\ntom:2')), ['à', 'tom']);
});

test('only the secrets that get another are replaced', () => {
  const text = '# a:b\r\n\r\ntom: plain \r\nann:y:z\nbo:x';
  const seen: string[] = [];
  const after = replaceSecrets(text, ({ bytes, lineNumber }) => {
    seen.push(`${lineNumber} ${bytes}`);
    return lineNumber === 4 ? null : 'HASH';
  });
  assert.deepEqual(seen, ['3  plain', '4 y:z', '5 x']);
  assert.equal(after, '# a:b\r\n\r\ntom:HASH\r\nann:y:z\nbo:HASH\n');
  assert.throws(() => replaceSecrets('ann:x\nodd\n', () => null), /^Error: Corrupt password file at line 2\.$/);
});

test('names that a password file can hold', () => {
  for (const name of ['tom', 'a b', 'Jörg', '+', 'x#']) assert.equal(userNameFault(name), null, name);
  assert.equal(userNameFault('\uFEFFx'), 'Username must not begin with a byte order mark.');
  assert.equal(userNameFault('x'.repeat(65_536)), 'Username must be less than 65536 characters long.');
});
