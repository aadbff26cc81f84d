// The README's examples, taken out of it and run as they stand there (with free ports in place of the usual ones).
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { transform } from 'esbuild';
import { freePorts } from '../support/free-port.ts';
import { built, finish, Program, repository } from '../support/process.ts';
import { join, scratch } from './harness.ts';

const readme = readFileSync(path.join(repository, 'README.md'), 'utf8');

/** The code block behind a mark. */
function block(mark: string): string {
  const code = new RegExp(`<!-- ${mark} -->\\n\`\`\`\\w*\\n([^]*?)\\n\`\`\``).exec(readme)?.[1];
  assert.ok(code !== undefined, `the README has a block ${mark}`);
  return code;
}

/** A folder with the commands in `bin`, as an installed package has them. */
function withCommands(folder: string): Record<string, string> {
  const bin = path.join(folder, 'bin');
  mkdirSync(bin);
  for (const name of ['mqtt-sub', 'mqtt-pub', 'mqtt-passwd', 'mqtt-broker']) {
    writeFileSync(path.join(bin, name), `#!/bin/sh\nexec "${process.execPath}" "${built(name)}" "$@"\n`, {
      mode: 0o755,
    });
  }
  return { PATH: `${bin}${path.delimiter}${process.env['PATH'] ?? ''}` };
}

/** The programs of the README and the lines that it says they print. */
const PROGRAMS: readonly (readonly [mark: string, printed: readonly string[]])[] = [
  ['embedding-example', ['greetings/first hello']],
  ['session-example', ['gone before it was acknowledged', '1 was left, 0 is']],
  [
    'authentication-example',
    ['robot is in, and proved it twice', 'Use another server: old.example.org:1883 (Here the method is HMAC.)'],
  ],
];

for (const [mark, printed] of PROGRAMS) {
  test(`the ${mark} of the README runs and prints what the README says`, async (context) => {
    const folder = scratch(context);
    mkdirSync(path.join(folder, 'node_modules'));
    symlinkSync(repository, path.join(folder, 'node_modules', 'mqtt-suite'));
    const { code: text } = await transform(block(mark), { loader: 'ts', format: 'esm' });
    writeFileSync(path.join(folder, 'example.mjs'), text);
    const { code, stdout, stderr } = await finish(process.execPath, ['example.mjs'], { cwd: folder });
    assert.equal(stderr, '');
    assert.equal(stdout, printed.map((line) => `${line}\n`).join(''));
    for (const line of printed) assert.ok(readme.includes(`\`${line}\``), `the README says that it prints ${line}`);
    assert.equal(code, 0);
  });
}

test('the TLS section of the README works from the openssl commands to the clients', async (context) => {
  const folder = scratch(context);
  const env = withCommands(folder);
  const made = await finish('sh', ['-e', '-c', block('tls-commands')], { cwd: folder });
  assert.equal(made.code, 0, made.stderr);
  const user = await finish('sh', ['-c', 'mqtt-passwd -H sha512 -c -b passwd.conf tom 111111'], { cwd: folder, env });
  assert.equal(user.code, 0, user.stderr);
  const usual = ['1883', '8883', '8884'];
  const ports = await freePorts(usual.length);
  const free = (text: string): string =>
    usual.reduce((now, port, index) => now.replaceAll(new RegExp(`\\b${port}\\b`, 'g'), String(ports[index])), text);
  const config = block('tls-config');
  for (const port of usual) assert.ok(config.includes(`listener ${port}\n`));
  writeFileSync(path.join(folder, 'mosquitto.conf'), `${free(config)}\n`);
  const broker = new Program('sh', ['-c', 'exec mqtt-broker -v -c mosquitto.conf'], { cwd: folder, env });
  context.after(() => broker.stop());
  await broker.seen(/version \S+ running\n/, 'stderr');
  const publisher = await join(context, ports[0]!, { username: 'tom', password: '111111' });
  const commands = block('tls-clients').split('\n');
  assert.equal(commands.length, 2);
  for (const [index, command] of commands.entries()) {
    const client = new Program('sh', ['-c', `exec ${free(command)} -i reader-${index} -C 1 -W 15`], {
      cwd: folder,
      env,
    });
    await broker.seen(`Sending SUBACK to reader-${index}\n`, 'stderr').catch(async (error: Error) => {
      throw new Error(`${error.message}\n${(await client.ended).stderr}`);
    });
    await publisher.publish('temp', `21 degrees ${index}`, { qos: 1 });
    const { code, stdout, stderr } = await client.ended;
    assert.equal(stdout, `21 degrees ${index}\n`, stderr);
    assert.equal(code, 0);
    assert.match(broker.stderr, new RegExp(` as reader-${index} \\(p4, c1, k60, u'tom'\\)\\.\n`));
  }
  // The same without what each needs.
  const without = [
    `mqtt-sub -h localhost -p ${ports[1]} -t temp --cafile ca.crt -C 1 -W 15`,
    `mqtt-sub -h localhost -p ${ports[2]} -t temp --cafile ca.crt -C 1 -W 15`,
  ];
  const [nobody, nameless] = await Promise.all(
    without.map((command) => finish('sh', ['-c', command], { cwd: folder, env })),
  );
  assert.equal(nobody?.code, 5, nobody?.stderr);
  assert.match(nameless?.stderr ?? '', /^The other side requires a certificate, and none was given\./m);
  assert.notEqual(nameless?.code, 0);
});
