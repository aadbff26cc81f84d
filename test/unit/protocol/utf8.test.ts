import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSendableString, isValidString } from '../../../src/protocol/utf8.ts';

const valid = (bytes: Buffer): boolean => isValidString(bytes, 0, bytes.length);

test('well-formed UTF-8 without U+0000 is a string [MQTT-1.5.4-1, MQTT-1.5.4-2]', () => {
  for (const text of [
    '',
    'abc',
    'ü€𝄞',
    '\ufeff',
    '\u0001',
    '\u007f\u0080',
    '\ud7ff\ue000',
    '\ufffe\uffff',
    '\u{10ffff}',
  ]) {
    assert.equal(valid(Buffer.from(text)), true, JSON.stringify(text));
  }
});

test('anything else is not', () => {
  const others = {
    'U+0000': '00',
    'U+0000 behind ASCII': '6100',
    'U+0000 behind others': 'c3bc00',
    'U+0000 in two bytes': 'c080',
    'a surrogate': 'eda080',
    'a pair of surrogates': 'eda081edb080',
    'a continuation by itself': '80',
    'a sequence that is cut short': 'e282',
    'a sequence that is too long': 'e0809f',
    'beyond U+10FFFF': 'f4908080',
    'a byte that never occurs': 'ff',
  };
  for (const [what, hex] of Object.entries(others)) assert.equal(valid(Buffer.from(hex, 'hex')), false, what);
});

test('only the range is looked at', () => {
  const bytes = Buffer.from('ff61c3bc00', 'hex');
  assert.equal(isValidString(bytes, 1, 4), true);
  assert.equal(isValidString(bytes, 1, 3), false);
});

test('strings of JavaScript that can be sent', () => {
  for (const text of ['', 'a', '𝄞', 'x'.repeat(65_535), 'ü'.repeat(32_767)]) assert.equal(isSendableString(text), true);
  for (const text of ['\0', 'a\0', '\ud834', '\udd1e\ud834', 'x'.repeat(65_536), 'ü'.repeat(32_768)]) {
    assert.equal(isSendableString(text), false);
  }
});
