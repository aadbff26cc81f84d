import { constants, openSync } from 'node:fs';

/** Absent on Windows, which has no such pipes. */
const NOT_WAITING = constants.O_NONBLOCK ?? 0;

export const TO_READ = constants.O_RDONLY;
export const TO_APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT;
export const TO_REPLACE = constants.O_WRONLY | constants.O_TRUNC | constants.O_CREAT;

/**
 * Opens a file without waiting, where opening a pipe waits for its other end: one to be written that nobody reads is the
 * error ENXIO. Throws the system's error. Returns the descriptor.
 */
export function openNow(path: string, flags: number, mode = 0o666): number {
  return openSync(path, flags | NOT_WAITING, mode);
}
