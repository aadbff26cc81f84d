// Runs mqtt-passwd within the test process, from a pipe or at a terminal that is made up.
import { PassThrough } from 'node:stream';
import { main } from '../../src/cli/commands/passwd.ts';
import type { Io } from '../../src/cli/io.ts';
import type { Result } from './process.ts';

/** What a run ended with; `raw` are the modes that the terminal was put in. */
export type PasswdResult = Result & { readonly raw: readonly boolean[] };

/** Runs the command with this on its standard input. With `keys`, that is a terminal at which they are typed. */
export async function runPasswd(
  args: readonly string[],
  input: { stdin?: string; keys?: string } = {},
): Promise<PasswdResult> {
  const isTTY = input.keys !== undefined;
  const raw: boolean[] = [];
  const stdin = Object.assign(new PassThrough(), { isTTY, setRawMode: (mode: boolean) => raw.push(mode) });
  const stdout = Object.assign(new PassThrough(), { isTTY });
  const stderr = new PassThrough();
  stdin.end(input.keys ?? input.stdin ?? '');
  const code = await main(args, { stdin, stdout, stderr, env: {} } as unknown as Io);
  return { code, stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? ''), raw };
}
