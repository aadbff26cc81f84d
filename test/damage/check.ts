// One run: a store is filled, damaged and opened, and everything that is said about the damage is held against what was done.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type OpenOptions, StoreDamaged } from '../../src/broker/store/open-log.ts';
import { type OpenedStore, openStore } from '../../src/broker/store/open-store.ts';
import type { Damage, Recovered } from '../../src/broker/store/recover.ts';
import { parseSegmentName, segmentName } from '../../src/broker/store/segment.ts';
import { asRead, type StateMessage, type StoreState } from '../../src/broker/store/state.ts';
import type { StoreEvents } from '../../src/broker/store/store.ts';
import { Dice } from '../support/fuzz-dice.ts';
import { adoptAll } from '../support/store-world.ts';
import { factsIn, factsOf } from './facts.ts';
import { fill, type Original, type Written } from './fill.ts';
import { damage } from './kinds.ts';
import { hasOld, isDamaged, read } from './reading.ts';

type Bytes = ReadonlyMap<string, Buffer>;

/** Runs once by a seed. Throws what is wrong; returns what was done and what was found. */
export async function runOnce(seed: number): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'mqtt-damage-'));
  const dice = new Dice(seed);
  let done: string[] = [];
  try {
    const store = path.join(folder, 'store');
    const original = fill(store, dice);
    done = damage(store, dice);
    const bytes = bytesIn(store);
    const { found, state, visited } = read(store);
    checkReading(original, bytes, found, state, done.length > 1, visited);
    refuse(store, found);
    await recover(store, bytes, found, state);
    return `${done.join('; ')}: ${found.damages.length} damages, ${found.missingGroups} groups missing`;
  } catch (error) {
    throw new Error(`seed ${seed} (${done.join('; ')}): ${(error as Error).message}`, { cause: error });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** All files of a folder but the lock. */
function bytesIn(folder: string): Bytes {
  const names = readdirSync(folder).filter((name) => name !== 'lock');
  return new Map(names.sort().map((name) => [name, readFileSync(path.join(folder, name))]));
}

/** What was read is what is whole and lies in no stretch that was reported, and nothing else. */
function checkReading(
  original: Original,
  bytes: Bytes,
  found: Recovered,
  state: StoreState,
  isMultiple: boolean,
  visited: number,
): void {
  const lost = lostIn(original, bytes, found);
  const left = original.groups.flatMap(({ records }) => records).filter((record) => !lost.has(record));
  const { facts, useless } = factsOf(
    left.map(({ segment, type, body, end }) => ({ type, bytes: whole(original, segment), start: body, end })),
  );
  assert.deepEqual([...factsIn(state)].sort(), [...facts].sort(), 'what is read is what is left');
  const { sessions, subscriptions, entries, records } = state.lost;
  assert.deepEqual({ sessions, subscriptions, entries, records }, { ...useless, records: 0 }, 'what is of no use');
  assert.equal(visited, left.length, 'all that is whole is read, once');
  checkCovered(original, bytes, found);
  checkMissing(original, bytes, found, isMultiple);
}

const whole = ({ files, salt }: Original, segment: number): Buffer => files.get(segmentName(segment, salt))!;

/** Stretches of a segment that were reported as damaged or as an unfinished end. */
function reportedIn(segment: number, { damages, tail }: Recovered, size: number): Damage[] {
  const mine = damages.filter((one) => one.segment === segment);
  if (tail === null || segment < tail.segment) return mine;
  const offset = segment === tail.segment ? tail.offset : 0;
  return [...mine, { segment, offset, length: size - offset }];
}

/** Records that are changed, gone, or lie where damage was reported. Only at the end may something whole be among them. */
function lostIn(original: Original, bytes: Bytes, found: Recovered): Set<Written> {
  const lost = new Set<Written>();
  for (const { records } of original.groups) {
    for (const record of records) {
      const name = segmentName(record.segment, original.salt);
      const now = bytes.get(name);
      const before = original.files.get(name)!;
      const isWhole =
        now?.subarray(record.start, record.end).equals(before.subarray(record.start, record.end)) === true;
      const reported = reportedIn(record.segment, found, now?.length ?? 0);
      const isReported = reported.some(({ offset, length }) => record.start < offset + length && record.end > offset);
      if (!isWhole || isReported) lost.add(record);
      if (isWhole && isReported) assert.ok(isAtEnd(record, found), `a whole record at ${record.start} is not read`);
    }
  }
  return lost;
}

const isAtEnd = ({ segment, start }: Written, { tail }: Recovered): boolean =>
  tail !== null && (segment > tail.segment || (segment === tail.segment && start >= tail.offset));

/** Every byte that was changed lies where damage was reported. */
function checkCovered(original: Original, bytes: Bytes, found: Recovered): void {
  for (const [name, now] of bytes) {
    const segment = parseSegmentName(name)?.number;
    if (segment === undefined) continue;
    const before = original.files.get(name) ?? Buffer.alloc(0);
    const reported = reportedIn(segment, found, now.length);
    // What was added behind the end of a segment that others follow changes nothing.
    const isNewest = ![...bytes.keys()].some((other) => (parseSegmentName(other)?.number ?? 0) > segment);
    const end = isNewest || before.length === 0 ? now.length : Math.min(now.length, before.length);
    for (let at = 0; at < end; at++) {
      if (at < before.length && now[at] === before[at]) continue;
      const isReported = reported.some(({ offset, length }) => at >= offset && at < offset + length);
      assert.ok(isReported, `byte ${at} of ${name} is changed and not reported`);
    }
  }
}

/** As many groups are missing as are told: those before the last one that are not whole any more. */
function checkMissing(original: Original, bytes: Bytes, found: Recovered, isMultiple: boolean): void {
  const known = original.groups.filter(({ number }) => number <= found.lastGroup);
  const broken = known.filter(({ segment, start, end }) => {
    const name = segmentName(segment, original.salt);
    return bytes.get(name)?.subarray(start, end).equals(original.files.get(name)!.subarray(start, end)) !== true;
  });
  // What was about to be cleaned away is not missed: all that counts of it stands elsewhere.
  const beginning = Math.max(...known.filter((group) => !broken.includes(group)).map((group) => group.beginning));
  const needed = broken.filter(({ number }) => number >= beginning);
  const { missingGroups, damages } = found;
  const [first] = [...bytes.keys()].filter((name) => parseSegmentName(name) !== null);
  // Where the end is lost, what was cleaned last counts as missing: the note that tells of it was there.
  if (missingGroups > broken.length && original.groups.some(({ number }) => number > found.lastGroup)) return;
  // Where the beginning is lost and more than that, nothing tells for sure how many there were.
  const isVague = first === undefined || startsAnew(original, bytes, first);
  if (isVague && isMultiple) return;
  if (isVague && damages.length > 0)
    assert.ok(missingGroups <= broken.length, `${missingGroups} groups are missing, ${broken.length} were hit`);
  else if (missingGroups !== needed.length) assert.equal(missingGroups, broken.length, 'groups that are missing');
}

/** Whether the first file is not that of before, or its header is damaged. */
function startsAnew(original: Original, bytes: Bytes, first: string): boolean {
  const before = original.files.get(first);
  return first !== [...original.files.keys()][0] || !bytes.get(first)!.subarray(0, 32).equals(before!.subarray(0, 32));
}

const OPTIONS: Omit<OpenOptions, 'folder' | 'refusesDamage'> = {
  mode: 'always',
  intervalMs: 0,
  onLost: (error) => {
    throw error;
  },
};

const EVENTS: StoreEvents = {
  changed: () => undefined,
  failing: (error) => assert.fail(error),
  working: () => undefined,
  congested: () => undefined,
  trouble: (what, error) => assert.fail(`${what}: ${error}`),
  identify: (source) => source as never,
};

/** Told to refuse, it leaves all as it is. */
function refuse(folder: string, found: Recovered): void {
  if (!isDamaged(found)) return;
  const before = bytesIn(folder);
  assert.throws(() => openStore({ ...OPTIONS, folder, refusesDamage: true }, EVENTS, asRead), StoreDamaged);
  assert.deepEqual(bytesIn(folder), before, 'refused, and changed');
  assert.equal(existsSync(path.join(folder, 'lock')), false, 'refused, and locked');
}

/** Told to recover, it keeps the damaged files aside, and the next start finds all in order. */
async function recover(folder: string, before: Bytes, found: Recovered, state: StoreState): Promise<void> {
  const opened = openStore({ ...OPTIONS, folder, refusesDamage: false }, EVENTS, asRead);
  assert.deepEqual(opened.found, found);
  const facts = [...factsIn(opened.state)].sort();
  assert.deepEqual(facts, [...factsIn(state)].sort());
  const damaged = new Set(found.damages.map(({ segment }) => segmentName(segment, found.salt!)));
  const kept = opened.copies.map((copy) => path.basename(copy).replace(/\.corrupt-.*$/, ''));
  assert.deepEqual(new Set(kept), damaged);
  for (const copy of opened.copies) {
    assert.deepEqual(readFileSync(copy), before.get(path.basename(copy).replace(/\.corrupt-.*$/, '')), copy);
  }
  const { store } = opened;
  try {
    await cleanOut(folder, opened);
  } finally {
    assert.equal(await store.close(), true);
  }
  const again = read(folder);
  assert.deepEqual(again.found.damages, [], 'damage that is found again');
  assert.equal(again.found.missingGroups, 0, 'groups that are missing again');
  assert.equal(again.found.tail, null);
  assert.deepEqual(again.state.lost, { sessions: 0, subscriptions: 0, entries: 0, records: 0 });
  assert.deepEqual([...factsIn(again.state)].sort(), facts, 'the second start finds the same');
}

/** Goes on with a store until what was damaged is cleaned away. */
async function cleanOut(folder: string, { store, state, found }: OpenedStore<StateMessage>): Promise<void> {
  const [owner] = adoptAll(store, state).sessions;
  const started = Date.now();
  while (isDamaged(found) && hasOld(folder, found.lastGroup)) {
    owner?.record.changed();
    store.commit();
    await new Promise<void>((resolve) => (owner === undefined ? setTimeout(resolve, 1) : store.whenDurable(resolve)));
    assert.ok(Date.now() - started < 10_000, `not cleaned: ${readdirSync(folder)}`);
  }
}
