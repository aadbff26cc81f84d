// `$2b$cost$salt-and-hash`, and its older names `$2a$` and `$2y$`. bcrypt looks at 72 bytes at most and takes a NUL for an
// end, so that with it "abc" and "abc\0abc", or two long passwords with the same beginning, would be one password. Such
// passwords are refused, when a hash is made and when one is checked.
import { isUtf8 } from 'node:buffer';
import { sameSecret } from '../../../util/secret.ts';
import { checkCost, type HashCost, type HashForm, type StoredHash } from './form.ts';

const DEFAULT_COST = 10;
const LEAST_COST = 4;
/** Some seconds of work: each step doubles it. */
const MOST_COST = 16;
const MOST_BYTES = 72;

const SHAPE = /^\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}$/;
/** Version, cost and salt; the hash proper follows. */
const SETTINGS_LENGTH = 29;

/** Why bcrypt can't tell this password from every other one, or null. */
function fault(password: Buffer): string | null {
  if (password.length > MOST_BYTES)
    return `is ${password.length} bytes long, but bcrypt looks at ${MOST_BYTES} at most`;
  if (password.includes(0)) return 'contains a NUL byte, which ends a password for bcrypt';
  return isUtf8(password) ? null : 'is not valid UTF-8, which the bcrypt library needs';
}

async function derive(password: Buffer, settings: string): Promise<string> {
  const { hash } = await import('bcryptjs');
  return hash(password.toString(), settings);
}

function parse(text: string): StoredHash | string {
  const [, costText] = SHAPE.exec(text) ?? [];
  if (costText === undefined) return 'is not of the form $2b$COST$ and 53 characters';
  const cost = Number(costText);
  if (cost < LEAST_COST || cost > MOST_COST) return `has a cost that is not from ${LEAST_COST} to ${MOST_COST}`;
  const settings = text.slice(0, SETTINGS_LENGTH);
  const verify = async (password: Buffer): Promise<boolean> => {
    if (fault(password) !== null) return false;
    const made = await derive(password, settings);
    // Behind the settings only: bits of the salt's last character that do not count may differ.
    return sameSecret(Buffer.from(made.slice(SETTINGS_LENGTH)), Buffer.from(text.slice(SETTINGS_LENGTH)));
  };
  const weakness = cost < DEFAULT_COST ? `has the cost ${cost}, and ${DEFAULT_COST} is usual` : null;
  return { scheme: 'bcrypt', cost: `cost=${cost}`, weakness, verify };
}

async function make(password: Buffer, { iterations = DEFAULT_COST }: HashCost): Promise<string> {
  checkCost(iterations, 'The cost of bcrypt', LEAST_COST, MOST_COST);
  const why = fault(password);
  if (why !== null) throw new Error(`Error: The password ${why}; use another form of hash, such as argon2id.`);
  const { genSalt } = await import('bcryptjs');
  return derive(password, await genSalt(iterations));
}

export const bcrypt: HashForm = { scheme: 'bcrypt', prefixes: ['$2a$', '$2b$', '$2y$'], parse, make };
