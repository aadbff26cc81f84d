// The text of a password file (`name:hash`, a user a line) and its changes. Text is held as Latin-1, a character a byte, so
// that bytes of lines that nobody touches survive whatever they are; so do their ends.
import { trimBlanks } from '../../util/blanks.ts';

/** Text as the file holds it: its UTF-8 bytes, a character each. */
const asBytes = (text: string): string => Buffer.from(text).toString('latin1');

/** The mark that some editors put at the start of a text. */
const BYTE_ORDER_MARK = asBytes('\uFEFF');

/** A line that names a user. */
interface UserLine {
  /** What the line has in front of the user. */
  readonly mark: string;
  readonly user: string;
  readonly secret: string;
  /** The line's end as the file has it; empty for a last line without one. */
  readonly end: string;
}

/** The user and the secret of a line; null for comments and whatever else is ignored by the broker. */
function userLine(line: string): UserLine | null {
  const mark = line.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : '';
  const text = line.slice(mark.length);
  const colon = text.indexOf(':');
  if (colon === -1 || trimBlanks(text).startsWith('#')) return null;
  const end = endOf(line);
  const secret = trimBlanks(`.${text.slice(colon + 1)}`).slice(1);
  return { mark, user: trimBlanks(text.slice(0, colon)), secret, end };
}

/** The lines with their ends. */
const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

const endOf = (line: string): string => /\r?\n$/.exec(line)?.[0] ?? '';

const isUser = (line: string, name: string): boolean => userLine(line)?.user === name;

/** The names of the users in a file, in the order of their lines. */
export function usersIn(text: string): string[] {
  const names = linesOf(text).flatMap((line) => userLine(line)?.user ?? []);
  return names.map((name) => Buffer.from(name, 'latin1').toString());
}

/** Sets the hash of a user: in the line that the user has, else in a new one. Further lines of the same user go. */
export function setUser(text: string, user: string, hash: string): { text: string; existed: boolean } {
  const name = asBytes(user);
  const lines = linesOf(text);
  const first = lines.findIndex((line) => isUser(line, name));
  if (first === -1) {
    const end = endOf(lines.at(-1) ?? '') || endOf(lines[0] ?? '') || '\n';
    const before = text === '' || text.endsWith('\n') ? text : `${text}${end}`;
    return { text: `${before}${name}:${hash}${end}`, existed: false };
  }
  const { mark = '', end = '' } = userLine(lines[first] ?? '') ?? {};
  lines[first] = `${mark}${name}:${hash}${end || '\n'}`;
  return { text: lines.filter((line, i) => i === first || !isUser(line, name)).join(''), existed: true };
}

/** Takes a user out; null where there is none of that name. */
export function deleteUser(text: string, user: string): string | null {
  const name = asBytes(user);
  const before = linesOf(text);
  const after = before.filter((line) => !isUser(line, name));
  return after.length === before.length ? null : after.join('');
}

/** A secret of a file: what stands behind the colon, as bytes. */
export interface Secret {
  readonly bytes: Buffer;
  /** Counts from 1. */
  readonly lineNumber: number;
  /** The line as it is: tells whether it is the one that was seen before. */
  readonly line: string;
}

/**
 * Hands every secret of a file to `replace` and puts its result there; null leaves the line as it is. Throws what replace
 * throws, and an Error with a sentence for a line that is neither a comment nor `name:password`.
 */
export function replaceSecrets(text: string, replace: (secret: Secret) => string | null): string {
  const after = linesOf(text).map((line, index) => {
    const entry = userLine(line);
    if (entry === null) {
      const blank = trimBlanks(line);
      if (blank !== '' && !blank.startsWith('#')) throw new Error(`Corrupt password file at line ${index + 1}.`);
      return line;
    }
    const secret = replace({ bytes: Buffer.from(entry.secret, 'latin1'), lineNumber: index + 1, line });
    return secret === null ? line : `${entry.mark}${entry.user}:${secret}${entry.end || '\n'}`;
  });
  return after.join('');
}

/** Why a name can't stand in a password file, as a sentence; null if it can. */
export function userNameFault(user: string): string | null {
  if (user === '') return 'Username must not be empty.';
  if (Buffer.byteLength(user) > 65_535) return 'Username must be less than 65536 characters long.';
  if (user.includes(':')) return "Username must not contain the ':' character.";
  if ([...user].some((char) => char < ' ' || char === '\x7f')) return 'Username must not contain control characters.';
  if (user.startsWith('#')) return "Username must not begin with the '#' character.";
  if (user.startsWith('\uFEFF')) return 'Username must not begin with a byte order mark.';
  return trimBlanks(user) === user ? null : 'Username must not begin or end with a blank.';
}
