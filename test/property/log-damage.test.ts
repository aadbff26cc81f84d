// Damage to the files of the log: reading goes on past it, passes nothing on that was not written, and says what was lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readLog } from '../../src/broker/store/recover.ts';
import { GroupWriter, segmentHeader, segmentName } from '../../src/broker/store/segment.ts';
import { FakeFiles } from '../support/fake-files.ts';

const SALT = 0x1badcafe;
const FOLDER = '/store';

type Change = (bytes: Buffer, at: number, random: Buffer) => Buffer;
const changes: Record<string, Change> = {
  'a flipped bit': (bytes, at) => {
    if (at < bytes.length) bytes[at]! ^= 1 << (at % 8);
    return bytes;
  },
  'a zeroed block': (bytes, at) => bytes.fill(0, at, Math.min(at + 512, bytes.length)),
  garbage: (bytes, at, random) => {
    random.copy(bytes, at, 0, Math.max(0, Math.min(random.length, bytes.length - at)));
    return bytes;
  },
  'a cut': (bytes, at) => bytes.subarray(0, at),
};

/** A log of some segments, with what each group holds. */
function written(segments: readonly (readonly (readonly number[])[])[], forged: boolean) {
  const files = new FakeFiles();
  const groups = new Map<number, string[]>();
  let group = 0;
  segments.forEach((contents, index) => {
    const parts = [segmentHeader(index + 1, SALT, group + 1)];
    for (const sizes of contents) {
      group += 1;
      const writer = new GroupWriter(SALT);
      const records = sizes.map((size, record) => {
        writer.begin(1);
        // A publisher who knows the format but not the salt sends a record of his own.
        const payload = forged ? forgery(size) : 'x'.repeat(size);
        const text = `${group}.${record}:${payload}`;
        writer.text(text);
        writer.end();
        return text;
      });
      groups.set(group, records);
      parts.push(Buffer.from(writer.take(group, null)));
    }
    const file = files.create(`${FOLDER}/${segmentName(index + 1, SALT)}`);
    files.write(file, Buffer.concat(parts), 0, Buffer.concat(parts).length);
    files.syncAll(file);
  });
  return { files, groups };
}

function forgery(size: number): string {
  const writer = new GroupWriter(SALT ^ 1);
  writer.begin(1);
  writer.text('forged');
  writer.end();
  return writer
    .take(1, null)
    .toString('latin1')
    .repeat(1 + (size % 3));
}

function readAll(files: FakeFiles) {
  const seen: string[] = [];
  const found = readLog(FOLDER, files, (_type, bytes, start, end) => seen.push(bytes.toString('utf8', start + 4, end)));
  return { seen, found };
}

const contents = fc.array(
  fc.array(fc.array(fc.nat(300), { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 8 }),
  {
    minLength: 1,
    maxLength: 4,
  },
);

for (const [name, change] of Object.entries(changes)) {
  test(`${name}: nothing is made up, and losses are told`, () => {
    fc.assert(
      fc.property(
        contents,
        fc.array(fc.tuple(fc.nat(), fc.nat(6000)), { minLength: 1, maxLength: 3 }),
        fc.uint8Array({ minLength: 1, maxLength: 600 }),
        fc.boolean(),
        (segments, places, random, forged) => {
          const { files, groups } = written(segments, forged);
          for (const [file, at] of places) {
            const path = files.paths[file % files.paths.length]!;
            files.damage(path, (bytes) => Buffer.from(change(bytes, Math.min(at, bytes.length), Buffer.from(random))));
          }
          const { seen, found } = readAll(files);
          const all = [...groups.values()].flat();
          const known = new Set(all);
          for (const record of seen) assert.ok(known.has(record), 'a record that nobody wrote');
          const isLost = seen.length < all.length;
          const lastSegment = files.paths.length;
          // A cut exactly between two groups at the very end can't be noticed by anyone.
          const atEnd = found.lastGroup < groups.size && found.tail === null && found.damages.length === 0;
          const isTold = found.damages.length > 0 || found.missingGroups > 0 || found.tail !== null || atEnd;
          if (isLost) assert.ok(isTold, 'a loss that is not told');
          for (const { segment } of found.damages) assert.ok(segment <= lastSegment);
        },
      ),
      { numRuns: 300 },
    );
  });
}

test('one flipped bit costs one record of its group, and none of the others', () => {
  fc.assert(
    fc.property(contents, fc.nat(), fc.nat(), (segments, file, place) => {
      const { files, groups } = written(segments, false);
      const path = files.paths[file % files.paths.length]!;
      let isLast = false;
      files.damage(path, (bytes) => {
        const at = 32 + (place % (bytes.length - 32));
        bytes[at]! ^= 4;
        isLast = file % files.paths.length === files.paths.length - 1;
        return bytes;
      });
      const { seen } = readAll(files);
      const all = [...groups.values()].flat();
      const lost = all.filter((record) => !seen.includes(record));
      // Damage to the last group of all can't be told from a write that was cut off.
      const last = groups.get(groups.size)!;
      if (isLast && lost.every((record) => last.includes(record))) return;
      assert.ok(lost.length <= 1, `${lost.length} records are lost`);
    }),
    { numRuns: 300 },
  );
});
