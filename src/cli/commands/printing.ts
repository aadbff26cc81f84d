import { compileFormat, FormatError, type MessagePrinter, payloadPrinter, verbosePrinter } from '../format.ts';
import { UsageError } from '../messages.ts';
import { wallTime } from '../wall-time.ts';
import type { Console } from './console.ts';

/** The options about printing that mqtt-sub and mqtt-rr share. */
interface PrintingOptions {
  readonly format: string | null;
  readonly verbose: boolean;
  readonly pretty: boolean;
  readonly noNewline: boolean;
  readonly jsonLines: boolean;
  readonly jsonCompat: '2.0' | '2.1';
}

/** How these options have messages printed. Throws UsageError for a format that has no meaning. */
export async function printerFor(options: PrintingOptions, console: Console): Promise<MessagePrinter> {
  if (options.jsonLines) {
    const { messageLine } = await import('../json-lines.ts');
    return (message, sink) => sink.text(`${messageLine(message, wallTime())}\n`);
  }
  const newline = !options.noNewline;
  if (options.format === null) {
    return options.verbose ? verbosePrinter(newline, console.paint.topic) : payloadPrinter(newline);
  }
  try {
    return compileFormat(options.format, options.pretty, newline, options.jsonCompat);
  } catch (error) {
    throw error instanceof FormatError ? new UsageError(error.message) : error;
  }
}
