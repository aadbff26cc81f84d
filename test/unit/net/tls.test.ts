import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { dialer } from '../../../src/net/endpoint.ts';
import type { TlsDialOptions, TlsListenOptions } from '../../../src/net/specs.ts';
import { explainTlsError } from '../../../src/net/tls-errors.ts';
import { certificateName } from '../../../src/net/x509-name.ts';
import { type Identity, makeCertificate } from '../../support/certificates.ts';
import { Recorder } from './recorder.ts';
import { openRig, type Rig } from './rig.ts';

const authority = makeCertificate({ subject: 'Test Authority', isAuthority: true });
const altNames = ['localhost', '127.0.0.1'];
const server = makeCertificate({ subject: 'localhost', altNames, issuer: authority });
const client = makeCertificate({
  subject: [
    { oid: '2.5.4.6', value: 'DE', tag: 0x13 },
    { oid: '2.5.4.10', value: 'Smith, Sons' },
    { oid: '2.5.4.3', value: 'tom' },
  ],
  issuer: authority,
});
const trusting = { ca: authority.cert };

function openTls(
  context: TestContext,
  more: Partial<TlsListenOptions> = {},
  identity: Identity = server,
): Promise<Rig> {
  return openRig(context, { kind: 'tls', tls: { cert: identity.cert, key: identity.key, ...more } });
}

