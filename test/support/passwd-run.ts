// Runs mqtt-passwd within the test process, from a pipe or at a terminal that is made up.
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import type { TestContext } from 'node:test';
import { main } from '../../src/cli/commands/passwd.ts';
import type { Io } from '../../src/cli/io.ts';
import { scratch } from './mosquitto.ts';
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

/** A cost that keeps tests short. */
export const QUICK = ['-I', '4'];

/** A path in a new folder, with this content if there is any. */
export function fileIn(context: TestContext, content?: string, mode = 0o600): string {
  const file = path.join(scratch(context), 'passwd.conf');
  if (content !== undefined) {
    writeFileSync(file, content);
    chmodSync(file, mode);
  }
  return file;
}

/** Runs the command with this on a pipe. */
export async function passwd(args: readonly string[], stdin = ''): Promise<Result> {
  const { code, stdout, stderr } = await runPasswd(args, { stdin });
  return { code, stdout, stderr };
}
