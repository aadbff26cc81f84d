// CPU time and memory of another process, as Linux tells them in /proc.
import { readdirSync, readFileSync } from 'node:fs';

/** What a process has used. */
export interface ProcessUsage {
  /** CPU time of its living threads, user and system. */
  readonly cpuMicroseconds: number;
  /** Resident memory now, and the most that it ever was, in bytes. */
  readonly residentBytes: number;
  readonly peakBytes: number;
}

/** Reads what a process uses. Throws the system's error: ENOENT for a process that is gone, or without /proc. */
export function usageOf(pid: number, proc = '/proc'): ProcessUsage {
  let nanoseconds = 0;
  for (const task of readdirSync(`${proc}/${pid}/task`)) {
    nanoseconds += Number(readFileSync(`${proc}/${pid}/task/${task}/schedstat`, 'utf8').split(' ', 1)[0]);
  }
  const status = readFileSync(`${proc}/${pid}/status`, 'utf8');
  const bytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
  return { cpuMicroseconds: nanoseconds / 1000, residentBytes: bytes('VmRSS'), peakBytes: bytes('VmHWM') };
}
