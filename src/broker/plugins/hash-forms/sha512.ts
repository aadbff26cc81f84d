// Mosquitto's own two forms. `$6$salt$hash`: one round of SHA-512 over password and salt, what mosquitto_passwd wrote up to
// 1.6, kept for old files. `$7$iterations$salt$hash`: PBKDF2 with HMAC-SHA-512, the form that every Mosquitto 2 reads.
import { createHash, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { sameSecret } from '../../../util/secret.ts';
import { checkCost, fromBase64, type HashCost, type HashForm, type StoredHash } from './form.ts';

/** Length of the salts we make: 2.0 writes and reads this, 2.1 writes 64 bytes and reads both. */
const SALT_BYTES = 12;
const LONG_SALT_BYTES = 64;
const HASH_BYTES = 64;

/** What mosquitto_passwd 2.1 uses. */
const DEFAULT_ITERATIONS = 1000;
/** Some seconds of work; more in a file is a mistake or an attack. */
const MOST_ITERATIONS = 10_000_000;

const derive = promisify(pbkdf2);

const digest = (password: Buffer, salt: Buffer): Buffer => createHash('sha512').update(password).update(salt).digest();

/** Decodes the last two fields, or says what is wrong with them. */
function readSaltAndHash(salt64: string, hash64: string): { salt: Buffer; hash: Buffer } | string {
  const salt = fromBase64(salt64);
  if (salt === null) return 'has a salt that is not base64';
  if (salt.length !== SALT_BYTES && salt.length !== LONG_SALT_BYTES) {
    return `has a salt of ${salt.length} bytes instead of ${SALT_BYTES} or ${LONG_SALT_BYTES}`;
  }
  const hash = fromBase64(hash64);
  if (hash === null) return 'is not base64';
  return hash.length === HASH_BYTES ? { salt, hash } : `is ${hash.length} bytes long instead of ${HASH_BYTES}`;
}

function parseSha512(text: string): StoredHash | string {
  const [salt64, hash64, ...rest] = text.split('$').slice(2);
  if (salt64 === undefined || hash64 === undefined || rest.length > 0) return 'is not of the form $6$SALT$HASH';
  const pair = readSaltAndHash(salt64, hash64);
  if (typeof pair === 'string') return pair;
  return {
    scheme: 'sha512',
    cost: 'rounds=1',
    weakness: 'is a single round of SHA-512, which is easily guessed',
    verify: async (password) => sameSecret(digest(password, pair.salt), pair.hash),
  };
}

async function makeSha512(password: Buffer, { iterations }: HashCost): Promise<string> {
  if (iterations !== undefined) throw new Error('Error: A sha512 hash has no number of iterations; use sha512-pbkdf2.');
  const salt = randomBytes(SALT_BYTES);
  return `$6$${salt.toString('base64')}$${digest(password, salt).toString('base64')}`;
}

function parsePbkdf2(text: string): StoredHash | string {
  const [iterationsText, salt64, hash64, ...rest] = text.split('$').slice(2);
  if (iterationsText === undefined || salt64 === undefined || hash64 === undefined || rest.length > 0) {
    return 'is not of the form $7$ITERATIONS$SALT$HASH';
  }
  const iterations = /^[0-9]{1,9}$/.test(iterationsText) ? Number(iterationsText) : 0;
  if (iterations < 1 || iterations > MOST_ITERATIONS) {
    return `has a number of iterations that is not from 1 to ${MOST_ITERATIONS}`;
  }
  const pair = readSaltAndHash(salt64, hash64);
  if (typeof pair === 'string') return pair;
  const verify = async (password: Buffer): Promise<boolean> =>
    sameSecret(await derive(password, pair.salt, iterations, HASH_BYTES, 'sha512'), pair.hash);
  const weakness =
    iterations < DEFAULT_ITERATIONS ? `has ${iterations} iterations, and ${DEFAULT_ITERATIONS} are usual` : null;
  return { scheme: 'sha512-pbkdf2', cost: `iterations=${iterations}`, weakness, verify };
}

async function makePbkdf2(password: Buffer, { iterations = DEFAULT_ITERATIONS }: HashCost): Promise<string> {
  checkCost(iterations, 'The number of iterations', 1, MOST_ITERATIONS);
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt, iterations, HASH_BYTES, 'sha512');
  return `$7$${iterations}$${salt.toString('base64')}$${hash.toString('base64')}`;
}

export const sha512: HashForm = { scheme: 'sha512', prefixes: ['$6$'], parse: parseSha512, make: makeSha512 };
export const pbkdf2Sha512: HashForm = {
  scheme: 'sha512-pbkdf2',
  prefixes: ['$7$'],
  parse: parsePbkdf2,
  make: makePbkdf2,
};
