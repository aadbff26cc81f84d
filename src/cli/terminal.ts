// Colour and the spinner, for people who look at a terminal. chalk and ora are loaded only there: pipes and one-shot scripts
// don't pay for them.
import type { Io } from './io.ts';

/** Turns text into coloured text, or leaves it as it is. */
export interface Paint {
  error(text: string): string;
  warning(text: string): string;
  topic(text: string): string;
  sent(text: string): string;
  received(text: string): string;
  faint(text: string): string;
}

const same = (text: string): string => text;

/** No colours. */
export const PLAIN: Paint = { error: same, warning: same, topic: same, sent: same, received: same, faint: same };

/** Whether a stream is a terminal whose user did not ask for plain text (https://no-color.org). */
export function isColourful(stream: NodeJS.WriteStream, env: Io['env']): boolean {
  return stream.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}

/** The colours for a stream: none unless it is a terminal. */
export async function paintFor(stream: NodeJS.WriteStream, env: Io['env']): Promise<Paint> {
  if (!isColourful(stream, env)) return PLAIN;
  const { Chalk } = await import('chalk');
  const chalk = new Chalk({ level: 1 });
  return {
    error: chalk.red,
    warning: chalk.yellow,
    topic: chalk.cyan,
    sent: chalk.green,
    received: chalk.magenta,
    faint: chalk.dim,
  };
}

/**
 * Waits for work, with a spinner and a text on standard error where that is a terminal. The spinner is gone before the
 * result or the error is handed on.
 */
export async function withSpinner<T>(io: Pick<Io, 'stderr' | 'env'>, text: string, work: Promise<T>): Promise<T> {
  // ora clears lines without end on a terminal that is no columns wide, as one made by a script may be.
  if (!isColourful(io.stderr, io.env) || !(io.stderr.columns > 0)) return work;
  const spinner = import('ora').then(({ default: ora }) =>
    ora({ text, stream: io.stderr, discardStdin: false, hideCursor: false }).start(),
  );
  try {
    return await work;
  } finally {
    (await spinner).stop();
  }
}
