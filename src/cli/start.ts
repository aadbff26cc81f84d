// The first step of every command: parse the command line, and deal with --help, --version and wrong usage.
import type { Io } from './io.ts';
import { EXIT_CONFIG, EXIT_ERROR, UsageError } from './messages.ts';
import type { Tool } from './options/row.ts';
import { TOOLS } from './options/tools.ts';
import { type Parsed, parseArguments } from './parse.ts';
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
    checkArguments(argv);
    const parsed = parseArguments(tool, argv);
    const { help, version } = parsed.options as { help: boolean; version: boolean };
    if (!help && !version) return parsed;
    io.stdout.write(help ? helpText(tool) : versionText(tool));
    return TOOLS[tool].helpCode;
  } catch (error) {
    return reportUsageError(tool, error, io);
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
  io.stderr.write(`${paint.error(`Error: ${error.message}`)}\n${hint}`);
  if (error.aftermath === 'usage') io.stdout.write(helpText(tool));
  return code;
}
