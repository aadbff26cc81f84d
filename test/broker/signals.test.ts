// The spawned broker and its signals: SIGHUP reads everything anew, SIGTERM and SIGINT end it in order and in time.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { makeHash } from '../../src/broker/plugins/hashes.ts';
import { MQTT5, MQTT311 } from '../../src/protocol/version.ts';
import { makeCertificate } from '../support/certificates.ts';
import { freePort, freePorts } from '../support/free-port.ts';
import { built, Program } from '../support/process.ts';
import { publishBytes, RawClient } from '../support/raw-client.ts';
import { join, LogFile, refusal, scratch, until } from './harness.ts';

async function spawned(context: TestContext, lines: readonly string[], folder: string): Promise<Program> {
  const file = path.join(folder, 'm.conf');
  writeFileSync(file, `${lines.join('\n')}\n`);
  const broker = new Program(process.execPath, [built('mqtt-broker'), '-v', '-c', file]);
  context.after(() => broker.stop());
  return broker;
}

test('SIGHUP reads passwords anew, opens the log anew, and survives a configuration that is gone', async (context) => {
  const folder = scratch(context);
  const at = (name: string): string => path.join(folder, name);
  const hash = await makeHash(Buffer.from('secret'), 'sha512');
  writeFileSync(at('passwd'), `ann:${hash}\n`, { mode: 0o600 });
  const port = await freePort();
  const lines = [`listener ${port} 127.0.0.1`, `password_file ${at('passwd')}`, `log_dest file ${at('log')}`];
  const broker = await spawned(context, lines, folder);
  const log = new LogFile(at('log'));
  await until(() => existsSync(log.path), 'a log file');
  await log.seen(' running\n');
  assert.equal(await refusal(port, { username: 'bob', password: 'secret' }), 0x87);
  writeFileSync(at('passwd'), `bob:${hash}\n`, { mode: 0o600 });
  renameSync(log.path, at('old'));
  broker.signal('SIGHUP');
  await new LogFile(at('old')).seen('Reloading config.');
  assert.equal(await refusal(port, { username: 'bob', password: 'secret' }), 0);
  assert.equal(await refusal(port, { username: 'ann', password: 'secret' }), 0x87);
  await log.seen(`u'bob'`);
  // CVE-2017-7652: what stands in the place of the file can't be read as one.
  rmSync(at('m.conf'));
  mkdirSync(at('m.conf'));
  broker.signal('SIGHUP');
  await log.seen(`Error: Unable to open config file ${at('m.conf')}.`);
  await log.seen('Is a directory.');
  await log.seen('Error: The configuration was not reloaded; the broker goes on with the one it has.');
  assert.equal(await refusal(port), 0x87);
  assert.equal(await refusal(port, { username: 'bob', password: 'secret' }), 0);
  assert.equal((await broker.stop()).code, 0);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} publishes wills, says goodbye, and ends with 0 whoever does not listen`, async (context) => {
    const folder = scratch(context);
    const [plain, tls, web] = (await freePorts(3)) as [number, number, number];
    const server = makeCertificate({ subject: 'localhost', altNames: ['localhost'] });
    writeFileSync(path.join(folder, 'crt'), server.cert);
    writeFileSync(path.join(folder, 'key'), server.key, { mode: 0o600 });
    const lines = [
      'allow_anonymous true',
      'log_dest stderr',
      `listener ${plain} 127.0.0.1`,
      `listener ${tls} 127.0.0.1`,
      `certfile ${folder}/crt`,
      `keyfile ${folder}/key`,
      `listener ${web} 127.0.0.1`,
      'protocol websockets',
    ];
    const broker = await spawned(context, lines, folder);
    await broker.seen(/version \S+ running\n/, 'stderr');
    const will = { topic: 'will/of', payload: Buffer.from('gone'), qos: 1, retain: false, properties: {} };
    const delayed = { ...will, topic: 'will/delayed', properties: { willDelayInterval: 1000 } };
    const watcher = await join(context, plain, { keepAlive: 0 });
    await watcher.subscribe({ filter: 'will/#', qos: 1 });
    const told = new Promise((resolve) => watcher.on('disconnect', (reason) => resolve(reason.code)));
    await join(context, plain, { will, keepAlive: 0 });
    const keeps = { cleanStart: false, properties: { sessionExpiryInterval: 1000 } };
    const old = await RawClient.join(plain, 'old', { profile: MQTT311, will: { ...will, topic: 'will/3' } });
    const left = await join(context, plain, { will: delayed, ...keeps, clientId: 'left' });
    await left.end(4);
    // Those who make no end of it: never read, half a handshake, half an upgrade, nothing at all.
    const deaf = await RawClient.join(plain, 'deaf', { profile: MQTT5 });
    await deaf.subscribe('flood');
    deaf.socket.pause();
    const silent = [plain, tls, web].map((port) => connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true }));
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    for (const socket of silent) socket.on('error', () => undefined).pause();
    silent[1]!.write(Buffer.from([0x16, 0x03, 0x01]));
    silent[2]!.write('GET / HTTP/1.1\r\n');
    const flood = await RawClient.join(plain, 'flood');
    for (let i = 0; i < 100; i++) flood.send(publishBytes(MQTT5, 'flood', Buffer.alloc(100_000)));
    await broker.seen((output) => output.split('Received PUBLISH from flood').length === 101, 'stderr');
    const before = process.hrtime.bigint();
    broker.signal(signal);
    const topics = [await watcher.inbox.text(), await watcher.inbox.text(), await watcher.inbox.text()];
    assert.deepEqual(topics.sort(), ['will/3 gone', 'will/delayed gone', 'will/of gone']);
    assert.equal(await told, 0x8b);
    await old.ended();
    assert.equal(await old.next(), null, 'MQTT 3.1.1 has no DISCONNECT from the server');
    const { code, stderr } = await broker.ended;
    assert.equal(code, 0);
    assert.ok(
      process.hrtime.bigint() - before < 10_000_000_000n,
      'well before any of the time-outs of its connections',
    );
    assert.match(stderr, /Sending DISCONNECT to \S+ \(rc139\)/);
    assert.match(stderr, /terminating\n$/);
    for (const socket of [deaf.socket, ...silent]) socket.destroy();
  });
}
