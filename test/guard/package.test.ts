// The package as others get it: packed, installed in an empty folder, its commands run, its types used.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { freePort } from '../support/free-port.ts';
import { scratch } from '../support/mosquitto.ts';
import { finish, Program, repository } from '../support/process.ts';

/** What npm says when it can't reach its registry: then there is nothing to test, which is no fault of the package. */
const UNREACHABLE = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED|E50[234])\b/;

const COMMANDS = ['mqtt-broker', 'mqtt-pub', 'mqtt-sub', 'mqtt-rr', 'mqtt-passwd', 'mqtt-bench'];

const CONSUMER = `
import { connect, createBroker } from 'mqtt-suite';

type IsAny<T> = 0 extends 1 & T ? true : false;
export const untyped: [IsAny<typeof connect>, IsAny<typeof createBroker>] = [false, false];

export async function main(): Promise<number> {
  const broker = await createBroker({ listeners: [{ port: 0 }] });
  const port: number = broker.ports[0] ?? 0;
  const client = await connect({ endpoint: { kind: 'tcp', host: '127.0.0.1', port } });
  const { codes } = await client.subscribe({ filter: 'a/#', qos: 1 });
  const result: { id: number } = await client.publish('a/b', 'hello', { qos: 1 });
  for await (const message of client.messages()) {
    const payload: Buffer = message.payload;
    return payload.length + result.id + codes.length;
  }
  await client.end();
  // @ts-expect-error: the topic is missing, and the types must say so.
  await client.publish();
  await broker.stop();
  return 0;
}
`;

const COMPILER = {
  compilerOptions: {
    target: 'es2023',
    lib: ['es2023'],
    module: 'nodenext',
    strict: true,
    noEmit: true,
    types: ['node'],
    typeRoots: [path.join(repository, 'node_modules', '@types')],
  },
  files: ['consumer.ts'],
};

/** What npm needs where the registry is behind certificates of its own; the runner keeps them from all other programs. */
const CERTIFICATES = process.env['NPM_EXTRA_CA_CERTS'];
const NPM_ENV = CERTIFICATES === undefined ? {} : { NODE_EXTRA_CA_CERTS: CERTIFICATES };

/** Packs the built project; the path of the tarball. */
async function pack(folder: string): Promise<string> {
  // Without scripts: the build is there already, and other tests are using it.
  const args = ['pack', '--ignore-scripts', '--pack-destination', folder];
  const { code, stderr } = await finish('npm', args, { timeout: 60_000, env: NPM_ENV });
  assert.equal(code, 0, stderr);
  const [tarball, ...others] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  assert.ok(tarball !== undefined && others.length === 0);
  return path.join(folder, tarball);
}

/** Installs the tarball in a new project; null, and the test skipped, where the registry is out of reach. */
async function install(context: TestContext, tarball: string): Promise<string | null> {
  const folder = path.join(scratch(context), 'elsewhere');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  const args = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--fetch-retries=1', tarball];
  const { code, stdout, stderr } = await finish('npm', args, { cwd: folder, timeout: 90_000, env: NPM_ENV });
  if (code !== 0 && UNREACHABLE.test(`${stdout}${stderr}`)) {
    context.skip('the registry that the dependencies come from is out of reach');
    return null;
  }
  assert.equal(code, 0, stderr);
  return folder;
}

test('the packed package installs, runs and has types', async (context) => {
  const tarball = await pack(scratch(context));
  const folder = await install(context, tarball);
  if (folder === null) return;
  const installed = path.join(folder, 'node_modules', 'mqtt-suite');
  const command = (name: string) => path.join(folder, 'node_modules', '.bin', name);

  await context.test('it holds what it should and nothing else', () => {
    const files = readdirSync(installed).sort();
    assert.deepEqual(files, ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'man', 'package.json']);
    const pages = readdirSync(path.join(installed, 'man')).sort();
    const { man } = JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8'));
    assert.deepEqual(pages, man.map((page: string) => path.basename(page)).sort());
  });

  await context.test('every command starts', async () => {
    for (const name of COMMANDS) {
      assert.ok(existsSync(command(name)), `${name} is not in .bin`);
      const { stdout, stderr } = await finish(command(name), ['--help'], { cwd: folder });
      assert.ok(`${stdout}${stderr}`.includes(name), `${name} --help does not name it: ${stdout}${stderr}`);
    }
  });

  await context.test('a message passes and a password is stored', async (inner) => {
    const port = String(await freePort());
    const broker = new Program(command('mqtt-broker'), ['-p', port, '-v'], { cwd: folder });
    inner.after(() => broker.stop());
    await broker.seen(/ running\n/, 'stderr');
    const args = ['-p', port, '-h', '127.0.0.1', '-t', 'tmp'];
    const subscriber = new Program(command('mqtt-sub'), [...args, '-v', '-C', '1', '-i', 'packed'], { cwd: folder });
    await broker.seen('Sending SUBACK to packed\n', 'stderr');
    const published = await finish(command('mqtt-pub'), [...args, '-m', 'hello'], { cwd: folder });
    assert.equal(published.code, 0, published.stderr);
    assert.equal((await subscriber.ended).stdout, 'tmp hello\n');
    const stored = await finish(command('mqtt-passwd'), ['-c', '-b', 'passwd', 'tom', '111111'], { cwd: folder });
    assert.equal(stored.code, 0, stored.stderr);
    assert.match(readFileSync(path.join(folder, 'passwd'), 'utf8'), /^tom:\$2b\$/);
  });

  await context.test('publint has nothing against it', async () => {
    const { messages, pkg } = await publint({ pkgDir: installed, strict: true });
    assert.deepEqual(
      messages.map((message) => formatMessage(message, pkg)),
      [],
    );
  });

  await context.test('a TypeScript program can use it', async () => {
    writeFileSync(path.join(folder, 'consumer.ts'), CONSUMER);
    writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(COMPILER));
    const compiler = path.join(repository, 'node_modules', 'typescript', 'bin', 'tsc');
    const { code, stdout } = await finish(process.execPath, [compiler, '-p', folder], { cwd: folder });
    assert.equal(code, 0, stdout);
  });
});
