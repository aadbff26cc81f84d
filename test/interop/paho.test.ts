// The Paho Python client with mqtt-broker.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { startBroker } from '../support/mosquitto.ts';
import { finish, repository } from '../support/process.ts';

/** Debian's Python, which sees the packages of Debian. */
const PYTHON = '/usr/bin/python3';

const hasPaho = spawnSync(PYTHON, ['-c', 'import paho.mqtt.client']).status === 0;
const skip = hasPaho ? false : 'python3-paho-mqtt is not installed';

test('Paho for Python with mqtt-broker', { skip }, async (context) => {
  const port = await freePort();
  await startBroker(context, 'mqtt-broker', [`listener ${port} 127.0.0.1`, 'allow_anonymous true']);
  const script = path.join(repository, 'test', 'interop', 'paho-client.py');
  for (const version of ['3', '4', '5']) {
    await context.test(`protocol version ${version}`, async () => {
      const { code, stdout, stderr } = await finish(PYTHON, [script, String(port), version]);
      assert.equal(stdout, 'ok\n', stderr);
      assert.equal(code, 0);
    });
  }
});
