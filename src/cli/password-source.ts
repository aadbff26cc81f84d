// Where a password comes from that does not stand on the command line: a question at the terminal, a file, a variable of the
// environment, or a descriptor that the caller has opened. No sentence here quotes what was read.
import { isUtf8 } from 'node:buffer';
import { openSync, readSync } from 'node:fs';
import { ReadStream, WriteStream } from 'node:tty';
import { MAX_STRING } from '../protocol/constants.ts';
import { nap } from '../util/nap.ts';
import { readSmallFile } from '../util/small-file.ts';
import { systemErrorText } from '../util/system-error.ts';
import type { Io } from './io.ts';
import { UsageError } from './messages.ts';
import { openPrompter, type Prompter } from './prompt.ts';

/** Which source the options name: all null means the terminal. */
export interface PasswordSource {
  readonly passwordFile: string | null;
  readonly passwordEnv: string | null;
  readonly passwordFd: number | null;
}

/** Largest file that is read, in bytes: only its first line counts. */
const LARGEST_FILE = 1024 * 1024;
/** Milliseconds that a pipe has time for: somebody may have to unlock a store of passwords. */
const PATIENCE_MS = 60_000;
/** Milliseconds that a descriptor has which does not wait by itself: among these are some that Node has for its own use. */
const NO_WAIT_MS = 5_000;
const NAP_MS = 10;
const LINE_FEED = 0x0a;

const failed = (sentence: string): UsageError => new UsageError(sentence, 'nothing');

/** The password. Throws UsageError where there is none; Interrupted where the user pressed Ctrl-C. */
export async function readPassword(
  source: PasswordSource,
  io: Io,
  terminal: (io: Io) => Prompter | null = openTerminal,
): Promise<string> {
  if (source.passwordEnv !== null) {
    // What all objects have is not in the environment.
    const value = Object.hasOwn(io.env, source.passwordEnv) ? io.env[source.passwordEnv] : undefined;
    if (value === undefined) throw failed(`The environment variable ${source.passwordEnv} is not set.`);
    return checked(value, `The environment variable ${source.passwordEnv}`);
  }
  if (source.passwordFile !== null) return fromFile(source.passwordFile);
  if (source.passwordFd !== null) return fromDescriptor(source.passwordFd);
  return fromTerminal(terminal(io));
}

function fromFile(file: string): string {
  let bytes: Buffer;
  try {
    ({ bytes } = readSmallFile(file, LARGEST_FILE, PATIENCE_MS));
  } catch (error) {
    throw failed(`Unable to open password file ${file}. ${(error as Error).message}.`);
  }
  const end = bytes.indexOf(LINE_FEED);
  return lineOf(end === -1 ? bytes : bytes.subarray(0, end), `The first line of the password file ${file}`);
}

/** Reads up to the line feed and not a byte further: what follows may be the messages to send. */
function fromDescriptor(descriptor: number): string {
  const bytes = Buffer.alloc(MAX_STRING + 3);
  let size = 0;
  let waited = 0;
  while (size < bytes.length) {
    try {
      if (readSync(descriptor, bytes, size, 1, null) === 0 || bytes[size] === LINE_FEED) break;
      size += 1;
    } catch (error) {
      // It does not wait by itself, and its writer may not have come so far.
      const isSlow = (error as NodeJS.ErrnoException).code === 'EAGAIN' && waited < NO_WAIT_MS;
      if (!isSlow) throw failed(`Unable to read the password from file descriptor ${descriptor}. ${reason(error)}.`);
      nap(NAP_MS);
      waited += NAP_MS;
    }
  }
  return lineOf(bytes.subarray(0, size), `The first line of file descriptor ${descriptor}`);
}

function reason(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EBADF') return 'It is not open';
  return code === 'EAGAIN' ? 'It gives nothing' : systemErrorText(error);
}

function lineOf(bytes: Buffer, what: string): string {
  const line = bytes.at(-1) === 0x0d ? bytes.subarray(0, -1) : bytes;
  if (!isUtf8(line)) throw failed(`${what} is not UTF-8 text.`);
  return checked(line.toString(), what);
}

/** MQTT has two bytes for the length of a password (MQTT 5.0 section 1.5.6). */
function checked(password: string, what: string): string {
  if (password === '') throw failed(`${what} is empty: there is no password in it.`);
  if (Buffer.byteLength(password) > MAX_STRING) throw failed(`${what} is longer than ${MAX_STRING} bytes.`);
  return password;
}

async function fromTerminal(prompter: Prompter | null): Promise<string> {
  if (prompter === null) {
    const ways = 'give it with --password-file, --password-env or --password-fd';
    const sentence = '-P argument given but no password specified.';
    throw new UsageError(`${sentence}\nThere is no terminal to ask for it at: ${ways}.`);
  }
  try {
    const answer = await prompter.ask('Password: ');
    if (answer === null || answer === '') throw failed('Empty password.');
    return checked(answer, 'What was typed');
  } finally {
    prompter.close();
  }
}

/** The terminal of the user: standard input may be a file or a pipe with the messages, and is not touched where possible. */
export function openTerminal({ stdin, stderr }: Pick<Io, 'stdin' | 'stderr'>): Prompter | null {
  let descriptor: number;
  try {
    descriptor = openSync('/dev/tty', 'r+');
  } catch {
    return stdin.isTTY === true ? openPrompter({ stdin }, stderr) : null;
  }
  const input = new ReadStream(descriptor);
  const output = new WriteStream(openSync('/dev/tty', 'w'));
  const prompter = openPrompter({ stdin: input }, output);
  return {
    ask: prompter.ask,
    close() {
      prompter.close();
      output.destroy();
    },
  };
}
