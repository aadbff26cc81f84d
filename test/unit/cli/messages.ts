// Messages for the tests of what the tools print, and a sink that keeps what was printed.
import type { MessagePrinter } from '../../../src/cli/format/format.ts';
import type { ReceivedMessage } from '../../../src/client/options.ts';

/** A message with defaults: QoS 0, topic 't', payload 'p', no properties. */
export function received(fields: Partial<ReceivedMessage>): ReceivedMessage {
  return {
    topic: 't',
    payload: Buffer.from('p'),
    qos: 0,
    retain: false,
    dup: false,
    id: 0,
    properties: {},
    ...fields,
  };
}

/** What a printer prints of a message. */
export function printed(printer: MessagePrinter, message: ReceivedMessage): { out: Buffer; warnings: string[] } {
  const parts: Buffer[] = [];
  const warnings: string[] = [];
  printer(message, {
    text: (text) => void parts.push(Buffer.from(text)),
    bytes: (bytes) => void parts.push(bytes),
    warn: (sentence) => void warnings.push(sentence),
  });
  return { out: Buffer.concat(parts), warnings };
}
