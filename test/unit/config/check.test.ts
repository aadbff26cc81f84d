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

  const noted = (text: string): string[] =>
    load(text).warnings.map((note) => `${note.type}: ${note.text.replaceAll(/\/\S+(?=m\.conf)/g, '')}`);

  it('says that autosave is no longer needed, once and with persistence only', () => {
    const both = 'autosave_interval 60\nautosave_on_changes true\n';
    assert.deepEqual(noted(both), []);
    assert.deepEqual(noted(`${both}persistence true\n`), [
      'notice: autosave_interval at m.conf:1 and autosave_on_changes at m.conf:2 are no longer needed: every message that was acknowledged is on disk already.',
    ]);
    assert.deepEqual(noted('persistence true\npersistence_sync off\nautosave_interval 1800\n'), [
      'notice: autosave_interval at m.conf:3 is no longer needed: the store is written all the time, and persistence_sync off says when it reaches the disk.',
    ]);
    assert.deepEqual(noted('persistence true\n'), []);
  });

  it('warns of an interval that nothing uses', () => {
    assert.deepEqual(noted('persistence_sync_interval 50\n'), [
      "warning: Warning: persistence_sync_interval does nothing without 'persistence_sync interval', at m.conf:1.",
    ]);
    assert.deepEqual(noted('persistence_sync_interval 50\npersistence_sync interval\n'), []);
  });
});
