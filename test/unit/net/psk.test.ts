// TLS with a pre-shared key, against Node's own server.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createServer, type TlsOptions } from 'node:tls';
import { dialer } from '../../../src/net/endpoint.ts';
import { pskOptions } from '../../../src/net/psk.ts';
import type { TlsDialOptions } from '../../../src/net/specs.ts';
import { explainTlsError } from '../../../src/net/tls-errors.ts';
import type { Transport } from '../../../src/net/transport.ts';
import { makeCertificate } from '../../support/certificates.ts';

const KEY = Buffer.from('0123456789abcdef', 'hex');
const authority = makeCertificate({ subject: 'Authority', isAuthority: true });
const identity = makeCertificate({ subject: 'localhost', altNames: ['127.0.0.1'], issuer: authority });
const LONG = 'x'.repeat(128);
const PSK_SERVER: TlsOptions = {
  ciphers: 'TLS_AES_128_GCM_SHA256:PSK+HIGH',
  pskCallback: (_, name) => (name === 'tom' || name === LONG ? KEY : null),
};

/** Dials a server of its own with these options. */
async function dial(context: TestContext, server: TlsOptions, tls: TlsDialOptions): Promise<Transport> {
  const listener = createServer({ minVersion: 'TLSv1.2', ...server }, (socket) => socket.on('error', () => undefined));
  listener.on('tlsClientError', () => undefined);
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  context.after(() => listener.close());
  const { port } = listener.address() as AddressInfo;
  const transport = await dialer({ kind: 'tls', host: '127.0.0.1', port, tls }).dial(AbortSignal.timeout(20_000));
  context.after(() => transport.destroy());
  return transport;
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  const only = { ...PSK_SERVER, minVersion: version, maxVersion: version };

  test(`a key is enough for ${version}, and wins over certificates`, async (context) => {
    const psk = { identity: 'tom', key: KEY };
    const near = await dial(context, only, { psk, ca: authority.cert, verify: false });
    assert.equal(near.info.tls?.version, version);
    assert.match(near.info.tls?.cipher ?? '', version === 'TLSv1.2' ? /PSK/ : /^TLS_/);
    await dial(context, only, { psk: { identity: LONG, key: KEY } });
  });

  test(`${version}: a wrong key and an unknown identity are refused in words`, async (context) => {
    for (const psk of [
      { identity: 'tom', key: Buffer.from([1]) },
      { identity: 'eve', key: KEY },
    ]) {
      await assert.rejects(dial(context, only, { psk }), (error: Error) => {
        assert.match(explainTlsError(error) ?? error.message, /^The other side (refused|does not know) the identity/);
        return true;
      });
    }
  });

  test(`${version}: a server that shows a certificate instead is refused, a trusted one as well`, async (context) => {
    const server = { cert: identity.cert, key: identity.key, minVersion: version, maxVersion: version };
    const psk = { identity: 'tom', key: KEY };
    // Suites that the server takes, as a person may give them.
    const ciphers = 'TLS_AES_128_GCM_SHA256:HIGH';
    await dial(context, server, { ca: authority.cert });
    for (const tls of [
      { psk, ciphers },
      { psk, ciphers, ca: authority.cert, verify: false },
    ]) {
      await assert.rejects(dial(context, server, tls), { code: 'ERR_TLS_PSK_NOT_USED' });
    }
  });
}

test('without a cipher for keys in common there is no connection', async (context) => {
  const server = { cert: identity.cert, key: identity.key, maxVersion: 'TLSv1.2' as const };
  const attempt = dial(context, server, { psk: { identity: 'tom', key: KEY } });
  await assert.rejects(attempt, { code: 'ERR_TLS_PSK_REFUSED' });
});

test('a certificate that verifies is no proof of the key', () => {
  const { checkServerIdentity } = pskOptions({ identity: 'tom', key: KEY });
  assert.ok(checkServerIdentity !== undefined);
  type Certificate = Parameters<typeof checkServerIdentity>[1];
  assert.equal(checkServerIdentity('localhost', {} as Certificate), undefined);
  assert.ok(checkServerIdentity('localhost', { subject: { CN: 'localhost' } } as Certificate) instanceof Error);
});
