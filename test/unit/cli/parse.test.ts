// Command lines and what they mean. The sentences are those of mosquitto_pub, mosquitto_sub and mosquitto_rr.
import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/cli/messages.ts';
import '../../../src/cli/options/bench.ts';
import type { Tool } from '../../../src/cli/options/row.ts';
import { type Options, optionsOf } from '../../../src/cli/options/tables.ts';
import { parseArguments } from '../../../src/cli/parse.ts';

const TOOLS: readonly Tool[] = ['broker', 'pub', 'sub', 'rr', 'passwd', 'bench'];

const pub = (...words: string[]): Options<'pub'> => parseArguments('pub', ['-t', 'a', ...words]).options;
const sub = (...words: string[]): Options<'sub'> => parseArguments('sub', ['-t', 'a', ...words]).options;

/** The sentence that a command line is refused with. */
function refusal(tool: Tool, words: readonly string[]): string {
  try {
    parseArguments(tool, words);
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return error.message;
  }
  return 'accepted';
}

describe('values are the words behind an option, whatever they look like', () => {
  for (const word of [
    '-5',
    '--help',
    '',
    '-secret',
    '--',
    '-t',
    '"quoted"',
    "'quoted'",
    'a=b',
    '--foo=bar',
    '007',
    'Ä',
  ]) {
    it(`-m ${JSON.stringify(word)}`, () => {
      assert.equal(pub('-m', word).message, word);
      assert.equal(pub('-u', word, '-n').username, word);
    });
  }

  it('any text at all', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (word) => {
        assert.equal(pub('-m', word).message, word);
      }),
    );
  });

  it('numbers stay the text that was typed', () => {
    assert.equal(pub('-n', '-i', '007').id, '007');
    assert.equal(pub('-n', '-i', '1e3').id, '1e3');
  });

  it('-x -1 and ∞ mean for ever', () => {
    assert.equal(sub('-x', '-1').sessionExpiry, 0xffff_ffff);
    assert.equal(sub('-x', '∞').sessionExpiry, 0xffff_ffff);
    assert.equal(sub('-x', '5').sessionExpiry, 5);
  });

  it('shares of messages and expected numbers', () => {
    assert.deepEqual(
      ['0.1', '100', '100.0', '.5'].map((word) => sub('--random-filter', word).randomFilter),
      [0.1, 100, 100, 0.5],
    );
    assert.deepEqual(
      ['7', '=7', '0'].map((word) => sub('--expect', word).expect),
      [
        { count: 7, exactly: false },
        { count: 7, exactly: true },
        { count: 0, exactly: true },
      ],
    );
  });

  it('a user property takes four words', () => {
    const { properties, retain } = pub('-n', '-D', 'publish', 'user-property', '--a', '-r', '-r');
    assert.deepEqual(
      properties.map(({ command, row, value }) => [command, row.option, value]),
      [['publish', 'user-property', ['--a', '-r']]],
    );
    assert.equal(retain, true);
  });
});

describe('repeated options', () => {
  it('are gathered where the tool takes several', () => {
    const { options } = parseArguments('sub', ['-t', 'a', '--topic', 'b/#', '-T', 'c', '-T', '+/d', '-U', 'e']);
    assert.deepEqual(options.topics, ['a', 'b/#']);
    assert.deepEqual(options.filterOut, ['c', '+/d']);
    assert.deepEqual(options.unsubscribe, ['e']);
  });

  it('count once, the last, elsewhere', () => {
    assert.equal(pub('-n', '-t', 'b').topic, 'b');
    assert.equal(pub('-n', '-q', '1', '-q', '2').qos, 2);
    assert.equal(pub('-n', '-d', '-d').debug, true);
  });
});

