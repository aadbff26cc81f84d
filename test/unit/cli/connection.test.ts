// From the options of a tool to those of the client.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { describe, it, type TestContext } from 'node:test';
import { connectionOptions } from '../../../src/cli/connection.ts';
import { localDomain } from '../../../src/cli/local-domain.ts';
import { UsageError } from '../../../src/cli/messages.ts';
import { parseArguments } from '../../../src/cli/parse.ts';
import type { ClientOptions } from '../../../src/client/options.ts';
import { scratch } from '../../support/mosquitto.ts';

const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const KEY = '-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n';

function sub(words: readonly string[], env: Record<string, string> = {}): ClientOptions {
  return connectionOptions('sub', parseArguments('sub', ['-t', 'a', ...words]).options, env);
}

/** Kind, host and port that a command line leads to. */
function place(...words: string[]): string {
  const { kind, host, port } = sub(words, { SSL_CERT_FILE: '/dev/null' }).endpoint;
  return `${kind} ${host} ${port}`;
}

describe('where to', () => {
  it('localhost, 1883 by default', () => assert.equal(place(), 'tcp localhost 1883'));
  it('host and port', () => assert.equal(place('-h', '::1', '-p', '1884'), 'tcp ::1 1884'));
  it('port 8883 alone means TLS', () => assert.equal(place('-p', '8883'), 'tls localhost 8883'));
  it('the certificates of the system', () => assert.equal(place('--tls-use-os-certs'), 'tls localhost 8883'));
  it('TLS on another port', () => assert.equal(place('--tls-use-os-certs', '-p', '1'), 'tls localhost 1'));
  it('--no-tls wins', () => assert.equal(place('-p', '8883', '--no-tls'), 'tcp localhost 8883'));
  it('--insecure does not turn TLS on', () => assert.equal(place('--insecure'), 'tcp localhost 1883'));
  it('WebSocket', () => assert.equal(place('--ws', '-p', '8080'), 'ws localhost 8080'));
  it('WebSocket and TLS', () => assert.equal(place('--ws', '-p', '8883'), 'wss localhost 8883'));
  it('a Unix socket', () => assert.equal(place('--unix', '/run/x.sock'), 'unix /run/x.sock 0'));
  it('no Unix socket', () => assert.throws(() => sub(['--unix', '']), /no socket path specified\.$/));
  it('a URL', () => assert.equal(place('-L', 'mqtt://h/t'), 'tcp h 1883'));
  it('a URL with TLS', () => assert.equal(place('-L', 'mqtts://h/t'), 'tls h 8883'));
  it('a WebSocket URL', () => assert.equal(place('-L', 'ws://h/t'), 'ws h 1883'));
  it('options beside a URL', () => assert.equal(place('-L', 'wss://h:1/t', '-h', 'i', '-p', '2'), 'wss i 2'));
  it('a domain', () => {
    const { host, srv } = sub(['-S', '-h', 'example.org']).endpoint;
    assert.deepEqual([host, srv], ['example.org', {}]);
    assert.throws(() => sub(['-S', '--unix', '/s']), /-S and --unix cannot be used together\./);
  });
  it('the domain of the machine', (context) => {
    const file = path.join(scratch(context as TestContext), 'resolv.conf');
    writeFileSync(file, 'nameserver ::1\nsearch example.net b.test\n');
    assert.equal(localDomain('host.example.org', file), 'example.org');
    assert.equal(localDomain('host', file), 'example.net');
    assert.throws(() => localDomain('host', '/nowhere'), /^UsageError: -S needs a domain, and this machine has none\./);
  });
  it('a local address', () => assert.equal(sub(['-A', '127.0.0.2']).endpoint.localAddress, '127.0.0.2'));
});

