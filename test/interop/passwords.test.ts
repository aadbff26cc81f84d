// Password files that one maker's tool writes and the other maker's broker reads.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { type BrokerKind, scratch, startBroker } from '../support/mosquitto.ts';
import { without } from '../support/process.ts';
import { runTool, subscribe, type Vendor } from './tools.ts';

interface Case {
  /** Whose tool writes the file, and whose clients log in. */
  readonly writer: Vendor;
  /** Options of the writer that choose the form of the hash. */
  readonly form: readonly string[];
  readonly stored: RegExp;
  readonly clients: Vendor;
  readonly broker: BrokerKind;
}

const MOSQUITTO: Omit<Case, 'writer' | 'form' | 'stored'> = { clients: 'mqtt-suite', broker: 'mosquitto' };
const OURS: Omit<Case, 'writer' | 'form' | 'stored'> = { clients: 'mosquitto', broker: 'mqtt-broker' };

const CASES: readonly Case[] = [
  { writer: 'mqtt-suite', form: ['-H', 'sha512-pbkdf2'], stored: /^tom:\$7\$/, ...MOSQUITTO },
  { writer: 'mqtt-suite', form: ['-H', 'sha512'], stored: /^tom:\$6\$/, ...MOSQUITTO },
  { writer: 'mosquitto', form: [], stored: /^tom:\$7\$/, ...OURS },
  { writer: 'mosquitto', form: ['-H', 'sha512'], stored: /^tom:\$6\$/, ...OURS },
  { writer: 'mqtt-suite', form: [], stored: /^tom:\$2b\$/, ...OURS },
  { writer: 'mqtt-suite', form: ['-H', 'argon2id'], stored: /^tom:\$argon2id\$/, ...OURS },
];

async function play(context: TestContext, { writer, form, stored, clients, broker: kind }: Case): Promise<void> {
  const file = path.join(scratch(context), 'passwd.conf');
  const written = await runTool(writer, 'passwd', [...form, '-c', '-b', file, 'tom', '111111']);
  assert.equal(written.code, 0, written.stderr);
  const added = await runTool(writer, 'passwd', [...form, '-b', file, 'ann', 'ünïcode &:']);
  assert.equal(added.code, 0, added.stderr);
  assert.match(readFileSync(file, 'utf8'), stored);

  const port = await freePort();
  const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous false', `password_file ${file}`];
  const broker = await startBroker(context, kind, lines);
  const at = ['-h', '127.0.0.1', '-p', String(port)];
  const tom = ['-u', 'tom', '-P', '111111'];
  const ann = ['-u', 'ann', '-P', 'ünïcode &:'];

  const subscriber = await subscribe(clients, broker, [...at, ...tom, '-t', 'temp', '-C', '1', '-W', '15']);
  const result = await runTool(clients, 'pub', [...at, ...ann, '-t', 'temp', '-m', '21']);
  assert.equal(result.code, 0, result.stderr);
  assert.equal((await subscriber.ended).stdout, '21\n');

  const refused: readonly (readonly string[])[] = [[], ['-u', 'tom', '-P', 'wrong'], ['-u', 'nobody', '-P', '111111']];
  for (const args of refused) {
    const old = await runTool(clients, 'sub', [...at, ...args, '-t', 'temp', '-W', '15']);
    assert.equal(old.code, 5, `${args.join(' ')}: ${old.stderr}`);
    assert.match(`${old.stdout}${old.stderr}`, /Connection error: Connection Refused: not authorised\./);
    const recent = await runTool(clients, 'sub', [...at, ...args, '-V', '5', '-t', 'temp', '-W', '15']);
    assert.equal(recent.code, 135, `${args.join(' ')}: ${recent.stderr}`);
  }
}

for (const one of CASES) {
  const form = one.form[1] ?? 'its own default';
  const skip = without('mosquitto', 'mosquitto_passwd', 'mosquitto_sub');
  test(`${one.broker} admits whom ${one.writer} wrote down with ${form}`, { skip }, (context) => play(context, one));
}
