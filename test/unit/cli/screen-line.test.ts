import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { fitting, harmless } from '../../../src/cli/screen-line.ts';

it('what would control a terminal is shown instead', () => {
  assert.equal(harmless('a\tb\r\n\nc \u001b[2J\u009b1m\u0007\u007f'), 'a b c \\x1b[2J\\x9b1m\\x07\\x7f');
  assert.equal(harmless('a\u202etxt\u2066\u2028'), 'a\\u202etxt\\u2066\\u2028');
  assert.equal(harmless('grün 日本 👩‍👩‍👧'), 'grün 日本 👩‍👩‍👧');
});

it('a line is cut at the width of the screen, wide characters count twice', () => {
  assert.equal(fitting('abcdef', 4), 'abcd');
  assert.equal(fitting('日本語', 5), '日本');
  assert.equal(fitting('日本語', 6), '日本語');
  assert.equal(fitting('e\u0301e\u0301e\u0301', 2), 'e\u0301e\u0301');
  assert.equal(fitting('👩‍👩‍👧👩‍👩‍👧', 3), '👩‍👩‍👧');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat({ max: 30 }), (text, columns) => {
      const safe = harmless(text);
      const line = fitting(safe, columns);
      assert.ok(safe.startsWith(line));
      assert.ok(stringWidth(line) <= columns);
      assert.doesNotMatch(line, /\p{Cc}/u);
    }),
  );
});
