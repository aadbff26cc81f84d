// Runs a built command to its end, as a script would.
import { finishBuilt, type Result, type StartOptions } from './process.ts';

/** What a run may be given. */
export interface RunOptions {
  /** Text for standard input; empty without it. */
  readonly stdin?: string | Buffer;
  readonly env?: Record<string, string | undefined>;
  readonly cwd?: string;
}

/** Runs dist/NAME.js with these words; bounded in time by process.ts. */
export function runTool(name: string, args: readonly string[], options: RunOptions = {}): Promise<Result> {
  const { stdin, env, cwd } = options;
  const rest: StartOptions = { ...(env === undefined ? {} : { env }), ...(cwd === undefined ? {} : { cwd }) };
  return finishBuilt(name, args, stdin === undefined ? rest : { ...rest, input: stdin });
}
