// The text of a password file (`name:hash`, a user a line) and its changes. Text is held as Latin-1, a character a byte, so
// that bytes of lines that nobody touches survive whatever they are.

/** Text as the file holds it: its UTF-8 bytes, a character each. */
const asBytes = (text: string): string => Buffer.from(text).toString('latin1');

/** A line that names a user. */
interface UserLine {
  readonly user: string;
  readonly secret: string;
}

/** The user and the secret of a line; null for comments and whatever else is ignored by the broker. */
function userLine(line: string): UserLine | null {
  const colon = line.indexOf(':');
  if (colon === -1 || line.trimStart().startsWith('#')) return null;
  return { user: line.slice(0, colon).trim(), secret: line.slice(colon + 1).trimEnd() };
}

function lines(text: string): string[] {
  const all = text.split('\n');
  if (all.at(-1) === '') all.pop();
  return all;
}

const join = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('');

/** Sets the hash of a user: in the line that the user has, else in a new one. Further lines of the same user go. */
export function setUser(text: string, user: string, hash: string): { text: string; existed: boolean } {
  const name = asBytes(user);
  const before = lines(text);
  const first = before.findIndex((line) => userLine(line)?.user === name);
  const entry = `${name}:${hash}`;
  if (first === -1) return { text: join([...before, entry]), existed: false };
  before[first] = entry;
  return { text: join(before.filter((line, i) => i === first || userLine(line)?.user !== name)), existed: true };
}

/** Takes a user out; null where there is none of that name. */
export function deleteUser(text: string, user: string): string | null {
  const name = asBytes(user);
  const before = lines(text);
  const after = before.filter((line) => userLine(line)?.user !== name);
  return after.length === before.length ? null : join(after);
}

/**
 * Hands every secret of a file to `replace` and puts its result there; null leaves the line as it is. Throws what replace
 * throws, and an Error with a sentence for a line that is neither a comment nor `name:password`. Lines count from 1.
 */
export async function replaceSecrets(
  text: string,
  replace: (secret: Buffer, lineNumber: number) => Promise<string | null>,
): Promise<string> {
  const after: string[] = [];
  for (const [index, line] of lines(text).entries()) {
    const entry = userLine(line);
    const ignored = line.trim() === '' || line.trimStart().startsWith('#');
    if (entry === null && !ignored) throw new Error(`Corrupt password file at line ${index + 1}.`);
    const secret = entry === null ? null : await replace(Buffer.from(entry.secret, 'latin1'), index + 1);
    after.push(entry === null || secret === null ? line : `${entry.user}:${secret}`);
  }
  return join(after);
}

/** Why a name can't stand in a password file, as a sentence; null if it can. */
export function userNameFault(user: string): string | null {
  if (user === '') return 'Username must not be empty.';
  if (Buffer.byteLength(user) > 65_535) return 'Username must be less than 65536 characters long.';
  if (user.includes(':')) return "Username must not contain the ':' character.";
  if ([...user].some((char) => char < ' ' || char === '\x7f')) return 'Username must not contain control characters.';
  if (user.startsWith('#')) return "Username must not begin with the '#' character.";
  return user.trim() === user ? null : 'Username must not begin or end with a blank.';
}
