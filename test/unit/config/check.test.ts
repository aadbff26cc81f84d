import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { load, loadError } from './config-files.ts';

const NO_TLS = 'specified without certfile and keyfile.';
const PAIR = 'Error: Both certfile and keyfile must be provided to enable a TLS listener.';

describe('rules over several options', () => {
  const cases: readonly (readonly [string, string, number])[] = [
    ['listener 1999\ncertfile c\n', PAIR, 2],
    ['listener 1999\n\nkeyfile k\n', PAIR, 3],
    ['listener 1999\ncafile a\n', `Error: cafile ${NO_TLS}`, 2],
    ['listener 1999\ncapath a\n', `Error: capath ${NO_TLS}`, 2],
    ['listener 1999\ncrlfile a\n', `Error: crlfile ${NO_TLS}`, 2],
    ['listener 1999\nrequire_certificate true\n', `Error: require_certificate ${NO_TLS}`, 2],
    [
      'listener 1999\ncertfile c\nkeyfile k\nrequire_certificate true\n',
      'Error: require_certificate specified without cafile or capath.',
      4,
    ],
    ['listener 1999\nlistener 1999\n', 'Error: There is more than one listener on port 1999.', 2],
    [`listener 0 /${'a'.repeat(107)}\n`, `Error: The path of the Unix socket is too long (/${'a'.repeat(107)}).`, 1],
  ];
  for (const [text, sentence, line] of cases) {
    it(`${sentence.slice(0, 80)} (${JSON.stringify(text.slice(0, 60))})`, () => {
      const lines = loadError(text);
      assert.equal(lines[0], sentence);
      assert.equal(lines.at(-1), `Error found at m.conf:${line}.`);
    });
  }

  it('accepts a complete TLS listener', () => {
    const text =
      'listener 8883\ncertfile c\nkeyfile k\ncafile a\nrequire_certificate true\nuse_identity_as_username true\n';
    const { config, warnings } = load(text);
    assert.deepEqual(warnings, []);
    assert.equal(config.listeners[0]?.useIdentityAsUsername, true);
  });

  it('warns of names from certificates that nobody asks for', () => {
    const { warnings } = load('listener 1999\nuse_identity_as_username true\nuse_subject_as_username true\n');
    assert.deepEqual(
      warnings.map(({ text }) => text),
      ['use_identity_as_username', 'use_subject_as_username'].map(
        (name) => `Warning: ${name} on port 1999 has no certificates to look at without require_certificate.`,
      ),
    );
  });
});
