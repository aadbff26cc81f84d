// Secrets as others may see them, in the list of processes.

/** What stands for a secret. */
const MASK = '***';

/** The mask of an option whose whole value is a secret. */
export function maskAll(words: readonly string[]): readonly string[] {
  return words.map(() => MASK);
}

/** The mask of an option whose value is a URL that may have a password before the host. */
export function maskUrl(words: readonly string[]): readonly string[] {
  // Up to the last '@': whoever forgot to escape one should not see the rest of the password.
  return words.map((word) => word.replace(/^([^/]*:\/\/[^:@/]*:).*@/s, `$1${MASK}@`));
}
