// One process at a time: a lock is a file with the pid of who holds it, and the time that process was started at.
import { closeSync, lstatSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs';
import process from 'node:process';
import { nap } from './nap.ts';

/** A lock that is held. */
export interface LockFile {
  release(): void;
}

/** Milliseconds that another process may take for a step between two system calls; who takes longer was killed there. */
const STEP_MS = 1000;
/** Milliseconds between two looks. Nothing else is to run meanwhile: what the lock is for is done in one go. */
const PAUSE_MS = 5;

/**
 * Takes the lock that is a file of this path. The lock of a process that is gone counts for nothing, also where another
 * process has got its pid since; but not before it is `graceMs` milliseconds old, as the process may run in another container,
 * where it can't be seen. Returns the lock, or the pid of the process that holds it, 0 for one that can't be seen. Throws as
 * the file system does.
 */
export function takeLock(file: string, graceMs = 0): LockFile | number {
  const mine = `${process.pid} ${startOf(process.pid)}\n`;
  while (!makes(file, mine)) {
    const held = finished(file);
    if (held === null) continue;
    const pid = holderIn(held);
    if (pid !== 0 || isYounger(file, graceMs)) return pid;
    breakLock(file, held);
  }
  return { release: () => releaseIfMine(file, mine) };
}

/** The process that holds a lock; 0 where none does. Throws as the file system does. */
export function lockHolder(file: string): number {
  return holderIn(contentOf(file) ?? '');
}

function holderIn(lock: string): number {
  const [word = '', start = ''] = lock.trim().split(' ');
  const pid = Number(word);
  return pid > 0 && isRunning(pid) && startOf(pid) === start ? pid : 0;
}

function isYounger(file: string, ms: number): boolean {
  if (ms === 0) return false;
  const made = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  // One that comes from the future was made by another clock.
  return Math.abs(Date.now() - made) < ms;
}

/** Makes a file that is not there yet; false where it is. */
function makes(file: string, text: string): boolean {
  let handle: number;
  try {
    handle = openSync(file, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  try {
    writeSync(handle, text);
    return true;
  } catch (error) {
    // A full disk, say. Nobody is to wait for its contents.
    removeIfThere(file);
    throw error;
  } finally {
    closeSync(handle);
  }
}

/** What is in a lock, null if it is gone. One that was made a moment ago is empty still. */
function finished(file: string): string | null {
  const end = performance.now() + STEP_MS;
  for (;;) {
    const text = contentOf(file);
    if (text === null || text.endsWith('\n') || performance.now() > end) return text;
    nap(PAUSE_MS);
  }
}

/**
 * Removes the lock of a process that is gone. Of several who want to, one at a time looks again and removes it: else the
 * second would remove what the first has put there since.
 */
function breakLock(file: string, held: string): void {
  const turn = `${file}.broken`;
  const end = performance.now() + STEP_MS;
  while (!makes(turn, '')) {
    if (performance.now() > end) removeIfThere(turn);
    else nap(PAUSE_MS);
  }
  try {
    if (contentOf(file) === held) removeIfThere(file);
  } finally {
    removeIfThere(turn);
  }
}

function contentOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return isThere(file) ? '' : null;
    // Another user's, who may well be running.
    throw error;
  }
}

/** A link that leads nowhere is there, and has nothing in it. */
const isThere = (file: string): boolean => lstatSync(file, { throwIfNoEntry: false }) !== undefined;

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
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A process that was killed is still listed until its parent has taken note.
    return fields[0] === 'Z' || fields[0] === 'X' ? 'ended' : (fields[19] ?? '-');
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
