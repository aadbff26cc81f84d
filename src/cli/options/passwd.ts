// Options of mqtt-passwd.
import { choice, FLAG, integer } from '../kinds.ts';
import type { OptionRow } from './row.ts';

const SCHEMES = {
  bcrypt: 'bcrypt',
  argon2id: 'argon2id',
  'sha512-pbkdf2': 'sha512-pbkdf2',
  sha512: 'sha512',
} as const;

export const PASSWD_OPTIONS = [
  {
    key: 'create',
    names: ['-c'],
    kind: FLAG,
    tools: ['passwd'],
    group: 'Password file',
    conflicts: { keys: ['delete'], message: '-c and -D cannot be used together.' },
    help: 'Make a new password file; a file of that name is replaced. The file name - prints to standard output.',
  },
  {
    key: 'batch',
    names: ['-b'],
    kind: FLAG,
    tools: ['passwd'],
    group: 'Password file',
    conflicts: { keys: ['delete'], message: '-b and -D cannot be used together.' },
    help: 'Take the password from the command line. Other users of the machine may see it there.',
  },
  {
    key: 'delete',
    names: ['-D'],
    kind: FLAG,
    tools: ['passwd'],
    group: 'Password file',
    conflicts: { keys: ['update'], message: '-D and -U cannot be used together.' },
    help: 'Delete the user from the file.',
  },
  {
    key: 'update',
    names: ['-U'],
    kind: FLAG,
    tools: ['passwd'],
    group: 'Password file',
    conflicts: { keys: ['create'], message: '-c and -U cannot be used together.' },
    help: 'Replace every plain-text password of the file by its hash. What is a hash already stays.',
  },
  {
    key: 'hash',
    names: ['-H'],
    kind: choice(SCHEMES, (word) => `Unknown hash type '${word}', use bcrypt, argon2id, sha512-pbkdf2 or sha512.`),
    tools: ['passwd'],
    group: 'Password file',
    value: 'HASH',
    missing: '-H argument given but not enough other arguments',
    fallback: 'bcrypt',
    help: 'Form of new hashes: bcrypt, argon2id, sha512-pbkdf2 or sha512. Only the last two work in every Mosquitto. Default: bcrypt.',
  },
  {
    key: 'iterations',
    names: ['-I'],
    kind: integer(1, 2_147_483_647, () => 'Number of iterations must be > 0.'),
    tools: ['passwd'],
    group: 'Password file',
    value: 'COUNT',
    missing: '-I argument given but not enough other arguments',
    help: 'Cost of new hashes: rounds of sha512-pbkdf2, passes of argon2id, or the binary logarithm of the rounds of bcrypt (4 to 16).',
  },
  {
    key: 'help',
    names: ['-h', '--help'],
    kind: FLAG,
    tools: ['passwd'],
    group: 'General',
    stops: true,
    help: 'Print this text and exit with code 1.',
  },
  {
    key: 'version',
    names: ['--version'],
    kind: FLAG,
    tools: ['passwd'],
    group: 'General',
    stops: true,
    help: 'Print the version and exit with code 1.',
  },
] as const satisfies readonly OptionRow[];
