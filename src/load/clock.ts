// The clock of the measurements. Linux and the other systems give every process of a machine the same monotonic clock, so
// that a stamp of one process can be compared with the clock of another; those of two machines can't.
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import process from 'node:process';

/** Microseconds since the machine started (or some other fixed moment), as a number that does not wrap. */
export function microseconds(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + Math.floor(nanoseconds / 1000);
}

/** Microseconds from a stamp to a later one; both are cut to 32 bits. A clock that seems to go back gives 0. */
export function elapsed(from: number, to: number): number {
  const difference = (to - from) | 0;
  return difference < 0 ? 0 : difference;
}

/** Sixteen bits that are the same for all processes that share the clock, and most likely others elsewhere. */
export function clockMark(): number {
  let hash = 0x811c9dc5;
  for (const char of clockName()) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  return (hash ^ (hash >>> 16)) & 0xffff;
}

/** The start of the machine has a name of its own in Linux; containers share it, and the clock. */
function clockName(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return hostname();
  }
}
