// How mqtt-sub shows its messages: one below the other, on a line of the screen for each topic, or only their number.
import type { ReceivedMessage } from '../../client/options.ts';
import { OUTPUT_OPTIONS } from '../options/output.ts';
import type { OptionRow } from '../options/row.ts';
import type { Options } from '../options/tables.ts';
import type { Workplace } from './client-command.ts';
import { printerFor } from './printing.ts';

/** Shows messages until it is told that there are no more. */
export interface Display {
  /** There is a connection, and messages may come. */
  begin(): void;
  show(message: ReceivedMessage): void;
  /** Leaves the screen in order. May be called repeatedly. */
  end(): void;
  /** Sets who is told that no more messages can be taken; where there is none, they always can. */
  onFailure?(tell: (error: Error) => void): void;
}

/** The display that the options ask for. Throws UsageError for a format that has no meaning. */
export async function displayFor(options: Options<'sub'>, place: Workplace): Promise<Display> {
  if (options.record === null) return shownAs(options, place);
  const { Recorder } = await import('./record.ts');
  const output: readonly OptionRow[] = OUTPUT_OPTIONS;
  const isShown = output.some(({ key }) => place.given.includes(key));
  const shown = isShown || options.watch || options.messageRate ? await shownAs(options, place) : null;
  return new Recorder(options.record, shown, (sentence) => place.console.warn(sentence));
}

async function shownAs(options: Options<'sub'>, { console, io, trace }: Workplace): Promise<Display> {
  const hasScreen = options.watch && io.stdout.isTTY === true && io.env['TERM'] !== 'dumb' && trace === null;
  // Without a topic, a line of the screen would tell nothing. The screen has colours of its own.
  const print = await printerFor(
    { ...options, verbose: options.verbose || options.watch },
    hasScreen ? (topic) => topic : console.paint.topic,
  );
  if (options.messageRate) {
    const { MessageRate } = await import('./message-rate.ts');
    return new MessageRate(console);
  }
  if (!hasScreen) return { begin: () => undefined, show: (message) => print(message, console), end: () => undefined };
  const { Watch } = await import('./watch.ts');
  return new Watch(io, console, print);
}
