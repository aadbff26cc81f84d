// TLS at a listener: who gets in with which certificate, under which name, and what the log says of those who do not.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { TlsClientOptions } from '../../src/client/options.ts';
import type { ListenerInput } from '../../src/config/from-program.ts';
import { type Identity, makeCertificate, makeRevocationList, type NamePart } from '../support/certificates.ts';
import { connectBytes, RawClient } from '../support/raw-client.ts';
import { join, open, type Rig, scratch, until } from './harness.ts';

const COMMON_NAME = '2.5.4.3';
const ca = makeCertificate({ subject: 'Test CA', isAuthority: true });
const otherCa = makeCertificate({ subject: 'Other CA', isAuthority: true });
const server = makeCertificate({ subject: 'localhost', issuer: ca, altNames: ['localhost', '127.0.0.1'] });
const tom = makeCertificate({ subject: 'tom', issuer: ca });
const expired = makeCertificate({ subject: 'old', issuer: ca, from: -10, to: -1 });
const revoked = makeCertificate({ subject: 'revoked', issuer: ca });
const stranger = makeCertificate({ subject: 'tom', issuer: otherCa });

/** Writes certificates where a broker can read them, and returns options of a listener that uses them. */
function files(context: TestContext): Record<'ca' | 'cert' | 'key' | 'crl', string> {
  const folder = scratch(context);
  const write = (name: string, text: string): string => {
    writeFileSync(path.join(folder, name), text, { mode: 0o600 });
    return path.join(folder, name);
  };
  return {
    ca: write('ca.crt', ca.cert),
    cert: write('server.crt', server.cert),
    key: write('server.key', server.key),
    crl: write('crl.pem', makeRevocationList(ca, [revoked])),
  };
}

async function openTls(context: TestContext, options: ListenerInput): Promise<Rig> {
  const { ca: cafile, cert: certfile, key: keyfile } = files(context);
  return open(context, { listeners: [{ port: 0, cafile, certfile, keyfile, ...options }] });
}

const as = (identity: Identity): TlsClientOptions => ({ ca: ca.cert, cert: identity.cert, key: identity.key });

/** Joins over TLS or secure WebSocket; resolves to the user name that the broker logged. */
async function enter(
  context: TestContext,
  rig: Rig,
  kind: 'tls' | 'wss',
  tls: TlsClientOptions,
  clientId: string,
): Promise<string | undefined> {
  const endpoint = { kind, host: '127.0.0.1', port: rig.port, tls };
  const client = await join(context, rig.port, { endpoint, clientId });
  await client.publish('a', 'b', { qos: 1 });
  const line = new RegExp(`as ${clientId} \\(p5, c1, k60(?:, u'(.*)')?\\)`);
  await rig.log.seen(line);
  return line.exec(rig.log.text)?.[1];
}

test('one-way TLS needs no certificate and tells what was negotiated', async (context) => {
  const rig = await openTls(context, {});
  assert.equal(await enter(context, rig, 'tls', { ca: ca.cert }, 'ann'), undefined);
  await rig.log.seen(/Client ann negotiated TLSv1\.3 cipher TLS_\w+\n/);
  // A certificate that nobody asked for names nobody.
  assert.equal(await enter(context, rig, 'tls', as(tom), 'bob'), undefined);
});

for (const kind of ['tls', 'wss'] as const) {
  test(`mutual TLS over ${kind} lets in who has a good certificate only [no CVE, 1.5.4: certificates over WebSocket]`, async (context) => {
    const rig = await openTls(context, {
      requireCertificate: true,
      useIdentityAsUsername: true,
      crlfile: files(context).crl,
      ...(kind === 'wss' ? { protocol: 'websockets' as const } : {}),
    });
    assert.equal(await enter(context, rig, kind, as(tom), 'one'), 'tom');
    const cases: [string, TlsClientOptions, RegExp][] = [
      ['no certificate', { ca: ca.cert }, /failed: The other side gave no certificate, and one is required\.\n/],
      [
        'unknown authority',
        as(stranger),
        /failed: The certificate of the other side is signed by an unknown authority\./,
      ],
      ['expired', as(expired), /failed: The certificate of the other side or of its authority has expired\.\n/],
      ['revoked', as(revoked), /failed: The certificate of the other side is revoked\.\n/],
    ];
    for (const [what, tls, words] of cases) {
      await assert.rejects(enter(context, rig, kind, tls, 'intruder'), what);
      await rig.log.seen(words);
    }
    assert.equal(rig.log.count('intruder'), 0);
    assert.equal(rig.log.count('New connection'), 1);
    assert.equal(await enter(context, rig, kind, as(tom), 'two'), 'tom');
  });
}

test('without require_certificate a bad certificate gives no user name', async (context) => {
  const rig = await openTls(context, { useIdentityAsUsername: true });
  assert.equal(await enter(context, rig, 'tls', as(tom), 'one'), 'tom');
  for (const tls of [{ ca: ca.cert }, as(stranger), as(expired)]) {
    await assert.rejects(enter(context, rig, 'tls', tls, 'other'), { returnCode: 0, message: 'Not authorized' });
  }
});

