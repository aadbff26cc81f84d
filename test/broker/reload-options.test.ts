// Options whose change a reload promises to apply: each is seen by the next connection (or at once), none by the ones that
// stand.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { Client } from '../../src/client/options.ts';
import { type Identity, makeCertificate, makeRevocationList } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { type FileRig, join, nothingCame, openFile, refusal, until } from './harness.ts';

const ca = makeCertificate({ subject: 'Test CA', isAuthority: true });
const otherCa = makeCertificate({ subject: 'Other CA', isAuthority: true });
const names = ['localhost', '127.0.0.1'];
const server = makeCertificate({ subject: 'first', issuer: ca, altNames: names });
const second = makeCertificate({ subject: 'second', issuer: ca, altNames: names });
const tom = makeCertificate({ subject: 'tom', issuer: ca });
const stranger = makeCertificate({ subject: 'stranger', issuer: otherCa });

const TLS = ['certfile FOLDER/server.crt', 'keyfile FOLDER/server.key', 'cafile FOLDER/ca.crt'];
const FILES = { 'ca.crt': ca.cert, 'server.crt': server.cert, 'server.key': server.key };

interface TlsRig extends FileRig {
  /** Reloads with other lines below the listener. */
  change(...lines: readonly string[]): Promise<void>;
  /** Joins with a certificate, or without one. */
  enter(identity: Identity | null): Promise<Client>;
  /** Facts of a fresh handshake. */
  handshake(options?: object): Promise<{ certificate: PeerCertificate; cipher: string; version: string | null }>;
}

async function openTls(context: Parameters<typeof openFile>[0], ...lines: readonly string[]): Promise<TlsRig> {
  const listener = `listener ${await freePort()} 127.0.0.1`;
  const configure = (more: readonly string[]): string[] => [listener, 'allow_anonymous true', ...TLS, ...more];
  const rig = await openFile(context, configure(lines), FILES);
  return {
    ...rig,
    change: (...more) => rig.reload(configure(more)),
    enter: (identity) => {
      const pair = identity === null ? {} : { cert: identity.cert, key: identity.key };
      const endpoint = { kind: 'tls', host: '127.0.0.1', port: rig.port, tls: { ca: ca.cert, ...pair } } as const;
      return join(context, rig.port, { endpoint });
    },
    handshake: async (options = {}) => {
      const socket: TLSSocket = connectTls({ port: rig.port, host: '127.0.0.1', ca: ca.cert, ...options });
      await once(socket, 'secureConnect');
      const certificate = socket.getPeerCertificate();
      const facts = { certificate, cipher: socket.getCipher().name, version: socket.getProtocol() };
      socket.destroy();
      return facts;
    },
  };
}

const isOpen = async (client: Client): Promise<void> => {
  assert.equal((await client.publish('a', 'b', { qos: 1 })).reason.code, 0x10);
};

test('a replaced certificate is shown to new connections, and old ones live on', async (context) => {
  const rig = await openTls(context);
  const old = await rig.enter(null);
  assert.equal((await rig.handshake()).certificate.subject.CN, 'first');
  rig.write('server.crt', second.cert);
  rig.write('server.key', second.key);
  await rig.reload();
  assert.equal((await rig.handshake()).certificate.subject.CN, 'second');
  await isOpen(old);
  // The key no longer fits: everything stays as it is.
  rig.write('server.crt', server.cert);
  await rig.reload();
  await rig.log.seen(
    /Error: Unable to load keyfile ".*server\.key": The private key does not belong to the certificate\./,
  );
  await rig.log.seen(`Error found at ${rig.folder}/m.conf:5.`);
  await rig.log.seen('Error: The configuration was not reloaded');
  assert.equal((await rig.handshake()).certificate.subject.CN, 'second');
  await isOpen(old);
});

test('cafile, crlfile and require_certificate count for the next handshake', async (context) => {
  const rig = await openTls(context);
  const old = await rig.enter(null);
  await rig.change('require_certificate true');
  await assert.rejects(rig.enter(null));
  await assert.rejects(rig.enter(stranger));
  await isOpen(await rig.enter(tom));
  rig.write('ca.crt', otherCa.cert);
  await rig.reload();
  await assert.rejects(rig.enter(tom));
  await isOpen(await rig.enter(stranger));
  rig.write('ca.crt', ca.cert + otherCa.cert);
  rig.write('crl.pem', makeRevocationList(ca, []) + makeRevocationList(otherCa, [stranger]));
  await rig.change('require_certificate true', 'crlfile FOLDER/crl.pem');
  await assert.rejects(rig.enter(stranger));
  await isOpen(await rig.enter(tom));
  rig.write('crl.pem', makeRevocationList(ca, [tom]) + makeRevocationList(otherCa, []));
  await rig.reload();
  await assert.rejects(rig.enter(tom));
  await isOpen(await rig.enter(stranger));
  await isOpen(old);
  await rig.change();
  await isOpen(await rig.enter(null));
});

test('tls_version and the ciphers of either kind of TLS count for the next handshake', async (context) => {
  const rig = await openTls(context);
  const older = { maxVersion: 'TLSv1.2' };
  assert.equal((await rig.handshake(older)).version, 'TLSv1.2');
  await rig.change('ciphers ECDHE-ECDSA-AES256-GCM-SHA384');
  assert.equal((await rig.handshake(older)).cipher, 'ECDHE-ECDSA-AES256-GCM-SHA384');
  assert.equal((await rig.handshake()).version, 'TLSv1.3', 'the list for TLS 1.2 says nothing about TLS 1.3');
  await rig.change('ciphers_tls1.3 TLS_CHACHA20_POLY1305_SHA256');
  assert.equal((await rig.handshake()).cipher, 'TLS_CHACHA20_POLY1305_SHA256');
  assert.equal((await rig.handshake(older)).version, 'TLSv1.2', 'and the other way round');
  await rig.change('tls_version tlsv1.3');
  await assert.rejects(rig.handshake(older));
  assert.equal((await rig.handshake()).version, 'TLSv1.3');
});