describe('as whom', () => {
  it('the client makes up an id', () => assert.equal('clientId' in sub([]), false));
  it('an id', () => assert.equal(sub(['-i', 'me']).clientId, 'me'));
  it('a prefix and the process id', () => assert.equal(sub(['-I', 'x-']).clientId, `x-${process.pid}`));

  it('name and password, of options or URL', () => {
    const of = ({ username, password }: ClientOptions) => [username, password];
    assert.deepEqual(of(sub(['-u', 'tom', '-P', 'x'])), ['tom', 'x']);
    assert.deepEqual(of(sub(['-L', 'mqtt://tom:x@h/t'])), ['tom', 'x']);
    assert.deepEqual(of(sub(['-L', 'mqtt://tom:x@h/t', '-u', 'ann'])), ['ann', 'x']);
  });

  it('a password without a name is for MQTT 5 only', () => {
    assert.throws(() => sub(['-P', 'x']), /^UsageError: Problem setting username and\/or password\./);
    assert.equal(sub(['-P', 'x', '-V', '5']).password, 'x');
  });
});

describe('session', () => {
  const version = (...words: string[]) => sub(words).version;

  it('the version', () => {
    assert.equal(version(), '3.1.1');
    assert.equal(version('-V', '31'), '3.1');
    assert.equal(version('-V', 'mqttv5'), '5');
    assert.equal(version('-x', '5'), '5');
    assert.equal(version('-D', 'connect', 'user-property', 'a', 'b'), '5');
    const rr = parseArguments('rr', ['-t', 'a', '-e', 'b', '-n']).options;
    assert.equal(connectionOptions('rr', rr, {}).version, '5');
  });

  it('expiry and receive maximum', () => {
    const properties = (...words: string[]) => sub(['-V', '5', ...words]).properties;
    assert.deepEqual(properties(), { receiveMaximum: 20 });
    assert.deepEqual(properties('-C', '3'), { receiveMaximum: 3 });
    assert.deepEqual(properties('-C', '30'), { receiveMaximum: 20 });
    assert.deepEqual(properties('-D', 'connect', 'receive-maximum', '7'), { receiveMaximum: 7 });
    assert.deepEqual(properties('-c', '-i', 'x'), { receiveMaximum: 20, sessionExpiryInterval: 0xffff_ffff });
    assert.deepEqual(properties('-c', '-i', 'x', '-x', '9'), { receiveMaximum: 20, sessionExpiryInterval: 9 });
    assert.deepEqual(sub(['-c', '-i', 'x']).properties, {});
  });

  it('clean start, keep-alive, window', () => {
    const { cleanStart, keepAlive, maxInflight } = sub(['-c', '-i', 'x', '-k', '10', '-M', '5']);
    assert.deepEqual([cleanStart, keepAlive, maxInflight], [false, 10, 5]);
    assert.equal(sub([]).cleanStart, true);
  });

  it('the will', () => {
    assert.equal('will' in sub([]), false);
    assert.deepEqual(
      sub(['--will-topic', 'w', '--will-qos', '1', '--will-retain', '-D', 'will', 'will-delay-interval', '3']).will,
      { topic: 'w', payload: Buffer.alloc(0), qos: 1, retain: true, properties: { willDelayInterval: 3 } },
    );
    assert.deepEqual(sub(['--will-topic', 'w', '--will-payload', 'bye']).will?.payload, Buffer.from('bye'));
  });
});

