// mqtt-pub --json-lines: publishes the messages that standard input describes, each by its own topic, QoS and properties.
import type { Properties } from '../../protocol/properties.ts';
import { protocolVersion } from '../connection.ts';
import { InputError, lineBatches } from '../input.ts';
import type { Io } from '../io.ts';
import { LineFault, type LineMessage, MAX_LINE, parseMessageLine } from '../json-lines.ts';
import { UsageError } from '../messages.ts';
import type { Options } from '../options/tables.ts';
import { gatherProperties } from '../property-option.ts';
import { AHEAD, type Publisher } from './publisher.ts';

/**
 * Publishes a message for each line. What a line does not say is taken from the options; empty lines are passed over. The
 * first line that is no message ends it all: those in front of it are sent and acknowledged, then this rejects with
 * UsageError.
 */
export async function sendJsonLines(publisher: Publisher, options: Options<'pub'>, { stdin }: Io): Promise<void> {
  const usual: Usual = {
    topic: options.topic,
    qos: options.qos,
    retain: options.retain,
    properties: gatherProperties(options.properties, 'publish'),
    hasProperties: protocolVersion('pub', options) === '5',
  };
  let number = 0;
  try {
    for await (const lines of lineBatches(stdin, MAX_LINE, `is longer than ${MAX_LINE} bytes`)) {
      for (let i = 0; i < lines.length; i++) {
        number += 1;
        if (!isBlank(lines[i]!)) sendLine(publisher, parseMessageLine(lines[i]!), usual);
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
    else if (!(error instanceof LineFault)) throw error;
    await publisher.end();
    throw new UsageError(`Line ${number} of standard input ${error.message}.`, 'nothing');
  }
  await publisher.end();
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

/** Nothing but white space of JSON. */
function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

function sendLine(publisher: Publisher, message: LineMessage, usual: Usual): void {
  const topic = message.topic ?? usual.topic;
  if (topic === null) throw new LineFault('has no "topic", and there is no -t');
  const isPlain = Object.keys(message.properties).length === 0;
  if (!isPlain && !usual.hasProperties) throw new LineFault('has properties, which need MQTT 5 (-V 5)');
  publisher.send(topic, message.payload, {
    qos: message.qos ?? usual.qos,
    retain: message.retain ?? usual.retain,
    properties: isPlain ? usual.properties : { ...usual.properties, ...message.properties },
  });
}
