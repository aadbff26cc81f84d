// The compiled code beside mqtt-pub, mqtt-sub and mqtt-rr saves time where it fits, and where it does not, nobody notices.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { scratch } from '../support/mosquitto.ts';
import { built, finish, finishBuilt, type Result } from '../support/process.ts';
import { embeddedBroker } from './embedded-broker.ts';

/** Loaded in front of a tool: says whether the compiled code was taken, and from which lines of which files it dials. */
const WITNESS = `
  const net = require('node:net');
  const vm = require('node:vm');
  const { connect } = net;
  const { Script } = vm;
  vm.Script = class extends Script {
    constructor(source, options) {
      super(source, options);
      const taken = options.cachedData !== undefined && !this.cachedDataRejected;
      process.stderr.write(taken ? 'code taken\\n' : 'compiled anew\\n');
    }
  };
  net.connect = (...args) => {
    process.stderr.write(new Error().stack.split('\\n').filter((line) => line.includes('-program.cjs')).join('\\n'));
    return connect(...args);
  };`;

/** Bytes in front of the code (scripts/tool-entry.cjs). */
const HEAD_BYTES = 128;

/** Copies a tool into a folder whose name has a space in it; the path of the copy without its ending. */
function copyOf(context: TestContext, name: string): string {
  const folder = path.join(scratch(context), 'a folder');
  mkdirSync(folder);
  const from = built(name).replace(/\.cjs$/, '');
  for (const ending of ['.cjs', '-program.cjs', '.cache']) cpSync(`${from}${ending}`, path.join(folder, name + ending));
  return path.join(folder, name);
}

/** The reason to skip what needs the compiled code to fit; false where it was made by the Node that runs the tests. */
function madeByAnother(): string | false {
  const head = readFileSync(built('mqtt-pub').replace(/cjs$/, 'cache')).toString('latin1', 0, HEAD_BYTES);
  return head.includes(` ${process.version} `) ? false : `dist was not built by Node ${process.version}`;
}

const skip = madeByAnother();

const flipped = (file: Buffer, place: number): Buffer => {
  const copy = Buffer.from(file);
  copy[place] = (copy[place] ?? 0) ^ 0xff;
  return copy;
};

/** What may become of the file; null means that it is gone. */
const MISFITS: readonly (readonly [string, (file: Buffer) => Buffer | null])[] = [
  ['missing', () => null],
  ['empty', () => Buffer.alloc(0)],
  ['cut short', (file) => file.subarray(0, file.length - 4096)],
  ['damaged in its first copy', (file) => flipped(file, HEAD_BYTES + 20_000)],
  ['damaged in its second copy', (file) => flipped(file, file.length - 20_000)],
  ['of another build with as many bytes', (file) => flipped(file, 10)],
  [
    'of another Node',
    (file) => {
      const head = file.toString('latin1', 0, HEAD_BYTES).replace(` ${process.version} `, ' v20.19.9 ');
      return Buffer.concat([Buffer.from(head.trimEnd().padEnd(HEAD_BYTES)), file.subarray(HEAD_BYTES)]);
    },
  ],
];

test('compiled code that does not fit is passed over, and nothing but the time differs', { skip }, async (context) => {
  const { where } = await embeddedBroker(context);
  const tool = copyOf(context, 'mqtt-pub');
  const witness = path.join(scratch(context), 'witness.cjs');
  writeFileSync(witness, WITNESS);
  const publish = (): Promise<Result> =>
    finish(process.execPath, ['--require', witness, `${tool}.cjs`, ...where, '-d', '-i', 'one', '-t', 'a', '-m', 'b']);

  const usual = await publish();
  assert.equal(usual.code, 0, usual.stderr);
  assert.match(usual.stderr, /^code taken\n/);
  assert.match(
    usual.stderr,
    /^ +at .*\(mqtt-pub-program\.cjs:\d+:\d+\)$/m,
    'stack traces name the program and the line',
  );
  assert.match(usual.stdout, /sending PUBLISH/);

  const whole = readFileSync(`${tool}.cache`);
  for (const [what, change] of MISFITS) {
    const file = change(whole);
    if (file === null) rmSync(`${tool}.cache`);
    else writeFileSync(`${tool}.cache`, file);
    const before = readdirSync(path.dirname(tool));
    const { code, stdout, stderr } = await publish();
    assert.deepEqual(
      { code, stdout, stderr },
      { ...usual, stderr: usual.stderr.replace('code taken', 'compiled anew') },
      what,
    );
    assert.deepEqual(readdirSync(path.dirname(tool)), before, `${what}: nothing is written at run time`);
    if (file !== null) assert.deepEqual(readFileSync(`${tool}.cache`), file, what);
  }
});

for (const name of ['mqtt-pub', 'mqtt-sub', 'mqtt-rr']) {
  test(`${name} takes its compiled code, also through a link`, { skip }, async (context) => {
    const folder = scratch(context);
    const witness = path.join(folder, 'witness.cjs');
    writeFileSync(witness, WITNESS);
    const link = path.join(folder, 'link');
    symlinkSync(built(name), link);
    const { stdout, stderr } = await finish(process.execPath, ['--require', witness, link, '--version']);
    assert.equal(stderr, 'code taken\n');
    assert.match(stdout, new RegExp(`^${name} version `));
  });
}

test('what is loaded only when needed is found: WebSocket', async (context) => {
  const { broker } = await embeddedBroker(context, 0, { listeners: [{ port: 0, protocol: 'websockets' }] });
  const args = ['--ws', '-h', '127.0.0.1', '-p', String(broker.ports[0]), '-t', 'a', '-m', 'b'];
  const { code, stderr } = await finishBuilt('mqtt-pub', args);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
});

test('what is loaded only when needed is found: the spinner and the colours of a terminal', async (context) => {
  const { where } = await embeddedBroker(context);
  const terminal = path.join(scratch(context), 'terminal.cjs');
  writeFileSync(
    terminal,
    'Object.assign(process.stderr, { isTTY: true, columns: 80, clearLine() {}, cursorTo() {} });',
  );
  const env = { NO_COLOR: '', TERM: 'xterm', CI: undefined };
  const publish = (...args: string[]): Promise<Result> =>
    finish(process.execPath, ['--require', terminal, built('mqtt-pub'), ...where, '-t', 'a', '-m', 'b', ...args], {
      env,
    });
  const { code, stderr } = await publish();
  assert.equal(code, 0, stderr);
  assert.ok(stderr.includes('Connecting to 127.0.0.1'), stderr);
  assert.ok((await publish('-u', 'nobody')).stderr.includes('\u001b[31m'));
});
