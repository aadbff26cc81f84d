import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import { defaultConfig, loadConfig } from '../../../src/config/load.ts';
import { errorLines, load, loadError, withFiles } from './config-files.ts';

/** Port, host and path of every listener. */
function addresses(text: string, ports: readonly number[] = []): string[] {
  const { config } = load(text, ports);
  return config.listeners.map(({ port, host, path: socket }) => socket ?? `${host ?? '*'}:${port}`);
}

describe('lines of a configuration file', () => {
  const good: readonly (readonly [string, string])[] = [
    ['comments, empty lines and indented lines', '# listener 1\n\n   \n  listener 1999\n'],
    ['carriage returns', 'listener 1999\r\nallow_anonymous true\r\n'],
    ['a byte order mark', '\uFEFFlistener 1999\n'],
    ['no line end at the end', 'listener 1999'],
    ['more than one blank before the value', 'listener   1999  \n'],
    ['a comment behind a listener', 'listener 1999 # all addresses\n'],
  ];
  for (const [what, text] of good) {
    it(`allows ${what}`, () => {
      assert.deepEqual(addresses(text), ['*:1999']);
    });
  }

  const bad: readonly (readonly [string, string, readonly string[]])[] = [
    ['an unknown name', 'x 1', ["Error: Unknown configuration variable 'x'."]],
    [
      'a misspelt name',
      'presistence false',
      ["Error: Unknown configuration variable 'presistence'.", "Did you mean 'persistence'?"],
    ],
    [
      'a hyphen in a name',
      'allow-anonymous true',
      ["Error: Unknown configuration variable 'allow-anonymous'.", "Did you mean 'allow_anonymous'?"],
    ],
    [
      'an indented comment',
      ' # x',
      ["Error: Unknown configuration variable '#'.", "A comment has its '#' as the very first character of the line."],
    ],
    [
      'a tab as separator',
      'port\t1883',
      [
        "Error: Unknown configuration variable 'port\\t1883'.",
        'Name and value are separated by a blank, not by a tab.',
      ],
    ],
    ['control characters in a name', 'a\u001b[2J 1', ["Error: Unknown configuration variable 'a\\u001b[2J'."]],
    ['a NUL character', 'pid_file a\0b', ['Error: Invalid pid_file value: it contains a NUL character.']],
    ['a bad bool', 'persistence maybe', ['Error: Invalid persistence value (maybe).', 'It must be true or false.']],
    [
      'an unknown word',
      'persistence_sync sometimes',
      ['Error: Invalid persistence_sync value (sometimes).', 'It must be one of always, interval, off.'],
    ],
    [
      'no time between two syncs',
      'persistence_sync_interval 0',
      ['Error: Invalid persistence_sync_interval value (0).', 'It must be a whole number from 1 to 60000.'],
    ],
    ...['../other.db', 'db/mosquitto.db', '..', '.'].map((name): [string, string, string[]] => [
      'a store that is not in its folder',
      `persistence_file ${name}`,
      [
        `Error: Invalid persistence_file value (${name}).`,
        'It must be a name without a folder; persistence_location names the folder.',
      ],
    ]),
    [
      'a bad bool',
      'allow_anonymous TRUE',
      ['Error: Invalid allow_anonymous value (TRUE).', 'It must be true or false.'],
    ],
    [
      'words for a number',
      'sys_interval 10abc',
      ['Error: Invalid sys_interval value (10abc).', 'It must be a whole number from 0 to 65535.'],
    ],
    ['too high a QoS', 'maximum_qos 3', ['Error: max_qos must be between 0 and 2 inclusive.']],
    ['too many messages', 'max_inflight_messages 70000', ['Error: max_inflight_messages must be <= 65535.']],
    ['a long prefix', `auto_id_prefix ${'a'.repeat(51)}`, ['Error: auto_id_prefix length must be <= 50.']],
    ['a wildcard', 'mount_point a/#', ["Error: Invalid mount_point 'a/#'. Does it contain a wildcard character?"]],
    [
      'a duration without unit',
      'persistent_client_expiration 14',
      [
        'Error: Invalid persistent_client_expiration duration in configuration.',
        'It must be a number above 0 and one of s, h, d, w, m, y; 14d, for example.',
      ],
    ],
    ['a nameless log file', 'log_dest file', ['Error: Empty "log_dest file" value in configuration.']],
    ['port 0', 'port 0', ['Error: Invalid port value (0).', 'It must be a whole number from 1 to 65535.']],
    ['port 0 without path', 'listener 0', ['Error: A listener with port 0 must provide a Unix socket path.']],
    [
      'a listener without port',
      'listener localhost',
      ['Error: Invalid port value (localhost).', 'It must be a whole number from 0 to 65535.'],
    ],
    [
      'a path with a port',
      'listener 1883 /tmp/x',
      ['Error: Invalid listener address (/tmp/x).', 'A Unix socket has port 0.'],
    ],
    [
      'the HTTP API',
      'protocol http_api',
      ["Error: 'protocol http_api' is not supported by mqtt-broker.", 'There is no HTTP API yet; remove the listener.'],
    ],
  ];
  for (const [what, line, sentences] of bad) {
    it(`refuses ${what}: ${JSON.stringify(line)}`, () => {
      const lines = loadError(`# one\n${line}\n`);
      assert.deepEqual(lines.slice(0, sentences.length), sentences);
      assert.equal(lines.at(-1), 'Error found at m.conf:2.');
    });
  }

  it('refuses a second text value', () => {
    assert.deepEqual(loadError('password_file a\npassword_file b\n'), [
      "Error: Duplicate 'password_file' value in configuration.",
      'Error found at m.conf:2.',
    ]);
  });

  it('refuses a second log file', () => {
    assert.equal(loadError('log_dest file a\nlog_dest file b\n')[0], 'Error: Duplicate "log_dest file" value.');
  });

  it('lets the last of several numbers count', () => {
    assert.equal(load('sys_interval 1\nsys_interval 2\n').config.global.sysInterval, 2);
  });

  it('reads numbers as C does', () => {
    assert.equal(load('sys_interval 0x10\n').config.global.sysInterval, 16);
    assert.equal(load('sys_interval 010\n').config.global.sysInterval, 8);
    assert.equal(load('sys_interval +7\n').config.global.sysInterval, 7);
    assert.equal(loadError('sys_interval 08\n')[0], 'Error: Invalid sys_interval value (08).');
  });

  it('takes a negative limit for none', () => {
    assert.equal(load('max_queued_messages -1\n').config.global.maxQueuedMessages, 0);
    assert.equal(load('listener 1999\nmax_connections -5\n').config.listeners[0]?.maxConnections, -1);
  });

  it('keeps blanks inside texts', () => {
    assert.equal(load('password_file  my file \n').config.security.passwordFile, 'my file');
  });

  it('uses the first word of log_type, and says so', () => {
    const { config, warnings } = load('log_type all debug\n');
    assert.equal(config.global.logType.length, 9);
    assert.match(warnings[0]?.text ?? '', /^Warning: Only 'all' of the log_type line is used, at .*m\.conf:1\.$/);
  });

  it('adds up log types and destinations, and forgets them at none', () => {
    const { global } = load(
      'log_type debug\nlog_type none\nlog_type notice\nlog_dest stdout\nlog_dest file /x y\n',
    ).config;
    assert.deepEqual(global.logType, ['notice']);
    assert.deepEqual(global.logDest, [{ to: 'stdout' }, { to: 'file', path: '/x y' }]);
    assert.deepEqual(load('log_dest stdout\nlog_dest none\n').config.global.logDest, []);
  });

  it('reads durations', () => {
    assert.equal(load('persistent_client_expiration 2m\n').config.global.persistentClientExpiration, 60 * 86_400);
  });

  it('accepts refused options that ask for the default', () => {
    const text = 'enable_control_api false\nmemory_limit 0\nauth_plugin_deny_special_chars true\n';
    assert.deepEqual(load(text).warnings, []);
  });

  it('words deprecations as Mosquitto does', () => {
    assert.deepEqual(load('port 1999\n').warnings, [
      {
        type: 'notice',
        text: "The 'port' option is now deprecated and will be removed in version 3.0. Please use 'listener' instead.",
      },
    ]);
  });
});

