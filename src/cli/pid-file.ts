// The pid file: where the broker says who it is.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { EXIT_PID_FILE, systemErrorText, UsageError } from './messages.ts';

/** A pid file that names this process. */
export interface PidFile {
  /** The start failed: what was there before, another broker's id perhaps, is put back. */
  restore(): void;
  /** The broker has stopped: the file goes, unless another process has put its own id there. */
  remove(): void;
}

/** Writes this process's id. Throws UsageError with the exit code for it. */
export function writePidFile(file: string): PidFile {
  const before = read(file);
  try {
    writeFileSync(file, `${process.pid}\n`);
  } catch (error) {
    throw new UsageError(`Unable to write pid file ${file}. ${systemErrorText(error)}.`, 'nothing', EXIT_PID_FILE);
  }
  return {
    restore: () => {
      if (before === null) rmSync(file, { force: true });
      else writeFileSync(file, before);
    },
    remove: () => {
      if (read(file)?.trim() !== String(process.pid)) return;
      try {
        rmSync(file);
      } catch {
        // The rights to it may be gone with root's. A left-over file does no harm: the next start overwrites it.
      }
    },
  };
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
