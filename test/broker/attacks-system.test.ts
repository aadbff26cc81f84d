// Attacks that reach beyond the process: file descriptors that run out, certificates that do not say what they should, and
// handshakes that never end.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { makeHash } from '../../src/broker/plugins/hashes.ts';
import { connect } from '../../src/client/client.ts';
import { makeCertificate } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { built, Program } from '../support/process.ts';
import { connectBytes } from '../support/raw-client.ts';
import { watch } from './attack-watch.ts';
import { join, LogFile, openFile, refusal, scratch, until } from './harness.ts';

const ca = makeCertificate({ subject: 'Test CA', isAuthority: true });
const otherCa = makeCertificate({ subject: 'Other CA', isAuthority: true });
const names = ['localhost', '127.0.0.1'];
const server = makeCertificate({ subject: 'localhost', issuer: ca, altNames: names });

/** Descriptors that the broker may have; it needs about thirty of its own. */
const DESCRIPTORS = 80;

test('when descriptors run out the broker lives, keeps its rules over a reload, and serves again [CVE-2017-7652]', async (context) => {
  const folder = scratch(context);
  const at = (name: string): string => path.join(folder, name);
  const port = await freePort();
  writeFileSync(at('passwd'), `ann:${await makeHash(Buffer.from('secret'), 'bcrypt', 4)}\n`, { mode: 0o600 });
  writeFileSync(at('acl'), 'topic read $SYS/#\nuser ann\ntopic a\ntopic round/trip\ntopic read $SYS/#\n', {
    mode: 0o600,
  });
  const lines = [
    `listener ${port} 127.0.0.1`,
    `password_file ${at('passwd')}`,
    `acl_file ${at('acl')}`,
    'sys_interval 1',
  ];
  writeFileSync(at('m.conf'), [...lines, `log_dest file ${at('log')}`, ''].join('\n'));
  const start = `ulimit -n ${DESCRIPTORS}; exec "$0" "$@"`;
  const args = ['-c', start, process.execPath, built('mqtt-broker'), '-v', '-c', at('m.conf')];
  const broker = new Program('sh', args);
  context.after(() => broker.stop());
  const log = new LogFile(at('log'));
  await until(() => existsSync(log.path), 'a log file');
  await log.seen(' running\n');
  const watcher = await join(context, port, { username: 'ann', password: 'secret' });
  await watcher.subscribe('$SYS/broker/uptime');
  await watcher.inbox.next();
  const sockets: Socket[] = [];
  let closed = 0;
  while (closed === 0) {
    const socket = connectTcp({ port, host: '127.0.0.1' });
    socket
      .on('error', () => undefined)
      .on('close', () => (closed += 1))
      .resume();
    context.after(() => socket.destroy());
    sockets.push(socket);
    await once(socket, 'connect');
    await new Promise((resolve) => setTimeout(resolve, 2));
    assert.ok(sockets.length < 1000);
  }
  // $SYS goes on, for which the broker looks at itself.
  for (let i = 0; i < 2; i++) await watcher.inbox.next();
  writeFileSync(at('acl'), 'topic #\nuser ann\ntopic #\n');
  broker.signal('SIGHUP');
  await log.seen('Error: The configuration was not reloaded; the broker goes on with the one it has.');
  assert.equal((await watcher.publish('b', 'x', { qos: 1 })).reason.code, 0x87);
  assert.equal((await watcher.publish('a', 'x', { qos: 1 })).reason.code < 0x80, true);
  for (const socket of sockets) socket.destroy();
  await until(() => log.count('disconnected') >= sockets.length - closed, 'all are gone');
  assert.equal(await refusal(port), 0x87, 'a client without a name');
  assert.equal(await refusal(port, { username: 'ann', password: 'wrong' }), 0x87);
  assert.equal(await refusal(port, { username: 'ann', password: 'secret' }), 0);
  broker.signal('SIGHUP');
  await until(() => log.count('Reloading config.') === 2, 'a second reload');
  await until(() => log.count('was not reloaded') === 1, 'which works');
  assert.equal((await broker.stop()).code, 0);
});

test('a handshake that comes byte by byte, or never, has its time and is named with its address [ours: slow-loris]', async (context) => {
  const [plain, secure] = [await freePort(), await freePort()];
  const lines = [
    'allow_anonymous true',
    'connect_timeout 1',
    `listener ${plain} 127.0.0.1`,
    `listener ${secure} 127.0.0.1`,
    'certfile FOLDER/crt',
    'keyfile FOLDER/key',
  ];
  const { log } = await openFile(context, lines, { crt: server.cert, key: server.key });
  const watching = await watch(context, plain, log);
  const sockets = Array.from({ length: 50 }, () => connectTcp({ port: secure, host: '127.0.0.1' }));
  await Promise.all(sockets.map((socket) => once(socket.on('error', () => undefined).resume(), 'connect')));
  const ports = sockets.map((socket) => socket.localPort);
  // The start of a ClientHello that announces 16 kB.
  const hello = Buffer.concat([Buffer.from([0x16, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc, 3, 3]), Buffer.alloc(1000)]);
  let sent = 0;
  const timer = setInterval(() => {
    for (const socket of sockets.slice(0, 25)) if (!socket.destroyed) socket.write(hello.subarray(sent, sent + 1));
    sent += 1;
  }, 50);
  context.after(() => clearInterval(timer));
  await Promise.all(
    sockets.map((socket) => (socket.closed ? null : new Promise((resolve) => socket.once('close', resolve)))),
  );
  clearInterval(timer);
  for (const port of ports)
    assert.ok(log.text.includes(`Client connection from 127.0.0.1:${port} failed: The TLS handshake took too long.`));
  await watching.over();
});