test('TLS can be turned on and off', async (context) => {
  const rig = await openTls(context);
  const plain = [`listener ${rig.port} 127.0.0.1`, 'allow_anonymous true'];
  await rig.reload(plain);
  assert.equal(await refusal(rig.port), 0);
  await rig.change();
  await isOpen(await rig.enter(null));
});

test('limits and capabilities count for connections made afterwards', async (context) => {
  const listener = `listener ${await freePort()} 127.0.0.1`;
  const { port, reload } = await openFile(context, [listener, 'allow_anonymous true']);
  const change = (...lines: readonly string[]) => reload([listener, 'allow_anonymous true', ...lines]);
  const granted = async (): Promise<object> => (await join(context, port)).info.properties;
  assert.deepEqual(await granted(), { topicAliasMaximum: 10, maximumPacketSize: 2_000_000, receiveMaximum: 20 });
  const before = await join(context, port);
  await change(
    'max_qos 1',
    'max_packet_size 3000',
    'max_inflight_messages 5',
    'max_topic_alias 3',
    'retain_available false',
    'max_keepalive 30',
  );
  assert.deepEqual(await granted(), {
    serverKeepAlive: 30,
    topicAliasMaximum: 3,
    retainAvailable: 0,
    maximumPacketSize: 3000,
    receiveMaximum: 5,
    maximumQoS: 1,
  });
  assert.equal((await before.publish('a', Buffer.alloc(4000), { qos: 1 })).reason.code, 0x10);
  await change('max_connections 0');
  await assert.rejects(join(context, port));
  await change('accept_protocol_versions 4');
  assert.equal(await refusal(port), 0x84);
  assert.equal(await refusal(port, { version: '3.1.1' }), 0);
  await change('clientid_prefixes ok-');
  assert.equal(await refusal(port, { clientId: 'no' }), 0x87);
  await change('allow_zero_length_clientid false');
  assert.equal(await refusal(port, { clientId: '' }), 0x85);
  await change('auto_id_prefix made-', 'use_username_as_clientid false');
  assert.match((await join(context, port, { clientId: '' })).info.clientId, /^made-[0-9A-F-]{36}$/);
  await change('use_username_as_clientid true');
  assert.equal((await join(context, port, { clientId: '', username: 'tom' })).info.clientId, 'tom');
});

test('allow_duplicate_messages counts at once', async (context) => {
  const listener = `listener ${await freePort()} 127.0.0.1`;
  const { port, reload } = await openFile(context, [listener, 'allow_anonymous true']);
  const client = await join(context, port);
  await client.subscribe(['a/#', { filter: 'a/b', qos: 1 }]);
  await client.publish('a/b', 'twice', { qos: 1 });
  assert.equal(await client.inbox.text(), 'a/b twice');
  assert.equal(await client.inbox.text(), 'a/b twice');
  await reload([listener, 'allow_anonymous true', 'allow_duplicate_messages false']);
  await client.publish('a/b', 'once', { qos: 1 });
  const message = await client.inbox.next();
  assert.deepEqual([message.payload.toString(), message.qos], ['once', 1]);
  await nothingCame(client);
});

test('max_queued_messages counts at once, for those who are away too', async (context) => {
  const listener = `listener ${await freePort()} 127.0.0.1`;
  const { port, reload } = await openFile(context, [listener, 'allow_anonymous true', 'max_queued_messages 1']);
  const away = { clientId: 'away', cleanStart: false, properties: { sessionExpiryInterval: 100 } };
  const first = await join(context, port, away);
  await first.subscribe({ filter: 'a', qos: 1 });
  await first.end();
  const writer = await join(context, port);
  await writer.publish('a', '1', { qos: 1 });
  await writer.publish('a', 'lost', { qos: 1 });
  await reload([listener, 'allow_anonymous true', 'max_queued_messages 3']);
  for (const text of ['2', '3', 'lost']) await writer.publish('a', text, { qos: 1 });
  const again = await join(context, port, away);
  for (const text of ['1', '2', '3']) assert.equal(await again.inbox.text(), `a ${text}`);
  await nothingCame(again);
});

test('websockets_origin and set_tcp_nodelay are taken over by opening the socket anew', async (context) => {
  const lines = [`listener ${await freePort()} 127.0.0.1`, 'protocol websockets', 'allow_anonymous true'];
  const { port, reload, log } = await openFile(context, lines);
  const endpoint = { kind: 'ws', host: '127.0.0.1', port } as const;
  const old = await join(context, port, { endpoint });
  await reload([...lines, 'websockets_origin https://good.example']);
  await assert.rejects(join(context, port, { endpoint }));
  await log.seen('failed: the origin (none) is not allowed.');
  await reload([...lines, 'set_tcp_nodelay true']);
  await until(() => log.count('Opening websockets listen socket') === 3, 'the socket is opened again');
  await isOpen(await join(context, port, { endpoint }));
  await reload([...lines, 'set_tcp_nodelay true']);
  assert.equal(log.count('Opening websockets listen socket'), 3);
  await isOpen(old);
});

test('what waits for the next start says so', async (context) => {
  const listener = `listener ${await freePort()} 127.0.0.1`;
  const { reload, log, folder } = await openFile(context, [listener, 'allow_anonymous true']);
  await reload([listener, 'allow_anonymous true', 'pid_file FOLDER/pid']);
  await log.seen(
    `Warning: The change of pid_file at ${folder}/m.conf:4 takes effect when the broker is started again.`,
  );
});
