// What damage is and what is not, case by case. The property tests and the damage runs do the same by chance.
import assert from 'node:assert/strict';
import { mock, type TestContext, test } from 'node:test';
import { readLog } from '../../../src/broker/store/recover.ts';
import { GROUP, segmentName, stretchesOf } from '../../../src/broker/store/segment.ts';
import { FakeFiles, systemError } from '../../support/fake-files.ts';
import { FOLDER, LoggedMap, SALT } from '../../support/log-model.ts';

const fileOf = (segment: number): string => `${FOLDER}/${segmentName(segment, SALT)}`;

/** A log of these values, each in a group of its own; three groups make a segment. */
function logOf(...values: readonly string[]): LoggedMap {
  const map = new LoggedMap(new FakeFiles());
  for (const [index, value] of values.entries()) put(map, `k${index}`, value);
  return map;
}

function put(map: LoggedMap, key: string, value: string): void {
  map.set(key, value.padEnd(7000, '.'));
  map.log.commit();
  map.port.settle();
}

/** What is found in the files that a log has left, without going on with them. */
function found(map: LoggedMap) {
  const { damages, missingGroups, tail, lastGroup } = readLog(FOLDER, map.files, () => undefined);
  return { damages, missingGroups, tail, lastGroup };
}

const keysIn = (map: LoggedMap): string[] => [...new LoggedMap(map.files).values.keys()].sort();

/** Where the groups of a segment begin and end. */
function groupsIn(map: LoggedMap, segment: number) {
  const bytes = map.files.read(fileOf(segment));
  return stretchesOf(bytes, SALT).filter(({ kind }) => kind === GROUP);
}

test('a segment under the name of another is damage, and nothing of it comes back', () => {
  for (const name of [7, 1]) {
    const map = logOf('a', 'b', 'c', 'd');
    map.log.compact();
    map.port.settle();
    put(map, 'k0', 'newer');
    const [oldest] = map.files.paths;
    const copy = map.files.read(oldest!);
    const file = map.files.create(fileOf(name));
    map.files.write(file, copy, 0, copy.length);
    put(map, 'k0', 'newest');
    const { damages, missingGroups } = found(map);
    assert.deepEqual(damages, [{ segment: name, offset: 0, length: copy.length }]);
    assert.equal(missingGroups, 0);
    assert.match(new LoggedMap(map.files).values.get('k0')!.text, /^newest/);
  }
});

test('a first file that is missing is noticed, and one that was cleaned away is not', () => {
  const map = logOf('a', 'b', 'c', 'd', 'e', 'f', 'g');
  assert.deepEqual(found(map), { damages: [], missingGroups: 0, tail: null, lastGroup: 7 });
  map.files.remove(fileOf(1));
  assert.equal(found(map).missingGroups, 3);
  const other = logOf('a', 'b', 'c', 'd', 'e', 'f', 'g');
  other.log.compact();
  other.port.settle();
  assert.equal(other.files.paths.includes(fileOf(1)), false);
  assert.equal(found(other).missingGroups, 0);
  assert.equal(keysIn(other).length, 7);
});

test('a first file that was emptied is noticed', () => {
  const map = logOf('a', 'b', 'c', 'd');
  map.files.damage(fileOf(1), () => Buffer.alloc(0));
  assert.deepEqual(found(map), { damages: [], missingGroups: 3, tail: null, lastGroup: 4 });
});

test('the remains of a write that failed are no damage', (context) => {
  const map = failedOnce(context);
  assert.deepEqual(found(map), { damages: [], missingGroups: 0, tail: null, lastGroup: 3 });
  assert.deepEqual(keysIn(map), ['k0', 'k1', 'k2']);
});

/** A log in whose first segment a group is left by half, since the system refused to write it and to cut it off. */
function failedOnce(context: TestContext): LoggedMap {
  mock.timers.enable({ apis: ['setTimeout'] });
  context.after(() => mock.timers.reset());
  const map = logOf('a');
  map.files.before = (operation) => {
    if (operation === 'write' || operation === 'truncate') throw systemError('EIO');
  };
  put(map, 'k1', 'b');
  map.files.before = () => undefined;
  mock.timers.tick(1000);
  map.port.settle();
  put(map, 'k2', 'c');
  assert.ok(map.files.read(fileOf(1)).length > groupsIn(map, 1)[0]!.end, 'something is left');
  return map;
}

