// A store folder with known content: what a random life leaves in memory, written to a real folder, and all of its records.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CLEARED } from '../../src/broker/store/records.ts';
import {
  BEGINNING,
  endOf,
  GROUP,
  GroupWriter,
  HEAD_LENGTH,
  parseSegmentName,
  stretchesOf,
  typeOf,
} from '../../src/broker/store/segment.ts';
import { FakeFiles } from '../support/fake-files.ts';
import type { Dice } from '../support/fuzz-dice.ts';
import { carryOut, rolledLife } from '../support/store-steps.ts';
import { SALT, StoreWorld } from '../support/store-world.ts';

const BOUNDS = { segment: 16_000, slack: 60_000, cleaned: 4000 };

/** A record of a whole group. */
export interface Written {
  readonly segment: number;
  readonly start: number;
  readonly end: number;
  readonly type: number;
  /** Behind the head. */
  readonly body: number;
}

/** A group. */
export interface WrittenGroup {
  readonly number: number;
  readonly segment: number;
  readonly start: number;
  readonly end: number;
  readonly records: readonly Written[];
  /** The group that the log begins with from here on, as a note in this one says; 0 without. */
  readonly beginning: number;
}

/** A store before the damage. */
export interface Original {
  readonly salt: number;
  /** Names of the segments to their bytes, oldest first. */
  readonly files: ReadonlyMap<string, Buffer>;
  readonly groups: readonly WrittenGroup[];
}

/** Makes a store folder by the dice. */
export function fill(folder: string, dice: Dice): Original {
  const disk = new FakeFiles();
  let world = new StoreWorld(disk, 'always', BOUNDS);
  for (let life = dice.between(1, 3); life > 0; life--) {
    const { made } = world;
    world = new StoreWorld(disk, 'always', BOUNDS);
    world.made = made;
    world.takesPictures = false;
    carryOut(world, rolledLife(dice, dice.between(150, 600)), () => undefined);
    // Either all is written before it ends, or it is killed.
    if (dice.chance(0.5)) world.settle();
  }
  const files = new Map<string, Buffer>();
  for (const file of disk.paths) files.set(path.basename(file), disk.read(file));
  if (dice.chance(0.3)) cutOff(files, dice);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [name, bytes] of files) writeFileSync(path.join(folder, name), bytes, { mode: 0o600 });
  return { salt: SALT, files, groups: [...files].flatMap(([name, bytes]) => groupsOf(name, bytes)) };
}

/** The broker was killed while it wrote one more group. */
function cutOff(files: Map<string, Buffer>, dice: Dice): void {
  const last = [...files.keys()].at(-1);
  if (last === undefined) return;
  const writer = new GroupWriter(SALT);
  for (let count = dice.between(1, 5); count > 0; count--) {
    writer.begin(CLEARED);
    writer.text(`topic ${count}`.repeat(dice.between(1, 50)));
  }
  const bytes = files.get(last)!;
  const group = writer.take((groupsOf(last, bytes).at(-1)?.number ?? 0) + 1, null);
  files.set(last, Buffer.concat([bytes, group.subarray(0, dice.below(group.length))]));
}

const noted = (bytes: Buffer, at: number): number => bytes.readDoubleBE(at + HEAD_LENGTH);

function groupsOf(name: string, bytes: Buffer): WrittenGroup[] {
  const { number: segment, salt } = parseSegmentName(name)!;
  const groups = stretchesOf(bytes, salt).filter(({ kind }) => kind === GROUP);
  return groups.map(({ group, start, end, records }) => ({
    number: group,
    segment,
    start,
    end,
    beginning: Math.max(0, ...records.filter((at) => typeOf(bytes, at) === BEGINNING).map((at) => noted(bytes, at))),
    records: records
      .filter((at) => typeOf(bytes, at) !== BEGINNING)
      .map((at) => ({ segment, start: at, end: endOf(bytes, at), type: typeOf(bytes, at), body: at + HEAD_LENGTH })),
  }));
}
