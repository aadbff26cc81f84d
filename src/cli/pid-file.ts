// The pid file: where the broker says who it is.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { EXIT_PID_FILE, systemErrorText, UsageError } from './messages.ts';

/** Writes this process's id. Throws UsageError with the exit code for it. */
export function writePidFile(file: string): void {
  try {
    writeFileSync(file, `${process.pid}\n`);
  } catch (error) {
    throw new UsageError(`Unable to write pid file ${file}. ${systemErrorText(error)}.`, 'nothing', EXIT_PID_FILE);
  }
}

/** Removes the file, unless another process has put its own id there, or the right to remove it is gone. */
export function removePidFile(file: string): void {
  try {
    if (readFileSync(file, 'utf8').trim() === String(process.pid)) rmSync(file);
  } catch {
    // A left-over pid file does no harm: the next start overwrites it.
  }
}
