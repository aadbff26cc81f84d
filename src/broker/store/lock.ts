// One broker for each store.
import path from 'node:path';
import { type LockFile, lockHolder, takeLock } from '../../util/lock-file.ts';

/** Another process uses the store. */
export class StoreInUse extends Error {
  readonly pid: number;

  constructor(folder: string, pid: number) {
    super(`the store ${folder} is in use by the process ${pid}; stop that one first`);
    this.pid = pid;
  }
}

/** A lock that is held. */
export type StoreLock = LockFile;

const lockOf = (folder: string): string => path.join(folder, 'lock');

/** Locks a folder for this process. Throws StoreInUse, or as the file system does. */
export function lockStore(folder: string): StoreLock {
  const lock = takeLock(lockOf(folder));
  if (typeof lock === 'number') throw new StoreInUse(folder, lock);
  return lock;
}

/** The process that has a folder locked; 0 where none does. Throws as the file system does. */
export function storeHolder(folder: string): number {
  return lockHolder(lockOf(folder));
}