describe('files', () => {
  it('says what a file that is none of ours may be', () => {
    for (const [text, hint] of [
      ['listener=1999\n', "Name and value are separated by a blank, not by '='."],
      ['listener\t1999\n', 'Name and value are separated by a blank, not by a tab.'],
      ['\x7fELF\0\x01 x\n', 'The file seems to be no text, or not in UTF-8.'],
      ['\uFFFD 1\n', 'The file seems to be no text, or not in UTF-8.'],
    ] as const) {
      assert.equal(errorLines(() => load(text))[1], hint);
    }
  });

  it('names a file that is missing, a folder and a device', () => {
    assert.deepEqual(
      errorLines(() => loadConfig('/nonexistent/m.conf', {})),
      ['Error: Unable to open config file /nonexistent/m.conf.', 'No such file or directory.'],
    );
    assert.deepEqual(
      errorLines(() => loadConfig('/', {})),
      ['Error: Unable to open config file /.', 'Is a directory.'],
    );
  });

  it('reads include_dir in order, at its place, each file on its own', () => {
    const files = {
      'm.conf': 'listener 1999\ninclude_dir DIR\nmax_qos 1\n',
      'd/_.conf': 'sys_interval 6\n',
      'd/b.conf': 'listener 1998\nmax_qos 0\n',
      'd/B.conf': 'sys_interval 4\n',
      'd/a.conf': 'listener 1997\n',
      'd/1.conf': 'sys_interval 1\n',
      'd/x.conff': 'bad\n',
      'd/sub/c.conf': 'bad\n',
    };
    withFiles(files, (folder) => {
      const main = path.join(folder, 'm.conf');
      const text = files['m.conf'].replace('DIR', path.join(folder, 'd'));
      withFiles({ 'n.conf': text }, (other) => {
        const { config, warnings } = loadConfig(path.join(other, 'n.conf'), {});
        assert.deepEqual(
          warnings.map((note) => `${note.type} ${note.text.replace(path.join(folder, 'd'), 'd')}`),
          ['1', 'a', 'B', 'b', '_'].map((name) => `information Loading config file 'd/${name}.conf'`),
        );
        assert.deepEqual(
          config.listeners.map(({ port, maxQos }) => [port, maxQos]),
          [
            [1999, 1],
            [1997, 2],
            [1998, 0],
          ],
        );
        assert.equal(config.global.sysInterval, 6);
      });
      assert.ok(errorLines(() => loadConfig(main, {}))[0]?.startsWith("Error: Unable to open include_dir 'DIR'."));
    });
  });

  it('names every place on the way to an error', () => {
    withFiles({ 'd/a.conf': '\nbad 1\n' }, (folder) => {
      withFiles({ 'm.conf': `include_dir ${folder}/d\n` }, (other) => {
        assert.deepEqual(
          errorLines(() => loadConfig(path.join(other, 'm.conf'), {})),
          ["Error: Unknown configuration variable 'bad'.", 'Error found at d/a.conf:2.', 'Error found at m.conf:1.'],
        );
      });
    });
  });

  it('passes over include_dir in an included file, with a warning', () => {
    withFiles({ 'd/a.conf': 'include_dir /nonexistent\n' }, (folder) => {
      withFiles({ 'm.conf': `include_dir ${folder}/d\n` }, (other) => {
        const { warnings } = loadConfig(path.join(other, 'm.conf'), {});
        assert.match(warnings[1]?.text ?? '', /^Warning: include_dir is only read in the main configuration file/);
      });
    });
  });

  it('lets the environment say where the store is', () => {
    withFiles({ 'm.conf': 'persistence_location /a\n' }, (folder) => {
      const env = { MOSQUITTO_PERSISTENCE_LOCATION: '/b' };
      assert.equal(loadConfig(path.join(folder, 'm.conf'), {}).config.global.persistenceLocation, '/a');
      const { global, places } = loadConfig(path.join(folder, 'm.conf'), env).config;
      assert.equal(global.persistenceLocation, '/b');
      assert.equal(places.get('persistenceLocation'), undefined, 'the line has nothing to do with that folder');
    });
  });
});

