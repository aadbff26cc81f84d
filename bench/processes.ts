// Runs a command line of the shell to its end and says what it took: the time that passed, and the CPU time of everything it
// started. bash's `time` reads the latter from the system, where Node says nothing of its children.
import { spawnSync } from 'node:child_process';

/** What one command took, in milliseconds. */
export interface Cost {
  readonly wall: number;
  /** User and system time. */
  readonly cpu: number;
}

/** A word of a shell's command line that stands for exactly this text. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * Runs a command line; its standard output and what it took. Throws if it fails or takes more than a minute.
 * @param meanwhile another one that runs beside it and is not counted
 */
export function timed(command: string, meanwhile = 'true'): { cost: Cost; output: string } {
  const script = `set -o pipefail; TIMEFORMAT='COST %3R %3U %3S'; { ${meanwhile}; } & time { ${command}; }; code=$?; wait; exit $code`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: 60_000,
  });
  const cost = /COST (\S+) (\S+) (\S+)\n$/.exec(stderr);
  if (status !== 0 || cost === null) throw new Error(`${command}\nended with ${status}: ${stderr}`);
  const [wall = 0, user = 0, system = 0] = cost.slice(1).map((seconds) => Number(seconds) * 1000);
  return { cost: { wall, cpu: user + system }, output: stdout };
}
