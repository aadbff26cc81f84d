// mqtt-passwd: adds, changes and deletes users of a password file, and hashes a file of plain passwords.
import { makeHash, parseStoredHash } from '../../broker/plugins/hashes.ts';
import { readSmallFile } from '../../util/small-file.ts';
import { systemErrorText } from '../../util/system-error.ts';
import type { Io } from '../io.ts';
import { EXIT_ERROR, EXIT_INTERRUPTED, EXIT_MISMATCH, EXIT_OK, UsageError } from '../messages.ts';
import type { Options } from '../options/tables.ts';
import { deleteUser, replaceSecrets, setUser, userNameFault } from '../password-lines.ts';
import { Interrupted, openPrompter } from '../prompt.ts';
import { replaceFile } from '../replace-file.ts';
import { readCommandLine, reportUsageError } from '../start.ts';
import { withSpinner } from '../terminal.ts';

/** Largest password file that is read, in bytes. */
const LARGEST_FILE = 128 * 1024 * 1024;
/** The file name that stands for standard output, with -c. */
const STDOUT = '-';

/** Runs the command; resolves to its exit code. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const parsed = await readCommandLine('passwd', argv, io);
  if (typeof parsed === 'number') return parsed;
  try {
    return await run(parsed.options, parsed.operands, io);
  } catch (error) {
    if (error instanceof Interrupted) return EXIT_INTERRUPTED;
    return reportUsageError('passwd', error, io);
  }
}

async function run(options: Options<'passwd'>, operands: readonly string[], io: Io): Promise<number> {
  const [file, user, password] = checkOperands(options, operands);
  if (options.update) return hashFile(options, file, io);
  const fault = userNameFault(user);
  if (fault !== null) throw failure(fault);
  if (options.delete) return removeUser(file, user, io);
  const before = options.create ? '' : load(file, io);
  const hash = await makeOne(options, Buffer.from(options.batch ? password : await askPassword(file, io)), io);
  const { text, existed } = setUser(before, user, hash);
  const note = `${existed ? 'Updating' : 'Adding'} password for user ${user}\n`;
  if (options.create && file === STDOUT) {
    io.stderr.write(note);
    io.stdout.write(Buffer.from(text, 'latin1'));
    return EXIT_OK;
  }
  const code = await save(file, text);
  io.stdout.write(note);
  return code;
}

/** The words behind the options, as many as the mode takes. */
function checkOperands(options: Options<'passwd'>, operands: readonly string[]): [string, string, string] {
  const wanted = options.update ? 1 : options.batch ? 3 : 2;
  const [file = '', user = '', password = ''] = operands;
  if (operands.length > wanted) throw new UsageError(`Unexpected argument '${operands[wanted]}'.`);
  if (operands.length === wanted) return [file, user, password];
  if (options.update) throw failure('-U argument given but password file missing.');
  if (options.delete) throw failure('-D argument given but password file or username missing.');
  if (options.create && options.batch) {
    throw failure('-c argument given but password file, username, or password missing.');
  }
  if (options.create) throw failure('-c argument given but password file or username missing.');
  throw new UsageError(
    options.batch ? 'Password file, username and password must be given.' : 'Password file and username must be given.',
    'usage',
  );
}

async function hashFile(options: Options<'passwd'>, file: string, io: Io): Promise<number> {
  const before = load(file, io);
  const replace = async (secret: Buffer, line: number): Promise<string | null> => {
    const text = secret.toString('latin1');
    if (typeof parseStoredHash(text) !== 'string') return null;
    // A damaged hash must not be taken for a password: nobody could log in, and the hash would be lost.
    if (/^\$(?:2[aby]|6|7|argon2id?)\$/.test(text)) throw failure(`Corrupt password file at line ${line}.`);
    return makeOne(options, secret, io);
  };
  const after = await replaceSecrets(before, replace).catch((error: unknown) => {
    throw error instanceof UsageError ? error : failure((error as Error).message);
  });
  return after === before ? EXIT_OK : save(file, after);
}

async function removeUser(file: string, user: string, io: Io): Promise<number> {
  const after = deleteUser(load(file, io), user);
  if (after !== null) return save(file, after);
  io.stderr.write(`Warning: User ${user} not found in password file.\n`);
  return EXIT_ERROR;
}

/** Makes one hash; what the password or the cost lacks becomes the user's error. */
async function makeOne(options: Options<'passwd'>, password: Buffer, io: Io): Promise<string> {
  if (password.length === 0) throw failure('Empty password.');
  if (password.length > 65_535) throw failure('Password must be less than 65536 characters long.');
  const work = makeHash(password, options.hash, options.iterations ?? undefined);
  return withSpinner(io, 'Hashing', work).catch((error: unknown) => {
    throw failure((error as Error).message.replace(/^Error: /, ''));
  });
}

/** Asks twice for a password. Questions keep out of standard output where that is meant for the file. */
async function askPassword(file: string, io: Io): Promise<string> {
  const aside = file === STDOUT || (io.stdin.isTTY === true && io.stdout.isTTY !== true);
  const prompter = openPrompter(io, aside ? io.stderr : io.stdout);
  try {
    const first = await prompter.ask('Password: ');
    if (first === null || first === '') throw failure('Empty password.');
    const second = await prompter.ask('Reenter password: ');
    if (first !== second) throw new UsageError('Passwords do not match.', 'nothing', EXIT_MISMATCH);
    return first;
  } finally {
    prompter.close();
  }
}

/** The file as Latin-1 text. */
function load(file: string, io: Io): string {
  try {
    const { bytes, mode } = readSmallFile(file, LARGEST_FILE);
    if (bytes.includes(0)) throw failure(`File ${file} is no password file: it is not text.`);
    if ((mode & 0o004) !== 0) {
      io.stderr.write(
        `Warning: File ${file} has world readable permissions. Future versions will refuse to load this file.\n`,
      );
    }
    return bytes.toString('latin1');
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw failure(`Unable to open password file ${file}. ${systemErrorText(error)}.`);
  }
}

async function save(file: string, text: string): Promise<number> {
  try {
    await replaceFile(file, Buffer.from(text, 'latin1'));
    return EXIT_OK;
  } catch (error) {
    throw failure(`Unable to open file ${file} for writing. ${systemErrorText(error)}.`);
  }
}

function failure(sentence: string): UsageError {
  return new UsageError(sentence, 'nothing');
}
