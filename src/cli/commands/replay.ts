// mqtt-pub --replay FILE: sends recorded messages again, at the times between them that they were recorded with.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { topicNameFault } from '../../protocol/topic.ts';
import { systemErrorText } from '../../util/system-error.ts';
import { protocolVersion } from '../connection.ts';
import { InputError, lineBatches } from '../input.ts';
import {
  isBlankLine,
  LineFault,
  type LineMessage,
  MAX_LINE,
  parseMessageLine,
  TOO_LONG,
  topicFor,
} from '../json-lines.ts';
import { EXIT_OK, UsageError } from '../messages.ts';
import type { Options } from '../options/tables.ts';
import { gatherProperties } from '../property-option.ts';
import { type Clock, Pace, SYSTEM_CLOCK } from '../replay/pace.ts';
import { topicMapper } from '../replay/topic-map.ts';
import { openClient, type Workplace } from './client-command.ts';
import { Denials } from './denials.ts';
import { AHEAD, Publisher } from './publisher.ts';
import { EVERY_SECOND } from './reconnecting.ts';

/** Publishes a recording; resolves to the exit code. Throws UsageError where it can't be read, or is none. */
export async function publishRecording(options: Options<'pub'>, file: string, place: Workplace): Promise<number> {
  // A recording has what only MQTT 5 can carry.
  const chosen = { ...options, protocolVersion: options.protocolVersion ?? '5' } as const;
  const source = await openRecording(file, place);
  const over = new AbortController();
  try {
    const client = await openClient('pub', chosen, place, EVERY_SECOND, null);
    try {
      const denials = new Denials(place.console, options.failOnDenied);
      const publisher = new Publisher(client, chosen, denials);
      await publisher.untilLost(new Replay(publisher, chosen, place, source.name).send(source.stream, over.signal));
      denials.published(publisher.sent);
      return denials.exitCode(publisher.isDoubtful ? denials.unread() : EXIT_OK);
    } finally {
      await client.end();
    }
  } finally {
    over.abort();
    source.stream.destroy();
  }
}

/** The recording's bytes, and its name for sentences; `-` is standard input. */
async function openRecording(file: string, { io }: Workplace): Promise<{ stream: Readable; name: string }> {
  if (file === '-') return { stream: io.stdin, name: 'standard input' };
  const failed = (why: string): UsageError =>
    new UsageError(`Unable to open the recording "${file}": ${why}.`, 'nothing');
  try {
    const handle = await open(file, 'r');
    if ((await handle.stat()).isDirectory()) {
      await handle.close();
      throw failed('Is a directory');
    }
    return { stream: createReadStream(file, { fd: handle }), name: `"${file}"` };
  } catch (error) {
    throw error instanceof UsageError ? error : failed(systemErrorText(error));
  }
}

/** Where the messages go: a Publisher, or a test. */
type Target = Pick<Publisher, 'send' | 'drained' | 'end'>;

/** The sending of one recording. */
export class Replay {
  readonly #target: Target;
  readonly #options: Options<'pub'>;
  readonly #place: Pick<Workplace, 'console' | 'given'>;
  readonly #name: string;
  readonly #pace: Pace;
  readonly #map: (topic: string) => string;
  readonly #hasProperties: boolean;
  #number = 0;
  #isWarned = false;

  /** @param name of the recording, for sentences */
  constructor(
    target: Target,
    options: Options<'pub'>,
    place: Pick<Workplace, 'console' | 'given'>,
    name: string,
    clock: Clock = SYSTEM_CLOCK,
  ) {
    this.#target = target;
    this.#options = options;
    this.#place = place;
    this.#name = name;
    this.#pace = new Pace(clock, options.speed);
    this.#map = topicMapper(options.topicMap);
    this.#hasProperties = protocolVersion('pub', options) === '5';
  }

  /**
   * Sends all of it, and ends the target. The first line that is no message ends it all: those in front of it are sent and
   * acknowledged, then this rejects with UsageError. Half a line at the end is only warned of: its recorder was stopped there.
   */
  async send(source: Readable, signal: AbortSignal): Promise<void> {
    let isCutOff = false;
    const cutOff = (): void => {
      isCutOff = true;
    };
    let fault: Error | null = null;
    try {
      for await (const lines of lineBatches(source, MAX_LINE, TOO_LONG, cutOff)) {
        if (fault !== null) throw fault;
        for (const line of lines) {
          if (fault !== null) throw fault;
          this.#number += 1;
          fault = await this.#sendLine(line, signal);
        }
      }
      if (fault !== null && !isCutOff) throw fault;
    } catch (error) {
      if (!(error instanceof LineFault || error instanceof UsageError)) throw error;
      // Only a line that is too long is noticed before it is counted.
      const number = error instanceof UsageError ? this.#number + 1 : this.#number;
      await this.#target.end();
      if (error instanceof InputError) throw new InputError(error.why, this.#name);
      throw new UsageError(`Line ${number} of ${this.#name} ${error.message}.`, 'nothing');
    }
    if (fault !== null) {
      this.#place.console.warn(
        `Warning: Line ${this.#number} of ${this.#name} was not written to its end; it is not sent.`,
      );
    }
    await this.#target.end();
  }

  /** Sends a line when it is due; returns what is wrong with it. */
  async #sendLine(line: Buffer, signal: AbortSignal): Promise<LineFault | null> {
    if (isBlankLine(line)) return null;
    let message: LineMessage;
    let topic: string;
    try {
      message = parseMessageLine(line);
      topic = this.#topicOf(message);
    } catch (error) {
      if (error instanceof LineFault) return error;
      throw error;
    }
    await this.#pace.due(message.time, signal);
    const { qos, retain, properties } = this.#options;
    this.#target.send(topic, message.payload, {
      qos: this.#place.given.includes('qos') ? qos : (message.qos ?? qos),
      retain: retain || message.retain === true,
      properties: { ...this.#propertiesOf(message), ...gatherProperties(properties, 'publish') },
    });
    if (this.#number === 1) {
      // It leaves when the turn is over.
      await new Promise((resolve) => setImmediate(resolve));
      this.#pace.left();
    }
    if (this.#number % AHEAD === 0) await this.#target.drained();
    return null;
  }

  #topicOf(message: LineMessage): string {
    const recorded = topicFor(message, this.#options.topic);
    const topic = this.#map(recorded);
    const fault = topicNameFault(topic);
    if (fault === null) return topic;
    throw new LineFault(
      `has the topic '${recorded}', which --topic-map makes '${topic}', and that is no topic: ${fault}`,
    );
  }

  #propertiesOf({ properties }: LineMessage): LineMessage['properties'] {
    if (this.#hasProperties || Object.keys(properties).length === 0) return properties;
    if (!this.#isWarned) {
      const which = `those of line ${this.#number} of ${this.#name}, and of other lines,`;
      this.#place.console.warn(`Warning: Properties need MQTT 5 (-V 5): ${which} are not sent.`);
    }
    this.#isWarned = true;
    return {};
  }
}
