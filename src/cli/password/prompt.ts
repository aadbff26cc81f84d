// What mqtt-passwd asks for: passwords, and whether a file may go.
import type { Io } from '../io.ts';
import { EXIT_MISMATCH, UsageError } from '../messages.ts';
import { openPrompter, type Prompter } from '../prompt.ts';
import { failure } from './file.ts';

/** Asks for what a change needs. */
export interface ChangeQuestions {
  /** Null where nobody has to be asked whether the file may go. */
  readonly overwrite: string | null;
  /** Questions keep out of standard output, which is meant for the file. */
  readonly aside: boolean;
}

/** Asks for a new password, twice. Rejects with a sentence, or with Interrupted. */
export async function askNewPassword(io: Io, { overwrite, aside }: ChangeQuestions): Promise<string> {
  return asking(io, aside, async (prompter) => {
    if (overwrite !== null && !/^y(es)?$/i.test((await prompter.ask(overwrite, 'shown')) ?? '')) {
      throw failure('Nothing was changed.');
    }
    const first = await prompter.ask('Password: ');
    if (first === null || first === '') throw failure('Empty password.');
    const second = await prompter.ask('Reenter password: ');
    if (second === null || second === '') throw failure('Empty password.');
    if (first !== second) throw new UsageError('Passwords do not match.', 'nothing', EXIT_MISMATCH);
    return checked(first);
  });
}

/** Asks for the password of a user, once; from a pipe it is a line, and no question is shown. */
export async function askPassword(io: Io): Promise<string> {
  const question = io.stdin.isTTY === true ? 'Password: ' : null;
  return asking(io, false, async (prompter) => checked((await prompter.ask(question)) ?? ''));
}

async function asking(io: Io, aside: boolean, questions: (prompter: Prompter) => Promise<string>): Promise<string> {
  const notSeen = io.stdin.isTTY === true && io.stdout.isTTY !== true;
  const prompter = openPrompter(io, aside || notSeen ? io.stderr : io.stdout);
  try {
    return await questions(prompter);
  } finally {
    prompter.close();
  }
}

/** Bytes that are no UTF-8 were read as U+FFFD: another password than the one that was meant. */
function checked(password: string): string {
  if (password.includes('\uFFFD')) throw failure('The password is not valid UTF-8.');
  return password;
}
