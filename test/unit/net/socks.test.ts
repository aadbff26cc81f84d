// Dialling through a SOCKS5 proxy: every kind of connection, and every way for the proxy to say no.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { dialer } from '../../../src/net/endpoint.ts';
import { ProxyError, type ProxyFault } from '../../../src/net/proxy-error.ts';
import type { DialSpec, ProxySpec } from '../../../src/net/specs.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { freePort } from '../../support/free-port.ts';
import { type SocksOptions, type SocksServer, socksServer } from '../../support/socks-server.ts';
import { Recorder } from './recorder.ts';
import { openRig } from './rig.ts';

const NAME = 'broker.example';
const names = { [NAME]: '127.0.0.1' };
const authority = makeCertificate({ subject: 'Authority', isAuthority: true });
const identity = makeCertificate({ subject: NAME, altNames: [NAME], issuer: authority });

const through = ({ port }: SocksServer, more: Partial<ProxySpec> = {}): ProxySpec => ({
  host: '127.0.0.1',
  port,
  ...more,
});

for (const kind of ['tcp', 'tls', 'ws', 'wss'] as const) {
  test(`${kind} through a proxy that looks the name up`, async (context) => {
    const tls = { cert: identity.cert, key: identity.key };
    const rig = await openRig(context, { kind, ...(kind === 'tls' || kind === 'wss' ? { tls } : {}) });
    const proxy = await socksServer(context, { names });
    const spec: Partial<DialSpec> = { host: NAME, proxy: through(proxy), tls: { ca: authority.cert } };
    const near = await rig.dial(spec);
    const far = new Recorder(await rig.next());
    const back = new Recorder(near);
    near.write(Buffer.from('there'));
    await far.untilReceived(5);
    far.transport.write(Buffer.from('back again'));
    await back.untilReceived(10);
    assert.deepEqual([far.bytes().toString(), back.bytes().toString()], ['there', 'back again']);
    assert.deepEqual(proxy.asked, [`name:${NAME}:${rig.listener.port}`]);
    near.end();
    await far.until(() => far.ends.length > 0);
  });
}

test('the certificate is compared with the name of the broker, not of the proxy', async (context) => {
  const rig = await openRig(context, { kind: 'tls', tls: { cert: identity.cert, key: identity.key } });
  const proxy = await socksServer(context);
  const tls = { ca: authority.cert };
  await assert.rejects(rig.dial({ proxy: through(proxy), tls }), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
});

test('names are looked up here where the proxy is to get addresses', async (context) => {
  const rig = await openRig(context, { kind: 'tcp' });
  const proxy = await socksServer(context);
  await rig.dial({ host: 'localhost', proxy: through(proxy, { resolvesHere: true }) });
  assert.ok(proxy.asked.includes(`address:127.0.0.1:${rig.listener.port}`), String(proxy.asked));
  assert.ok(proxy.asked.every((target) => target.startsWith('address:')));
  const nowhere = rig.dial({ host: 'no-such-name.invalid', proxy: through(proxy, { resolvesHere: true }) });
  await assert.rejects(nowhere, { name: 'LookupError', message: /^There is no host "no-such-name\.invalid"/ });
});

test('the login is sent where the proxy wants one', async (context) => {
  const rig = await openRig(context, { kind: 'tcp' });
  const login = { username: 'tom@home', password: 'a:b' };
  const proxy = await socksServer(context, { login });
  await rig.dial({ proxy: through(proxy, login) });
  assert.deepEqual(proxy.logins, ['tom@home:a:b']);
});

/** The error of a dial through a proxy that behaves like this. */
async function failure(
  context: TestContext,
  options: SocksOptions,
  more: Partial<ProxySpec> = {},
): Promise<ProxyError> {
  const rig = await openRig(context, { kind: 'tcp' });
  const proxy = through(await socksServer(context, options), more);
  const error = await rig.dial({ host: NAME, port: 1883, proxy }).then(
    () => assert.fail('the dial succeeded'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ProxyError, String(error));
  assert.ok(error.message.startsWith(`The SOCKS proxy 127.0.0.1:${proxy.port} `), error.message);
  return error;
}

const REPLIES: readonly (readonly [number, ProxyFault, string])[] = [
  [1, 'protocol', 'failed to connect to broker.example:1883.'],
  [2, 'rules', 'does not allow a connection to broker.example:1883.'],
  [3, 'target', 'finds the network unreachable on the way to broker.example:1883.'],
  [4, 'target', 'finds no way or no address for the connection to broker.example:1883.'],
  [5, 'target', 'was refused the connection to broker.example:1883.'],
  [6, 'protocol', 'got no answer in time for the connection to broker.example:1883.'],
  [7, 'protocol', 'makes no connections to broker.example:1883.'],
  [200, 'protocol', 'gave an answer that SOCKS5 does not have, asked to connect to broker.example:1883.'],
  [8, 'protocol', 'does not take this kind of address to broker.example:1883.'],
];

test('each refusal of a proxy says what was asked of whom', async (context) => {
  for (const [reply, fault, text] of REPLIES) {
    const error = await failure(context, { reply });
    assert.equal(error.fault, fault, `reply ${reply}`);
    assert.ok(error.message.endsWith(text), error.message);
  }
});

test('a login that is refused, missing or too long', async (context) => {
  const login = { username: 'tom', password: 'right' };
  const refused = await failure(context, { login }, { username: 'tom', password: 'wrong-secret' });
  assert.equal(refused.fault, 'login');
  assert.doesNotMatch(JSON.stringify(refused, Object.getOwnPropertyNames(refused)), /wrong-secret/);
  assert.equal((await failure(context, { login })).fault, 'method');
  const rig = await openRig(context, { kind: 'tcp' });
  const proxy = through(await socksServer(context, { login }), { username: 'x'.repeat(256) });
  await assert.rejects(rig.dial({ proxy }), { name: 'ProxyError', fault: 'login' });
});

test('what is no proxy, or hangs up', async (context) => {
  assert.match((await failure(context, { nonsense: 'HTTP/1.1 400 Bad Request\r\n\r\n' })).message, /speaks no SOCKS5/);
  assert.match((await failure(context, { nonsense: '' })).message, /closed the connection without an answer/);
  const rig = await openRig(context, { kind: 'tcp' });
  const port = await freePort();
  await assert.rejects(rig.dial({ proxy: { host: '127.0.0.1', port } }), {
    fault: 'unreachable',
    message: `The SOCKS proxy 127.0.0.1:${port} cannot be reached: Connection refused.`,
  });
});

test('a proxy that says nothing is given up through the signal', async (context) => {
  let resolve = (): void => {};
  const connected = new Promise<void>((done) => {
    resolve = done;
  });
  const server = createServer((socket) => socket.on('error', () => undefined).once('data', () => resolve()));
  const port = await new Promise<number>((done) =>
    server.listen(0, '127.0.0.1', () => done((server.address() as { port: number }).port)),
  );
  context.after(() => server.close());
  const stop = new AbortController();
  const dial = dialer({ kind: 'tcp', host: NAME, port: 1883, proxy: { host: '127.0.0.1', port } }).dial(stop.signal);
  await connected;
  stop.abort(new Error('enough'));
  await assert.rejects(dial, { message: 'enough' });
});