test('use_subject_as_username takes the whole subject', async (context) => {
  const rig = await openTls(context, { requireCertificate: true, useSubjectAsUsername: true });
  const parts: NamePart[] = [
    { oid: '2.5.4.6', value: 'DE' },
    { oid: '2.5.4.10', value: 'A, B' },
    { oid: COMMON_NAME, value: 'tom' },
  ];
  const long = makeCertificate({ subject: parts, issuer: ca });
  assert.equal(await enter(context, rig, 'tls', as(long), 'one'), 'CN=tom,O=A\\, B,C=DE');
});

test('a common name that is no clean text names nobody [no CVE, 2.0.16: names in certificates]', async (context) => {
  const rig = await openTls(context, { requireCertificate: true, useIdentityAsUsername: true });
  // OpenSSL lets no broken UTF-8 string through at all; what is no UTF-8 comes under another type of string.
  const names: [string, string | Buffer, number?][] = [
    ['a NUL', 'tom\0.evil'],
    ['bytes that are no ASCII', Buffer.from([0x74, 0x6f, 0x6d, 0xff]), 0x16],
    ['nothing', ''],
  ];
  for (const [what, value, tag] of names) {
    const part = { oid: COMMON_NAME, value, ...(tag === undefined ? {} : { tag }) };
    const identity = makeCertificate({ subject: [part], issuer: ca });
    await assert.rejects(enter(context, rig, 'tls', as(identity), 'x'), { message: 'Not authorized' }, what);
  }
  const nameless = makeCertificate({ subject: [{ oid: '2.5.4.10', value: 'tom' }], issuer: ca });
  await assert.rejects(enter(context, rig, 'tls', as(nameless), 'x'), { message: 'Not authorized' });
  assert.equal(rig.log.count(' as x ('), 0);
});

test('a name from a certificate is no way around the ACL patterns [CVE-2017-7650]', async (context) => {
  const folder = scratch(context);
  const aclFile = path.join(folder, 'acl');
  writeFileSync(aclFile, 'pattern readwrite home/%u/#\n');
  const { ca: cafile, cert: certfile, key: keyfile } = files(context);
  const rig = await open(context, {
    listeners: [{ port: 0, cafile, certfile, keyfile, requireCertificate: true, useIdentityAsUsername: true }],
    security: { aclFile },
  });
  const publish = async (identity: Identity, topic: string): Promise<number> => {
    const endpoint = { kind: 'tls', host: '127.0.0.1', port: rig.port, tls: as(identity) } as const;
    const client = await join(context, rig.port, { endpoint });
    return (await client.publish(topic, 'x', { qos: 1 })).reason.code;
  };
  assert.equal(await publish(tom, 'home/tom/x'), 0x10);
  assert.equal(await publish(tom, 'home/ann/x'), 0x87);
  assert.equal(await publish(makeCertificate({ subject: '#', issuer: ca }), 'home/ann/x'), 0x87);
  assert.equal(await publish(makeCertificate({ subject: '+', issuer: ca }), 'home/ann/x'), 0x87);
});

test('plain text to a TLS port, and TLS to a plain port, are named as such', async (context) => {
  const { ca: cafile, cert: certfile, key: keyfile } = files(context);
  const { broker, log } = await open(context, {
    listeners: [
      { port: 0, cafile, certfile, keyfile },
      { port: 0, cafile, certfile, keyfile, protocol: 'websockets' },
      { port: 0 },
      { port: 0, protocol: 'websockets' },
    ],
  });
  for (const port of broker.ports.slice(0, 2)) {
    const client = await RawClient.open(port);
    client.send(connectBytes('plain'));
    await client.ended();
  }
  await until(() => log.count('The other side does not speak TLS') === 2, 'two sentences about plain text');
  const plain = connectTls({ port: broker.ports[2]!, host: '127.0.0.1', rejectUnauthorized: false });
  await assert.rejects(once(plain, 'secureConnect'));
  await log.seen(/Client from 127\.0\.0\.1:\d+ appears to be using TLS to connect to a non-TLS listener\.\n/);
  const web = connectTls({ port: broker.ports[3]!, host: '127.0.0.1', rejectUnauthorized: false });
  await assert.rejects(once(web, 'secureConnect'));
  await log.seen(/Client connection from 127\.0\.0\.1:\d+ failed: .*TLS/);
  assert.equal(log.count(' as plain ('), 0);
});

test('handshakes that fail, stall or are given up leave nothing behind', async (context) => {
  const rig = await openTls(context, { requireCertificate: true, maxConnections: 1 });
  const { port } = rig;
  for (let i = 0; i < 30; i++) {
    const socket: TLSSocket = connectTls({ port, host: '127.0.0.1', ca: ca.cert });
    // TLS 1.3: the client thinks that it is in, and is told afterwards.
    await new Promise((resolve) => socket.on('error', () => undefined).on('close', resolve));
  }
  const stalled = Array.from({ length: 30 }, () => connectTcp({ port, host: '127.0.0.1' }));
  await Promise.all(stalled.map((socket) => once(socket, 'connect')));
  for (const socket of stalled) {
    socket.on('error', () => undefined);
    socket.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]));
  }
  // None of them counts as a connection.
  assert.equal(await enter(context, rig, 'tls', as(tom), 'one'), undefined);
  for (const socket of stalled) socket.destroy();
  assert.equal(rig.log.count('New connection'), 1);
  assert.equal(rig.log.count('disconnected'), 0);
});
