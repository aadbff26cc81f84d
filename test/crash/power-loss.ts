// The loss of power: the watched folder becomes what the disk may hold afterwards. That is at least what was synced; of the
// rest any part may be there, page by page and name by name, for nothing says in which order a disk writes.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Dice } from '../support/fuzz-dice.ts';
import { type DiskImage, FOLDER } from './disk-image.ts';

const PAGE = 4096;

/** A file or folder that is there after the loss. */
interface Left {
  readonly relative: string;
  /** null for a folder. */
  readonly bytes: Buffer | null;
}

/** With `dice` some of what was not synced is there; with null nothing is. */
export function losePower(image: DiskImage, dice: Dice | null): void {
  const left: Left[] = [];
  collect(image, '', dice, left);
  for (const name of readdirSync(image.root)) rmSync(path.join(image.root, name), { recursive: true });
  for (const { relative, bytes } of left) {
    const file = path.join(image.root, relative);
    if (bytes === null) mkdirSync(file, { mode: 0o700 });
    else writeFileSync(file, bytes, { mode: 0o600 });
  }
  image.restart();
}

function collect(image: DiskImage, folder: string, dice: Dice | null, left: Left[]): void {
  const safe = image.safeNames(folder);
  const present = image.presentNames(folder);
  for (const name of [...new Set([...Object.keys(safe), ...Object.keys(present)])].sort()) {
    const id = survivor(safe[name] ?? null, present[name] ?? null, dice);
    if (id === null) continue;
    const relative = path.join(folder, name);
    if (id === FOLDER) {
      left.push({ relative, bytes: null });
      collect(image, relative, dice, left);
    } else left.push({ relative, bytes: bytesOf(image, relative, id, present[name] === id, dice) });
  }
}

/** Which file a name belongs to after the loss. */
function survivor(safe: string | null, present: string | null, dice: Dice | null): string | null {
  if (safe === present || dice === null) return safe;
  return dice.chance(0.5) ? safe : present;
}

function bytesOf(image: DiskImage, relative: string, id: string, isPresent: boolean, dice: Dice | null): Buffer {
  const safe = image.safeBytes(id);
  const file = path.join(image.root, relative);
  if (dice === null || !isPresent || !existsSync(file)) return safe;
  return mixed(safe, readFileSync(file), dice);
}

/** A file of which each page is as it was synced or as it was written since, and whose length is one of the two or between. */
export function mixed(safe: Buffer, written: Buffer, dice: Dice): Buffer {
  const [least, most] = [Math.min(safe.length, written.length), Math.max(safe.length, written.length)];
  const length = dice.pick([safe.length, written.length, dice.between(least, most)]);
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += PAGE) {
    const source = dice.chance(0.5) ? safe : written;
    // What lies behind the end of the one is a hole there: zeros.
    source.subarray(at, Math.min(at + PAGE, length)).copy(bytes, at);
  }
  return bytes;
}
