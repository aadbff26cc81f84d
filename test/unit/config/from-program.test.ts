import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ConfigInput, configFrom } from '../../../src/config/from-program.ts';
import { errorLines } from './config-files.ts';

/** The error of options whose types would not compile. */
function faultOf(options: unknown): string[] {
  return errorLines(() => configFrom(options as ConfigInput));
}

describe('configFrom', () => {
  it('listens on this machine only, and lets anonymous clients in', () => {
    const { listeners, localOnly } = configFrom({ listeners: [{ port: 0 }, { path: '/tmp/x' }] });
    assert.equal(localOnly, false);
    assert.deepEqual(
      listeners.map(({ port, host, path, allowAnonymous }) => ({ port, host, path, allowAnonymous })),
      [
        { port: 0, host: '127.0.0.1', path: null, allowAnonymous: true },
        { port: 0, host: null, path: '/tmp/x', allowAnonymous: true },
      ],
    );
  });

  it('asks for user names as soon as another machine can connect', () => {
    for (const host of [null, '0.0.0.0', '::', 'example.org', '127.0.0.1.example.org']) {
      assert.equal(configFrom({ listeners: [{ port: 0, host }] }).listeners[0]?.allowAnonymous, false, String(host));
    }
    const open = configFrom({ listeners: [{ port: 0, host: null }], security: { allowAnonymous: true } });
    assert.equal(open.listeners[0]?.allowAnonymous, true);
  });

  it('is the default configuration without listeners', () => {
    const config = configFrom({ global: { sysInterval: 0 } });
    assert.equal(config.localOnly, true);
    assert.equal(config.global.sysInterval, 0);
    assert.equal(config.global.maxInflightMessages, 20);
    assert.deepEqual(
      config.listeners.map(({ host, port }) => `${host} ${port}`),
      ['127.0.0.1 1883', '::1 1883'],
    );
  });

  it('gives a listener its own security options', () => {
    const { listeners } = configFrom({
      security: { passwordFile: 'a' },
      listeners: [{ port: 1 }, { port: 2, security: { passwordFile: 'b', allowAnonymous: false } }],
    });
    assert.deepEqual(
      listeners.map(({ security, allowAnonymous }) => [security.passwordFile, allowAnonymous]),
      [
        ['a', true],
        ['b', false],
      ],
    );
  });

  it('takes null and undefined for "none" where the table does', () => {
    const { global } = configFrom({ global: { pidFile: null } });
    assert.equal(global.pidFile, null);
    assert.equal(configFrom({ listeners: [{ port: 1 }] }).listeners[0]?.certfile, null);
  });

  const bad: readonly (readonly [unknown, readonly string[]])[] = [
    [
      { listener: [] },
      ["Error: Unknown configuration variable 'listener'.", "Did you mean 'listeners'?", 'Error found in the options.'],
    ],
    [
      { listeners: [{ port: 1, maxQos: 3 }] },
      ['Error: max_qos must be between 0 and 2 inclusive.', 'Error found in listeners[0].'],
    ],
    [
      { global: { sysIntervall: 3 } },
      [
        "Error: Unknown configuration variable 'sysIntervall'.",
        "Did you mean 'sysInterval'?",
        'Error found in global.',
      ],
    ],
    [
      { security: { allowAnonymous: 'yes' } },
      ['Error: Invalid allowAnonymous value (yes).', 'It must be true or false.', 'Error found in security.'],
    ],
    [
      { global: { sysInterval: null } },
      [
        'Error: Invalid sysInterval value (null).',
        'It must be a whole number from 0 to 65535.',
        'Error found in global.',
      ],
    ],
    [
      { global: { sysInterval: 1.5 } },
      [
        'Error: Invalid sysInterval value (1.5).',
        'It must be a whole number from 0 to 65535.',
        'Error found in global.',
      ],
    ],
    [{ global: { perListenerSettings: true } }, ["Error: Unknown configuration variable 'perListenerSettings'."]],
    [{ global: { enableControlApi: true } }, ["Error: Unknown configuration variable 'enableControlApi'."]],
    [
      { global: { persistenceSync: 'never' } },
      [
        'Error: Invalid persistenceSync value (never).',
        'It must be one of always, interval, off.',
        'Error found in global.',
      ],
    ],
    [{ listeners: [{ port: '1883' }] }, ['Error: Invalid port value (1883), in listeners[0].']],
    [{ listeners: [{ port: 65_536 }] }, ['Error: Invalid port value (65536), in listeners[0].']],
    [{ listeners: [{ host: '' }] }, ['Error: Invalid host value (), in listeners[0].']],
    [
      { listeners: [{ path: '/x', port: 1 }] },
      ['Error: A listener has either a path or port and host, in listeners[0].'],
    ],
    [
      { listeners: [{ certfile: 'c' }] },
      ['Error: Both certfile and keyfile must be provided to enable a TLS listener.'],
    ],
    [{ listeners: {} }, ['Error: Invalid listeners value.', 'It must be a list of listeners.']],
  ];
  for (const [options, lines] of bad) {
    it(`refuses ${JSON.stringify(options)}`, () => {
      assert.deepEqual(faultOf(options).slice(0, lines.length), lines);
    });
  }
});
