// Files that a configuration names and that can't be used: the broker does not start, and says which, where and why.
import assert from 'node:assert/strict';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { ConfigError } from '../../src/config/errors.ts';
import { makeCertificate } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { makePipe } from '../support/pipe.ts';
import { built, finish, repository } from '../support/process.ts';
import { openFile, scratch } from './harness.ts';

const ca = makeCertificate({ subject: 'Test CA', isAuthority: true });
const server = makeCertificate({ subject: 'localhost', issuer: ca, altNames: ['localhost'] });
const GOOD = { 'ca.crt': ca.cert, 'server.crt': server.cert, 'server.key': server.key };
const TLS = ['certfile FOLDER/server.crt', 'keyfile FOLDER/server.key'];

/** The lines that a start is refused with, folders and OpenSSL's details left out. */
async function refused(
  context: TestContext,
  lines: readonly string[],
  files: Readonly<Record<string, string>> = {},
  exitCode = 3,
): Promise<string[]> {
  try {
    await openFile(context, lines, { ...GOOD, ...files });
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.equal(error.exitCode, exitCode);
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
    'Error: Unable to load cafile "absent": No such file or directory.',
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
    'Error: Unable to load keyfile "none": No such file',
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
    'Error: Unable to open password file "absent": No such file or directory.',
    3,
  ],
  [
    'a bad password line',
    ['password_file FOLDER/passwd'],
    { passwd: '# users\n\ntom:111111\n' },
    'Error: Unable to decode line in password file "passwd", line 3: the hash of user "tom" is of no known type',
    3,
  ],
  [
    'a bad ACL line',
    ['acl_file FOLDER/acl'],
    { acl: 'topic a/#/b\n' },
    'Error: Invalid ACL topic "a/#/b" in acl_file "acl", line 1: ',
    3,
  ],
];

for (const [what, lines, files, sentence, line] of CASES) {
  test(`${what} stops the start`, async (context) => {
    const said = await refused(context, [await listener(), ...lines], files);
    assert.ok(said[0]?.startsWith(sentence), said.join('\n'));
    assert.deepEqual(said.slice(1), line === null ? [] : [`Error found at m.conf:${line}.`]);
  });
}

/** Options that name a file to read, the lines in front of them, and how the sentence begins. */
const FILE_OPTIONS: [string, string[], string][] = [
  ['password_file', [], 'Error: Unable to open password file'],
  ['acl_file', [], 'Error: Unable to open acl_file'],
  ['certfile', TLS.slice(1), 'Error: Unable to load certfile'],
  ['keyfile', TLS.slice(0, 1), 'Error: Unable to load keyfile'],
  ['cafile', TLS, 'Error: Unable to load cafile'],
  ['crlfile', [...TLS, 'cafile FOLDER/ca.crt'], 'Error: Unable to load crlfile'],
];

for (const [option, before, sentence] of FILE_OPTIONS) {
  test(`${option}: a folder, a pipe and an endless device stop the start, with the place of the option`, async (context) => {
    const pipe = makePipe(scratch(context));
    for (const [file, why] of [
      ['/tmp', 'Is a directory.'],
      [pipe, 'It is a pipe that nobody writes to.'],
      ['/dev/zero', /^It is larger than \d+ bytes\.$/],
    ] as const) {
      const said = await refused(context, [await listener(), ...before, `${option} ${file}`]);
      const start = `${sentence} "${file.replace(/.*mqtt-broker-[^/]*\//, '')}": `;
      assert.ok(said[0]?.startsWith(start), said.join('\n'));
      const cause = said[0]?.slice(start.length) ?? '';
      if (typeof why === 'string') assert.equal(cause, why);
      else assert.match(cause, why);
      assert.deepEqual(said.slice(1), [`Error found at m.conf:${3 + before.length}.`]);
    }
  });
}

test('a log file that can not be opened stops the start, with the place of its line among others', async (context) => {
  const pipe = makePipe(scratch(context));
  for (const [file, why] of [
    ['/tmp', 'Is a directory'],
    ['/nonexistent/log', 'No such file or directory'],
    [pipe, 'No such device, or a pipe or socket that nobody reads'],
  ] as const) {
    const more = ['log_dest none', `log_dest file ${file}`, 'log_dest topic'];
    const said = await refused(context, [await listener(), ...more], {}, 1);
    assert.deepEqual(said, [
      `Error: Unable to open log file ${file.replace(/.*mqtt-broker-[^/]*\//, '')} for writing: ${why}. Name another one in log_dest file, or see to its rights.`,
      'Error found at m.conf:4.',
    ]);
  }
});

test('a folder of CA certificates that holds none trusts nobody, and is refused', async (context) => {
  const folder = scratch(context);
  const said = await refused(context, [await listener(), ...TLS, `capath ${folder}`, 'require_certificate true']);
  assert.match(
    said[0] ?? '',
    /^Error: Unable to load capath ".*": it holds no certificate in PEM form in a file \.pem/,
  );
  assert.deepEqual(said.slice(1), ['Error found at m.conf:5.']);
});

test('a certificate that is no longer or not yet valid is warned of, and used', async (context) => {
  const old = makeCertificate({ subject: 'old', issuer: ca, from: -20, to: -10 });
  const early = makeCertificate({ subject: 'early', isAuthority: true, from: 10, to: 20 });
  const files = { ...GOOD, 'old.crt': old.cert, 'old.key': old.key, 'both.crt': ca.cert + early.cert };
  const lines = ['certfile FOLDER/old.crt', 'keyfile FOLDER/old.key', 'cafile FOLDER/both.crt'];
  const { log, folder } = await openFile(context, [await listener(), ...lines], files);
  const date = '\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC';
  const at = (line: number): string => `\\(${folder}/m\\.conf:${line}\\)`;
  const warning = 'Warning: A certificate in';
  await log.seen(new RegExp(`${warning} certfile ".*/old.crt" ${at(3)} expired on ${date}: clients will refuse it\\.`));
  await log.seen(new RegExp(`${warning} cafile ".*/both.crt" ${at(5)} is not valid before ${date}: client certif`));
  assert.equal(log.count(warning), 2);
});

test('a TLS option without listener opens no public anonymous listener [no CVE, 2.0.12: TLS without listener]', async (context) => {
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
  assert.match(stderr, /^Error: Unable to open password file ".*absent": No such file or directory\.$/m);
  assert.doesNotMatch(stderr + stdout, /\n\s+at /);
});
