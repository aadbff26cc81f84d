// A store that is made of lines: it is there in whole or not at all, and takes nobody's place.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { realFiles } from '../../../src/broker/store/files.ts';
import { lockStore, StoreInUse } from '../../../src/broker/store/lock.ts';
import { SESSION_END, writeSession } from '../../../src/broker/store/records.ts';
import { GroupWriter } from '../../../src/broker/store/segment.ts';
import { SegmentWriter } from '../../../src/broker/store/segment-writer.ts';
import { exportLines } from '../../../src/broker/store-tools/export-lines.ts';
import { PlaceTaken, StoreImport } from '../../../src/broker/store-tools/import-store.ts';
import { BadLine } from '../../../src/broker/store-tools/json-fields.ts';
import { readStore } from '../../../src/broker/store-tools/read-store.ts';
import { scratch } from '../../support/mosquitto.ts';

const NOW = Date.UTC(2026, 10, 21);

/** The lines of a store with one session and so many messages for it. */
function linesOf(messages: number, payload = 'x'): string[] {
  const counts = { sessions: 1, subscriptions: 1, received: 0, retained: 0, messages, deliveries: messages };
  const subscriptions = [{ filter: 't', qos: 1 }];
  return [
    { kind: 'store', version: 1 },
    { kind: 'session', number: 1, clientId: 'c', listener: '1883', expiryInterval: 60, subscriptions },
    ...Array.from({ length: messages }, (_, index) => {
      const deliveries = [{ session: 1, seq: index + 1, qos: 1, step: 'waiting' }];
      return { kind: 'message', number: index + 1, topic: 't', qos: 1, payload, deliveries };
    }),
    { kind: 'end', counts },
  ].map((line) => JSON.stringify(line));
}

function take(store: StoreImport, lines: readonly string[]): void {
  for (const line of lines) store.take(Buffer.from(line));
}

function importAll(folder: string, lines: readonly string[]): void {
  const store = new StoreImport(folder);
  take(store, lines);
  store.finish();
}

/** Makes a store in which a session was and is not any more. */
function makeEmpty(folder: string): void {
  const group = new GroupWriter(1);
  writeSession(group, 1, {
    clientId: 'c',
    username: null,
    listener: '',
    mountPoint: null,
    expiryInterval: 60,
    awaySince: 0,
    will: null,
  });
  group.begin(SESSION_END);
  group.u32(1);
  mkdirSync(folder);
  const segments = new SegmentWriter(folder, 1, realFiles);
  segments.write(1, 1, group.take(1, null), false);
  segments.close();
}

/** A folder for a store, which is not there yet. */
const placeIn = (context: TestContext): string => path.join(scratch(context), 'a.store');

const exported = (folder: string): string[] => [...exportLines(readStore(folder)!.state, NOW)];

