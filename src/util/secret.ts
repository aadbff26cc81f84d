// Care with bytes that must stay secret.
import { timingSafeEqual } from 'node:crypto';

/** Whether two byte strings are equal; the time this takes tells nothing of where they differ (but does tell lengths). */
export function sameSecret(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Overwrites a secret that is no longer needed. */
export function wipe(secret: Uint8Array): void {
  secret.fill(0);
}
