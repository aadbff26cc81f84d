import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CommonTexts } from '../../../src/broker/store/common-texts.ts';

/** Takes the bytes out of the middle of others, as they lie in a file. */
function read(common: CommonTexts, text: string): string {
  const buffer = Buffer.from(`(${text})`);
  return common.of({ buffer, start: 1, end: buffer.length - 1 });
}

test('bytes become their text', () => {
  const length = fc.oneof(fc.nat(4), fc.integer({ min: 60, max: 70 }));
  const text = length.chain((size) => fc.string({ unit: 'binary', minLength: size, maxLength: size }));
  fc.assert(
    fc.property(fc.array(text, { maxLength: 20 }), (texts) => {
      const common = new CommonTexts();
      for (const one of [...texts, ...texts]) assert.equal(read(common, one), Buffer.from(one).toString());
    }),
    { numRuns: 20 },
  );
});

test('more texts than it finds by their bytes are right, too', () => {
  const common = new CommonTexts();
  const texts = Array.from({ length: 5000 }, (_, i) => `room/${i}`);
  for (const text of [...texts, ...texts]) assert.equal(read(common, text), text);
});

test('what was read stays right when the bytes are written over, and once it is forgotten', () => {
  const common = new CommonTexts();
  const buffer = Buffer.from('a/b');
  const part = { buffer, start: 0, end: 3 };
  assert.equal(common.of(part), 'a/b');
  buffer.write('c/d');
  assert.equal(common.of(part), 'c/d');
  buffer.write('a/b');
  assert.equal(common.of(part), 'a/b');
  common.clear();
  assert.equal(common.of(part), 'a/b');
});
