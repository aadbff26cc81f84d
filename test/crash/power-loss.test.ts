// The harness's own disk: what was synced stays, what was not may go, also where a worker thread writes; and a full disk.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { Dice } from '../support/fuzz-dice.ts';
import { finish } from '../support/process.ts';
import { DiskImage } from './disk-image.ts';
import { losePower, mixed } from './power-loss.ts';

const WATCH = new URL('./disk-watch.js', import.meta.url).href;

/** A watched folder, and a way to run a script on it. The script finds node:fs as `fs` and the folder as `root`. */
function stageOf(context: TestContext) {
  const base = mkdtempSync(path.join(tmpdir(), 'mqtt-power-'));
  context.after(() => rmSync(base, { recursive: true, force: true }));
  const root = path.join(base, 'data');
  mkdirSync(root);
  const full = path.join(base, 'full');
  const play = async (script: string): Promise<void> => {
    const file = path.join(base, 'script.mjs');
    writeFileSync(file, `import * as fs from 'node:fs';\nconst root = ${JSON.stringify(root)};\n${script}\n`);
    // The store starts its thread with no options of its own, and so does this.
    const main = `new (require('node:worker_threads').Worker)(${JSON.stringify(file)}, { argv: [], execArgv: [] })`;
    const env = {
      NODE_OPTIONS: `--import=${WATCH}`,
      CRASH_ROOT: root,
      CRASH_IMAGE: path.join(base, 'image'),
      CRASH_FULL: full,
    };
    const { code, stderr } = await finish(process.execPath, ['-e', main], { env });
    assert.equal(code, 0, stderr);
  };
  return { root, play, full, image: () => new DiskImage(root, path.join(base, 'image')) };
}

const HELPERS = `
  const syncFolder = (name) => { const h = fs.openSync(name, 'r'); fs.fsyncSync(h); fs.closeSync(h); };
  const make = (name) => fs.openSync(root + '/' + name, 'wx');
  const put = (handle, text) => fs.writeSync(handle, Buffer.from(text));
`;

test('only what was synced outlives a loss of power that takes the rest', async (context) => {
  const { root, play, image } = stageOf(context);
  await play(`${HELPERS}
    const a = make('a'); put(a, 'first '); fs.fdatasyncSync(a); put(a, 'second');
    const b = make('b'); put(b, 'never synced');
    syncFolder(root);
    const c = make('c'); put(c, 'without a name'); fs.fsyncSync(c);
    fs.mkdirSync(root + '/folder');`);
  losePower(image(), null);
  assert.deepEqual(readdirSync(root).sort(), ['a', 'b']);
  assert.equal(readFileSync(path.join(root, 'a'), 'utf8'), 'first ');
  assert.equal(readFileSync(path.join(root, 'b'), 'utf8'), '');
});

test('a removal that was not synced is undone, and a cut one is not a cut', async (context) => {
  const { root, play, image } = stageOf(context);
  await play(`${HELPERS}
    const a = make('a'); put(a, 'kept'); fs.fsyncSync(a);
    const b = make('b'); put(b, 'long text'); fs.fsyncSync(b);
    syncFolder(root);
    fs.unlinkSync(root + '/a'); fs.ftruncateSync(b, 4);`);
  losePower(image(), null);
  assert.equal(readFileSync(path.join(root, 'a'), 'utf8'), 'kept');
  assert.equal(readFileSync(path.join(root, 'b'), 'utf8'), 'long text');
});

test('what a killed process had not synced is not safe because a later one reads it', async (context) => {
  const { root, play, image } = stageOf(context);
  await play(`${HELPERS} const a = make('a'); put(a, 'safe'); fs.fsyncSync(a); syncFolder(root); put(a, ' unsafe');`);
  await play(`${HELPERS} fs.readFileSync(root + '/a');`);
  const kept = image();
  assert.equal(kept.safeBytes(kept.idOf('a')!).toString(), 'safe');
  await play(`${HELPERS} const a = fs.openSync(root + '/a', 'r+'); fs.fsyncSync(a);`);
  losePower(kept, null);
  assert.equal(readFileSync(path.join(root, 'a'), 'utf8'), 'safe unsafe');
});

test('a loss that keeps some keeps pages of both, and what it leaves is safe from then on', async (context) => {
  const { root, play, image } = stageOf(context);
  await play(`${HELPERS}
    const a = make('a'); fs.writeSync(a, Buffer.alloc(40960, 'x')); fs.fsyncSync(a); syncFolder(root);
    fs.writeSync(a, Buffer.alloc(40960, 'y'), 0, 40960, 0);`);
  losePower(image(), new Dice(3));
  const left = readFileSync(path.join(root, 'a'), 'latin1');
  assert.equal(left.length, 40_960);
  assert.ok(left.includes('x') && left.includes('y'));
  losePower(image(), null);
  assert.equal(readFileSync(path.join(root, 'a'), 'latin1'), left);
});

test('pages that were not written behind the end are holes', () => {
  const lengths = new Set<number>();
  for (let seed = 1; seed < 40; seed++) {
    const bytes = mixed(Buffer.alloc(5000, 1), Buffer.alloc(20_000, 1), new Dice(seed));
    lengths.add(bytes.length);
    assert.ok(bytes.length >= 5000 && bytes.length <= 20_000);
    assert.ok(
      bytes.subarray(0, 5000).every((byte) => byte === 1),
      'synced bytes are gone',
    );
  }
  assert.ok(lengths.size > 2);
});

test('a disk that is said to be full takes half a write, then none, and all of it again', async (context) => {
  const { root, play, full } = stageOf(context);
  await play(`${HELPERS}
    const a = make('a'); fs.writeFileSync(${JSON.stringify(full)}, '');
    if (put(a, '12345678') !== 4) process.exit(3);
    let code = ''; try { put(a, '5678'); } catch (error) { code = error.code; }
    if (code !== 'ENOSPC') process.exit(4);
    fs.unlinkSync(${JSON.stringify(full)}); put(a, 'again');`);
  assert.ok(!existsSync(full));
  assert.equal(readFileSync(path.join(root, 'a'), 'utf8'), '1234again');
});
