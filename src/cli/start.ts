// The first step of every command: parse the command line, and deal with --help, --version and wrong usage.
import { printableLines } from '../util/printable.ts';
import type { Io } from './io.ts';
import { EXIT_CONFIG, EXIT_ERROR, EXIT_INTERRUPTED, UsageError } from './messages.ts';
import type { Shell } from './options/completion.ts';
import type { Tool } from './options/row.ts';
import { TOOLS } from './options/tools.ts';
import { type Parsed, parseArguments } from './parse.ts';
import type { PasswordSource } from './password-source.ts';
import { showInstead } from './process-title.ts';
import { checkArguments } from './raw-arguments.ts';
import { paintFor } from './terminal.ts';
import { helpText, versionText } from './usage.ts';

/** The parsed command line, or the exit code where everything there was to say has been said. */
export async function readCommandLine<T extends Tool>(
  tool: T,
  argv: readonly string[],
  io: Io,
): Promise<Parsed<T> | number> {
  try {
    checkArguments(tool, argv);
    const parsed = parseArguments(tool, argv, io.env, (shown) => showInstead(TOOLS[tool].name, argv, shown));
    const { help, version, completion } = parsed.options as General;
    if (completion !== null) {
      const { completionScript } = await import('./completion/script.ts');
      const { printLines } = await import('./commands/print-lines.ts');
      return await printLines([completionScript(tool, completion).trimEnd()], io);
    }
    if (!help && !version) return await withPassword(parsed, io);
    // A full disk, or a reader that has gone, is no reason for a stack trace.
    io.stdout.on('error', () => undefined);
    io.stdout.write(help ? helpText(tool) : versionText(tool));
    return TOOLS[tool].helpCode;
  } catch (error) {
    return reportUsageError(tool, error, io);
  }
}

/** What options of all tools, or of those that log in, are. */
interface General extends PasswordSource {
  readonly help: boolean;
  readonly version: boolean;
  readonly completion: Shell | null;
  readonly password: string | null;
}

/** Fetches the password if it is told where from; resolves to an exit code where the user pressed Ctrl-C at the question. */
async function withPassword<T extends Tool>(parsed: Parsed<T>, io: Io): Promise<Parsed<T> | number> {
  const options = parsed.options as Parsed<T>['options'] & General;
  const { password, passwordFile = null, passwordEnv = null, passwordFd = null } = options;
  const isAsked = password === null && parsed.given.includes('password');
  if (!isAsked && passwordFile === null && passwordEnv === null && passwordFd === null) return parsed;
  const { readPassword } = await import('./password-source.ts');
  const { Interrupted } = await import('./prompt.ts');
  try {
    const found = await readPassword({ passwordFile, passwordEnv, passwordFd }, io);
    return { ...parsed, options: { ...options, password: found } };
  } catch (error) {
    if (error instanceof Interrupted) return EXIT_INTERRUPTED;
    throw error;
  }
}

/**
 * Prints a UsageError, with what follows it, and returns the exit code. Any other error is thrown again: a bug is loud.
 * @param quiet whether to print nothing (--quiet)
 */
export async function reportUsageError(tool: Tool, error: unknown, io: Io, quiet = false): Promise<number> {
  if (!(error instanceof UsageError)) throw error;
  const code = error.code ?? (tool === 'broker' ? EXIT_CONFIG : EXIT_ERROR);
  if (quiet) return code;
  const paint = await paintFor(io.stderr, io.env);
  const hint = error.aftermath === 'hint' ? `\nUse '${TOOLS[tool].name} --help' to see usage.\n` : '';
  io.stderr.write(`${paint.error(`Error: ${printableLines(error.message)}`)}\n${hint}`);
  if (error.aftermath === 'usage') io.stdout.write(helpText(tool));
  return code;
}
