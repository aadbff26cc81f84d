import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { whereIs } from './process.ts';

/** Makes a named pipe in a folder; returns its path. */
export function makePipe(folder: string): string {
  const program = whereIs('mkfifo');
  if (program === null) throw new Error('there is no mkfifo');
  const file = path.join(folder, 'pipe');
  execFileSync(program, [file]);
  return file;
}
