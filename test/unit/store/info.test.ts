// Reading a store from outside, and what it amounts to in numbers.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Files, realFiles } from '../../../src/broker/store/files.ts';
import { lockStore } from '../../../src/broker/store/lock.ts';
import { BEGINNING, GroupWriter } from '../../../src/broker/store/segment.ts';
import { SegmentWriter } from '../../../src/broker/store/segment-writer.ts';
import { readStore } from '../../../src/broker/store-tools/read-store.ts';
import { summarize } from '../../../src/broker/store-tools/summary.ts';
import { type Contents, groupWriter, stateOf, writeContents } from '../../support/arbitrary-store.ts';
import { scratch } from '../../support/mosquitto.ts';

const FOREVER = 0xffff_ffff;

const session = (clientId: string, expiryInterval: number, awaySince: number): Contents['sessions'][number] => ({
  facts: { clientId, username: null, listener: '', mountPoint: null, expiryInterval, awaySince, will: null },
  subscriptions: [],
  inbound: [],
});

/** A message on `t`; a delivery is the place of its session and the step. */
const message = (
  storedAt: number,
  payload: string,
  isKept: boolean,
  ...deliveries: readonly (readonly [number, number])[]
): Contents['messages'][number] => ({
  topic: 't',
  routedAs: null,
  qos: 1,
  retain: isKept,
  isKept,
  storedAt,
  expiresAt: 0,
  properties: {},
  payload: Buffer.from(payload),
  source: null,
  deliveries: deliveries.map(([place, step]) => ({ place, flags: 2, identifiers: [], step, id: 1, turn: 0 })),
});

const CONTENTS: Contents = {
  sessions: [session('a', 60, 5000), session('b', FOREVER, 4000), session('c', FOREVER, 0), session('w', 0, 0)],
  messages: [
    message(100, 'four', true),
    message(300, 'four', false, [0, 0], [1, 0], [1, 1]),
    message(200, 'sixsix', false, [1, 2]),
    message(0, 'by hand', false, [2, 0]),
  ],
};

describe('a summary', () => {
  it('counts each kind with its bytes', () => {
    const records = groupWriter();
    writeContents(records, CONTENTS);
    const { busiest, longestAway, oldest, liveBytes, ...numbers } = summarize(stateOf(records), 2);
    assert.deepEqual(numbers, {
      sessions: 3,
      expiring: 1,
      connected: 1,
      willsOnly: 1,
      subscriptions: 0,
      waiting: { count: 3, bytes: 18 },
      inFlight: { count: 2, bytes: 12 },
      retained: { count: 1, bytes: 5 },
      messages: { count: 4, bytes: 25 },
    });
    assert.equal(longestAway?.clientId, 'b');
    assert.equal(oldest?.storedAt, 200);
    assert.ok(liveBytes > 25);
    assert.deepEqual(busiest, [
      { clientId: 'b', waiting: 1, inFlight: 2, bytes: 17, awaySince: 4000 },
      { clientId: 'a', waiting: 1, inFlight: 0, bytes: 5, awaySince: 5000 },
    ]);
  });
});

const SALT = 0x12345678;

/** A store of three segments with a session each, of which the last groups of the first two say nothing new. */
function storeIn(context: TestContext): string {
  const folder = path.join(scratch(context), 'a.store');
  mkdirSync(folder);
  const segments = new SegmentWriter(folder, SALT, realFiles);
  const group = new GroupWriter(SALT);
  for (const number of [1, 2, 3]) {
    writeContents(group, { sessions: Array.from({ length: number }, (_, i) => session(`c${i}`, 60, 0)), messages: [] });
    if (number === 3) {
      // What cleaning notes before it removes the first segment.
      group.begin(BEGINNING);
      group.f64(2);
    }
    segments.write(number, number, group.take(number, null), false);
  }
  segments.close();
  return folder;
}

describe('reading a store from outside', () => {
  it('changes nothing', (t) => {
    const folder = storeIn(t);
    const before = readdirSync(folder).map((name) => readFileSync(path.join(folder, name)));
    const { state, files, holder } = readStore(folder)!;
    assert.deepEqual([...state.sessions.keys()], [1, 2, 3]);
    assert.deepEqual([files.segments, files.lastGroup, files.damages, files.unfinished, holder], [3, 3, [], null, 0]);
    assert.deepEqual(
      readdirSync(folder).map((name) => readFileSync(path.join(folder, name))),
      before,
    );
  });

  it('says whose it is', (t) => {
    const folder = storeIn(t);
    const lock = lockStore(folder);
    assert.equal(readStore(folder)?.holder, process.pid);
    lock.release();
    writeFileSync(path.join(folder, 'lock'), '999999999 1\n');
    assert.equal(readStore(folder)?.holder, 0);
  });

  it('begins anew when a file is cleaned away between the list and the reading', (t) => {
    const folder = storeIn(t);
    let reads = 0;
    const cleaned: Files = {
      ...realFiles,
      read: (file) => {
        reads += 1;
        if (reads === 1) rmSync(file);
        return realFiles.read(file);
      },
    };
    const { state, files } = readStore(folder, cleaned)!;
    assert.deepEqual([reads, files.segments, state.sessions.size], [3, 2, 3]);
    assert.deepEqual([files.damages, files.missingGroups], [[], 0]);
  });

  it('names what is damaged, and what is not finished', (t) => {
    const folder = storeIn(t);
    const [, second = '', third = ''] = readdirSync(folder).sort();
    const bytes = readFileSync(path.join(folder, second));
    bytes.fill(0, 40, 50);
    writeFileSync(path.join(folder, second), bytes);
    writeFileSync(path.join(folder, third), 'more', { flag: 'a' });
    const { state, files } = readStore(folder)!;
    assert.deepEqual(
      files.damages.map(({ file, offset }) => [file, offset]),
      [[second, 32]],
    );
    assert.equal(files.missingGroups, 1);
    assert.deepEqual([files.unfinished?.file, files.unfinished?.length], [third, 4]);
    assert.equal(state.sessions.size, 3);
    // More than a group that was being written.
    writeFileSync(path.join(folder, third), Buffer.alloc(100, 1), { flag: 'a' });
    const { damages, unfinished } = readStore(folder)!.files;
    assert.deepEqual([damages.map(({ file }) => file), unfinished], [[second, third], null]);
  });

  it('finds no store where there is no folder', (t) => {
    assert.equal(readStore(path.join(scratch(t), 'none')), null);
  });
});
