// What the lines of a password file say, for the broker that loads the file and for mqtt-passwd that shows it.
import { trimBlanks } from '../../util/blanks.ts';
import { parseStoredHash, type StoredHash } from './hashes.ts';

/** A line that is neither blank nor a comment. Lines count from 1. */
export type PasswordEntry =
  | { readonly kind: 'user'; line: number; name: string; hash: string; stored: StoredHash }
  /** No colon: the line is ignored. */
  | { readonly kind: 'no colon'; line: number }
  | { readonly kind: 'no name'; line: number }
  | { readonly kind: 'duplicate'; line: number; name: string; firstLine: number }
  /** `why` follows the words "the hash". */
  | { readonly kind: 'bad hash'; line: number; name: string; why: string };

/** Takes the lines of a password file apart, one after the other. */
export function* passwordEntries(lines: readonly string[]): Generator<PasswordEntry, void, undefined> {
  const firstLines = new Map<string, number>();
  for (const [index, text] of lines.entries()) {
    if (text.startsWith('#') || trimBlanks(text) === '') continue;
    const line = index + 1;
    // Anything behind a second colon is no longer Mosquitto's.
    const [rawName = '', rawHash] = text.split(':', 2);
    const name = trimBlanks(rawName);
    const firstLine = firstLines.get(name);
    if (rawHash === undefined) yield { kind: 'no colon', line };
    else if (name === '') yield { kind: 'no name', line };
    else if (firstLine !== undefined) yield { kind: 'duplicate', line, name, firstLine };
    else {
      firstLines.set(name, line);
      const hash = trimBlanks(rawHash);
      const stored = parseStoredHash(hash);
      if (typeof stored === 'string') yield { kind: 'bad hash', line, name, why: stored };
      else yield { kind: 'user', line, name, hash, stored };
    }
  }
}
