// Opening the log of a folder: lock, read, set damaged files aside, and begin to write.
import { randomBytes } from 'node:crypto';
import { copyFileSync, constants as fs, rmSync } from 'node:fs';
import path from 'node:path';
import { type Files, realFiles } from './files.ts';
import { lockStore, type StoreLock } from './lock.ts';
import { Log, type LogEvents, type SyncMode } from './log.ts';
import { type RecordVisitor, type Recovered, readLog } from './recover.ts';
import { HEADER_LENGTH, segmentName } from './segment.ts';
import { startWorker } from './worker-port.ts';

/** A store that is damaged, and may not be repaired. */
export class StoreDamaged extends Error {
  readonly found: Recovered;

  constructor(folder: string, found: Recovered) {
    super(`the store ${folder} is damaged (${firstOf(found)}); persistence_on_corruption refuse leaves it as it is`);
    this.found = found;
  }
}

function firstOf({ damages, missingGroups, salt }: Recovered): string {
  const [first] = damages;
  if (first === undefined)
    return missingGroups === 1 ? 'a group of records is missing' : `${missingGroups} groups of records are missing`;
  return `${segmentName(first.segment, salt!)}, ${first.length} bytes at offset ${first.offset}`;
}

/** An opened log. */
export interface OpenedLog {
  readonly log: Log;
  readonly found: Recovered;
  /** Copies of the damaged files. */
  readonly copies: readonly string[];
  readonly lock: StoreLock;
}

/** How to open. */
export interface OpenOptions {
  readonly folder: string;
  readonly mode: SyncMode;
  /** Milliseconds between syncs, for the mode 'interval'. */
  readonly intervalMs: number;
  /** Whether a damaged store is to be left alone. */
  readonly refusesDamage: boolean;
  readonly onLost: (error: Error) => void;
}

/**
 * Opens the log of a folder, which is made if need be. Its records are visited first. Throws StoreInUse, StoreRefused,
 * StoreDamaged, or as the file system does; the files are then as they were.
 */
export function openLog(options: OpenOptions, visit: RecordVisitor, events: LogEvents): OpenedLog {
  const { folder } = options;
  realFiles.makeFolder(folder);
  syncEntry(folder, realFiles);
  const lock = lockStore(folder);
  try {
    const found = readLog(folder, realFiles, visit);
    const isDamaged = found.damages.length > 0 || found.missingGroups > 0;
    if (isDamaged && options.refusesDamage) throw new StoreDamaged(folder, found);
    const copies = setAside(folder, found, realFiles);
    const sizes = cutTail(folder, found, realFiles);
    const salt = found.salt ?? randomBytes(4).readUInt32BE();
    syncNewest(folder, sizes, salt, realFiles);
    const port = startWorker(folder, salt, options.onLost);
    const log = new Log({ ...found, salt, sizes }, port, events, options.mode, options.intervalMs);
    // Written anew, what is whole is whole again: the next start finds no damage, and reports none a second time.
    if (isDamaged) log.compact();
    return { log, found, copies, lock };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Makes the folder itself last: a folder that was just made is an entry of the one above it. */
function syncEntry(folder: string, files: Files): void {
  try {
    files.syncFolder(path.dirname(path.resolve(folder)));
  } catch (error) {
    // Whoever may not look into the folder above did not make this one.
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
  }
}

/**
 * What a process that was killed had written and not synced is read like all the rest, and counts from now on; so it has to be
 * on the disk. Only the newest segment can have such an end, and the folder such names.
 */
function syncNewest(folder: string, sizes: ReadonlyMap<number, number>, salt: number, files: Files): void {
  if (sizes.size === 0) return;
  const handle = files.append(path.join(folder, segmentName(Math.max(...sizes.keys()), salt)));
  try {
    files.syncAll(handle);
  } finally {
    files.close(handle);
  }
  files.syncFolder(folder);
}

/** Copies damaged segments, so that nothing of them is lost to whoever knows more. What was copied before is not again. */
function setAside(folder: string, { damages, salt }: Recovered, files: Files): string[] {
  const segments = [...new Set(damages.map(({ segment }) => segment))];
  const names = files.list(folder);
  return segments.map((segment) => {
    const name = segmentName(segment, salt!);
    const file = path.join(folder, name);
    const bytes = files.read(file);
    const known = names
      .filter((one) => one.startsWith(`${name}.corrupt-`))
      .find((one) => files.read(path.join(folder, one)).equals(bytes));
    if (known !== undefined) return path.join(folder, known);
    const copy = `${file}.corrupt-${new Date().toISOString().replace(/[:.]/g, '-')}`;
    copyDurably(file, copy, files);
    return copy;
  });
}

/** Copies a file so that the copy lasts, for the file will go. Leaves nothing where that fails. */
function copyDurably(file: string, copy: string, files: Files): void {
  try {
    copyFileSync(file, copy, fs.COPYFILE_EXCL);
    const handle = files.append(copy);
    try {
      files.syncAll(handle);
    } finally {
      files.close(handle);
    }
    files.syncFolder(path.dirname(copy));
  } catch (error) {
    // What was there before is another copy.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') rmSync(copy, { force: true });
    throw error;
  }
}

/** Cuts off what the end of the last run left unfinished; the sizes of the segments after that. */
export function cutTail(folder: string, { tail, sizes, salt }: Recovered, files: Files): Map<number, number> {
  const left = new Map(sizes);
  if (tail === null) return left;
  for (const [segment, size] of sizes) {
    if (segment < tail.segment) continue;
    const start = segment === tail.segment ? tail.offset : 0;
    const file = path.join(folder, segmentName(segment, salt!));
    if (start <= HEADER_LENGTH) {
      files.remove(file);
      left.delete(segment);
    } else if (start < size) {
      const handle = files.append(file);
      try {
        files.truncate(handle, start);
        files.syncAll(handle);
      } finally {
        files.close(handle);
      }
      left.set(segment, start);
    }
  }
  files.syncFolder(folder);
  return left;
}
