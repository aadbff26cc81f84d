// Names and hashed passwords in a file, `name:hash` a line. Checks go to the hash worker. A login that was right is
// remembered, so that a client that comes back does not pay for its hash again; one that was wrong never is. An unknown
// name costs as much as a known one: the time of a refusal tells nobody which names exist.
import { createHmac, randomBytes } from 'node:crypto';
import type { Logger } from '../../log/logger.ts';
import { RecentSet } from '../../util/recent-set.ts';
import {
  ALLOW,
  type AuthRequest,
  type ClientContext,
  DEFER,
  DENY,
  type Decision,
  type Plugin,
} from '../hooks/points.ts';
import { HashPool } from './hash-pool.ts';
import { passwordEntries } from './password-entries.ts';
import { logRefusal } from './refusal.ts';
import { readTextFile } from './text-file.ts';

/** Stored hashes by user name. */
type Passwords = ReadonlyMap<string, string>;

/** Right logins that are remembered. */
const REMEMBERED = 10_000;

/**
 * Takes the lines of a password file apart. Lines that are blank or start with `#` are skipped, lines without a colon too,
 * but `warn` is told. Throws a sentence that names file and line for an empty or repeated name and for a bad hash.
 */
export function parsePasswords(lines: readonly string[], path: string, warn: (text: string) => void): Passwords {
  const passwords = new Map<string, string>();
  for (const entry of passwordEntries(lines)) {
    const place = `password file "${path}", line ${entry.line}`;
    switch (entry.kind) {
      case 'user':
        passwords.set(entry.name, entry.hash);
        break;
      case 'no colon':
        warn(`Warning: ${place}, is ignored: there is no ':' between a name and a hash.`);
        break;
      case 'no name':
        throw new Error(`Error: Unable to decode line in ${place}: the user name is empty.`);
      case 'duplicate':
        throw new Error(`Error: Duplicate user ${JSON.stringify(entry.name)} in ${place}.`);
      case 'bad hash':
        throw new Error(
          `Error: Unable to decode line in ${place}: the hash of user ${JSON.stringify(entry.name)} ${entry.why}.`,
        );
    }
  }
  return passwords;
}

/** Reads a password file; like parsePasswords, and throws a sentence for a file that can't be read. */
export function readPasswordFile(path: string, warn: (text: string) => void): Passwords {
  const file = readTextFile(path, 'password file');
  const passwords = parsePasswords(file.lines, path, warn);
  if (file.worldReadable) {
    warn(
      `Warning: File ${path} has world readable permissions: everybody on this machine can read the hashes. ` +
        'Run chmod 600 on it.',
    );
  }
  return passwords;
}

/**
 * The stored hash that let a connection in, over all password files: a listener may change its file. A new hash of the same
 * password counts as another password; the password itself is not kept.
 */
const letInBy = new WeakMap<ClientContext['peer'], string>();

/** The plugin of one password file. */
class PasswordFile implements Plugin {
  readonly name = 'password-file';
  readonly #path: string;
  readonly #log: Logger;
  readonly #pool: HashPool;
  readonly #closePool: boolean;
  #passwords: Passwords = new Map();
  /** The hashes in the order of the file: one of them is checked in vain where a name is unknown. */
  #hashes: readonly string[] = [];
  readonly #key = randomBytes(32);
  readonly #verified = new RecentSet(REMEMBERED);
  /** Checks under way, so that many logins with the same credentials at once pay once. */
  readonly #underWay = new Map<string, Promise<Decision>>();

  constructor(path: string, log: Logger, pool: HashPool | null) {
    this.#path = path;
    this.#log = log;
    this.#pool = pool ?? new HashPool();
    this.#closePool = pool === null;
    this.reload()();
  }

  authenticate(request: AuthRequest): Decision | Promise<Decision> {
    const { username, password } = request;
    if (username === null || username === '') return DEFER;
    if (password === null) {
      this.#refused(request, `user '${username}' gave no password`);
      return DENY;
    }
    const stored = this.#passwords.get(username);
    if (stored === undefined) return this.#checkInVain(request, username, password);
    const key = this.#keyOf(username, password, stored);
    const letIn = (decision: Decision): Decision => {
      if (decision === ALLOW) letInBy.set(request.peer, stored);
      return decision;
    };
    if (this.#verified.has(key)) return letIn(ALLOW);
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined) return underWay.then(letIn);
    const check = this.#check(request, username, password, stored, key).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, check);
    return check.then(letIn);
  }

  /**
   * Who was taken out of the file, or has another password now, is no longer welcome. Nothing more is known of a client
   * that came in when there was no password file.
   */
  remain({ username, peer }: ClientContext): Decision {
    if (username === null || username === '') return DEFER;
    const stored = this.#passwords.get(username);
    if (stored === undefined) return DENY;
    return (letInBy.get(peer) ?? stored) === stored ? ALLOW : DENY;
  }

  reload(): () => void {
    const passwords = readPasswordFile(this.#path, (text) => this.#log.warning?.(text));
    return () => {
      this.#passwords = passwords;
      this.#hashes = [...passwords.values()];
      this.#verified.clear();
    };
  }

  close(): void {
    if (this.#closePool) this.#pool.close();
  }

  async #check(
    request: AuthRequest,
    username: string,
    password: Buffer,
    stored: string,
    key: string,
  ): Promise<Decision> {
    const verdict = await this.#ask(request, username, password, stored);
    // A reload in between may have changed or removed the user.
    if (verdict !== 'match' || this.#passwords.get(username) !== stored) {
      if (verdict !== 'busy') this.#refused(request, `wrong password for user '${username}' of ${this.#path}`);
      return DENY;
    }
    this.#verified.add(key);
    return ALLOW;
  }

  /** Does the work of a check and refuses. The same hash for the same name each time, as a real user has. */
  async #checkInVain(request: AuthRequest, username: string, password: Buffer): Promise<Decision> {
    const choice = createHmac('sha256', this.#key).update(username).digest().readUInt32LE();
    const hash = this.#hashes[choice % this.#hashes.length];
    if (hash !== undefined) await this.#ask(request, username, password, hash);
    this.#refused(request, `user '${username}' is not in ${this.#path}`);
    return DENY;
  }

  #refused(request: AuthRequest, why: string): void {
    logRefusal(this.#log, request, why);
  }

  async #ask(request: AuthRequest, username: string, password: Buffer, stored: string): Promise<string> {
    const { address } = request.peer;
    const verdict = await this.#pool.verify(address, username, password, stored);
    if (verdict === 'busy') {
      this.#log.warning?.(
        `Warning: Too many logins are waiting for their password check; one from ${address} is refused.`,
      );
    }
    return verdict;
  }

  /** What a right login is remembered by; of no use outside this process. A name has no NUL, nor has a stored hash. */
  #keyOf(username: string, password: Buffer, stored: string): string {
    return createHmac('sha256', this.#key)
      .update(`${username}\0`)
      .update(password)
      .update(`\0${stored}`)
      .digest('base64');
  }
}

/**
 * A plugin that knows users by a password file: refuses unknown names and wrong passwords, and leaves clients without a name
 * (an empty one counts as none, as in Mosquitto) to others. Without `pool` it has a hash worker of its own. Throws a sentence
 * that names file and line when the file is bad; `reload` does too, and keeps the old state.
 */
export function passwordFilePlugin(path: string, options: { log: Logger; pool?: HashPool }): Plugin {
  return new PasswordFile(path, options.log, options.pool ?? null);
}
