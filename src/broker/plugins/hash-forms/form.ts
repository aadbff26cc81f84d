// What every form of stored password has in common, and the base64 that most of them use.

/** The forms by the names that mqtt-passwd's option -H takes. */
export type HashScheme = 'bcrypt' | 'sha512-pbkdf2' | 'sha512' | 'argon2id';

/** A stored hash, taken apart. */
export interface StoredHash {
  readonly scheme: HashScheme;
  /** How much work it is, a word for people: 'cost=10'. */
  readonly cost: string;
  /** Why the hash is easy to guess, to follow the words "the hash"; null where it is not. */
  readonly weakness: string | null;
  /** Whether this is the password. Slow on purpose, and some forms keep the calling thread busy all the while. */
  verify(password: Buffer): Promise<boolean>;
}

/** What a new hash is to cost, where that is not the form's default. Each form has its own limits. */
export interface HashCost {
  /** Iterations of PBKDF2, passes of argon2id, binary logarithm of the rounds of bcrypt. */
  readonly iterations?: number | undefined;
  /** Memory of argon2id in KiB. */
  readonly memory?: number | undefined;
  /** Lanes of argon2id. */
  readonly parallelism?: number | undefined;
}

/** How to read and make one form. */
export interface HashForm {
  readonly scheme: HashScheme;
  /** What a hash of this form begins with. */
  readonly prefixes: readonly string[];
  /** Takes a hash apart, or says what is wrong with it, to follow the words "the hash". */
  parse(text: string): StoredHash | string;
  /** Makes a hash with a new salt. Rejects with a sentence for a password or a cost that the form does not take. */
  make(password: Buffer, cost: HashCost): Promise<string>;
}

/** Bytes of standard base64 with its padding, null for anything else. */
export function fromBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length > 0 && bytes.toString('base64') === text ? bytes : null;
}

/** Throws a sentence unless `cost` is a whole number within these limits. */
export function checkCost(cost: number, what: string, least: number, most: number): void {
  if (Number.isInteger(cost) && cost >= least && cost <= most) return;
  throw new Error(`Error: ${what} must be a whole number from ${least} to ${most}, not ${cost}.`);
}
