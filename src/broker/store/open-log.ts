// Opening the log of a folder: lock, read, set damaged files aside, and begin to write.
import { randomBytes } from 'node:crypto';
import { copyFileSync, constants as fs } from 'node:fs';
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
    const [first] = found.damages;
    super(
      `the store ${folder} is damaged (${segmentName(first!.segment, found.salt!)}, ${first!.length} bytes at offset ${first!.offset}); persistence_on_corruption refuse leaves it as it is`,
    );
    this.found = found;
  }
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
  const lock = lockStore(folder);
  try {
    const found = readLog(folder, realFiles, visit);
    if (found.damages.length > 0 && options.refusesDamage) throw new StoreDamaged(folder, found);
    const copies = setAside(folder, found);
    const sizes = cutTail(folder, found, realFiles);
    const salt = found.salt ?? randomBytes(4).readUInt32BE();
    const port = startWorker(folder, salt, options.onLost);
    const log = new Log({ salt, lastGroup: found.lastGroup, sizes }, port, events, options.mode, options.intervalMs);
    return { log, found, copies, lock };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Copies damaged segments, so that nothing of them is lost to whoever knows more. */
function setAside(folder: string, { damages, salt }: Recovered): string[] {
  const segments = [...new Set(damages.map(({ segment }) => segment))];
  return segments.map((segment) => {
    const file = path.join(folder, segmentName(segment, salt!));
    const copy = `${file}.corrupt-${new Date().toISOString().replace(/[:.]/g, '-')}`;
    copyFileSync(file, copy, fs.COPYFILE_EXCL);
    return copy;
  });
}

/** Cuts off what the end of the last run left unfinished; the sizes of the segments after that. */
function cutTail(folder: string, { tail, sizes, salt }: Recovered, files: Files): Map<number, number> {
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
