// What mqtt-passwd changes in a password file. Hashes are made before the file is locked: they take their time.
import { makeHash, parseStoredHash } from '../../broker/plugins/hashes.ts';
import { printLines } from '../commands/print-lines.ts';
import type { Io } from '../io.ts';
import { EXIT_ERROR, EXIT_OK, UsageError } from '../messages.ts';
import type { Options } from '../options/tables.ts';
import { withSpinner } from '../terminal.ts';
import { changePasswords, createPasswords, failure, loadPasswords, loadPasswordsAndWarn } from './file.ts';
import { deleteUser, replaceSecrets, type Secret, setUser, userNameFault, usersIn } from './lines.ts';
import { askNewPassword } from './prompt.ts';

/** The file name that stands for standard output, with -c. */
const STDOUT = '-';

/** Adds a user or changes a password, which is asked for where it is null. Resolves to the exit code. */
export async function putUser(
  options: Options<'passwd'>,
  file: string,
  user: string,
  password: string | null,
  io: Io,
): Promise<number> {
  checkName(user);
  const toStdout = options.create && file === STDOUT;
  if (!options.create) loadPasswordsAndWarn(file, io);
  const overwrite = options.create && !toStdout && io.stdin.isTTY === true ? overwriteQuestion(file) : null;
  const secret = password ?? (await askNewPassword(io, { overwrite, aside: toStdout }));
  const hash = await makeOne(options, Buffer.from(secret), io);
  let note = `Adding password for user ${user}\n`;
  if (options.create) {
    const { text } = setUser('', user, hash);
    if (toStdout) {
      io.stderr.write(note);
      return printLines([Buffer.from(text, 'latin1').toString().trimEnd()], io);
    }
    await createPasswords(file, io, text);
  } else {
    await changePasswords(file, io, (before) => {
      const { text, existed } = setUser(before, user, hash);
      if (existed) note = `Updating password for user ${user}\n`;
      return text;
    });
  }
  io.stdout.write(note);
  return EXIT_OK;
}

/** Takes a user out of a file. Resolves to the exit code. */
export async function removeUser(file: string, user: string, io: Io): Promise<number> {
  checkName(user);
  loadPasswordsAndWarn(file, io);
  let existed = false;
  await changePasswords(file, io, (before) => {
    const after = deleteUser(before, user);
    existed = after !== null;
    return after;
  });
  if (existed) return EXIT_OK;
  io.stderr.write(`Warning: User ${user} not found in password file.\n`);
  return EXIT_ERROR;
}

/** Hashes the plain passwords of a file. Resolves to the exit code. */
export async function hashFile(options: Options<'passwd'>, file: string, io: Io): Promise<number> {
  loadPasswordsAndWarn(file, io);
  // By the line: two users with the same password have hashes of their own.
  const made = new Map<string, string>();
  // Another process may have changed the file while its passwords were hashed: then there are some left.
  for (let left = 1; left > 0; ) {
    for (const { bytes, line } of plainSecrets(loadPasswords(file), made)) {
      made.set(line, await makeOne(options, bytes, io));
    }
    await changePasswords(file, io, (before) => {
      left = plainSecrets(before, made).length;
      return left > 0 ? null : replaceSecrets(before, ({ line }) => made.get(line) ?? null);
    });
  }
  return EXIT_OK;
}

/** The secrets that are no hashes, and that no hash was made of yet. */
function plainSecrets(text: string, made: ReadonlyMap<string, string>): Secret[] {
  const plain: Secret[] = [];
  try {
    replaceSecrets(text, (secret) => {
      if (!made.has(secret.line) && isPlain(secret)) plain.push(secret);
      return null;
    });
  } catch (error) {
    throw error instanceof UsageError ? error : failure((error as Error).message);
  }
  return plain;
}

function isPlain({ bytes, lineNumber }: Secret): boolean {
  const text = bytes.toString('latin1');
  if (typeof parseStoredHash(text) !== 'string') return false;
  // A damaged hash must not be taken for a password: nobody could log in, and the hash would be lost.
  if (/^\$(?:2[aby]|6|7|argon2id?)\$/.test(text)) throw failure(`Corrupt password file at line ${lineNumber}.`);
  return true;
}

/** Makes one hash; what the password or the cost lacks becomes the user's error. */
async function makeOne(options: Options<'passwd'>, password: Buffer, io: Io): Promise<string> {
  if (password.length === 0) throw failure('Empty password.');
  if (password.length > 65_535) throw failure('Password must be less than 65536 characters long.');
  const work = makeHash(password, options.hash, {
    iterations: options.iterations ?? undefined,
    memory: options.memory ?? undefined,
    parallelism: options.parallelism ?? undefined,
  });
  return withSpinner(io, 'Hashing', work).catch((error: unknown) => {
    throw failure((error as Error).message.replace(/^Error: /, ''));
  });
}

/** What to ask before a file goes that -c would overwrite; null where there is nothing to lose. */
function overwriteQuestion(file: string): string | null {
  let users: number;
  try {
    users = usersIn(loadPasswords(file)).length;
  } catch {
    // It is not there, or writing it will tell what is wrong with it.
    return null;
  }
  return users === 0 ? null : `Overwrite ${file} with ${users} user${users === 1 ? '' : 's'}? [y/N] `;
}

function checkName(user: string): void {
  const fault = userNameFault(user);
  if (fault !== null) throw failure(fault);
}
