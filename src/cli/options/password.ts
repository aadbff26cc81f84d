// Options that tell the password: where others may see it, or where they may not.

import { integer, TEXT, TEXT_OR_NOTHING } from '../kinds.ts';
import { maskAll } from '../masks.ts';
import type { OptionRow } from './row.ts';

const all = ['pub', 'sub', 'rr', 'bench'] as const;

const KEYS = ['password', 'passwordFile', 'passwordEnv', 'passwordFd'] as const;

/** One source excludes the others; of the same the last counts, and a source on the command line takes the place of a file's. */
const noOtherThan = (key: (typeof KEYS)[number]) =>
  ({
    keys: KEYS.filter((other) => other !== key),
    message: 'Give only one of -P, --password-file, --password-env and --password-fd.',
    fileYields: true,
  }) as const;

export const PASSWORD_OPTIONS = [
  {
    key: 'password',
    names: ['-P', '--pw'],
    kind: TEXT_OR_NOTHING,
    mask: maskAll,
    tools: all,
    group: 'Connection',
    value: '[PASSWORD]',
    missing: '-P argument given but no password specified',
    conflicts: noOtherThan('password'),
    help: 'Password to log in with. Needs a user name, except with MQTT 5. Without a value the password is asked for at the terminal and not shown; so it is where another option follows.',
  },
  {
    key: 'passwordFile',
    names: ['--password-file'],
    kind: TEXT,
    tools: all,
    group: 'Connection',
    value: 'FILE',
    missing: '--password-file argument given but no file specified',
    conflicts: noOtherThan('passwordFile'),
    help: 'Take the password from the first line of a file.',
  },
  {
    key: 'passwordEnv',
    names: ['--password-env'],
    kind: TEXT,
    tools: all,
    group: 'Connection',
    value: 'VARIABLE',
    missing: '--password-env argument given but no variable specified',
    conflicts: noOtherThan('passwordEnv'),
    help: 'Take the password from this environment variable.',
  },
  {
    key: 'passwordFd',
    names: ['--password-fd'],
    kind: integer(0, 2_147_483_647, (word) => `Invalid file descriptor '${word}'.`),
    tools: all,
    group: 'Connection',
    value: 'NUMBER',
    missing: '--password-fd argument given but no file descriptor specified',
    conflicts: noOtherThan('passwordFd'),
    help: 'Take the password from the first line of an open file descriptor; 0 is standard input, of which no more is read.',
  },
] as const satisfies readonly OptionRow[];
