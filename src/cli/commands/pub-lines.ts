// mqtt-pub with lines that have to be understood: --json-lines, where each describes a message with its topic, QoS and
// properties, and -l with --payload-format.
import type { Properties } from '../../protocol/properties.ts';
import { protocolVersion } from '../connection.ts';
import { InputError, lineBatches } from '../input.ts';
import type { Io } from '../io.ts';
import {
  isBlankLine,
  LineFault,
  type LineMessage,
  MAX_LINE,
  parseMessageLine,
  TOO_LONG,
  topicFor,
} from '../json-lines.ts';
import { UsageError } from '../messages.ts';
import type { Options } from '../options/tables.ts';
import { PayloadFault } from '../payload/fault.ts';
import { payloadReader } from '../payload/formats.ts';
import { gatherProperties } from '../property-option.ts';
import { AHEAD, type Publisher } from './publisher.ts';

/**
 * Publishes a message for each line of standard input: JSON lines, or texts of --payload-format. The first line that can't
 * be sent ends it all: those in front of it are sent and acknowledged, then this rejects with UsageError.
 */
export async function sendChecked(publisher: Publisher, options: Options<'pub'>, { stdin }: Io): Promise<void> {
  const { payloadFormat: format } = options;
  const read = format === null ? null : await payloadReader(format);
  const send = read === null ? messageSender(publisher, options) : (line: Buffer) => publisher.publish(read(line));
  let number = 0;
  try {
    for await (const lines of lineBatches(stdin, MAX_LINE, TOO_LONG)) {
      for (let i = 0; i < lines.length; i++) {
        number += 1;
        send(lines[i]!);
        if (i % AHEAD === AHEAD - 1) await publisher.drained();
      }
      await publisher.drained();
    }
  } catch (error) {
    if (error instanceof InputError) {
      await publisher.end();
      throw error;
    }
    // Only a line that is too long is noticed before it is counted.
    if (error instanceof UsageError) number += 1;
    else if (!(error instanceof LineFault || error instanceof PayloadFault)) throw error;
    await publisher.end();
    throw new UsageError(`Line ${number} of standard input ${error.message}.`, 'nothing');
  }
  await publisher.end();
}

/** JSON lines. What a line does not say is taken from the options; empty lines are passed over. */
function messageSender(publisher: Publisher, options: Options<'pub'>): (line: Buffer) => void {
  const usual: Usual = {
    topic: options.topic,
    qos: options.qos,
    retain: options.retain,
    properties: gatherProperties(options.properties, 'publish'),
    hasProperties: protocolVersion('pub', options) === '5',
  };
  return (line) => {
    if (!isBlankLine(line)) sendLine(publisher, parseMessageLine(line), usual);
  };
}

/** What holds where a line says nothing. */
interface Usual {
  readonly topic: string | null;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly properties: Properties;
  /** Whether the connection is one of MQTT 5. */
  readonly hasProperties: boolean;
}

function sendLine(publisher: Publisher, message: LineMessage, usual: Usual): void {
  const topic = topicFor(message, usual.topic);
  const isPlain = Object.keys(message.properties).length === 0;
  if (!isPlain && !usual.hasProperties) throw new LineFault('has properties, which need MQTT 5 (-V 5)');
  publisher.send(topic, message.payload, {
    qos: message.qos ?? usual.qos,
    retain: message.retain ?? usual.retain,
    properties: isPlain ? usual.properties : { ...usual.properties, ...message.properties },
  });
}
