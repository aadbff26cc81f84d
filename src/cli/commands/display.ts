// How mqtt-sub shows its messages: one below the other, on a line of the screen for each topic, or only their number.
import type { ReceivedMessage } from '../../client/options.ts';
import type { MessagePrinter } from '../format.ts';
import type { Options } from '../options/tables.ts';
import type { Workplace } from './client-command.ts';
import { printerFor } from './printing.ts';

/** Shows messages until it is told that there are no more. */
export interface Display {
  show(message: ReceivedMessage): void;
  /** Leaves the screen in order. May be called repeatedly. */
  end(): void;
}

/** The display that the options ask for; `print` is what they make of one message. */
export async function displayFor(options: Options<'sub'>, place: Workplace, print: MessagePrinter): Promise<Display> {
  const { console, io, trace } = place;
  if (options.messageRate) {
    const { MessageRate } = await import('./message-rate.ts');
    return new MessageRate(console);
  }
  if (!options.watch) return lines(place, print);
  // Without a topic, a line of the screen would tell nothing.
  const named = { ...options, verbose: true };
  if (io.stdout.isTTY !== true || io.env['TERM'] === 'dumb' || trace !== null) {
    return lines(place, await printerFor(named, console.paint.topic));
  }
  const { Watch } = await import('./watch.ts');
  return new Watch(io, console, await printerFor({ ...named, noNewline: true }, (topic) => topic));
}

function lines({ console }: Workplace, print: MessagePrinter): Display {
  return { show: (message) => print(message, console), end: () => undefined };
}
