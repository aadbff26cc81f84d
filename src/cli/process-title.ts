// What other users of the machine see of this process (ps, /proc/PID/cmdline).
import process from 'node:process';

/**
 * Puts `shown`, the arguments with a mask for every secret, in the place of this process's arguments. On Linux that overwrites
 * the memory that /proc/PID/cmdline shows, to its last byte. `argv` are the arguments as they were given, the last ones of
 * this process; those of another program are left alone, and so is the title of a Windows console, which is not the process's.
 */
export function showInstead(name: string, argv: readonly string[], shown: readonly string[]): void {
  const first = process.argv.length - argv.length;
  if (process.platform === 'win32' || argv.some((word, i) => process.argv[first + i] !== word)) return;
  process.title = [name, ...process.argv.slice(2, first), ...shown].join(' ');
}
