// mqtt-passwd: adds, changes and deletes users of a password file, hashes a file of plain passwords, checks a password
// against a file, and lists who is in it.
import type { Io } from '../io.ts';
import { EXIT_INTERRUPTED, UsageError } from '../messages.ts';
import type { Options } from '../options/tables.ts';
import type { Parsed } from '../parse.ts';
import { hashFile, putUser, removeUser } from '../password/change.ts';
import { failure } from '../password/file.ts';
import { listUsers, verifyUser } from '../password/look.ts';
import { Interrupted } from '../prompt.ts';
import { readCommandLine, reportUsageError } from '../start.ts';

/** Runs the command; resolves to its exit code. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  // Who does not listen to what was done need not; where the output is what was asked for, it is not lost unnoticed.
  for (const stream of [io.stdout, io.stderr]) stream.on('error', () => undefined);
  const parsed = await readCommandLine('passwd', argv, io);
  if (typeof parsed === 'number') return parsed;
  try {
    return await run(parsed, io);
  } catch (error) {
    if (error instanceof Interrupted) return EXIT_INTERRUPTED;
    return reportUsageError('passwd', error, io);
  }
}

async function run({ options, operands, given }: Parsed<'passwd'>, io: Io): Promise<number> {
  const command = commandWord(operands, given);
  if (command !== null) return look(command, options.batch, operands.slice(1), io);
  const [file, user, password] = checkOperands(options, operands);
  if (options.update) return hashFile(options, file, io);
  if (options.delete) return removeUser(file, user, io);
  return putUser(options, file, user, options.batch ? password : null, io);
}

type Command = 'verify' | 'list';

/**
 * The command that the first word is. mosquitto_passwd has none: there it is always a file. With -b, three words are what
 * they are there; so is everything with an option that a command does not take.
 */
function commandWord(operands: readonly string[], given: readonly string[]): Command | null {
  const [word] = operands;
  if (given.length === 0 && (word === 'list' || word === 'verify')) return word;
  const withPassword = given.every((key) => key === 'batch') && operands.length === 4;
  return withPassword && word === 'verify' ? word : null;
}

function look(command: Command, batch: boolean, operands: readonly string[], io: Io): number | Promise<number> {
  const wanted = command === 'list' ? 1 : batch ? 3 : 2;
  if (operands.length > wanted) throw surplus(operands[wanted], wanted);
  const [file = '', user = '', password = ''] = operands;
  if (operands.length === wanted) {
    return command === 'list' ? listUsers(file, io) : verifyUser(file, user, batch ? password : null, io);
  }
  const what = command === 'list' ? 'a password file' : 'a password file and a username';
  throw new UsageError(`The command ${command} takes ${what}. A file of that name is written ./${command}.`);
}

/** The error about a word too many, behind so many others: it is shown only where it can't be (part of) a password. */
function surplus(word: string | undefined, behind: number): UsageError {
  if (behind === 1) return new UsageError(`Unexpected argument '${word}'.`);
  return new UsageError(
    behind === 2
      ? 'Unexpected argument behind the username. A password is taken from the command line only with -b.'
      : 'Unexpected argument behind the password. A password with blanks needs quotes.',
  );
}

/** The words behind the options, as many as the mode takes. */
function checkOperands(options: Options<'passwd'>, operands: readonly string[]): [string, string, string] {
  const wanted = options.update ? 1 : options.batch ? 3 : 2;
  const [file = '', user = '', password = ''] = operands;
  if (operands.length > wanted) throw surplus(operands[wanted], options.delete ? 1 : wanted);
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
