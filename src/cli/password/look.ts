// What mqtt-passwd reads from a password file and leaves as it is: whether a password fits, and who is in it.
import { makeHash, verifyHash } from '../../broker/plugins/hashes.ts';
import { type PasswordEntry, passwordEntries } from '../../broker/plugins/password-entries.ts';
import { printable } from '../../util/printable.ts';
import { linesOf } from '../../util/text-lines.ts';
import { printLines } from '../commands/print-lines.ts';
import type { Io } from '../io.ts';
import { EXIT_ERROR, EXIT_OK } from '../messages.ts';
import { paintFor, withSpinner } from '../terminal.ts';
import { failure, loadPasswordsAndWarn } from './file.ts';
import { askPassword } from './prompt.ts';

type User = Extract<PasswordEntry, { kind: 'user' }>;
type Fault = Exclude<PasswordEntry, { kind: 'user' }>;

/** Width of the longest kind of hash, and of most costs. */
const KIND_WIDTH = 13;
const COST_WIDTH = 17;

/** Says whether a password, asked for where it is null, is that of a user. Resolves to the exit code. */
export async function verifyUser(file: string, user: string, password: string | null, io: Io): Promise<number> {
  const { users, faults } = readUsers(file, io);
  const bytes = Buffer.from(password ?? (await askPassword(io)));
  const found = users.find(({ name }) => name === user);
  const fits = await withSpinner(io, 'Checking', checkAgainst(found ?? users[0], bytes));
  const name = printable(user);
  const same = faults.filter((fault) => 'name' in fault && fault.name === user);
  for (const fault of same) await warn(io, faultText(fault));
  if (found === undefined) {
    throw failure(
      same.length > 0 ? `The hash of user ${name} can't be checked.` : `There is no user ${name} in ${file}.`,
    );
  }
  if (!fits) throw failure(`The password of user ${name} is wrong.`);
  io.stdout.write(`The password of user ${name} is right.\n`);
  const { scheme, weakness } = found.stored;
  if (weakness !== null) {
    await warn(io, `The ${scheme} hash of user ${name} ${weakness}. Set the password again for a better one.`);
  }
  return EXIT_OK;
}

/** Lists the users of a file, a line each, and what the broker has against it. Resolves to the exit code: 1 if it has. */
export async function listUsers(file: string, io: Io): Promise<number> {
  const { users, faults } = readUsers(file, io);
  const width = String(users.at(-1)?.line ?? 0).length;
  const lines = users.map(({ line, name, stored }) => {
    const kind = stored.scheme.padEnd(KIND_WIDTH);
    return `${String(line).padStart(width)}  ${kind}  ${stored.cost.padEnd(COST_WIDTH)}  ${printable(name)}`;
  });
  await printLines(lines, io);
  for (const fault of faults) await warn(io, faultText(fault));
  return faults.some(({ kind }) => kind !== 'no colon') ? EXIT_ERROR : EXIT_OK;
}

/** The lines of a file as the broker reads them. Throws a sentence. */
function readUsers(file: string, io: Io): { users: User[]; faults: Fault[] } {
  const { lines, faulty } = linesOf(Buffer.from(loadPasswordsAndWarn(file, io), 'latin1'));
  if (faulty !== null) throw failure(`File ${file} is not UTF-8 text, see line ${faulty}. A broker refuses it.`);
  const users: User[] = [];
  const faults: Fault[] = [];
  for (const entry of passwordEntries(lines)) {
    if (entry.kind === 'user') users.push(entry);
    else faults.push(entry);
  }
  return { users, faults };
}

/**
 * Whether the password fits. Where the user is unknown, somebody else's hash is checked in vain, or one is made: the time of
 * the answer tells nobody which names exist.
 */
async function checkAgainst(user: User | undefined, password: Buffer): Promise<boolean> {
  if (user !== undefined) return verifyHash(password, user.hash);
  await makeHash(Buffer.from('nobody'), 'bcrypt');
  return false;
}

function faultText(fault: Fault): string {
  const place = `Line ${fault.line}`;
  switch (fault.kind) {
    case 'no colon':
      return `${place} is ignored: there is no ':' between a name and a hash.`;
    case 'no name':
      return `${place}: the user name is empty. A broker refuses the file.`;
    case 'duplicate':
      return `${place}: user ${printable(fault.name)} is in line ${fault.firstLine} already. A broker refuses the file.`;
    case 'bad hash':
      return `${place}: the hash of user ${printable(fault.name)} ${fault.why}. A broker refuses the file.`;
  }
}

async function warn(io: Io, sentence: string): Promise<void> {
  const paint = await paintFor(io.stderr, io.env);
  io.stderr.write(`${paint.warning(`Warning: ${sentence}`)}\n`);
}
