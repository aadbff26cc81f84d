// The last step of the build for mqtt-pub, mqtt-sub and mqtt-rr, whose start counts: turns each bundle NAME-program.cjs into
// a function that tool-entry.cjs (copied to NAME.cjs) calls, and writes beside it what V8 compiled while the tool did its
// usual work with a broker (NAME.cache).
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { connect, createBroker } from '../dist/index.js';

/** What each tool does while its functions are compiled. */
const USUAL_WORK = {
  'mqtt-pub': ['-t', 'a', '-m', 'b'],
  'mqtt-sub': ['-t', 'kept', '-C', '1'],
  'mqtt-rr': ['-t', 'question', '-e', 'answer', '-m', 'b'],
};

const dist = path.join(path.dirname(import.meta.dirname), 'dist');

/** What the program is given: what every CommonJS file is, and import(), which Node 20 refuses to code that came compiled. */
const PARAMETERS = 'exports, require, module, __filename, __dirname, __import';

/** Where the files of a tool are. */
const fileOf = (name, ending) => path.join(dist, `${name}${ending}`);

/** A module of Node of which only the default export is used, as esbuild has it: every one of its properties is copied. */
const COPIED = /(\w+)=__toESM\(require\("(node:\w+)"\),1\)/g;

/** Leaves out these copies, which took half a millisecond of every start. */
function withoutCopies(text) {
  return text.replaceAll(COPIED, (copied, variable, module) => {
    const isAllDefault = !new RegExp(`\\b${variable}\\b(?!\\.default\\b|[,;=])`).test(text);
    return isAllDefault ? `${variable}={default:require("${module}")}` : copied;
  });
}

/** Makes the bundle a function on its first line, behind its hash; lines keep their numbers. */
function writeProgram(name) {
  const file = fileOf(name, '-program.cjs');
  // A comment takes the place of the line that names the interpreter.
  const text = withoutCopies(readFileSync(file, 'utf8').replace(/^#!/, '//').replaceAll('import("', '__import("'));
  if (Buffer.byteLength(text) !== text.length) throw new Error(`${file} is not ASCII: it is read as Latin-1`);
  const hash = createHash('sha256').update(text).digest('hex');
  writeFileSync(file, `/*${hash}*/(function (${PARAMETERS}) {${text}\n})\n`);
  copyFileSync(path.join(import.meta.dirname, 'tool-entry.cjs'), fileOf(name, '.cjs'));
  chmodSync(fileOf(name, '.cjs'), 0o755);
  // esbuild took the mark from the source; nobody runs this one by itself.
  chmodSync(file, 0o644);
}

/** Runs the tool with this broker, in a process that writes down the compiled code at its end. */
async function writeCache(name, port) {
  // The tool looks for options files in vain, as it does at most starts: those of whoever builds are not meant.
  const { NODE_OPTIONS: _, ...env } = { ...process.env, XDG_CONFIG_HOME: path.join(dist, 'none') };
  const worker = path.join(import.meta.dirname, 'write-tool-cache.cjs');
  const args = [worker, fileOf(name, ''), '-h', 'localhost', '-p', String(port), ...USUAL_WORK[name]];
  await promisify(execFile)(process.execPath, args, { env, timeout: 20_000 });
}

for (const name of Object.keys(USUAL_WORK)) writeProgram(name);

const broker = await createBroker({ listeners: [{ host: '127.0.0.1', port: 0 }] });
const port = broker.ports[0];
const client = await connect({ endpoint: { kind: 'tcp', host: '127.0.0.1', port }, version: '5' });
await client.publish('kept', 'hello', { qos: 1, retain: true });
await client.subscribe({ filter: 'question', qos: 1 });
client.on('message', ({ properties: { responseTopic, correlationData } }) => {
  void client.publish(responseTopic, 'hello', { properties: { correlationData } });
});
try {
  for (const name of Object.keys(USUAL_WORK)) await writeCache(name, port);
} finally {
  await client.end();
  await broker.stop();
}
