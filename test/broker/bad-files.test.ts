// Files that a configuration names and that can't be used: the broker does not start, and says which, where and why.
import assert from 'node:assert/strict';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { ConfigError } from '../../src/config/errors.ts';
import { makeCertificate } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { built, finish, repository } from '../support/process.ts';
import { openFile } from './harness.ts';

const ca = makeCertificate({ subject: 'Test CA', isAuthority: true });
const server = makeCertificate({ subject: 'localhost', issuer: ca, altNames: ['localhost'] });
const GOOD = { 'ca.crt': ca.cert, 'server.crt': server.cert, 'server.key': server.key };
const TLS = ['certfile FOLDER/server.crt', 'keyfile FOLDER/server.key'];

/** The lines that a start is refused with, folders and OpenSSL's details left out. */
async function refused(
  context: TestContext,
  lines: readonly string[],
  files: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  try {
    await openFile(context, lines, { ...GOOD, ...files });
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.equal(error.exitCode, 3);
    return error.lines.map((line) => line.replaceAll(/\/[^ "]*\/mqtt-broker-[^/]*\//g, ''));
  }
  throw new Error('the broker started');
}

const listener = async (): Promise<string> => `listener ${await freePort()} 127.0.0.1`;

/** What is wrong, the configuration below `listener`, files, the sentence, and the line of m.conf (the log is line 1). */
const CASES: [string, string[], Record<string, string>, string, number | null][] = [
  [
    'a missing CA file',
    [...TLS, 'cafile FOLDER/absent'],
    {},
    'Error: Unable to load cafile "absent": it does not exist.',
    5,
  ],
  [
    'a CA file without certificate',
    [...TLS, 'cafile FOLDER/ca.crt'],
    { 'ca.crt': '' },
    'Error: Unable to load cafile "ca.crt": it holds no certificate in PEM form.',
    5,
  ],
  [
    'a damaged certificate',
    TLS,
    { 'server.crt': server.cert.replace(/\n.{8}/, '\nAAAAAAAA') },
    'Error: Unable to load certfile "server.crt": ',
    3,
  ],
  [
    'a missing key',
    [...TLS.slice(0, 1), 'keyfile FOLDER/none'],
    {},
    'Error: Unable to load keyfile "none": it does',
    4,
  ],
  ['a key that is none', TLS, { 'server.key': 'x' }, 'Error: Unable to load keyfile "server.key": ', 4],
  [
    'the key of another certificate',
    TLS,
    { 'server.key': ca.key },
    'Error: Unable to load keyfile "server.key": The private key does not belong to the certificate.',
    4,
  ],
  [
    'a revocation list that is none',
    [...TLS, 'cafile FOLDER/ca.crt', 'crlfile FOLDER/ca.crt'],
    {},
    'Error: Unable to load crlfile "ca.crt": it holds no revocation list in PEM form.',
    6,
  ],
  ['unknown ciphers', [...TLS, 'ciphers NONSENSE'], {}, 'Error: Unable to set ciphers "NONSENSE": ', 5],
  [
    'a certificate without key',
    ['certfile FOLDER/server.crt'],
    {},
    'Error: Both certfile and keyfile must be provided to enable a TLS listener.',
    3,
  ],
  [
    'a missing password file',
    ['password_file FOLDER/absent'],
    {},
    'Error: Unable to open password file "absent": ENOENT: no such file or directory.',
    null,
  ],
  [
    'a bad password line',
    ['password_file FOLDER/passwd'],
    { passwd: '# users\n\ntom:111111\n' },
    'Error: Unable to decode line in password file "passwd", line 3: the hash of user "tom" is of no known type',
    null,
  ],
  [
    'a bad ACL line',
    ['acl_file FOLDER/acl'],
    { acl: 'topic a/#/b\n' },
    'Error: Invalid ACL topic "a/#/b" in acl_file "acl", line 1: ',
    null,
  ],
];

for (const [what, lines, files, sentence, line] of CASES) {
  test(`${what} stops the start`, async (context) => {
    const said = await refused(context, [await listener(), ...lines], files);
    assert.ok(said[0]?.startsWith(sentence), said.join('\n'));
    assert.deepEqual(said.slice(1), line === null ? [] : [`Error found at m.conf:${line}.`]);
  });
}

test('a TLS option without listener opens no public anonymous listener', async (context) => {
  const said = await refused(context, ['cafile FOLDER/ca.crt']);
  assert.equal(said[0], 'Error: cafile specified without certfile and keyfile.');
});

test('the command prints the sentences and ends with 3', async (context) => {
  const port = await freePort();
  const { folder, broker } = await openFile(context, [await listener()]);
  await broker.stop();
  const { writeFileSync } = await import('node:fs');
  const file = `${folder}/second.conf`;
  writeFileSync(file, `listener ${port}\npassword_file ${folder}/absent\n`);
  const { code, stderr, stdout } = await finish(process.execPath, [built('mqtt-broker'), '-c', file], {
    cwd: repository,
  });
  assert.equal(code, 3, stderr);
  assert.match(stderr, /^Error: Unable to open password file ".*absent": ENOENT: no such file or directory\.$/m);
  assert.doesNotMatch(stderr + stdout, /\n\s+at /);
});