test('an unfinished end is none if it shows more than one group', () => {
  const map = logOf('a', 'b');
  const [first, second] = groupsIn(map, 1);
  // The payloads of both are hit, their commit records are not.
  map.files.damage(fileOf(1), (bytes) => {
    bytes[first!.start + 100]! ^= 1;
    bytes[second!.start + 100]! ^= 1;
    return bytes;
  });
  const { damages, missingGroups, tail, lastGroup } = found(map);
  assert.equal(damages[0]?.segment, 1);
  assert.deepEqual([missingGroups, lastGroup], [2, 2]);
  assert.equal(tail, null);
});

test('one last group of which a piece is missing is damage, and nothing of it is passed on', () => {
  const map = logOf('a', 'b');
  map.set('c', 'whole');
  map.set('d', 'hit');
  map.log.commit();
  map.port.settle();
  const { start, end } = groupsIn(map, 1).at(-1)!;
  map.files.damage(fileOf(1), (bytes) => {
    bytes[bytes.lastIndexOf('hit')]! ^= 1;
    return bytes;
  });
  const { damages, tail } = found(map);
  assert.equal(
    damages.reduce((sum, { length }) => sum + length, 0),
    end - start,
  );
  assert.deepEqual(tail, { segment: 1, offset: start, length: end - start, isPlain: false });
  assert.deepEqual(keysIn(map), ['k0', 'k1']);
});

test('what a killed program leaves at the end is no damage, wherever it is cut', () => {
  const map = logOf('a');
  const { end } = groupsIn(map, 1)[0]!;
  put(map, 'b', 'cut off');
  const bytes = map.files.read(fileOf(1));
  for (let length = end; length < bytes.length; length += 1 + Math.floor((length - end) / 3)) {
    map.files.damage(fileOf(1), () => Buffer.from(bytes.subarray(0, length)));
    const { damages, missingGroups, tail } = found(map);
    assert.deepEqual([damages, missingGroups], [[], 0]);
    assert.equal(tail?.isPlain ?? true, true, `cut at ${length}`);
  }
});

test('a last segment whose header is gone is damage', () => {
  const map = logOf('a', 'b', 'c', 'd');
  map.files.damage(fileOf(2), (bytes) => bytes.fill(0, 0, 100));
  const { damages, tail } = found(map);
  assert.deepEqual(
    damages.map(({ segment }) => segment).filter((segment) => segment !== 2),
    [],
  );
  assert.equal(
    damages.reduce((sum, { length }) => sum + length, 0),
    map.files.read(fileOf(2)).length,
  );
  assert.equal(tail?.isPlain, false);
  assert.deepEqual(keysIn(map), ['k0', 'k1', 'k2']);
});

test('closing does not wait until all is cleaned', async () => {
  const map = logOf('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i');
  map.log.compact();
  const closed = map.log.close();
  map.port.settle();
  assert.equal(await closed, true);
  assert.ok(map.files.paths.includes(fileOf(2)), 'the second segment is still there');
  assert.equal(keysIn(map).length, 9);
});

test('a first file of which nothing can be read is damage too', () => {
  const map = logOf('a', 'b', 'c', 'd');
  map.log.compact();
  map.port.settle();
  put(map, 'e', 'e');
  put(map, 'f', 'f');
  put(map, 'g', 'g');
  const [oldest] = map.files.paths;
  map.files.damage(oldest!, (bytes) => bytes.fill(0));
  const { damages } = found(map);
  assert.equal(
    damages.reduce((sum, { length }) => sum + length, 0),
    map.files.read(oldest!).length,
  );
});

test('what follows a first file that was emptied is read as far as it goes', () => {
  const map = logOf('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
  map.log.compact();
  map.port.settle();
  for (const key of ['k0', 'k1', 'k2', 'k3', 'k4', 'k5', 'k6']) put(map, key, 'newer');
  const [oldest, second] = map.files.paths;
  map.files.damage(oldest!, () => Buffer.alloc(0));
  // Of all groups of the next one, the commit record is gone.
  const groups = groupsIn(map, Number(second!.slice(7, 17)));
  map.files.damage(second!, (bytes) => {
    for (const { end } of groups) bytes[end - 1]! ^= 1;
    return bytes;
  });
  const { damages } = found(map);
  assert.equal(damages.length, groups.length);
  assert.ok(keysIn(map).length >= groups.length);
});
