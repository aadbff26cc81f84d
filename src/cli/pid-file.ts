// The pid file: where the broker says who it is.
import { closeSync, ftruncateSync, rmSync, writeSync } from 'node:fs';
import process from 'node:process';
import { openNow, TO_REPLACE } from '../util/open-now.ts';
import { readSmallFile, type UnreadableFile } from '../util/small-file.ts';
import { systemErrorText } from '../util/system-error.ts';
import { EXIT_PID_FILE, UsageError } from './messages.ts';

/** Largest file that is taken for a pid file, in bytes. */
const LARGEST_FILE = 4096;

/** A pid file that names this process. */
export interface PidFile {
  /** The start failed: what was there before, another broker's id perhaps, is put back. */
  restore(): void;
  /** The broker has stopped: the file goes, unless another process has put its own id there. */
  remove(): void;
}

/** Writes this process's id. Throws UsageError with the exit code for it. */
export function writePidFile(file: string): PidFile {
  let before: string | null;
  let descriptor: number | null = null;
  try {
    // What is too large for a pid file is one by mistake, and is left alone.
    before = read(file);
    descriptor = openNow(file, TO_REPLACE);
    writeSync(descriptor, `${process.pid}\n`);
  } catch (error) {
    if (descriptor !== null) closeSync(descriptor);
    throw new UsageError(`Unable to write pid file ${file}. ${systemErrorText(error)}.`, 'nothing', EXIT_PID_FILE);
  }
  // It stays open: with root's rights gone, nothing else lets the file be put back as it was.
  const handle = descriptor;
  return {
    restore: () => {
      try {
        ftruncateSync(handle);
        if (before === null) rmSync(file, { force: true });
        else writeSync(handle, before, 0);
      } catch {
        // An empty file names no process. Why the broker did not start must be told, not this.
      } finally {
        closeSync(handle);
      }
    },
    remove: () => {
      closeSync(handle);
      try {
        if (read(file)?.trim() === String(process.pid)) rmSync(file);
      } catch {
        // The rights to it may be gone with root's. A left-over file does no harm: the next start overwrites it.
      }
    },
  };
}

/** What is in the file, null where there is none. Throws UnreadableFile. */
function read(file: string): string | null {
  try {
    return readSmallFile(file, LARGEST_FILE).bytes.toString();
  } catch (error) {
    if ((error as UnreadableFile).code === 'ENOENT') return null;
    throw error;
  }
}
