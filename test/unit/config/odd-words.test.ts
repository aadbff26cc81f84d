// Words that mean something to JavaScript mean nothing in a configuration.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadError } from './config-files.ts';

test('names of JavaScript objects are values like any other that is not known', () => {
  for (const word of ['__proto__', 'constructor', 'toString']) {
    assert.deepEqual(loadError(`listener 1883\nsocket_domain ${word}\n`), [
      `Error: Invalid socket_domain value (${word}).`,
      'It must be one of ipv4, ipv6.',
      'Error found at m.conf:2.',
    ]);
  }
});