describe('an import', () => {
  it('fills segments as a broker does, for the owner only, and leaves nothing beside them', (t) => {
    const folder = placeIn(t);
    importAll(folder, linesOf(300, 'x'.repeat(65_536)));
    const names = readdirSync(folder).sort();
    assert.deepEqual(
      names.map((name) => name.slice(0, 11)),
      ['0000000001-', '0000000002-', '0000000003-'],
    );
    for (const name of names) assert.equal(statSync(path.join(folder, name)).mode & 0o777, 0o600);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.deepEqual(readdirSync(path.dirname(folder)), ['a.store']);
    const { state, files } = readStore(folder)!;
    assert.deepEqual([state.sessions.get(1)?.entries.size, files.damages, files.unfinished], [300, [], null]);
  });

  it('has nothing where a broker looks until it is whole, and begins anew where it was killed', (t) => {
    const folder = placeIn(t);
    const first = new StoreImport(folder);
    take(first, linesOf(300, 'x'.repeat(1000)).slice(0, -1));
    assert.deepEqual(readdirSync(folder), ['lock']);
    assert.equal(readdirSync(`${folder}.import`).length, 1);
    // The process is gone: what is left of it is a lock of nobody.
    writeFileSync(path.join(folder, 'lock'), '999999999 1\n');
    importAll(folder, linesOf(2));
    assert.equal(readStore(folder)?.state.messages.size, 2);
    assert.ok(!existsSync(`${folder}.import`));
  });

  it('that is given up leaves nothing behind', (t) => {
    const folder = placeIn(t);
    const store = new StoreImport(folder);
    take(store, linesOf(300, 'x'.repeat(1000)).slice(0, -1));
    assert.throws(() => store.finish(), BadLine);
    store.abandon();
    assert.deepEqual(readdirSync(path.dirname(folder)), []);
  });

  it('that is given up leaves the folder that was there', (t) => {
    const folder = placeIn(t);
    mkdirSync(folder);
    const store = new StoreImport(folder);
    store.abandon();
    assert.deepEqual(readdirSync(path.dirname(folder)), ['a.store']);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('takes the place of a store that holds nothing', (t) => {
    const folder = placeIn(t);
    makeEmpty(folder);
    importAll(folder, linesOf(1));
    assert.equal(exported(folder).length, 4);
    assert.equal(readdirSync(folder).length, 1);
  });

  it('does not touch a store that holds something', (t) => {
    const folder = placeIn(t);
    importAll(folder, linesOf(1));
    const before = exported(folder);
    assert.throws(() => new StoreImport(folder), {
      message: `the store ${folder} holds something already; move the folder away to make room`,
    });
    assert.deepEqual(exported(folder), before);
    assert.equal(readdirSync(folder).length, 1);
    assert.ok(!existsSync(`${folder}.import`));
  });

  it('does not touch a damaged store, or a folder of something else', (t) => {
    const folder = placeIn(t);
    importAll(folder, linesOf(1));
    const file = path.join(folder, readdirSync(folder)[0]!);
    const start = readFileSync(file).subarray(0, 40);
    for (const damaged of [start, Buffer.concat([start, Buffer.alloc(100)])]) {
      writeFileSync(file, damaged);
      assert.throws(() => new StoreImport(folder), PlaceTaken);
      assert.deepEqual(readFileSync(file), damaged);
    }
    unlinkSync(file);
    writeFileSync(path.join(folder, 'notes.txt'), '');
    assert.throws(() => new StoreImport(folder), {
      message: `the folder ${folder} is not empty: it has notes.txt; move it away to make room`,
    });
    assert.deepEqual(readdirSync(folder), ['notes.txt']);
  });

  it('does not touch a store in use', (t) => {
    const folder = placeIn(t);
    mkdirSync(folder);
    const lock = lockStore(folder);
    assert.throws(() => new StoreImport(folder), StoreInUse);
    lock.release();
    assert.deepEqual(readdirSync(folder), []);
  });

  it('gives way to a broker that begins in the last moment', (t) => {
    const folder = placeIn(t);
    makeEmpty(folder);
    // The folder is cleared just before the lock is let go.
    const remove = (file: string): void => {
      realFiles.remove(file);
      writeFileSync(path.join(folder, 'lock.of-another'), '');
    };
    const store = new StoreImport(folder, { ...realFiles, remove });
    take(store, linesOf(1));
    assert.throws(() => store.finish(), PlaceTaken);
    store.abandon();
    assert.deepEqual(readdirSync(path.dirname(folder)), ['a.store']);
    assert.deepEqual(readdirSync(folder), ['lock.of-another']);
  });

  it('that finds no room on the disk says so and leaves nothing behind', (t) => {
    const folder = placeIn(t);
    const full = (): never => {
      throw Object.assign(new Error('no room'), { code: 'ENOSPC' });
    };
    const store = new StoreImport(folder, { ...realFiles, syncData: full });
    take(store, linesOf(1));
    assert.throws(() => store.finish(), { code: 'ENOSPC' });
    store.abandon();
    assert.deepEqual(readdirSync(path.dirname(folder)), []);
  });
});