describe('the URL', () => {
  const url = (text: string) => parseArguments('sub', ['-L', text]).options;

  it('fills in what other options leave open', () => {
    const { topics, url: parts } = url('mqtts://tom:secret@broker.example:99/a/b');
    assert.deepEqual(topics, ['a/b']);
    assert.deepEqual(parts, {
      tls: true,
      ws: false,
      host: 'broker.example',
      port: 99,
      username: 'tom',
      password: 'secret',
      topic: 'a/b',
    });
  });

  it('carries any name, password and IPv6 address', () => {
    const parts = url('ws://t%40m:p%2Fw%3A@[::1]/a%20b/#').url;
    assert.deepEqual([parts?.username, parts?.password, parts?.host, parts?.port], ['t@m', 'p/w:', '::1', null]);
    assert.deepEqual([parts?.topic, parts?.ws], ['a b/#', true]);
  });

  it('adds its filter to those of mqtt-sub', () => {
    assert.deepEqual(parseArguments('sub', ['-t', 'x', '-L', 'mqtt://h/y']).options.topics, ['x', 'y']);
    assert.deepEqual(parseArguments('sub', ['-L', 'mqtt://h/y', '-t', 'x']).options.topics, ['y', 'x']);
    const between = ['-t', 'x', '-L', 'mqtt://h/y', '-t', 'z'];
    assert.deepEqual(parseArguments('sub', between).options.topics, ['x', 'y', 'z']);
    assert.deepEqual(parseArguments('sub', ['-L', 'mqtt://h/', '-t', 'x']).options.topics, ['x']);
    assert.deepEqual(parseArguments('sub', ['-L', 'mqtt://h/', '-U', 'x', '-t', 'y']).options.topics, ['y']);
    assert.equal(parseArguments('pub', ['-L', 'mqtt://h/100%', '-n']).options.topic, '100%');
  });

  it('and other options: the last one counts', () => {
    const pub = (...words: string[]) => {
      const { host, port, username, password, topic } = parseArguments('pub', [...words, '-n']).options;
      return [host, port, username, password, topic];
    };
    const full = ['-L', 'mqtt://u:p@h:1/t'];
    const others = ['-h', 'i', '-p', '2', '-u', 'v', '-P', 'q', '-t', 'x'];
    assert.deepEqual(pub(...full, ...others), ['i', 2, 'v', 'q', 'x']);
    assert.deepEqual(pub(...others, ...full), ['h', 1, 'u', 'p', 't']);
    assert.deepEqual(pub(...others, '-L', 'mqtt://h/t'), ['h', null, 'v', 'q', 't'], 'the port of the scheme');
    assert.deepEqual(pub(...others, '-L', 'mqtt://h/'), ['h', null, 'v', 'q', 'x'], 'no topic in it');
    assert.deepEqual(pub('-L', 'MQTT://u:@h:/t'), ['h', null, 'u', '', 't'], 'empty parts');
    assert.deepEqual(pub('-L', 'mqtt://@h/t'), ['h', null, null, null, 't']);
    assert.deepEqual(pub('-L', 'mqtt://:p@h/t'), ['h', null, null, 'p', 't']);
  });
});

