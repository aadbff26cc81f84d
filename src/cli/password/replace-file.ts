// Writes a file that holds secrets so that readers see the old or the new content, never half of it: a new file beside it,
// synced, renamed over it. A file that is a mount of its own (as containers do) can't be renamed over, a folder may forbid
// new files, and a file of several names would lose the others; then it is written in place.
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/** What is asked of the file system, so that a test can stop it at any step. */
export type Disk = Pick<
  typeof fs,
  | 'closeSync'
  | 'fchmodSync'
  | 'fchownSync'
  | 'fsyncSync'
  | 'ftruncateSync'
  | 'openSync'
  | 'readFileSync'
  | 'renameSync'
  | 'rmSync'
  | 'writeSync'
>;

/** Errors of the careful way that the plain way may not meet. */
const FALL_BACK = new Set(['EACCES', 'EBUSY', 'EPERM', 'EROFS', 'EXDEV']);

/** A temporary file that is older, in milliseconds, was left behind by a process that was killed. */
const LEFT_BEHIND_MS = 60_000;

/** The file that a path stands for: symbolic links are followed, also those to a file that is not there yet. */
export function realTarget(file: string): string {
  let target = file;
  // As many links as Linux follows.
  for (let links = 0; links <= 40; links++) {
    try {
      return fs.realpathSync(target);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    const link = fs.lstatSync(target, { throwIfNoEntry: false });
    if (link?.isSymbolicLink() !== true) return target;
    target = path.resolve(fs.realpathSync(path.dirname(target)), fs.readlinkSync(target));
  }
  return target;
}

/** A name beside a file for what belongs to it: hidden, so that nobody takes it for the file. */
export const besideName = (target: string, suffix: string): string =>
  path.join(path.dirname(target), `.${path.basename(target)}.${suffix}`);

/**
 * Replaces or makes the file `target` (see realTarget). Its owner, group and mode stay; a file that is made can be read by
 * its owner only. With `asNew` so can one that is there, unless its group could read it while others could not. Throws the
 * system's error; the old content is whole then.
 */
export function replaceFile(target: string, content: Buffer, asNew: boolean, disk: Disk = fs): void {
  const old = fs.statSync(target, { throwIfNoEntry: false }) ?? null;
  if (old !== null && !old.isFile()) {
    writeWhole(disk, disk.openSync(target, 'w'), content);
    return;
  }
  const mode = modeOf(old, asNew);
  const beside = besideName(target, randomBytes(6).toString('hex'));
  try {
    writeBeside(disk, beside, content, old, mode);
    if (old === null || old.nlink === 1) {
      disk.renameSync(beside, target);
      syncFolder(disk, target);
      return;
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (old === null || !FALL_BACK.has(code)) {
      removeQuietly(disk, beside);
      throw error;
    }
  }
  writeInPlace(disk, target, beside, content, asNew ? mode : null);
}

function modeOf(old: fs.Stats | null, asNew: boolean): number {
  if (old === null) return 0o600;
  if (!asNew) return old.mode & 0o777;
  return (old.mode & 0o007) === 0 ? 0o600 | (old.mode & 0o060) : 0o600;
}

function writeBeside(disk: Disk, beside: string, content: Buffer, old: fs.Stats | null, mode: number): void {
  const handle = disk.openSync(beside, 'wx', 0o600);
  writeWhole(disk, handle, content, () => {
    // Before the mode: a change of owner takes some bits away.
    if (old !== null) disk.fchownSync(handle, old.uid, old.gid);
    disk.fchmodSync(handle, mode);
    disk.fsyncSync(handle);
  });
}

/**
 * Writes the file itself, in such an order that a process killed between two steps leaves the old or the new content, at most
 * with blank lines behind it: room first, then everything with one write, then the end. Within that write the whole content
 * is in the file beside, if there is one (see `interruptedChange`).
 */
function writeInPlace(disk: Disk, target: string, beside: string, content: Buffer, mode: number | null): void {
  const whole = besideName(target, 'unfinished');
  let handle: number;
  try {
    handle = disk.openSync(target, 'r+');
  } catch (error) {
    removeQuietly(disk, beside);
    throw error;
  }
  try {
    // Where the folder forbids new files, there is none beside.
    quietly(() => disk.renameSync(beside, whole));
    // Who may write a file need not own it; its mode is the owner's matter then.
    if (mode !== null) quietly(() => disk.fchmodSync(handle, mode));
    const old = disk.readFileSync(handle);
    const growth = Buffer.alloc(Math.max(0, content.length - old.length), '\n');
    const blanks = Buffer.alloc(Math.max(0, old.length - content.length), '\n');
    try {
      writeAll(disk, handle, growth, old.length);
      writeAll(disk, handle, Buffer.concat([content, blanks]), 0);
      disk.ftruncateSync(handle, content.length);
      disk.fsyncSync(handle);
    } catch (error) {
      // If this fails too, what is whole stays beside.
      writeAll(disk, handle, old, 0);
      disk.ftruncateSync(handle, old.length);
      removeQuietly(disk, whole);
      throw error;
    }
    removeQuietly(disk, whole);
  } finally {
    disk.closeSync(handle);
  }
}

/** Writes to a new descriptor, does the rest and closes it. */
function writeWhole(disk: Disk, handle: number, content: Buffer, finish: () => void = () => undefined): void {
  try {
    writeAll(disk, handle, content, null);
    finish();
  } finally {
    disk.closeSync(handle);
  }
}

function writeAll(disk: Disk, handle: number, bytes: Buffer, position: number | null): void {
  for (let done = 0; done < bytes.length; ) {
    done += disk.writeSync(handle, bytes, done, bytes.length - done, position === null ? null : position + done);
  }
}

/** Makes a rename last over a power failure, where the system lets a folder be synced. */
function syncFolder(disk: Disk, target: string): void {
  quietly(() => {
    const handle = disk.openSync(path.dirname(target), 'r');
    try {
      disk.fsyncSync(handle);
    } finally {
      disk.closeSync(handle);
    }
  });
}

/**
 * Tidies up after processes that were killed while they wrote this file. Returns the name of a file with the whole of what
 * one of them was writing in place, where the target does not have that content: it may be half written. Else null.
 */
export function interruptedChange(target: string): string | null {
  const folder = path.dirname(target);
  const start = `.${path.basename(target)}.`;
  quietly(() => {
    const names = fs.readdirSync(folder).filter((name) => name.startsWith(start));
    for (const name of names.filter((name) => /^[0-9a-f]{12}$/.test(name.slice(start.length)))) {
      const old = Date.now() - fs.statSync(path.join(folder, name)).mtimeMs > LEFT_BEHIND_MS;
      if (old) fs.rmSync(path.join(folder, name), { force: true });
    }
  });
  const whole = besideName(target, 'unfinished');
  if (!fs.existsSync(whole)) return null;
  if (fs.existsSync(target) && fs.readFileSync(whole).equals(fs.readFileSync(target))) {
    fs.rmSync(whole, { force: true });
    return null;
  }
  const kept = `${target}.interrupted`;
  fs.renameSync(whole, kept);
  return kept;
}

function removeQuietly(disk: Disk, file: string): void {
  quietly(() => disk.rmSync(file, { force: true }));
}

function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // What this was for is done, or was done without it.
  }
}
