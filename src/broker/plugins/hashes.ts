// Stored passwords: takes hashes apart, checks and makes them, in every form that a password file may hold. Checks are slow
// on purpose; the broker lets its hash worker do them (hash-pool.ts).
import { argon2id } from './hash-forms/argon2id.ts';
import { bcrypt } from './hash-forms/bcrypt.ts';
import type { HashCost, HashForm, HashScheme, StoredHash } from './hash-forms/form.ts';
import { pbkdf2Sha512, sha512 } from './hash-forms/sha512.ts';

export type { HashCost, HashScheme, StoredHash } from './hash-forms/form.ts';

/** THE table of forms; the first is the default for new hashes. */
const FORMS: readonly HashForm[] = [bcrypt, pbkdf2Sha512, sha512, argon2id];

/** The names of the forms, the default first. */
export const HASH_SCHEMES: readonly HashScheme[] = FORMS.map((form) => form.scheme);

/** Takes a stored hash apart, or says what is wrong with it, to follow the words "the hash". */
export function parseStoredHash(text: string): StoredHash | string {
  const form = FORMS.find(({ prefixes }) => prefixes.some((prefix) => text.startsWith(prefix)));
  return form === undefined ? 'is of no known type ($2b$, $6$, $7$ or $argon2id$)' : form.parse(text);
}

/** Whether this is the password of a stored hash. Rejects when the hash is not one. May block the thread: see above. */
export async function verifyHash(password: Buffer, stored: string): Promise<boolean> {
  const hash = parseStoredHash(stored);
  if (typeof hash === 'string') throw new Error(`the hash ${hash}`);
  return hash.verify(password);
}

/**
 * Makes a stored hash with a new random salt. `cost` says how much work it is to be, by default what the form has for
 * usual; a number alone stands for its iterations. Rejects with a sentence for the user when the form can't take the password
 * or the cost: what it makes, parseStoredHash takes.
 */
export async function makeHash(password: Buffer, scheme: HashScheme, cost: HashCost | number = {}): Promise<string> {
  const form = FORMS.find((candidate) => candidate.scheme === scheme);
  if (form === undefined) throw new Error(`Error: There is no form of hash named ${scheme}.`);
  const asked = typeof cost === 'number' ? { iterations: cost } : cost;
  if (scheme !== 'argon2id' && (asked.memory ?? asked.parallelism) !== undefined) {
    throw new Error(`Error: A ${scheme} hash has no measure of memory or parallelism; use argon2id.`);
  }
  return form.make(password, asked);
}
