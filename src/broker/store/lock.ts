// One broker for each store: a lock in its folder.
import path from 'node:path';
import { type Lock, LockHeld, lockHolder, takeLock } from '../../util/process-lock.ts';

/** Another process uses the store. */
export class StoreInUse extends Error {
  readonly pid: number;

  constructor(folder: string, pid: number) {
    super(`the store ${folder} is in use by the process ${pid}; stop that one first`);
    this.pid = pid;
  }
}

/** A lock that is held. */
export type StoreLock = Lock;

const lockOf = (folder: string): string => path.join(folder, 'lock');

/** Locks a folder for this process. Throws StoreInUse, or as the file system does. */
export function lockStore(folder: string): StoreLock {
  try {
    return takeLock(lockOf(folder));
  } catch (error) {
    throw error instanceof LockHeld ? new StoreInUse(folder, error.pid) : error;
  }
}

/** The process that has a folder locked; 0 where none does. Throws as the file system does. */
export function storeHolder(folder: string): number {
  return lockHolder(lockOf(folder));
}
