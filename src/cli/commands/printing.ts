import { compileFormat, FormatError, type MessagePrinter, payloadPrinter, verbosePrinter } from '../format/format.ts';
import type { JsonCompat } from '../format/json.ts';
import { UsageError } from '../messages.ts';
import type { PayloadFormatName } from '../payload/formats.ts';
import { wallTime } from '../wall-time.ts';

/** The options about printing that mqtt-sub and mqtt-rr share. */
interface PrintingOptions {
  readonly format: string | null;
  readonly verbose: boolean;
  readonly pretty: boolean;
  readonly noNewline: boolean;
  readonly jsonLines: boolean;
  readonly jsonCompat: JsonCompat;
  readonly payloadFormat: PayloadFormatName | null;
}

/** How these options have messages printed; `paint` colours topics. Throws UsageError for a format that has no meaning. */
export async function printerFor(options: PrintingOptions, paint: (topic: string) => string): Promise<MessagePrinter> {
  if (options.jsonLines) {
    const { messageLine } = await import('../json-lines.ts');
    return (message, sink) => sink.text(`${messageLine(message, wallTime())}\n`);
  }
  const newline = !options.noNewline;
  const { format, pretty, verbose, payloadFormat, jsonCompat } = options;
  const payloads = payloadFormat === null ? null : await import('../payload/shown.ts');
  const shown = payloads === null || payloadFormat === null ? null : await payloads.shownPayload(payloadFormat, pretty);
  try {
    if (format !== null) return compileFormat(format, pretty, newline, jsonCompat, shown);
    const print = verbose ? verbosePrinter(newline, paint) : payloadPrinter(newline);
    if (payloads === null || shown === null) return print;
    return payloads.shownPrinter(shown, print, compileFormat(verbose ? '%t ' : '', pretty, newline));
  } catch (error) {
    throw error instanceof FormatError ? new UsageError(error.message) : error;
  }
}
