// One-shot tools live or die at start-up: what mqtt-pub loads before it runs stays small, and brokers, TLS and WebSocket
// stay out of it until they are asked for.
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { built, finish } from '../support/process.ts';

/** Code that is only there and does not run costs little: 250 KiB more of it took 0.2 to 1.8 of 50 ms, without compiled code 2 to 16. */
const MAX_START_UP_BYTES = 480 * 1024;

/** Static imports of minified code: import…from"./chunk.js", import"./chunk.js", export…from"…". */
const STATIC = /(?:\bfrom|\bimport)\s*"([^"]+)"/g;

interface Graph {
  /** Packages and node: modules that the files import statically. */
  readonly externals: Set<string>;
  readonly text: string;
}

/** Everything that a built file loads before its first line runs. */
function startUpGraph(entry: string): Graph {
  const files = [entry];
  const externals = new Set<string>();
  const texts: string[] = [];
  for (let i = 0; i < files.length; i++) {
    const file = files[i] ?? '';
    const text = readFileSync(file, 'utf8');
    texts.push(text);
    for (const match of text.matchAll(STATIC)) {
      const specifier = match[1] ?? '';
      if (!specifier.startsWith('.')) {
        externals.add(specifier.replace(/^node:/, ''));
        continue;
      }
      const target = path.join(path.dirname(file), specifier);
      if (!files.includes(target)) files.push(target);
    }
  }
  return { externals, text: texts.join('\n') };
}

/** Log lines that stand in the broker's code only; the last test makes sure that they do. */
const BROKER_MARKS = [' listen socket on port ', ' connected from '];

/** The program of a tool, which its command only starts. */
const programOf = (name: string): string => built(name).replace(/\.cjs$/, '-program.cjs');

test(`the program of mqtt-pub is one file of at most ${MAX_START_UP_BYTES} bytes`, () => {
  const { size } = statSync(programOf('mqtt-pub'));
  assert.ok(size <= MAX_START_UP_BYTES, `${size} bytes`);
  for (const file of [built('mqtt-pub'), programOf('mqtt-pub')]) {
    assert.doesNotMatch(readFileSync(file, 'utf8'), /\b(?:require|(?:__)?import)\(["']\./);
  }
  // Node 20 refuses import() to code that came compiled: the command hands it over.
  assert.doesNotMatch(readFileSync(programOf('mqtt-pub'), 'utf8'), /\bimport\(/);
  // esbuild would have every property of it copied, once for each file that imports it.
  assert.doesNotMatch(readFileSync(programOf('mqtt-pub'), 'utf8'), /__toESM\(require\("node:process"\)/);
});

/** A broker that answers CONNECT of MQTT 5 with "not authorized"; its port. */
async function refusingBroker(context: TestContext): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(Buffer.from([0x20, 3, 0, 135, 0])));
  });
  context.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Modules of Node that cost a tool milliseconds each, and which it needs for other things than a plain connection. */
const DEAR_MODULES = [
  ...['tls', 'https', 'http', 'crypto', 'worker_threads', 'child_process', 'readline', 'assert'],
  ...['perf_hooks', 'fs/promises', 'dns/promises', 'os'],
];

for (const [name, args, needed] of [
  ['mqtt-pub', ['-m', 'm'], ''],
  ['mqtt-sub', [], ''],
  // Its correlation data is random bytes.
  ['mqtt-rr', ['-m', 'm', '-e', 'answer'], 'crypto'],
] as const) {
  test(`${name} connects, is answered and ends without modules and code that it does not need`, async (context) => {
    const port = await refusingBroker(context);
    const program = `
      const before = process.moduleLoadList.length;
      process.argv.splice(1, 0, ${JSON.stringify(built(name))});
      const loaded = () => [...process.moduleLoadList.slice(before), ...Object.keys(require.cache)];
      process.on('exit', () => process.stderr.write(loaded().join('\\n')));
      require(process.argv[1]);`;
    const where = ['-h', '127.0.0.1', '-p', String(port), '-V', '5', '-t', 't'];
    const { code, stderr } = await finish(process.execPath, ['-e', program, '--', ...where, ...args]);
    assert.equal(code, 135, stderr);
    const loaded = stderr.split('\n');
    assert.ok(loaded.includes('NativeModule net'), 'the list shows what is loaded');
    assert.deepEqual(
      DEAR_MODULES.filter((module) => module !== needed && loaded.includes(`NativeModule ${module}`)),
      [],
    );
    assert.deepEqual(
      loaded.filter((file) => file.includes('node_modules')),
      [],
      'packages',
    );
    const text = readFileSync(programOf(name), 'utf8');
    assert.deepEqual(
      [...BROKER_MARKS, '("hdr-histogram-js")'].filter((mark) => text.includes(mark)),
      [],
    );
  });
}

test('only mqtt-bench loads the histograms', () => {
  assert.ok(startUpGraph(built('mqtt-bench')).externals.has('hdr-histogram-js'));
  assert.ok(!startUpGraph(built('mqtt-broker')).externals.has('hdr-histogram-js'));
});

test('the marks of broker code are found where the broker is', () => {
  const { text, externals } = startUpGraph(built('mqtt-broker'));
  for (const mark of BROKER_MARKS) assert.ok(text.includes(mark), `${mark} is not in the broker's start-up code`);
  assert.ok(externals.has('net'), 'static imports of the built files are read');
});