describe('TLS files', () => {
  it('are read, and the other TLS options handed on', (t) => {
    const folder = scratch(t);
    const file = (name: string, text: string) => {
      writeFileSync(path.join(folder, name), text);
      return path.join(folder, name);
    };
    const words = ['--cafile', file('ca', CERTIFICATE), '--cert', file('crt', CERTIFICATE), '--key', file('key', KEY)];
    const more = ['--insecure', '--ciphers', 'X', '--tls-alpn', 'mqtt', '--tls-version', 'tlsv1.3'];
    assert.deepEqual(sub([...words, ...more]).endpoint.tls, {
      ca: [CERTIFICATE],
      cert: CERTIFICATE,
      key: KEY,
      verify: false,
      ciphers: 'X',
      alpn: ['mqtt'],
      minVersion: 'TLSv1.3',
    });
  });

  it('of a directory are those that hold certificates', (t) => {
    const folder = scratch(t);
    writeFileSync(path.join(folder, 'a.pem'), CERTIFICATE);
    writeFileSync(path.join(folder, 'README'), 'no certificate');
    mkdirSync(path.join(folder, 'sub'));
    symlinkSync(path.join(folder, 'gone'), path.join(folder, '0123abcd.0'));
    symlinkSync(path.join(folder, 'sub'), path.join(folder, '0123abcd.1'));
    assert.deepEqual(sub(['--capath', folder]).endpoint.tls?.ca, [CERTIFICATE]);
  });

  it('are wanted in a directory: it must not be the authorities of the system that are trusted then', (t) => {
    const folder = scratch(t);
    const sentence = `Problem setting TLS options: File not usable.\n"${folder}": It holds no certificate in PEM form.`;
    assert.throws(() => sub(['--capath', folder]), new UsageError(sentence, 'nothing'));
  });

  it('that are missing are named', (t) => {
    const missing = path.join(scratch(t), 'none');
    for (const words of [
      ['--cafile', missing],
      ['--capath', missing],
      ['--cert', missing, '--key', missing],
    ]) {
      const sentence = `Problem setting TLS options: File not found.\nThere is no file "${missing}".`;
      assert.throws(() => sub(words), new UsageError(sentence, 'nothing'), words[0]);
    }
  });

  it('that hold something else are named', (t) => {
    const file = path.join(scratch(t), 'text');
    writeFileSync(file, 'hello');
    assert.throws(() => sub(['--cafile', file]), /File not usable\.\n"[^"]+": It holds no certificate in PEM form\.$/);
  });

  it('an unknown TLS version is named', () => {
    assert.throws(
      () => sub(['--tls-version', 'tlsv1.9']),
      /^UsageError: Problem setting TLS options, check the options are valid\.\nThere is no TLS version 'tlsv1\.9' here: use tlsv1\.2 or tlsv1\.3\./,
    );
  });

  it('the form of a key is PEM', () => {
    const fault = (...words: string[]) => {
      let message = '';
      try {
        sub(words);
      } catch (error) {
        if (error instanceof UsageError) message = error.message;
      }
      return message;
    };
    assert.equal(fault('--keyform', 'pem'), 'If keyform is set, keyfile must be also specified.');
    assert.equal(fault('--keyform', 'x'), "Problem setting key form, it must be one of 'pem' or 'engine'.");
    assert.match(fault('--keyform', 'engine'), /^'--keyform engine' is known but not supported\./);
    assert.equal(fault('--keyform', 'pem', '--cert', 'a', '--key', 'b', '--no-tls'), '');
  });

  it('the name of a protocol fits', () => {
    assert.throws(() => sub(['--tls-alpn', 'x'.repeat(256)]), /--tls-alpn has at most 255 bytes\./);
  });

  it('the passphrase of a key is the first line of a file', (t) => {
    const file = path.join(scratch(t), 'pass');
    writeFileSync(file, 'sesame öffne dich\r\nmore\n');
    const { tls } = sub(['-p', '8883', '--key-pass-file', file], { SSL_CERT_FILE: '/dev/null' }).endpoint;
    assert.equal(tls?.passphrase, 'sesame öffne dich');
    assert.throws(() => sub(['-p', '8883', '--key-pass-file', `${file}-not`]), /File not found\./);
  });

  it('key log lines are appended to a file of the option or of SSLKEYLOGFILE', (t) => {
    const file = path.join(scratch(t), 'keys');
    for (const [words, env] of [
      [['--tls-keylog', file], {}],
      [[], { SSLKEYLOGFILE: file }],
    ] as const) {
      sub(['-p', '8883', ...words], { SSL_CERT_FILE: '/dev/null', ...env }).endpoint.tls?.keylog?.(
        Buffer.from('line\n'),
      );
    }
    assert.equal(readFileSync(file, 'utf8'), 'line\nline\n');
    assert.throws(() => sub(['-p', '8883', '--tls-keylog', path.join(file, 'x')]), /^UsageError: .*File not usable\./);
    const lost = sub(['-p', '8883'], { SSL_CERT_FILE: '/dev/null', SSLKEYLOGFILE: path.join(file, 'x') });
    assert.doesNotThrow(() => lost.endpoint.tls?.keylog?.(Buffer.from('line\n')));
  });
});
