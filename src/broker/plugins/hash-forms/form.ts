// What every form of stored password has in common, and the base64 that most of them use.

/** The forms by the names that mqtt-passwd's option -H takes. */
export type HashScheme = 'bcrypt' | 'sha512-pbkdf2' | 'sha512' | 'argon2id';

/** A stored hash, taken apart. */
export interface StoredHash {
  readonly scheme: HashScheme;
  /** Whether this is the password. Slow on purpose, and some forms keep the calling thread busy all the while. */
  verify(password: Buffer): Promise<boolean>;
}

/** How to read and make one form. */
export interface HashForm {
  readonly scheme: HashScheme;
  /** What a hash of this form begins with. */
  readonly prefixes: readonly string[];
  /** Takes a hash apart, or says what is wrong with it, to follow the words "the hash". */
  parse(text: string): StoredHash | string;
  /** Makes a hash with a new salt. `cost` is the form's own measure of work, null for its default; throws a sentence. */
  make(password: Buffer, cost: number | null): Promise<string>;
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