describe('refused with one clear sentence', () => {
  const cases: readonly (readonly [Tool, readonly string[], string])[] = [
    ['sub', ['--foo'], "Unknown option '--foo'."],
    ['sub', ['foo'], "Unknown option 'foo'."],
    [
      'pub',
      ['-t', 'a', '-m', 'hello', 'world'],
      "Unknown option 'world'.\nA value that has blanks in it needs quotes.",
    ],
    ['pub', ['-t', 'a', '-m', 'b', '-Z'], "Unknown option '-Z'."],
    ['pub', ['-t', 'a', '-r', 'world'], "Unknown option 'world'."],
    ['sub', ['-t', 'a', '-dv'], "Unknown option '-dv'.\nDid you mean '-d -v'?"],
    ['sub', ['-q1'], "Unknown option '-q1'.\nDid you mean '-q 1'?"],
    ['sub', ['-tfoo'], "Unknown option '-tfoo'.\nDid you mean '-t foo'?"],
    ['sub', ['-topic', 'a'], "Unknown option '-topic'.\nDid you mean '--topic'?"],
    ['sub', ['topic', 'a'], "Unknown option 'topic'.\nDid you mean '--topic'?"],
    ['sub', ['t', 'a'], "Unknown option 't'.\nDid you mean '-t'?"],
    ['sub', ['\u2014topic', 'a'], "Unknown option '\u2014topic'.\nDid you mean '--topic'?"],
    ['sub', ['\u2013t', 'a'], "Unknown option '\u2013t'.\nDid you mean '-t'?"],
    ['sub', ['--hsot', 'a'], "Unknown option '--hsot'.\nDid you mean '--host'?"],
    ['sub', ['-Q', '1'], "Unknown option '-Q'.\nDid you mean '-q'?"],
    ['sub', ['-h=a'], "Unknown option '-h=a'.\nDid you mean '-h a'?"],
    ['sub', [''], "Unknown option ''."],
    ['sub', ['--pw=secret'], "Unknown option '--pw=***'.\nDid you mean '--pw ***'?"],
    ['sub', ['-pw=secret'], "Unknown option '-pw=***'.\nDid you mean '--pw ***'?"],
    ['sub', ['--password=secret'], "Unknown option '--password=***'."],
    ['sub', ['-Psecret'], "Unknown option '-P***'.\nDid you mean '-P ***'?"],
    [
      'sub',
      ['--url=mqtt://u:secret@h/t'],
      "Unknown option '--url=mqtt://u:***@h/t'.\nDid you mean '--url mqtt://u:***@h/t'?",
    ],
    ['sub', ['--pasword=secret'], "Unknown option '--pasword=***'."],
    ['sub', ['--psk=0123'], "Unknown option '--psk=***'.\nDid you mean '--psk ***'?"],
    [
      'sub',
      ['-L', 'mqtt://u:sec/ret@h/t'],
      'Invalid port given.\nIn a user name or password, / is written %2F and @ is written %40.',
    ],
    ['sub', ['-dz'], "Unknown option '-dz'."],
    ['broker', ['--prot', '1'], "Unknown option '--prot'.\nDid you mean '--port'?"],
    ['bench', ['--publisher', '1'], "Unknown option '--publisher'.\nDid you mean '--publishers'?"],
    ['passwd', ['--hlep'], "Unknown option '--hlep'.\nDid you mean '--help'?"],
    ['sub', ['-V', 'mqttv6'], "Invalid protocol version argument given.\nDid you mean 'mqttv5'?"],
    [
      'sub',
      ['--retain-handling', 'allways'],
      "Invalid retain handling 'allways', it must be always, new or never.\nDid you mean 'always'?",
    ],
    ['sub', ['-D', 'conect', 'a', 'b'], "Invalid command given in --property argument.\nDid you mean 'connect'?"],
    [
      'pub',
      ['-D', 'publish', 'contenttype', 'b'],
      "Invalid property name given in --property argument.\nDid you mean 'content-type'?",
    ],
    ['sub', ['-t', 'a', '-m', 'x'], "Unknown option '-m'.\nIt is one of mqtt-pub and mqtt-rr."],
    ['sub', ['--topics', 'x'], "Unknown option '--topics'.\nDid you mean '--topic'?"],
    ['sub', ['--keep-alive', '5'], "Unknown option '--keep-alive'.\nDid you mean '--keepalive'?"],
    ['sub', ['--host=x'], "Unknown option '--host=x'.\nDid you mean '--host x'?"],
    ['sub', ['--'], "Unknown option '--'."],
    ['rr', ['-l'], "Unknown option '-l'.\nIt is one of mqtt-pub."],
    ['rr', ['-r'], "Unknown option '-r'.\nIt is one of mqtt-pub."],
    ['sub', [], 'You must specify a topic to subscribe to (-t) or unsubscribe from (-U).'],
    ['pub', ['-t', 'a'], 'Both topic and message must be supplied.'],
    ['pub', ['-m', 'a'], 'Both topic and message must be supplied.'],
    ['rr', ['-t', 'a', '-m', 'x'], 'All of topic, message, and response topic must be supplied.'],
    ['pub', ['-t', 'a', '-m', 'x', '-f', 'y'], 'Only one type of message can be sent at once.'],
    ['pub', ['-t', 'a', '-m', 'x', '-m', 'y'], 'Only one type of message can be sent at once.'],
    ['pub', ['-t', 'a', '-l', '-s'], 'Only one type of message can be sent at once.'],
    ['pub', ['-t', 'a', '-n', '-m', ''], 'Only one type of message can be sent at once.'],
    ['sub', ['-t', 'a', '-i', 'x', '-I', 'y'], '-i and -I argument cannot be used together.'],
    ['sub', ['-t', 'a', '-I', 'y', '-i', 'x'], '-i and -I argument cannot be used together.'],
    ['sub', ['-t', 'a', '-R', '--retained-only'], "Combining '-R' and '--retained-only' makes no sense."],
    ['sub', ['-t', 'a', '-c'], 'You must provide a client id if you are using the -c option.'],
    ['sub', ['-t', 'a', '-c', '-I', 'x'], 'You must provide a client id if you are using the -c option.'],
    ['sub', ['-t', 'a', '-q', '3'], 'Invalid QoS given: 3'],
    ['sub', ['-t', 'a', '-q', 'abc'], 'Invalid QoS given: abc'],
    ['sub', ['-t', 'a', '-q', '__proto__'], 'Invalid QoS given: __proto__'],
    ['sub', ['-t', 'a', '-p', '0'], 'Invalid port given: 0'],
    ['sub', ['-t', 'a', '-p', '65536'], 'Invalid port given: 65536'],
    ['sub', ['-t', 'a', '-p', '1e3'], 'Invalid port given: 1e3'],
    ['sub', ['-t', 'a', '-k', '4'], 'Invalid keepalive given, it must be between 5 and 65535 inclusive.'],
    ['sub', ['-t', 'a', '-V', '6'], 'Invalid protocol version argument given.'],
    ['sub', ['-t', 'a', '-x', 'abc'], 'session-expiry-interval not a number.'],
    ['sub', ['-t', 'a', '-x', '-2'], 'session-expiry-interval out of range.'],
    ['sub', ['-t', 'a', '-x', '4294967296'], 'session-expiry-interval out of range.'],
    ['sub', ['-t', 'a', '-C', '0'], 'Invalid message count "0".'],
    ['sub', ['-t', 'a', '-W', '0'], 'Invalid timeout "0".'],
    ...['0', '0.09', '100.1', 'abc', '5x', ''].map(
      (word) =>
        ['sub', ['-t', 'a', '--random-filter', word], '--random-filter chance must be between 0.1-100.0'] as const,
    ),
    ...['', '-1', '=', '1.5', '2147483648', '==1'].map(
      (word) => ['sub', ['-t', 'a', '--expect', word], `Invalid number of expected messages "${word}".`] as const,
    ),
    ...[
      ['-C', '1'],
      ['--until', '/x/'],
    ].map(
      (words) =>
        [
          'sub',
          ['-t', 'a', '--expect', '1', ...words],
          "'--expect' cannot be combined with '-C' or '--until'.",
        ] as const,
    ),
    ['sub', ['-t', 'a', '-w', '--message-rate'], "Only one of '-w' and '--message-rate' may be used."],
    [
      'sub',
      ['-t', 'a', '--record', '-'],
      "'--record' writes to a file; '--json-lines' prints the same lines on standard output.",
    ],
    ...[
      [],
      ['-x', '0'],
      ['-c', '-i', 'me', '-x', '0'],
      ['-x', '9', '-D', 'connect', 'session-expiry-interval', '0'],
    ].map(
      (words) =>
        [
          'sub',
          ['-t', 'a', ...words, '-D', 'disconnect', 'session-expiry-interval', '5'],
          'DISCONNECT cannot set a session expiry interval where CONNECT set none: add -x.',
        ] as const,
    ),
    ['sub', ['-t', 'a', '-M', '0'], 'Maximum inflight messages must be greater than 0.'],
    ['pub', ['-t', 'a', '-n', '--repeat', '0'], '--repeat argument must be >0.'],
    ['pub', ['-t', 'a', '-n', '--repeat-delay', '-1'], '--repeat-delay argument must be >=0.0.'],
    ['sub', ['-t', 'a/#/b'], "Invalid subscription topic 'a/#/b', are all '+' and '#' wildcards correct?"],
    ['sub', ['-t', ''], "Invalid subscription topic '', it is empty."],
    ['sub', ['-U', 'a+'], "Invalid unsubscribe topic 'a+', are all '+' and '#' wildcards correct?"],
    ['sub', ['-t', 'a', '-T', '#b'], "Invalid filter topic '#b', are all '+' and '#' wildcards correct?"],
    ['pub', ['-t', 'a/#', '-n'], "Invalid publish topic 'a/#', does it contain '+' or '#'?"],
    ['pub', ['-L', 'mqtt://h/a/+', '-n'], "Invalid publish topic 'a/+', does it contain '+' or '#'?"],
    ['rr', ['-t', 'a', '-e', 'b/#', '-n'], "Invalid response topic 'b/#', does it contain '+' or '#'?"],
    ['sub', ['-t', 'a', '--will-topic', 'a/#'], "Invalid will topic 'a/#', does it contain '+' or '#'?"],
    ['sub', ['-t', 'a', '--will-payload', 'x'], 'Will payload given, but no will topic given.'],
    ['sub', ['-t', 'a', '--will-retain'], 'Will retain given, but no will topic given.'],
    [
      'pub',
      ['-t', 'a', '-n', '--will-topic', 'w', '--will-payload', '€'.repeat(21_846)],
      'The will payload has 65538 bytes, and MQTT takes 65535 at most.',
    ],
    [
      'pub',
      ['-t', '+'.repeat(65_536), '-n'],
      `Invalid publish topic '${'+'.repeat(1000)}…', does it contain '+' or '#'?`,
    ],
    ['sub', ['-t', 'a', '-C', '99999999999999999999'], 'Invalid message count "99999999999999999999".'],
    ['sub', ['-t', 'a', '-W', '2147484'], 'Invalid timeout "2147484".'],
    ['sub', ['-t', 'a', '--will-qos', '3'], 'Invalid will QoS 3.'],
    ['sub', ['-t', 'a', '--will-retain'], 'Will retain given, but no will topic given.'],
    ['rr', ['-t', 'a', '--keyform', 'pem'], 'If keyform is set, keyfile must be also specified.'],
    ['pub', ['-t', 'a', '-n', '--speed', '1'], "'--speed' needs '--replay'."],
    ['sub', ['-t', 'a', '--cert', 'x'], 'Both certfile and keyfile must be provided if one of them is set.'],
    ['sub', ['-t', 'a', '--key', 'x'], 'Both certfile and keyfile must be provided if one of them is set.'],
    ['sub', ['-L', 'foo://x/a'], 'unsupported URL scheme.'],
    ['sub', ['-L', 'constructor://x/a'], 'unsupported URL scheme.'],
    ['sub', ['-L', 'mqtt://localhost'], 'Invalid URL for -L argument specified - topic missing.'],
    ['sub', ['-t', 'a', '-L', 'mqtt://localhost'], 'Invalid URL for -L argument specified - topic missing.'],
    ['pub', ['-L', 'mqtt://localhost/', '-n'], 'Invalid URL for -L argument specified - topic missing.'],
    ['sub', ['-L', 'mqtt:///a'], 'Invalid URL for -L argument specified - host missing.'],
    ['sub', ['-L', 'mqtt://h:99999/a'], 'Invalid port given: 99999'],
    [
      'sub',
      ['-L', 'mqtt://tom:secret/a'],
      'Invalid port given.\nA user name and a password stand in front of the host: USER:PASSWORD@HOST.',
    ],
    ['sub', ['-t', 'a', '-D', 'connect', 'foo'], '--property argument given but not enough arguments specified.'],
    [
      'sub',
      ['-t', 'a', '-D', 'connect', 'user-property', 'x'],
      '--property argument given but not enough arguments specified.',
    ],
    ['sub', ['-t', 'a', '-D', 'foo', 'content-type', 'x'], 'Invalid command given in --property argument.'],
    ['sub', ['-t', 'a', '-D', 'connect', 'foo', 'x'], 'Invalid property name given in --property argument.'],
    [
      'sub',
      ['-t', 'a', '-D', 'connect', 'content-type', 'x'],
      'content-type property not allowed for connect in --property argument.',
    ],
    [
      'pub',
      ['-t', 'a', '-n', '-D', 'publish', 'subscription-identifier', '1'],
      'subscription-identifier property not supported for publish in --property argument.',
    ],
    [
      'sub',
      ['-t', 'a', '-D', 'connect', 'receive-maximum', '70000'],
      'Property value (70000) out of range for property receive-maximum.',
    ],
    [
      'sub',
      ['-t', 'a', '-D', 'connect', 'receive-maximum', '0'],
      'Property value (0) out of range for property receive-maximum.',
    ],
    [
      'sub',
      ['-t', 'a', '-D', 'connect', 'request-problem-information', '2'],
      'Property value (2) out of range for property request-problem-information.',
    ],
    ['broker', ['foo'], "Unknown option 'foo'."],
    ['broker', ['-c'], '-c argument given, but no config file specified.'],
    ['broker', ['-p', '70000'], 'Invalid port specified (70000).'],
    ['passwd', ['-c', '-D', 'x', 'y'], '-c and -D cannot be used together.'],
    ['passwd', ['-c', '-U', 'x'], '-c and -U cannot be used together.'],
    ['passwd', ['-D', '-U', 'x'], '-D and -U cannot be used together.'],
    ['passwd', ['-b', '-D', 'x', 'y'], '-b and -D cannot be used together.'],
    ['passwd', ['-I', '0', 'x', 'y'], 'Number of iterations must be > 0.'],
  ];
  for (const [tool, words, sentence] of cases) {
    it(`mqtt-${tool} ${words.join(' ')}`, () => assert.equal(refusal(tool, words), sentence));
  }

  it('a value that is too long for a property', () => {
    const words = ['-t', 'a', '-n', '-D', 'publish', 'content-type', 'x'.repeat(65_536)];
    assert.equal(refusal('pub', words), 'Property value too long for property content-type.');
  });
});