describe('listeners', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['', ['127.0.0.1:1883', '::1:1883']],
    ['log_type all\npassword_file p\nallow_anonymous false\n', ['127.0.0.1:1883', '::1:1883']],
    ['protocol mqtt\nmax_connections -1\n', ['127.0.0.1:1883', '::1:1883']],
    ['listener 1999\n', ['*:1999']],
    ['listener 1999 ::1\nlistener 0 /tmp/s\n', ['::1:1999', '/tmp/s']],
    ['port 1999\n', ['*:1999']],
    ['bind_address 127.0.0.1\n', ['127.0.0.1:1883']],
    ['max_connections 5\n', ['*:1883']],
    ['max_connections 5\nlistener 1999\n', ['*:1999', '*:1883']],
    ['port 1999\nlistener 1998\nport 1997\n', ['*:1998', '*:1997']],
    ['per_listener_settings true\npassword_file p\n', ['*:1883']],
    ['socket_domain ipv4\nport 1999\nlistener 1999\nsocket_domain ipv6\n', ['*:1999', '*:1999']],
  ];
  for (const [text, wanted] of cases) {
    it(`opens ${wanted.join(' and ')} for ${JSON.stringify(text)}`, () => {
      assert.deepEqual(addresses(text), wanted);
    });
  }

  it('takes the ports of -p only without listener, and says so', () => {
    assert.deepEqual(addresses('log_type all\n', [1, 2]), ['127.0.0.1:1', '::1:1', '127.0.0.1:2', '::1:2']);
    const { config, warnings } = load('listener 1999\n', [1]);
    assert.deepEqual(
      config.listeners.map(({ port }) => port),
      [1999],
    );
    assert.match(warnings[0]?.text ?? '', /^Warning: The option -p is ignored/);
  });

  it('is local only, with anonymous clients, without a listener', () => {
    for (const config of [defaultConfig(), defaultConfig([1999]), load('').config]) {
      assert.equal(config.localOnly, true);
      assert.ok(config.listeners.every((listener) => listener.allowAnonymous && listener.host !== null));
    }
    assert.deepEqual(
      defaultConfig([1999]).listeners.map(({ port, host }) => `${host} ${port}`),
      ['127.0.0.1 1999', '::1 1999'],
    );
    const { config } = load('listener 1999\n');
    assert.equal(config.localOnly, false);
    assert.equal(config.listeners[0]?.allowAnonymous, false);
  });

  it('shares the global security options, or has its own', () => {
    const shared = load('listener 1\nallow_anonymous true\nlistener 2\nlistener_allow_anonymous false\n').config;
    assert.equal(shared.listeners[0]?.security, shared.listeners[1]?.security);
    assert.deepEqual(
      shared.listeners.map((listener) => listener.allowAnonymous),
      [true, false],
    );
    const own = load(
      'per_listener_settings true\nlistener 1\nallow_anonymous true\nauto_id_prefix x\nlistener 2\nacl_file a\n',
    ).config;
    assert.deepEqual(
      own.listeners.map(({ allowAnonymous, autoIdPrefix, security }) => [
        allowAnonymous,
        autoIdPrefix,
        security.aclFile,
      ]),
      [
        [true, 'x', null],
        [false, 'auto-', 'a'],
      ],
    );
    assert.equal(own.listeners[1]?.security.places.get('aclFile')?.line, 6);
  });

  it('wants per_listener_settings before security options', () => {
    assert.deepEqual(loadError('allow_anonymous true\nper_listener_settings true\n'), [
      'Error: per_listener_settings must be set before any other security settings.',
      'Error found at m.conf:2.',
    ]);
    assert.equal(load('allow_anonymous true\nper_listener_settings false\n').config.global.perListenerSettings, false);
  });

  it('refuses a second bind_address and warns of a second port', () => {
    assert.deepEqual(loadError('bind_address a\nbind_address b\n'), [
      'Error: Duplicate default listener bind_address value in configuration.',
      'Error found at m.conf:2.',
    ]);
    assert.ok(
      load('port 1\nport 2\n').warnings.some(
        ({ text }) => text === 'Warning: Default listener port specified multiple times. Only the latest will be used.',
      ),
    );
  });

  it('warns of words behind the address', () => {
    const { config, warnings } = load('listener 1999 127.0.0.1 extra\n');
    assert.equal(config.listeners[0]?.host, '127.0.0.1');
    assert.match(warnings[0]?.text ?? '', /^Warning: Only '127\.0\.0\.1' is used as the address of the listener/);
  });

  it('keeps the place of every option and listener', () => {
    const listener = load('\nlistener 1999\ncertfile c\n\nkeyfile k\n').config.listeners[0];
    assert.equal(listener?.place?.line, 2);
    assert.equal(listener?.places.get('certfile')?.line, 3);
    assert.equal(listener?.places.get('keyfile')?.line, 5);
    assert.equal(load('\nsys_interval 5\n').config.places.get('sysInterval')?.line, 2);
  });
});
