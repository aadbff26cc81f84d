// --payload-format where messages are printed: payloads as text, and a warning for one that is not of the format.
import type { ReceivedMessage } from '../../client/options.ts';
import type { MessagePrinter } from '../format/format.ts';
import type { ShownPayload, Sink } from '../format/values.ts';
import { PayloadFault } from './fault.ts';
import { type PayloadFormatName, payloadFormat } from './formats.ts';

/** How payloads of this format are shown; JSON on several lines if `pretty`. */
export async function shownPayload(name: PayloadFormatName, pretty: boolean): Promise<ShownPayload> {
  const format = await payloadFormat(name);
  const text = ({ topic, payload }: ReceivedMessage, sink: Sink): Buffer | null => {
    if (payload.length === 0) return payload;
    try {
      return format.show(payload, pretty);
    } catch (error) {
      if (!(error instanceof PayloadFault)) throw error;
      sink.warn(`Error: Message payload is not valid ${format.title} on topic ${topic}: ${error.message}.`);
      return null;
    }
  };
  return { text, isJson: format.isJson };
}

/** Prints messages as `print` does, with their payloads as text. `wrong` prints one that has none. */
export function shownPrinter(shown: ShownPayload, print: MessagePrinter, wrong: MessagePrinter): MessagePrinter {
  return (message, sink) => {
    const payload = shown.text(message, sink);
    if (payload === null) wrong(message, sink);
    else print({ ...message, payload }, sink);
  };
}

/** Where a message is only looked at: whoever prints it says what is wrong with it. */
const SILENT: Sink = { text: () => undefined, bytes: () => undefined, warn: () => undefined };

/** Gives messages the text of this format for a payload; one that has none keeps what it has. For conditions. */
export async function withShownPayload(
  name: PayloadFormatName,
): Promise<(message: ReceivedMessage) => ReceivedMessage> {
  const shown = await shownPayload(name, false);
  return (message) => {
    const payload = shown.text(message, SILENT);
    return payload === null ? message : { ...message, payload };
  };
}
