// --payload-format where a payload is typed: what -m, -f and -s give stands for other bytes.
import { UsageError } from '../messages.ts';
import { PayloadFault } from '../payload/fault.ts';
import { type PayloadFormatName, payloadReader } from '../payload/formats.ts';

/** The payload that a text stands for. Throws UsageError. */
export async function formattedPayload(name: PayloadFormatName, text: Buffer): Promise<Buffer> {
  const read = await payloadReader(name);
  try {
    return read(text);
  } catch (error) {
    if (!(error instanceof PayloadFault)) throw error;
    throw new UsageError(`The payload ${error.message}.`, 'nothing');
  }
}
