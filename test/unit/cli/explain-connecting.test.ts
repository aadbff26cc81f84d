import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { whileConnecting } from '../../../src/cli/commands/explain-connecting.ts';
import { type Failure, failureOf } from '../../../src/cli/commands/failure.ts';
import { ConnectionLost } from '../../../src/client/errors.ts';
import type { Endpoint } from '../../../src/client/options.ts';
import { noteCertificates } from '../../../src/net/certificate-notes.ts';
import { type DialAttempt, noteAnswer, noteDial, UpgradeRefused } from '../../../src/net/dial-facts.ts';
import { certificateFacts } from '../../../src/net/tls-certificates.ts';
import { UnexpectedPacket } from '../../../src/protocol/errors.ts';
import { makeCertificate } from '../../support/certificates.ts';

const place = (kind: Endpoint['kind'], host = 'broker.example'): Endpoint => ({ kind, host, port: 1883 });
const system = (code: string): Error => Object.assign(new Error(`no luck: ${code}`), { code });
const attempt = (address: string, code: string | null = null): DialAttempt => ({ address, port: 1883, code });
const explain = (error: Error, endpoint: Endpoint): Failure => failureOf(whileConnecting(error, endpoint));
const PEER = [attempt('192.0.2.1')];
const NO_MQTT = 'Error: A network protocol error occurred when communicating with the broker.';

describe('why no connection came about', () => {
  for (const [code, first, detail] of [
    [
      'ECONNREFUSED',
      'Error: Connection refused',
      /^Nothing accepts connections at broker\.example:1883 \(tried 192\.0\.2\.1:1883\)/,
    ],
    ['EHOSTUNREACH', 'Error: No route to host', /^No way leads to broker\.example:1883 \(tried /],
    ['ENETUNREACH', 'Error: Network is unreachable', /^This machine has no route to /],
    ['EADDRNOTAVAIL', 'Error: Cannot assign requested address', /see -A/],
    ['EACCES', 'Error: Permission denied', /firewall/],
    ['ETIMEDOUT', 'Error: Connection timed out', /^No answer at all from .*firewall drops/],
    ['ENOTFOUND', 'Unable to connect (Lookup error).', /^There is no host "broker\.example"/],
    ['EAI_AGAIN', 'Unable to connect (Lookup error).', /^No name server answered for "broker\.example"/],
  ] as const) {
    it(`explains ${code}`, () => {
      const error = system(code);
      noteDial(error, 'connect', PEER);
      const failure = explain(error, place('tcp'));
      assert.equal(failure.code, 1);
      assert.deepEqual(failure.sentences, [first]);
      assert.match(failure.details.join('\n'), detail);
    });
  }

  it('shows every address, and what came of it where they differ', () => {
    const same = system('ECONNREFUSED');
    noteDial(same, 'connect', [attempt('127.0.0.1', 'ECONNREFUSED'), attempt('::1', 'ECONNREFUSED')]);
    assert.match(explain(same, place('tcp')).details[0] ?? '', /\(tried 127\.0\.0\.1:1883 and \[::1\]:1883\)/);
    const differing = system('ECONNREFUSED');
    noteDial(differing, 'connect', [
      attempt('127.0.0.1', 'ECONNREFUSED'),
      attempt('::1', 'ENETUNREACH'),
      attempt('::2'),
    ]);
    assert.deepEqual(explain(differing, place('tcp')).details, [
      'broker.example:1883 has several addresses, and none of them worked:',
      '  127.0.0.1:1883: Connection refused',
      '  [::1]:1883: Network is unreachable',
      '  [::2]:1883: no answer',
    ]);
  });

  it('tells a port that gives no answer from one that takes the connection and is silent then', () => {
    const late = (stage: Parameters<typeof noteDial>[1]): Failure => {
      const error = new ConnectionLost('No connection was made within 30 seconds');
      noteDial(error, stage, PEER);
      return explain(error, place(stage === 'tls' ? 'tls' : stage === 'websocket' ? 'ws' : 'tcp'));
    };
    const filtered = late('connect');
    assert.deepEqual([filtered.code, filtered.sentences], [1, ['Error: Connection timed out']]);
    assert.match(filtered.details[0] ?? '', /^No answer at all from .* within 30 seconds: .*firewall/);
    for (const [stage, what] of [
      ['tls', 'the TLS handshake: it may speak no TLS'],
      ['websocket', 'the WebSocket request: it may speak no WebSocket'],
      ['connack', 'CONNECT: it may speak no MQTT'],
    ] as const) {
      const silent = late(stage);
      assert.deepEqual([silent.code, silent.sentences], [7, ['Error: No connection was made within 30 seconds.']]);
      assert.ok(silent.details[0]?.startsWith(`192.0.2.1:1883 took the connection and did not answer ${what}`));
    }
  });

  it('looks at what there is at the path of a Unix socket', (context) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'mqtt-suite-'));
    context.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = path.join(folder, 'file');
    writeFileSync(file, '');
    for (const [code, where, detail] of [
      ['ENOENT', `${folder}/none`, /^There is no socket .*\/none/],
      ['EACCES', `${folder}/none`, /^This user may not write to the socket/],
      ['ECONNREFUSED', file, /\/file is a file, not a socket\.$/],
      ['ECONNREFUSED', folder, /is a directory, not a socket\.$/],
    ] as const) {
      const error = system(code);
      noteDial(error, 'connect', []);
      assert.match(explain(error, place('unix', where)).details[0] ?? '', detail);
    }
  });
});