test('the first mistake counts, in the order of the command line', () => {
  assert.equal(refusal('sub', ['-q', '3', '--foo']), 'Invalid QoS given: 3');
  assert.equal(refusal('sub', ['--foo', '-q', '3']), "Unknown option '--foo'.");
});

test('--help and --version end the command line, and nothing else is checked', () => {
  for (const tool of TOOLS) {
    const { help } = parseArguments(tool, ['--help', '--foo']).options as { help: boolean };
    assert.equal(help, true, tool);
    const { version } = parseArguments(tool, ['--version']).options as { version: boolean };
    assert.equal(version, true, tool);
  }
});

test('mqtt-passwd takes everything from the first operand on as it stands', () => {
  const { options, operands } = parseArguments('passwd', ['-b', '-c', 'file', '-user', '--secret']);
  assert.deepEqual([options.batch, options.create, operands], [true, true, ['file', '-user', '--secret']]);
  assert.deepEqual(parseArguments('passwd', ['-c', '-', 'tom']).operands, ['-', 'tom']);
});

describe('the tables', () => {
  for (const tool of TOOLS) {
    const rows = optionsOf(tool);

    it(`mqtt-${tool} has no spelling and no field twice`, () => {
      const names = rows.flatMap((row) => row.names);
      assert.equal(new Set(names).size, names.length);
      assert.equal(new Set(rows.map((row) => row.key)).size, rows.length);
    });

    for (const row of rows) {
      it(`mqtt-${tool} ${row.names[0]} is complete`, () => {
        assert.ok(row.names.every((name) => /^(-[A-Za-z]|--[a-z][a-z0-9-]+)$/.test(name)));
        assert.match(row.help, /\.$/);
        assert.equal(row.kind.switch, row.value === undefined);
        assert.equal(row.kind.switch, row.missing === undefined);
      });

      it(`mqtt-${tool} ${row.names.join(', ')}: every spelling is known`, () => {
        for (const name of row.names) {
          const sentence = refusal(tool, [name]);
          if (row.refused !== undefined) {
            assert.equal(sentence, `The option '${name}' is known but not supported. ${row.refused}`);
          } else if (row.missing !== undefined && row.kind.words([], () => false) > 0) {
            assert.equal(sentence, `${row.missing}.`);
          } else {
            assert.doesNotMatch(sentence, /^Unknown option/);
          }
        }
      });
    }
  }

  it('has every option of the clients that Mosquitto has', () => {
    const common = '-h -p -i -I -u -P -d -V -L -k -c -x -M -A -o -q -D -S -t';
    const long =
      '--will-topic --will-payload --will-qos --will-retain --nodelay --quiet --unix --ws --cafile --capath --cert --key --insecure --tls-use-os-certs --tls-version --ciphers --tls-alpn --psk --psk-identity --no-tls --tls-keylog --tls-engine --tls-engine-kpass-sha1 --keyform --proxy --help --version';
    const own: Readonly<Record<string, string>> = {
      pub: '-m -f -s -n -l -r --repeat --repeat-delay',
      sub: '-v -C -W -E -F --pretty -N -R --retained-only --remove-retained --retain-as-published --retain-handling -T -U -w --message-rate --random-filter',
      rr: '-m -f -s -n -v -W -F --pretty -N -R -e --latency --retain-as-published --retain-handling',
    };
    for (const tool of ['pub', 'sub', 'rr'] as const) {
      const names = new Set(optionsOf(tool).flatMap((row) => row.names));
      const wanted = `${common} ${long} ${own[tool]}`.split(' ');
      assert.deepEqual(
        wanted.filter((name) => !names.has(name)),
        [],
        tool,
      );
    }
  });
});
