// TLS between the project and Debian's tools: a server certificate, client certificates, and refusals.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { freePorts } from '../support/free-port.ts';
import { type BrokerKind, scratch, startBroker } from '../support/mosquitto.ts';
import { without } from '../support/process.ts';
import { type Certificates, makeCertificates } from './certificates.ts';
import { newId, runTool, subscribe, type Vendor } from './tools.ts';

/** Exit codes of a connection that TLS prevents: general, lost, a TLS error, or the system's own. */
const LOST = [1, 7, 8, 14];

/** Three listeners in one file: plain, TLS, and TLS with client certificates. */
function configuration(ports: readonly number[], files: Certificates): string[] {
  const [plain, tls, mutual] = ports;
  const server = [`cafile ${files.ca}`, `certfile ${files.serverCert}`, `keyfile ${files.serverKey}`];
  return [
    'per_listener_settings true',
    `listener ${plain}`,
    'allow_anonymous true',
    `listener ${tls}`,
    ...server,
    'allow_anonymous true',
    `listener ${mutual}`,
    ...server,
    'require_certificate true',
    'use_identity_as_username true',
  ];
}

async function play(context: TestContext, vendor: Vendor, kind: BrokerKind): Promise<void> {
  const files = await makeCertificates(scratch(context));
  const ports = await freePorts(3);
  const [plain, tls, mutual] = ports.map((port) => ['-h', 'localhost', '-p', String(port)]);
  assert.ok(plain && tls && mutual);
  const broker = await startBroker(context, kind, configuration(ports, files));
  const secret = ['--cafile', files.ca];
  const identity = ['--cert', files.clientCert, '--key', files.clientKey];

  await context.test('messages pass between a plain, a TLS and a client-certificate listener', async () => {
    const args = ['-t', 'tls/#', '-C', '3', '-W', '15', '-q', '1'];
    const id = newId();
    const encrypted = await subscribe(vendor, broker, [...tls, ...secret, ...args]);
    const known = await subscribe(vendor, broker, [...mutual, ...secret, ...identity, ...args], id);
    for (const [name, at] of Object.entries({
      plain,
      tls: [...tls, ...secret],
      mutual: [...mutual, ...secret, ...identity],
    })) {
      const result = await runTool(vendor, 'pub', [...at, '-q', '1', '-t', `tls/${name}`, '-m', name]);
      assert.equal(result.code, 0, result.stderr);
    }
    for (const subscriber of [encrypted, known]) assert.equal((await subscriber.ended).stdout, 'plain\ntls\nmutual\n');
    assert.match(broker.stderr, new RegExp(`New client connected from \\S+ as ${id} \\(p\\S+ c1, k60, u'tom'\\)`));
  });

  const refusals: readonly [string, readonly string[]][] = [
    ['a server of an unknown authority', [...tls, '--cafile', files.otherCa]],
    ['a client without the certificate it needs', [...mutual, ...secret]],
    ['plain text to a TLS port', tls],
  ];
  for (const [name, args] of refusals) {
    await context.test(`${name} is refused`, async () => {
      const result = await runTool(vendor, 'pub', [...args, '-q', '1', '-t', 'tls/no', '-m', 'no']);
      assert.ok(result.code !== null && LOST.includes(result.code), `${result.code}: ${result.stderr}`);
      assert.match(result.stderr, /^(Error: .+|Unable to connect \(A TLS error occurred\.\)\.)$/m);
    });
  }
}

test('TLS: tools of mosquitto with mqtt-broker', { skip: without('mosquitto_sub', 'openssl') }, (context) =>
  play(context, 'mosquitto', 'mqtt-broker'),
);

test('TLS: tools of mqtt-suite with mosquitto', { skip: without('mosquitto', 'openssl') }, (context) =>
  play(context, 'mqtt-suite', 'mosquitto'),
);
