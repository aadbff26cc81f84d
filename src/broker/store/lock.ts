// One broker for each store: a file with the pid of who uses it.
import { closeSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** Another process uses the store. */
export class StoreInUse extends Error {
  readonly pid: number;

  constructor(folder: string, pid: number) {
    super(`the store ${folder} is in use by the process ${pid}; stop that one first`);
    this.pid = pid;
  }
}

/** A lock that is held. */
export interface StoreLock {
  release(): void;
}

/**
 * Locks a folder for this process. The lock of a process that is gone counts for nothing, also where another process has got
 * its pid since. Throws StoreInUse, or as the file system does.
 */
export function lockStore(folder: string): StoreLock {
  const file = path.join(folder, 'lock');
  const mine = `${process.pid} ${startOf(process.pid)}\n`;
  for (;;) {
    try {
      const handle = openSync(file, 'wx', 0o600);
      try {
        writeSync(handle, mine);
      } finally {
        closeSync(handle);
      }
      return { release: () => releaseIfMine(file, mine) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [pid = 0, start = ''] = holderOf(file);
    if (pid !== 0 && isRunning(pid) && startOf(pid) === start) throw new StoreInUse(folder, pid);
    removeIfThere(file);
  }
}

function holderOf(file: string): [number, string] | [] {
  try {
    const [pid = '', start = ''] = readFileSync(file, 'utf8').trim().split(' ');
    return [Number(pid), start];
  } catch {
    return [];
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** When a process started, as the system counts it; '-' where that can't be told. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in brackets, may have blanks of its own; the start time is the 20th field behind it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '-';
  } catch {
    return '-';
  }
}

function releaseIfMine(file: string, mine: string): void {
  try {
    if (readFileSync(file, 'utf8') === mine) unlinkSync(file);
  } catch {
    // It is gone already.
  }
}

function removeIfThere(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
