// Kinds of damage to a folder of files. Each says what it did.
import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { HEADER_LENGTH, parseSegmentName, segmentName } from '../../src/broker/store/segment.ts';
import type { Dice } from '../support/fuzz-dice.ts';

type Kind = (file: string, dice: Dice) => string;

/** Rewrites a file's bytes. */
const change =
  (alter: (bytes: Buffer, dice: Dice) => [Buffer, string]): Kind =>
  (file, dice) => {
    const [bytes, what] = alter(readFileSync(file), dice);
    writeFileSync(file, bytes);
    return what;
  };

/** Overwrites a stretch of a file. */
const overwrite = (least: number, most: number, fillIn: (length: number, dice: Dice) => Buffer): Kind =>
  change((bytes, dice) => {
    const at = dice.below(Math.max(1, bytes.length));
    const length = Math.min(dice.between(least, most), bytes.length - at);
    fillIn(length, dice).copy(bytes, at);
    return [bytes, `${length} bytes at ${at}`];
  });

const zeros = (length: number) => Buffer.alloc(length);
const garbage = (length: number, dice: Dice) => dice.bytes(length);

const flip: Kind = change((bytes, dice) => {
  if (bytes.length === 0) return [bytes, 'nothing'];
  const bit = dice.below(bytes.length * 8);
  bytes[bit >> 3]! ^= 1 << (bit & 7);
  return [bytes, `bit ${bit & 7} of byte ${bit >> 3}`];
});

const cut: Kind = change((bytes, dice) => {
  const length = dice.below(bytes.length + 1);
  return [bytes.subarray(0, length), `to ${length} of ${bytes.length} bytes`];
});

const header: Kind = change((bytes, dice) => {
  const length = Math.min(HEADER_LENGTH, bytes.length);
  if (length === 0) return [bytes, 'nothing'];
  const at = dice.below(length);
  bytes[at] = (bytes[at]! + dice.between(1, 255)) & 255;
  return [bytes, `byte ${at}`];
});

/** A copy under the name of another segment, or under one that is nobody's. */
const duplicate: Kind = (file, dice) => {
  const to = freeName(file, dice);
  copyFileSync(file, path.join(path.dirname(file), to));
  return `as ${to}`;
};

const rename: Kind = (file, dice) => {
  const to = freeName(file, dice);
  renameSync(file, path.join(path.dirname(file), to));
  return `to ${to}`;
};

function freeName(file: string, dice: Dice): string {
  const folder = path.dirname(file);
  const { salt } = parseSegmentName(path.basename(file))!;
  const taken = new Set(readdirSync(folder));
  const free = Array.from({ length: 60 }, (_, number) => segmentName(number, salt)).filter((name) => !taken.has(name));
  return dice.pick([`${path.basename(file)}.bak`, `copy of ${path.basename(file)}`, dice.pick(free), dice.pick(free)]);
}

/** All kinds, by name. */
const KINDS: Readonly<Record<string, Kind>> = {
  'flipped bit': flip,
  'zeroed block': overwrite(512, 512, zeros),
  'garbage of 4 KiB': overwrite(4096, 4096, garbage),
  'zeroed 16 KiB': overwrite(16_384, 16_384, zeros),
  'a few bytes of garbage': overwrite(1, 64, garbage),
  cut,
  removed: (file) => {
    rmSync(file);
    return 'all of it';
  },
  emptied: change(() => [Buffer.alloc(0), 'all of it']),
  duplicated: duplicate,
  renamed: rename,
  'garbage appended': change((bytes, dice) => {
    const more = dice.bytes(dice.between(1, 3000));
    return [Buffer.concat([bytes, more]), `${more.length} bytes`];
  }),
  'zeros appended': change((bytes, dice) => {
    const more = Buffer.alloc(dice.between(1, 9000));
    return [Buffer.concat([bytes, more]), `${more.length} bytes`];
  }),
  'header changed': header,
};

/** Damages a store's folder once, or rarely two or three times. Returns what was done. */
export function damage(folder: string, dice: Dice): string[] {
  const done: string[] = [];
  if (dice.chance(0.1)) {
    const text = dice.pick([dice.bytes(40).toString('latin1'), '', '1 x', '-1 -', '99999999999 1', 'x'.repeat(10_000)]);
    writeFileSync(path.join(folder, 'lock'), text);
    done.push('garbage in the lock');
  }
  const times = dice.chance(0.2) ? dice.between(2, 3) : 1;
  for (let count = 0; count < times; count++) {
    const names = readdirSync(folder).filter((name) => parseSegmentName(name) !== null);
    if (names.length === 0) break;
    const name = dice.pick(names.sort());
    const kind = dice.pick(Object.keys(KINDS));
    const isMove = kind === 'renamed' || kind === 'duplicated';
    // A damaged file under another name can't be told from a damaged file of that name.
    if (isMove && count > 0) continue;
    done.push(`${kind}: ${name}, ${KINDS[kind]!(path.join(folder, name), dice)}`);
    if (isMove) break;
  }
  return done;
}
