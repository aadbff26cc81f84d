// `$argon2id$v=19$m=47104,t=1,p=1$salt$hash` (RFC 9106 in the PHC string format). The library is JavaScript and keeps the
// calling thread busy, and it is loaded only where such a hash is made or checked.
import { randomBytes } from 'node:crypto';
import { sameSecret } from '../../../util/secret.ts';
import { checkCost, type HashCost, type HashForm, type StoredHash } from './form.ts';

interface Argon2Parameters {
  /** Memory in KiB. */
  readonly m: number;
  /** Passes over the memory. */
  readonly t: number;
  /** Lanes. */
  readonly p: number;
}

/** What mosquitto_passwd 2.1 uses. */
const DEFAULTS: Argon2Parameters = { m: 47_104, t: 1, p: 1 };
const OUR_SALT_BYTES = 64;
const OUR_HASH_BYTES = 64;

// A file must not be able to take the machine's memory or a thread for minutes.
const MOST_MEMORY_KIB = 1_048_576;
const MOST_WORK_KIB = 4_194_304;
const MOST_LANES = 64;
/** RFC 9106 section 3.1, and an upper end that no real file reaches. */
const SALT_RANGE = { least: 8, most: 128 };
const HASH_RANGE = { least: 16, most: 128 };

/** Less than this many KiB times passes is little; what is usually advised begins at 35,840. */
const LITTLE_WORK_KIB = 32_768;

const SHAPE = /^\$argon2id\$v=19\$m=([0-9]{1,8}),t=([0-9]{1,8}),p=([0-9]{1,8})\$([^$]*)\$([^$]*)$/;

async function derive(password: Buffer, salt: Buffer, cost: Argon2Parameters, length: number): Promise<Uint8Array> {
  const { argon2id: hash } = await import('@noble/hashes/argon2.js');
  // The library's own limit leaves out the memory that it rounds up to; ours was checked before.
  return hash(password, salt, { ...cost, dkLen: length, maxmem: 2 * MOST_MEMORY_KIB * 1024 - 1 });
}

/** Standard base64 without padding, as the PHC format has it. */
const toUnpadded = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replaceAll('=', '');

function fromUnpadded(text: string, range: { least: number; most: number }): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return toUnpadded(bytes) === text && bytes.length >= range.least && bytes.length <= range.most ? bytes : null;
}

function parse(text: string): StoredHash | string {
  const [, m, t, p, salt64 = '', hash64 = ''] = SHAPE.exec(text) ?? [];
  if (m === undefined) return 'is not of the form $argon2id$v=19$m=KIB,t=PASSES,p=LANES$SALT$HASH';
  const cost: Argon2Parameters = { m: Number(m), t: Number(t), p: Number(p) };
  if (cost.p < 1 || cost.p > MOST_LANES) return `has a number of lanes that is not from 1 to ${MOST_LANES}`;
  if (cost.m < 8 * cost.p || cost.m > MOST_MEMORY_KIB) {
    return `has a memory cost that is not from ${8 * cost.p} to ${MOST_MEMORY_KIB} KiB`;
  }
  if (cost.t < 1 || cost.m * cost.t > MOST_WORK_KIB) {
    return `has a number of passes that is not from 1 to ${Math.floor(MOST_WORK_KIB / cost.m)} (for this much memory)`;
  }
  const salt = fromUnpadded(salt64, SALT_RANGE);
  if (salt === null) return `has a salt that is not ${SALT_RANGE.least} to ${SALT_RANGE.most} bytes of unpadded base64`;
  const hash = fromUnpadded(hash64, HASH_RANGE);
  if (hash === null) return `is not ${HASH_RANGE.least} to ${HASH_RANGE.most} bytes of unpadded base64`;
  const verify = async (password: Buffer): Promise<boolean> =>
    sameSecret(await derive(password, salt, cost, hash.length), hash);
  const weakness =
    cost.m * cost.t < LITTLE_WORK_KIB
      ? `takes ${cost.m} KiB of memory ${plural(cost.t, 'time')}, which is little`
      : null;
  return { scheme: 'argon2id', cost: parameters(cost), weakness, verify };
}

async function make(password: Buffer, asked: HashCost): Promise<string> {
  const { memory: m = DEFAULTS.m, iterations: t = DEFAULTS.t, parallelism: p = DEFAULTS.p } = asked;
  checkCost(p, 'The parallelism of argon2id', 1, MOST_LANES);
  checkCost(m, `The memory of argon2id in KiB${p === 1 ? '' : ` with ${p} lanes`}`, 8 * p, MOST_MEMORY_KIB);
  const most = Math.floor(MOST_WORK_KIB / m);
  checkCost(t, `The number of argon2id passes${m === DEFAULTS.m ? '' : ` over ${m} KiB`}`, 1, most);
  const salt = randomBytes(OUR_SALT_BYTES);
  const hash = await derive(password, salt, { m, t, p }, OUR_HASH_BYTES);
  return `$argon2id$v=19$${parameters({ m, t, p })}$${toUnpadded(salt)}$${toUnpadded(hash)}`;
}

const parameters = ({ m, t, p }: Argon2Parameters): string => `m=${m},t=${t},p=${p}`;
const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

export const argon2id: HashForm = { scheme: 'argon2id', prefixes: ['$argon2id$'], parse, make };
