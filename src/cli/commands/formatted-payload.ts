// --payload-format where a payload is typed: what -m, -f and -s give stands for other bytes.
import { UsageError } from '../messages.ts';
import { PayloadFault } from '../payload/fault.ts';
import { type PayloadFormatName, payloadFormat, readPayload } from '../payload/formats.ts';

/** The payload that a text stands for. Throws UsageError. */
export async function formattedPayload(name: PayloadFormatName, text: Buffer): Promise<Buffer> {
  const format = await payloadFormat(name);
  try {
    return readPayload(format, text);
  } catch (error) {
    if (!(error instanceof PayloadFault)) throw error;
    throw new UsageError(`The payload ${error.message}.`, 'nothing');
  }
}