describe('who answers where a broker was expected', () => {
  for (const [answer, who] of [
    ['SSH-2.0-OpenSSH_9.2\r\n', 'an SSH server ("SSH-2.0-OpenSSH_9.2").'],
    [
      'HTTP/1.1 400 Bad Request\r\n',
      'a web server ("HTTP/1.1 400 Bad Request"). If it is a broker, try WebSocket (--ws).',
    ],
    ['220 mail.example ESMTP\r\n', 'a mail or FTP server ("220 mail.example ESMTP").'],
    ["-ERR unknown command 'x'\r\n", `a Redis server ("-ERR unknown command 'x'").`],
    ['\x15\x03\x01\x00\x02\x02\x46', 'something that speaks TLS.'],
    ['hello\x1b[2J there', 'something else.'],
    ['\x00\x01\x02', 'something else.'],
  ] as const) {
    it(JSON.stringify(answer), () => {
      const fault = new UnexpectedPacket('PUBACK', answer.charCodeAt(0));
      noteAnswer(fault, Buffer.from(answer, 'latin1'));
      noteDial(fault, 'connack', PEER);
      assert.deepEqual(explain(fault, place('tcp')), {
        sentences: [NO_MQTT],
        details: [`What answers at 192.0.2.1:1883 speaks no MQTT: it looks like ${who}`],
        code: 2,
      });
    });
  }

  it('a web server or none, asked for a WebSocket', () => {
    for (const [status, message, detail] of [
      [404, '404 Not Found', /^A web server answers .*: "404 Not Found"\. Check the port/],
      [0, 'Parse Error', /speaks no WebSocket: Parse Error\. Without --ws/],
    ] as const) {
      const error = new UpgradeRefused(status, message);
      noteDial(error, 'websocket', PEER);
      const failure = explain(error, place('ws'));
      assert.deepEqual([failure.code, failure.sentences], [2, [NO_MQTT]]);
      assert.match(failure.details[0] ?? '', detail);
    }
    const reset = system('ECONNRESET');
    noteDial(reset, 'websocket', PEER);
    assert.match(explain(reset, place('ws')).details[0] ?? '', /speak no WebSocket, or expect TLS/);
    assert.doesNotMatch(explain(reset, place('wss')).details[0] ?? '', /TLS/);
  });

  it('nobody, but the connection ends', () => {
    const lost = new ConnectionLost('The connection was lost');
    noteDial(lost, 'connack', PEER);
    assert.deepEqual(explain(lost, place('tcp')), {
      sentences: ['Error: The connection was lost.'],
      details: [
        '192.0.2.1:1883 closed the connection without an answer: it may speak no MQTT, or expect TLS on this port (--cafile).',
      ],
      code: 7,
    });
    assert.match(
      explain(lost, place('tls')).details[0] ?? '',
      /right after the TLS handshake: it may want a certificate/,
    );
    assert.match(explain(lost, place('unix', '/run/x')).details[0] ?? '', /^the socket \/run\/x closed the connection/);
  });

  it('leaves bugs alone', () => {
    for (const bug of [new TypeError('x is not a function'), new Error('no code')]) {
      assert.equal(whileConnecting(bug, place('tcp')), bug);
    }
  });
});

