// Only protocol/ knows protocol versions; elsewhere a difference is a capability of the profile and is asked for by name.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourcesBelow, textOf, withoutComments } from './sources.ts';

/** Folders whose job is the spelling of versions for people: option values, log lines, messages. */
const SPELLERS = ['src/cli/', 'src/config/'];

const COMPARISONS: readonly [RegExp, string][] = [
  [/\.level\s*(?:[!=]==?|[<>]=?)/, 'compares a protocol level'],
  [/\blevel\s*(?:[!=]==|[<>]=?)\s*[345]\b/, 'compares a protocol level'],
  [/\b(?:protocol|version|protocolVersion|protocolLevel)\s*(?:[!=]==|[<>]=?)\s*[345]\b/, 'compares a protocol version'],
  [/\bprofile\s*[!=]==?\s*MQTT(?:31|311|5)\b/, 'compares a profile'],
  [/\bMQTT(?:31|311|5)\s*[!=]==?/, 'compares a profile'],
];
const SPELLING = /'mqttv(?:31|311|5|50)'/;

/** The sentences about a file's version compares. */
function offences(file: string, source: string): string[] {
  if (file.startsWith('src/protocol/')) return [];
  const found: string[] = [];
  for (const [index, line] of withoutComments(source).split('\n').entries()) {
    const comparison = COMPARISONS.find(([pattern]) => pattern.test(line));
    if (comparison !== undefined) found.push(`${file}:${index + 1} ${comparison[1]}`);
    if (SPELLING.test(line) && !SPELLERS.some((folder) => file.startsWith(folder))) {
      found.push(`${file}:${index + 1} spells a protocol version`);
    }
  }
  return found;
}

test('no file outside protocol/ compares protocol versions', () => {
  const found = sourcesBelow('src', 'bin').flatMap((file) => offences(file, textOf(file)));
  assert.deepEqual(found, []);
});

test('the guard sees each way to compare a version', () => {
  const lines = [
    'if (profile.level === 5) return;',
    'if (peer.profile.level < 5) return;',
    'const isOld = level !== 5;',
    'if (protocolVersion === 4) return;',
    'if (link.profile === MQTT5) return;',
    "if (options.version === 'mqttv5') return;",
  ];
  for (const line of lines) assert.equal(offences('src/broker/peer.ts', line).length, 1, line);
});

test('the guard lets capabilities and other numbers through', () => {
  const lines = [
    'if (profile.hasProperties) return;',
    'log.info(profile.level);',
    '// level === 5',
    'if (qos === 2) return;',
  ];
  for (const line of lines) assert.deepEqual(offences('src/broker/peer.ts', line), [], line);
});
