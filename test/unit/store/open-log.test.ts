// The log in a real folder, with its worker's thread: opened, written, closed, locked, damaged, and killed.
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { StoreInUse } from '../../../src/broker/store/lock.ts';
import { type OpenedLog, type OpenOptions, openLog, StoreDamaged } from '../../../src/broker/store/open-log.ts';
import { StoreRefused } from '../../../src/broker/store/recover.ts';
import { RecordReader } from '../../../src/broker/store/segment.ts';
import { QUIET } from '../../support/quiet-log.ts';

function scratch(context: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'mqtt-log-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return path.join(folder, 'store');
}

function open(folder: string, options: Partial<OpenOptions> = {}): { opened: OpenedLog; texts: string[] } {
  const texts: string[] = [];
  const onLost = (error: Error) => {
    throw error;
  };
  const all = { folder, mode: 'always' as const, intervalMs: 100, refusesDamage: false, onLost, ...options };
  const opened = openLog(
    all,
    (_type, bytes, start, end) => texts.push(new RecordReader(bytes, start, end).text()),
    QUIET,
  );
  return { opened, texts };
}

async function write({ log }: OpenedLog, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    log.records.begin(1);
    log.records.text(text);
    log.records.end();
  }
  const durable = new Promise<void>((resolve) => log.whenDurable(resolve));
  log.commit();
  await durable;
}

async function close({ log, lock }: OpenedLog): Promise<void> {
  assert.equal(await log.close(), true);
  lock.release();
}

test('what was written is there again, readable by its owner only', async (context) => {
  const folder = scratch(context);
  const before = process.umask(0);
  context.after(() => process.umask(before));
  const first = open(folder);
  await write(first.opened, 'one', 'two');
  await write(first.opened, 'three');
  await close(first.opened);
  const second = open(folder);
  assert.deepEqual(second.texts, ['one', 'two', 'three']);
  assert.equal(second.opened.found.lastGroup, 2);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  for (const name of readdirSync(folder)) assert.equal(statSync(path.join(folder, name)).mode & 0o777, 0o600);
  await close(second.opened);
  assert.deepEqual(
    readdirSync(folder).filter((name) => !name.endsWith('.seg')),
    [],
    'the lock is gone',
  );
});

for (const mode of ['interval', 'off'] as const) {
  test(`with the mode ${mode} it is there after an orderly end`, async (context) => {
    const folder = scratch(context);
    const first = open(folder, { mode });
    await write(first.opened, 'one');
    await close(first.opened);
    const second = open(folder);
    assert.deepEqual(second.texts, ['one']);
    await close(second.opened);
  });
}

test('a store in use is refused with the pid of its user, and one whose user is gone is not', async (context) => {
  const folder = scratch(context);
  const first = open(folder);
  assert.throws(
    () => open(folder),
    (error) => error instanceof StoreInUse && error.pid === process.pid,
  );
  await close(first.opened);
  // A pid that lives, but began at another time: it was given away anew.
  writeFileSync(path.join(folder, 'lock'), `${process.ppid} 1\n`);
  const second = open(folder);
  await close(second.opened);
});

test('a damaged store is copied aside and read as far as it goes, or refused when told so', async (context) => {
  const folder = scratch(context);
  const first = open(folder);
  await write(first.opened, 'one');
  await write(first.opened, 'two');
  await write(first.opened, 'three');
  await close(first.opened);
  const [name] = readdirSync(folder);
  const file = path.join(folder, name!);
  const bytes = readFileSync(file);
  bytes[bytes.indexOf('two')]! ^= 1;
  writeFileSync(file, bytes);
  assert.throws(() => open(folder, { refusesDamage: true }), StoreDamaged);
  assert.deepEqual(readdirSync(folder), [name], 'a refusal leaves all as it was');
  const second = open(folder);
  assert.deepEqual(second.texts, ['one', 'three']);
  assert.equal(second.opened.found.damages.length, 1);
  assert.deepEqual(readFileSync(second.opened.copies[0]!), bytes);
  await close(second.opened);
});

test('the files of a newer program, or of two stores, are left alone', async (context) => {
  const folder = scratch(context);
  const first = open(folder);
  await write(first.opened, 'one');
  await close(first.opened);
  const [name] = readdirSync(folder);
  const stranger = path.join(folder, '0000000009-00000001.seg');
  writeFileSync(stranger, readFileSync(path.join(folder, name!)));
  assert.throws(() => open(folder), StoreRefused);
  rmSync(stranger);
  const second = open(folder);
  assert.deepEqual(second.texts, ['one']);
  await close(second.opened);
});

test('compacting leaves one small segment of what is alive', async (context) => {
  const folder = scratch(context);
  const { opened } = open(folder);
  for (let round = 0; round < 5; round++) await write(opened, 'x'.repeat(100_000));
  opened.log.compact();
  await write(opened, 'last');
  while (opened.log.segments > 1) await write(opened, 'last');
  await close(opened);
  assert.equal(readdirSync(folder).length, 1);
  assert.ok(statSync(path.join(folder, readdirSync(folder)[0]!)).size < 100_000);
});

test('a killed writer leaves every group that it reported, in order and whole', async (context) => {
  const folder = scratch(context);
  const child = path.join(import.meta.dirname, '../../support/log-writer.js');
  let reported = 0;
  for (let kill = 0; kill < 10; kill++) {
    const writer: ChildProcess = fork(child, [folder], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const enough = 20 + kill * 37;
    let groups = 0;
    writer.on('message', (last: number) => {
      reported = last;
      groups += 1;
      if (groups === enough) writer.kill('SIGKILL');
    });
    await once(writer, 'exit');
    const { opened, texts } = open(folder);
    const last = Number(texts.at(-1)?.split(' ')[0] ?? 0);
    assert.ok(last >= reported, `${reported} was reported, ${last} is there`);
    const expected = Array.from({ length: last }, (_, index) => [`${index + 1} a`, `${index + 1} b`]).flat();
    assert.deepEqual(texts, expected);
    assert.deepEqual(opened.found.damages, []);
    await close(opened);
  }
});
