import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSendableString, isValidString, stringFault } from '../../../src/protocol/utf8.ts';

const valid = (bytes: Buffer): boolean => isValidString(bytes, 0, bytes.length);

test('well-formed UTF-8 is a string, U+FEFF wherever it stands [MQTT-1.5.4-1, MQTT-1.5.4-3, MQTT3-1.5.3-1, MQTT3-1.5.3-3]', () => {
  for (const text of [
    '',
    'abc',
    ' ~',
    'ü€𝄞',
    '\ufeff',
    'a\ufeffb\ufeff',
    '\u00a0\u07ff\u0800',
    '\ud7ff\ue000',
    '\ufdcf\ufdf0\ufffd',
    '\u{10000}\u{1fffd}\u{10fffd}',
  ]) {
    assert.equal(valid(Buffer.from(text)), true, JSON.stringify(text));
    assert.equal(isSendableString(text), true, JSON.stringify(text));
  }
});

test('anything else is none, and it is said why [MQTT-1.5.4-1, MQTT-1.5.4-2, MQTT3-1.5.3-1, MQTT3-1.5.3-2]', () => {
  const others: readonly (readonly [what: string, hex: string, fault: string])[] = [
    ['U+0000', '00', 'contains the control character U+0000'],
    ['U+0000 behind ASCII', '6100', 'contains the control character U+0000'],
    ['U+0000 behind others', 'c3bc00', 'contains the control character U+0000'],
    ['U+0000 in two bytes', 'c080', 'is not valid UTF-8'],
    ['an overlong slash', 'c0af', 'is not valid UTF-8'],
    ['an overlong form of three bytes', 'e0809f', 'is not valid UTF-8'],
    ['an overlong form of four bytes', 'f08080af', 'is not valid UTF-8'],
    ['a surrogate', 'eda080', 'is not valid UTF-8'],
    ['the last surrogate', 'edbfbf', 'is not valid UTF-8'],
    ['a pair of surrogates', 'eda081edb080', 'is not valid UTF-8'],
    ['a continuation by itself', '80', 'is not valid UTF-8'],
    ['a sequence that is cut short', 'e282', 'is not valid UTF-8'],
    ['beyond U+10FFFF', 'f4908080', 'is not valid UTF-8'],
    ['five bytes', 'f888808080', 'is not valid UTF-8'],
    ['a byte that never occurs', 'ff', 'is not valid UTF-8'],
    ['a control character', '61620a', 'contains the control character U+000A'],
    ['a control character behind others', 'c3bc1f', 'contains the control character U+001F'],
    ['DEL', '7f', 'contains the control character U+007F'],
    ['the first control character of two bytes', 'c280', 'contains the control character U+0080'],
    ['the last one', '61c29f', 'contains the control character U+009F'],
    ['U+FFFE', 'efbfbe', 'contains the non-character U+FFFE'],
    ['U+FDD0', 'efb790', 'contains the non-character U+FDD0'],
    ['U+FDEF', 'efb7af', 'contains the non-character U+FDEF'],
    ['U+1FFFF', 'f09fbfbf', 'contains the non-character U+1FFFF'],
    ['U+10FFFF', 'f48fbfbf', 'contains the non-character U+10FFFF'],
  ];
  for (const [what, hex, fault] of others) {
    const bytes = Buffer.from(hex, 'hex');
    assert.equal(valid(bytes), false, what);
    assert.equal(stringFault(bytes, 0, bytes.length), fault, what);
  }
});

test('every character by itself: what can be sent can be received, and nothing else', () => {
  const refused: number[] = [];
  for (let code = 0; code <= 0x10ffff; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    // Of the planes above the first two the edges are enough.
    if (code > 0x1ffff && (code & 0xffff) >= 0x10 && (code & 0xffff) < 0xfff0) continue;
    const text = String.fromCodePoint(code);
    const isValid = valid(Buffer.from(text));
    if (!isValid) refused.push(code);
    if (isSendableString(text) !== isValid) assert.fail(`U+${code.toString(16)}`);
  }
  // 33 and 32 control characters; 32 non-characters, and the last two of each of the 17 planes.
  assert.equal(refused.length, 33 + 32 + 32 + 2 * 17);
});

test('any bytes: a string or none, as a decoder sees it', () => {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const isString = (bytes: Uint8Array): boolean => {
    try {
      return !/[\p{Cc}\p{Noncharacter_Code_Point}]/u.test(decoder.decode(bytes));
    } catch {
      return false;
    }
  };
  const unit = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 4 }).map((text) => Buffer.from(text)),
    fc
      .constantFrom('c280', 'c2a0', 'efbfbd', 'efbfbe', 'efb78f', 'efb790', 'f09fbfbd', 'f09fbfbe', 'ed9fbf', 'eda080')
      .map((hex) => Buffer.from(hex, 'hex')),
    fc.uint8Array({ maxLength: 2 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 5 }), (parts) => {
      const bytes = Buffer.concat(parts);
      assert.equal(valid(bytes), isString(bytes));
    }),
    { numRuns: 600 },
  );
});

test('only the range is looked at', () => {
  const bytes = Buffer.from('ff61c3bc00', 'hex');
  assert.equal(isValidString(bytes, 1, 4), true);
  assert.equal(isValidString(bytes, 1, 3), false);
  assert.equal(stringFault(bytes, 1, 5), 'contains the control character U+0000');
});

test('strings of JavaScript that can be sent: at most 65,535 bytes [MQTT-4.7.3-3, MQTT3-4.7.3-3]', () => {
  for (const text of ['', 'a', '𝄞', 'x'.repeat(65_535), 'ü'.repeat(32_767)]) assert.equal(isSendableString(text), true);
  for (const text of ['\0', 'a\n', '\ud834', '\udd1e\ud834', 'x'.repeat(65_536), 'ü'.repeat(32_768)]) {
    assert.equal(isSendableString(text), false);
  }
});