describe('why TLS failed', () => {
  const authority = makeCertificate({ subject: 'Test Authority', isAuthority: true });
  const facts = (request: Parameters<typeof makeCertificate>[0]) => certificateFacts(makeCertificate(request).cert);

  function failed(code: string, ...chain: ReturnType<typeof facts>[]): Failure {
    const error = system(code);
    if (chain.length > 0) noteCertificates(error, chain);
    noteDial(error, 'tls', PEER);
    return explain(error, place('tls'));
  }

  it('shows the certificate that it is about', () => {
    const old = facts({ subject: 'old', issuer: authority, altNames: ['a.example', '192.0.2.9'], from: -20, to: -3.5 });
    const failure = failed('CERT_HAS_EXPIRED', old);
    assert.deepEqual([failure.code, failure.sentences], [14, ['Error: A TLS error occurred.']]);
    const [what, where, ...shown] = failure.details;
    assert.match(what ?? '', /^The certificate of the other side \(CN=old\) has expired\. Its dates are /);
    assert.equal(where, 'Tried: broker.example:1883 (192.0.2.1:1883).');
    assert.match(
      shown.join('\n'),
      /^That certificate:\n {2}Subject: CN=old\n {2}Issuer: CN=Test Authority\n {2}Valid: \S+ \S+ UTC to \S+ \S+ UTC \(expired 3 days ago\)\n {2}For: a\.example, 192\.0\.2\.9$/,
    );
  });

  it('finds the one of the chain that has the fault', () => {
    const leaf = facts({ subject: 'leaf', issuer: authority });
    const oldRoot = facts({ subject: 'old root', isAuthority: true, from: -20, to: -10 });
    const failure = failed('CERT_HAS_EXPIRED', leaf, oldRoot);
    assert.match(failure.details[0] ?? '', /of an authority of the other side \(CN=old root\) has expired/);
    assert.ok(failure.details.includes('  Subject: CN=old root'));
  });

  it('names the authority that is missing: that of the last certificate shown', () => {
    const middle = facts({ subject: 'Middle', issuer: authority, isAuthority: true });
    const failure = failed('UNABLE_TO_GET_ISSUER_CERT_LOCALLY', facts({ subject: 'leaf', issuer: authority }), middle);
    assert.match(
      failure.details[0] ?? '',
      /\(CN=leaf\) is signed by an unknown authority\. Its issuer is CN=Test Authority\. Trust .*--cafile/,
    );
  });

  it('shows our own certificate where the other side turns it down', () => {
    const own = makeCertificate({ subject: 'tom', issuer: authority });
    const error = new ConnectionLost('The connection was lost', null, system('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'));
    const failure = explain(error, { ...place('tls'), tls: { cert: own.cert } });
    assert.equal(failure.code, 14);
    assert.match(failure.details[0] ?? '', /^The other side refused our certificate/);
    assert.ok(failure.details.includes('The certificate of --cert:') && failure.details.includes('  Subject: CN=tom'));
  });

  it('takes control characters out of what a certificate says', () => {
    const wild = facts({ subject: [{ oid: '2.5.4.3', value: 'x\u001b[2Jy' }] });
    const text = failed('DEPTH_ZERO_SELF_SIGNED_CERT', wild).details.join('\n');
    assert.ok(!text.includes('\u001b') && text.includes('[2Jy'));
  });

  it('has words for a verdict that Node has none for', () => {
    const failure = failed('UNSPECIFIED', facts({ subject: 'weak' }));
    assert.match(failure.details[0] ?? '', /\(CN=weak\) does not verify: no luck/);
  });

  it('suspects a port without TLS where the handshake is cut off', () => {
    assert.match(failed('ECONNRESET').details[0] ?? '', /speaks no TLS on this port/);
  });
});
