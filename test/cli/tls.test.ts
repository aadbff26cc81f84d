// TLS options of the built tools, against a server that tells what the handshake brought.
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { createServer } from 'node:tls';
import { makeCertificate } from '../support/certificates.ts';
import { runTool } from '../support/cli.ts';
import { scratch } from '../support/mosquitto.ts';
import { built, finish, without } from '../support/process.ts';
import { ACCEPTED } from './embedded-broker.ts';

const authority = makeCertificate({ subject: 'Authority', isAuthority: true });
const server = makeCertificate({ subject: 'localhost', altNames: ['localhost'], issuer: authority });
const client = makeCertificate({ subject: 'tom', issuer: authority });
const encrypted = createPrivateKey(client.key)
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'sesame' })
  .toString();

interface Handshake {
  readonly version: string | null;
  readonly cipher: string;
  readonly alpn: string | false | null;
  readonly client: string | undefined;
}

interface Stage {
  readonly handshakes: Handshake[];
  /** Where a file of the test is; with content it is written. */
  file(name: string, content?: string): string;
  /** Words of a publisher that trusts the server. */
  publish(...more: string[]): string[];
}

/** A TLS server that accepts every client, and files beside it. */
async function stage(context: TestContext): Promise<Stage> {
  const handshakes: Handshake[] = [];
  const options = { cert: server.cert, key: server.key, ca: [authority.cert], ALPNProtocols: ['mqtt'] };
  const listener = createServer({ ...options, requestCert: true, rejectUnauthorized: false }, (socket) => {
    const { subject } = socket.getPeerCertificate() as { subject?: { CN: string } };
    handshakes.push({
      version: socket.getProtocol(),
      cipher: socket.getCipher().name,
      alpn: socket.alpnProtocol,
      client: socket.authorized ? subject?.CN : undefined,
    });
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write(ACCEPTED));
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  context.after(() => listener.close());
  const folder = scratch(context);
  const file = (name: string, content?: string): string => {
    const place = path.join(folder, name);
    if (content !== undefined) writeFileSync(place, content);
    return place;
  };
  const ca = file('ca.pem', authority.cert);
  const { port } = listener.address() as AddressInfo;
  const to = ['-h', 'localhost', '-p', String(port), '--cafile', ca, '-t', 'a', '-m', 'm'];
  return { handshakes, file, publish: (...more) => [...to, ...more] };
}

const GOOD = { code: 0, stdout: '', stderr: '' };

test('ALPN, version, ciphers and the keys of the session', async (context) => {
  const { handshakes, file, publish } = await stage(context);
  const keys = file('keys');
  for (const [words, fact] of [
    [['--tls-alpn', 'mqtt', '--tls-keylog', keys], { alpn: 'mqtt', version: 'TLSv1.3' }],
    [['--tls-alpn', ''], { alpn: false }],
    [['--ciphers', 'TLS_AES_128_GCM_SHA256', '--tls-keylog', keys], { cipher: 'TLS_AES_128_GCM_SHA256' }],
    [['--ciphers', 'AES128', '--tls-version', 'tlsv1.3'], { version: 'TLSv1.3' }],
  ] as const) {
    assert.deepEqual(await runTool('mqtt-pub', publish(...words)), GOOD);
    assert.deepEqual({ ...handshakes.at(-1), ...fact }, handshakes.at(-1), words.join(' '));
  }
  const lines = readFileSync(keys, 'utf8').match(/^CLIENT_HANDSHAKE_TRAFFIC_SECRET [0-9a-f]{64} [0-9a-f]+$/gm);
  assert.equal(lines?.length, 2);
  assert.equal(statSync(keys).mode & 0o777, 0o600);
  const { code, stderr } = await runTool('mqtt-pub', publish('--ciphers', 'NO:SUCH'));
  assert.deepEqual(
    [code, stderr],
    [14, 'Error: A TLS error occurred.\nThe list of ciphers names none that is known.\n'],
  );
});

test('authorities in a directory, and none with --no-tls', async (context) => {
  const { file, publish } = await stage(context);
  mkdirSync(file('authorities'));
  file('authorities/any-name', authority.cert);
  file('authorities/key.pem', client.key);
  const words = publish('--capath', file('authorities'));
  words.splice(words.indexOf('--cafile'), 2);
  assert.deepEqual(await runTool('mqtt-pub', words), GOOD);
  assert.equal((await runTool('mqtt-pub', [...words, '--no-tls'])).code, 7);
});

test('an encrypted key, with its passphrase in a file', async (context) => {
  const { handshakes, file, publish } = await stage(context);
  const identity = ['--cert', file('cert', client.cert), '--key', file('key', encrypted), '--keyform', 'pem'];
  const words = publish(...identity, '--key-pass-file', file('pass', 'sesame\n'));
  assert.deepEqual(await runTool('mqtt-pub', words), GOOD);
  assert.equal(handshakes.at(-1)?.client, 'tom');
  file('pass', 'wrong\n');
  assert.deepEqual(await runTool('mqtt-pub', words), {
    code: 1,
    stdout: '',
    stderr: `Error: The passphrase of the private key "${file('key')}" is wrong.\n`,
  });
  const bench = ['conn', '-n', '1', ...publish(...identity).slice(0, 6), ...identity];
  const { code, stderr } = await runTool('mqtt-bench', bench);
  assert.equal(code, 1);
  assert.match(stderr, /is encrypted: give its passphrase with --key-pass-file\./);
});

test('and without a terminal on standard input', { skip: without('setsid') }, async (context) => {
  const { handshakes, file, publish } = await stage(context);
  const identity = ['--cert', file('cert', client.cert), '--key', file('key', encrypted)];
  const run = (...words: string[]) =>
    finish('setsid', ['-w', process.execPath, built('mqtt-pub'), ...publish(...identity, ...words)], {
      input: 'sesame\n',
    });
  assert.deepEqual(await run(), { ...GOOD, stderr: 'Enter PEM pass phrase:\n' });
  assert.equal(handshakes.at(-1)?.client, 'tom');
});