test('a client certificate that is refused is logged with its address, and advice for the broker', async (context) => {
  const port = await freePort();
  const files = { crt: server.cert, key: server.key, ca: ca.cert };
  const tls = ['certfile FOLDER/crt', 'keyfile FOLDER/key', 'cafile FOLDER/ca', 'require_certificate true'];
  for (const protocol of ['mqtt', 'websockets']) {
    const { log, broker } = await openFile(
      context,
      [`listener ${port} 127.0.0.1`, `protocol ${protocol}`, ...tls],
      files,
    );
    const stranger = makeCertificate({ subject: 'tom', issuer: otherCa });
    for (const identity of [stranger, otherCa]) {
      const { cert, key } = identity;
      const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, cert, key });
      socket.on('error', () => undefined).resume();
      await once(socket, 'secureConnect');
      const from = socket.localPort;
      await once(socket, 'close');
      await log.seen(
        new RegExp(
          `Client connection from 127\\.0\\.0\\.1:${from} failed: .* with cafile if it is the right one\\.\\n`,
        ),
      );
    }
    assert.equal(log.count('--'), 0);
    await broker.stop();
  }
});

test('an authority that is none makes every attempt fail, the second as well as the first [no CVE, 2.0.9: invalid CA]', async (context) => {
  const port = await freePort();
  const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'certfile FOLDER/crt', 'keyfile FOLDER/key'];
  const first = await openFile(context, lines, { crt: server.cert, key: server.key });
  const damaged = ca.cert.replace(/\n.{8}/, '\nAAAAAAAA');
  for (const trusted of ['', ' ', 'nothing', damaged, otherCa.cert, []]) {
    const endpoint = { kind: 'tls', host: '127.0.0.1', port, tls: { ca: trusted } } as const;
    for (let attempt = 0; attempt < 3; attempt++) {
      await assert.rejects(connect({ endpoint }));
    }
  }
  assert.equal(first.log.count('New client connected'), 0);
  // Nor does a client that was let in once, and meets somebody else when it comes again.
  const endpoint = { kind: 'tls', host: '127.0.0.1', port, tls: { ca: ca.cert } } as const;
  const client = await join(context, port, {
    endpoint,
    clientId: 'again',
    reconnect: { minDelayMs: 1, maxDelayMs: 5 },
  });
  const failures: string[] = [];
  client.on('reconnecting', (error) => failures.push(String((error as NodeJS.ErrnoException).code)));
  await first.broker.stop();
  const impostor = makeCertificate({ subject: 'localhost', issuer: otherCa, altNames: names });
  const second = await openFile(context, lines, { crt: impostor.cert, key: impostor.key });
  const refused = (): string[] => failures.filter((code) => code === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  await until(() => refused().length >= 5, 'five failures');
  assert.equal(second.log.count('New client connected'), 0);
  await second.broker.stop();
  const third = await openFile(context, lines, { crt: server.cert, key: server.key });
  await third.log.seen(' as again (');
});

test('a certificate for *.com is none for example.com [no CVE, 2.0.16: *.com certificates]', async (context) => {
  const port = await freePort();
  const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'certfile FOLDER/crt', 'keyfile FOLDER/key'];
  const attempt = async (altName: string, servername: string): Promise<boolean> => {
    const identity = makeCertificate({ subject: altName, issuer: ca, altNames: [altName] });
    const { broker } = await openFile(context, lines, { crt: identity.cert, key: identity.key });
    const tls = { ca: ca.cert, servername };
    const client = await connect({ endpoint: { kind: 'tls', host: '127.0.0.1', port, tls } }).catch(() => null);
    await client?.end();
    await broker.stop();
    return client !== null;
  };
  assert.equal(await attempt('*.example.com', 'mqtt.example.com'), true);
  assert.equal(await attempt('*.com', 'example.com'), false);
  assert.equal(await attempt('*', 'example'), false);
  assert.equal(await attempt('*.example.com', 'a.b.example.com'), false);
  assert.equal(await attempt('*.*.com', 'a.example.com'), false);
});

test('connections that are refused before they say anything leave no timers behind', async (context) => {
  const port = await freePort();
  const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true'];
  const { log } = await openFile(context, lines);
  const watching = await watch(context, port, log);
  const bad = Buffer.concat([connectBytes('x').subarray(0, 10), Buffer.alloc(20, 0xff)]);
  bad[1] = 20;
  await Promise.all(
    Array.from({ length: 200 }, async () => {
      const socket = connectTcp({ port, host: '127.0.0.1' });
      socket
        .on('error', () => undefined)
        .resume()
        .end(bad);
      await once(socket, 'close');
    }),
  );
  await watching.over();
});
