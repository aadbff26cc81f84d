// The same options file for mosquitto_sub and mqtt-sub, found where Mosquitto looks for it.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { runTool } from '../support/cli.ts';
import { scratch } from '../support/mosquitto.ts';
import { finish, without } from '../support/process.ts';
import { embeddedBroker } from './embedded-broker.ts';

/** Files whose meaning is told by the trace of -d, or by what is said of them. */
const FILES: readonly string[] = [
  '# comment\n\n-t a b\n-t  c \n-i some id \n-u  u u\r\n   \n-t "q"\n-E\n-d\n-k  7 \n-q 1 ',
  '-d -E\n-i x\n-t a\n-q 2\n',
  '-L mqtt://127.0.0.1:PORT/one/two\n-i x\n-d\n-E\n',
];

it('a file of mosquitto_sub means the same', { skip: without('mosquitto_sub') }, async (context) => {
  const { where, port } = await embeddedBroker(context);
  const home = scratch(context);
  mkdirSync(path.join(home, '.config'));
  for (const text of FILES) {
    writeFileSync(path.join(home, '.config', 'mosquitto_sub'), text.replace('PORT', String(port)));
    const env = { HOME: home, XDG_CONFIG_HOME: undefined };
    const args = [...where, '-t', 'last'];
    const ours = await runTool('mqtt-sub', args, { env });
    assert.equal(ours.code, 0, ours.stderr);
    assert.deepEqual(ours, await finish('mosquitto_sub', args, { env }));
  }
});