async function failure(attempt: Promise<unknown>): Promise<string | null> {
  const error = await attempt.then(
    () => assert.fail('the dial succeeded'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Error);
  return explainTlsError(error);
}

/** The words for a dial that fails at the server's certificate. */
async function refusal(context: TestContext, identity: Identity, tls: TlsDialOptions): Promise<string | null> {
  const rig = await openTls(context, {}, identity);
  return failure(rig.dial({ tls }));
}

test('both sides know version and cipher; without a client certificate nobody is named', async (context) => {
  const rig = await openTls(context);
  const near = await rig.dial({ tls: trusting });
  const far = await rig.next();
  assert.equal(near.info.tls?.version, 'TLSv1.3');
  assert.match(far.info.tls?.cipher ?? '', /^TLS_/);
  assert.deepEqual([far.info.tls?.commonName, far.info.tls?.subject], [null, null]);
  assert.equal(far.info.address, '127.0.0.1');
});

test('TLS 1.2 can be had, and TLS 1.3 can be demanded', async (context) => {
  const rig = await openTls(context);
  const near = await rig.dial({ tls: { ...trusting, maxVersion: 'TLSv1.2' } });
  assert.equal(near.info.tls?.version, 'TLSv1.2');
  const strict = await openTls(context, { minVersion: 'TLSv1.3' });
  const words = await failure(strict.dial({ tls: { ...trusting, maxVersion: 'TLSv1.2' } }));
  assert.match(words ?? '', /no TLS version in common/);
});

test('a verified client certificate names the client', async (context) => {
  const rig = await openTls(context, { ca: authority.cert, requestCertificate: true, requireCertificate: true });
  await rig.dial({ tls: { ...trusting, cert: client.cert, key: client.key } });
  const far = await rig.next();
  assert.equal(far.info.tls?.commonName, 'tom');
  assert.equal(far.info.tls?.subject, 'CN=tom,O=Smith\\, Sons,C=DE');
});

test('a client certificate that does not verify names nobody where none is required', async (context) => {
  const rig = await openTls(context, { ca: authority.cert, requestCertificate: true });
  const stranger = makeCertificate({ subject: 'tom' });
  await rig.dial({ tls: { ...trusting, cert: stranger.cert, key: stranger.key } });
  assert.equal((await rig.next()).info.tls?.commonName, null);
});

test('without an authority of ours no client certificate is trusted', async (context) => {
  const rig = await openTls(context, { requestCertificate: true });
  await rig.dial({ tls: { ...trusting, cert: client.cert, key: client.key } });
  assert.equal((await rig.next()).info.tls?.commonName, null);
});

test('a client without the certificate that is required is turned away, and both sides say why', async (context) => {
  const rig = await openTls(context, { ca: authority.cert, requestCertificate: true, requireCertificate: true });
  // In TLS 1.3 the client is done before the server has judged it: the alert comes on the open connection.
  const nearSide = new Recorder(await rig.dial({ tls: trusting }));
  const error = await nearSide.end();
  assert.ok(error !== null);
  assert.match(explainTlsError(error) ?? '', /requires a certificate, and none was given/);
  assert.match(explainTlsError(await rig.nextError()) ?? '', /gave no certificate/);
  assert.equal(rig.accepted.length, 0);
});

test('a client certificate of an unknown authority is turned away, and the listener knows why', async (context) => {
  const rig = await openTls(context, { ca: authority.cert, requestCertificate: true, requireCertificate: true });
  const stranger = makeCertificate({ subject: 'tom' });
  const near = rig.dial({ tls: { ...trusting, cert: stranger.cert, key: stranger.key, maxVersion: 'TLSv1.2' } });
  // A Node server gives no reason to the client, only to us.
  assert.match((await failure(near)) ?? '', /closed the connection during the TLS handshake/);
  assert.match(explainTlsError(await rig.nextError()) ?? '', /self-signed|unknown authority/);
});

test('an unknown authority is named with subject and issuer', async (context) => {
  const words = await refusal(context, server, {});
  assert.match(words ?? '', /\(CN=localhost\) is signed by an unknown authority.*CN=Test Authority/);
});

test('a self-signed certificate is called that', async (context) => {
  const words = await refusal(context, makeCertificate({ subject: 'localhost', altNames }), {});
  assert.match(words ?? '', /\(CN=localhost\) is self-signed/);
});

test('an expired certificate is shown with its dates', async (context) => {
  const old = makeCertificate({ subject: 'localhost', altNames, issuer: authority, from: -20, to: -10 });
  assert.match((await refusal(context, old, trusting)) ?? '', /has expired.* dates are .* to /);
});

test('a certificate that is not valid yet says so', async (context) => {
  const early = makeCertificate({ subject: 'localhost', altNames, issuer: authority, from: 10, to: 20 });
  assert.match((await refusal(context, early, trusting)) ?? '', /not valid before/);
});

test('a certificate for another host is called that', async (context) => {
  const other = makeCertificate({ subject: 'other', altNames: ['broker.example.org'], issuer: authority });
  assert.match(
    (await refusal(context, other, trusting)) ?? '',
    /for another host name than 127\.0\.0\.1\. It is for broker\.example\.org\./,
  );
  const rig = await openTls(context, {}, other);
  await rig.dial({ tls: { ...trusting, servername: 'broker.example.org' } });
});

test('without verification every certificate will do', async (context) => {
  const rig = await openTls(context, {}, makeCertificate({ subject: 'whoever', to: -0.5 }));
  const near = await rig.dial({ tls: { verify: false } });
  assert.equal(near.info.kind, 'tls');
});

test('TLS to a plain port is recognised by the client', async (context) => {
  const rig = await openRig(context, { kind: 'tcp' });
  const dialling = rig.dial({ kind: 'tls', tls: trusting });
  const far = await rig.next();
  const farSide = new Recorder(far);
  await farSide.untilReceived(1);
  assert.equal(farSide.bytes()[0], 0x16);
  far.write(Buffer.from('what is this?\r\n'));
  assert.match((await failure(dialling)) ?? '', /does not speak TLS/);
});

test('a plain port that just hangs up is suspected not to speak TLS', async (context) => {
  const rig = await openRig(context, { kind: 'tcp' });
  const dialling = rig.dial({ kind: 'tls', tls: trusting });
  (await rig.next()).destroy();
  assert.match((await failure(dialling)) ?? '', /speaks no TLS on this port/);
  await rig.listener.close();
  assert.equal(await failure(rig.dial({ kind: 'tls', tls: trusting })), null);
});

test('plain MQTT and plain HTTP on a TLS port are recognised by the listener, with the address', async (context) => {
  const rig = await openTls(context);
  const hello = Buffer.from('100e00044d5154540402003c00026162', 'hex');
  for (const [bytes, words] of [
    [hello, /does not speak TLS/],
    [Buffer.from('GET / HTTP/1.1\r\n\r\n'), /plain HTTP request/],
  ] as const) {
    const socket = connect(rig.listener.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(bytes);
    const error = await rig.nextError();
    assert.match(explainTlsError(error) ?? '', words);
    assert.equal(rig.errors[rig.errors.length - 1]?.address, '127.0.0.1');
    assert.equal(rig.errors[rig.errors.length - 1]?.port, socket.localPort);
    socket.destroy();
  }
});

test('a handshake that does not go on is given up', async (context) => {
  const rig = await openTls(context, { handshakeTimeoutMs: 50 });
  const socket = connect(rig.listener.port, '127.0.0.1');
  socket.on('error', () => {});
  assert.match(explainTlsError(await rig.nextError()) ?? '', /took too long/);
  socket.resume();
  if (!socket.closed) await once(socket, 'close');
});

test('a connection that is reset in the middle of a handshake harms nobody', async (context) => {
  const rig = await openTls(context);
  const socket = connect(rig.listener.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(Buffer.from([0x16, 0x03, 0x01]));
  socket.resetAndDestroy();
  await rig.nextError();
  await rig.dial({ tls: trusting });
});

test('certificates are replaced for new connections; those that stand go on', async (context) => {
  const rig = await openTls(context);
  const old = new Recorder(await rig.dial({ tls: trusting }));
  const oldFar = await rig.next();
  const fresh = makeCertificate({ subject: 'localhost', altNames });
  assert.ok('update' in rig.listener);
  rig.listener.update({ cert: fresh.cert, key: fresh.key });
  assert.match((await failure(rig.dial({ tls: trusting }))) ?? '', /self-signed/);
  await rig.dial({ tls: { ca: fresh.cert } });
  oldFar.write(Buffer.from('still here'));
  await old.untilReceived(10);
});

test('an update that does not work is refused and changes nothing', async (context) => {
  const rig = await openTls(context);
  const other = makeCertificate({ subject: 'other' });
  assert.ok('update' in rig.listener);
  const { listener } = rig;
  assert.throws(
    () => listener.update({ cert: server.cert, key: other.key }),
    (error: Error) => explainTlsError(error) === 'The private key does not belong to the certificate.',
  );
  await rig.dial({ tls: trusting });
});

test('key log lines of both sides are handed over', async (context) => {
  const lines: string[] = [];
  const keylog = (line: Buffer): void => {
    lines.push(line.toString());
  };
  const rig = await openTls(context, { keylog });
  await rig.dial({ tls: { ...trusting, keylog } });
  await rig.next();
  const secrets = lines.filter((line) => line.startsWith('CLIENT_TRAFFIC_SECRET_0 '));
  assert.equal(secrets.length, 2);
  assert.equal(secrets[0], secrets[1]);
});

test('a TLS dial can be given up', async (context) => {
  const rig = await openRig(context, { kind: 'tcp' });
  const abort = new AbortController();
  const dialling = dialer({ kind: 'tls', host: '127.0.0.1', port: rig.listener.port }).dial(abort.signal);
  await rig.next();
  abort.abort(new Error('no patience'));
  await assert.rejects(dialling, /no patience/);
});

test('an error that has nothing to do with TLS is not explained', () => {
  assert.equal(explainTlsError(new Error('x')), null);
  assert.equal(explainTlsError(Object.assign(new Error('x'), { code: 'ECONNREFUSED' })), null);
  assert.equal(
    explainTlsError(Object.assign(new Error('bad luck'), { code: 'ERR_SSL_SOMETHING_ELSE', reason: 'bad luck' })),
    'The TLS handshake failed: bad luck.',
  );
  assert.match(
    explainTlsError(Object.assign(new Error('x'), { code: 'ERR_SSL_TLSV1_ALERT_CERTIFICATE_EXPIRED' })) ?? '',
    /it has expired/,
  );
});

const CN = '2.5.4.3';

test('names are written as RFC 2253 has it', () => {
  const subjectOf = (subject: Parameters<typeof makeCertificate>[0]['subject']): string | null =>
    certificateName(makeCertificate({ subject }).der).subject;
  assert.equal(subjectOf([{ oid: CN, value: ' #a"b\\c;<d> ' }]), 'CN=\\ #a\\"b\\\\c\\;\\<d\\>\\ ');
  assert.equal(subjectOf([{ oid: CN, value: '#1' }]), 'CN=\\#1');
  assert.equal(subjectOf([{ oid: CN, value: 'Jürgen' }]), 'CN=J\\C3\\BCrgen');
  assert.equal(
    subjectOf([
      [
        { oid: '2.5.4.10', value: 'O' },
        { oid: CN, value: 'x' },
      ],
    ]),
    'CN=x+O=O',
  );
  assert.equal(
    subjectOf([
      { oid: '1.2.3.4', value: 'x' },
      { oid: CN, value: 'y' },
    ]),
    'CN=y,1.2.3.4=#0C0178',
  );
  assert.equal(subjectOf([{ oid: '1.2.840.113549.1.9.1', value: 'a@b', tag: 0x16 }]), 'emailAddress=a@b');
  assert.equal(subjectOf([{ oid: CN, value: Buffer.from('0041', 'hex'), tag: 0x1e }]), 'CN=A');
  assert.equal(subjectOf([]), '');
});

test('a name with a NUL, broken UTF-8 or high bytes in ASCII types passes for nobody', () => {
  for (const part of [
    { oid: CN, value: 'admin\0.evil' },
    { oid: CN, value: Buffer.from([0x61, 0xff]) },
    { oid: CN, value: Buffer.from([0xe9]), tag: 0x13 },
    { oid: CN, value: Buffer.from('d800', 'hex'), tag: 0x1e },
    { oid: CN, value: Buffer.from('000000', 'hex'), tag: 0x1c },
  ]) {
    const { der } = makeCertificate({ subject: [part] });
    assert.deepEqual(certificateName(der), { commonName: null, subject: null });
  }
});

test('the first common name counts, and a certificate without one names nobody', () => {
  const two = makeCertificate({
    subject: [
      { oid: CN, value: 'first' },
      { oid: CN, value: 'second' },
    ],
  });
  assert.deepEqual(certificateName(two.der), { commonName: 'first', subject: 'CN=second,CN=first' });
  const none = makeCertificate({ subject: [{ oid: '2.5.4.10', value: 'O' }] });
  assert.deepEqual(certificateName(none.der), { commonName: null, subject: 'O=O' });
});

test('bytes that are no certificate have no name', () => {
  const { der } = makeCertificate({ subject: 'x' });
  for (let length = 0; length < 120; length++) {
    assert.deepEqual(certificateName(der.subarray(0, length)), { commonName: null, subject: null });
  }
  assert.equal(certificateName(der).commonName, 'x');
});
