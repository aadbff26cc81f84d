// Pre-shared keys between the project's tools and Debian's broker.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { scratch, startBroker } from '../support/mosquitto.ts';
import { without } from '../support/process.ts';
import { runTool } from './tools.ts';

test('PSK: tools of mqtt-suite with mosquitto', { skip: without('mosquitto') }, async (context) => {
  const file = path.join(scratch(context), 'psk');
  writeFileSync(file, 'tom:0123456789abcdef\n');
  const port = await freePort();
  const lines = [`listener ${port} 127.0.0.1`, `psk_file ${file}`, 'psk_hint hint', 'use_identity_as_username true'];
  const broker = await startBroker(context, 'mosquitto', [...lines, 'allow_anonymous false']);
  const to = ['-h', '127.0.0.1', '-p', String(port), '-q', '1', '-t', 'a', '-m', 'm'];
  const pubWith = (key: string, identity: string, ...more: string[]) =>
    runTool('mqtt-suite', 'pub', [...to, '--psk', key, '--psk-identity', identity, ...more]);

  for (const more of [[], ['--tls-version', 'tlsv1.3'], ['--ciphers', 'PSK-AES128-CBC-SHA']]) {
    assert.deepEqual(await pubWith('0123456789abcdef', 'tom', ...more), { code: 0, stdout: '', stderr: '' });
  }
  assert.equal(broker.stderr.match(/New client connected from \S+ as \S+ \(p2, c1, k60, u'tom'\)/g)?.length, 3);
  const sentence =
    'Error: A TLS error occurred.\nThe other side refused the identity or the pre-shared key, or takes none.\n' +
    `Tried: 127.0.0.1:${port}.\n`;
  assert.deepEqual(await pubWith('00', 'tom'), { code: 14, stdout: '', stderr: sentence });
  assert.deepEqual(await pubWith('0123456789abcdef', 'eve'), { code: 14, stdout: '', stderr: sentence });
});
