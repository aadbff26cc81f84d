// mqtt-pub: publishes one message, once or repeatedly, or a message for each line of standard input.
import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidRequest } from '../../client/errors.ts';
import type { Client, PublishOptions, PublishResult } from '../../client/options.ts';
import { isRefusal } from '../../protocol/reasons.ts';
import { brokersWords } from '../brokers-words.ts';
import { lineBatches, readPayloadFile, readPayloadStream } from '../input.ts';
import type { Io } from '../io.ts';
import { EXIT_OK } from '../messages.ts';
import type { Options } from '../options/tables.ts';
import { gatherProperties } from '../property-option.ts';
import { clientCommand, EVERY_SECOND, openClient, type Workplace } from './client-command.ts';
import type { Console } from './console.ts';

/** Messages that may be under way before the next ones are read or repeated. */
const AHEAD = 1000;

/** Runs the command; resolves to its exit code. */
export function main(argv: readonly string[], io: Io): Promise<number> {
  return clientCommand('pub', argv, io, run);
}

async function run(options: Options<'pub'>, place: Workplace): Promise<number> {
  const { io, console } = place;
  const payload = options.stdinLines ? null : await payloadOf(options, io);
  const client = await openClient('pub', options, place, options.stdinLines ? EVERY_SECOND : null, null);
  const publisher = new Publisher(client, options, console);
  try {
    await publisher.untilLost(
      payload === null ? sendLines(publisher, io) : sendRepeatedly(publisher, payload, options),
    );
  } finally {
    // Whoever types lines at a lost connection must not keep the tool from ending.
    if (options.stdinLines) io.stdin.destroy();
    // After a message that can't be sent, the connection is still there.
    await client.end();
  }
  return EXIT_OK;
}

/** The payload that the options ask for, read before anything is connected. Throws UsageError. */
export async function payloadOf(
  options: Pick<Options<'rr'>, 'message' | 'file' | 'stdinWhole'>,
  io: Io,
): Promise<Buffer> {
  if (options.message !== null) return Buffer.from(options.message);
  if (options.file !== null) return readPayloadFile(options.file);
  return options.stdinWhole ? readPayloadStream(io.stdin) : Buffer.alloc(0);
}

async function sendRepeatedly(publisher: Publisher, payload: Buffer, options: Options<'pub'>): Promise<void> {
  const delay = options.repeatDelay * 1000;
  for (let sent = 0; sent < options.repeat; sent++) {
    if (sent > 0 && delay > 0) await sleep(delay);
    publisher.publish(payload);
    if (delay > 0) await publisher.acknowledged();
    else if (sent % AHEAD === AHEAD - 1) await publisher.drained();
  }
  await publisher.end();
}

async function sendLines(publisher: Publisher, io: Io): Promise<void> {
  for await (const lines of lineBatches(io.stdin)) {
    // Short lines come by the ten thousand: objects for all of them at once would live long enough to cost dearly.
    for (let i = 0; i < lines.length; i++) {
      publisher.publish(lines[i]!);
      if (i % AHEAD === AHEAD - 1) await publisher.drained();
    }
    await publisher.drained();
  }
  await publisher.end();
}

/** Publishes with the same topic and options all the time, and knows what is still to be acknowledged. */
class Publisher {
  readonly #client: Client;
  readonly #console: Console;
  readonly #topic: string;
  readonly #how: PublishOptions;
  readonly #properties: Options<'pub'>['properties'];
  readonly #lost: Promise<never>;
  #fail: (error: Error) => void = () => undefined;
  #waiting = 0;
  #whenNoneWaits: (() => void) | null = null;

  constructor(client: Client, options: Options<'pub'>, console: Console) {
    this.#client = client;
    this.#console = console;
    this.#topic = options.topic ?? '';
    this.#properties = options.properties;
    this.#how = {
      qos: options.qos,
      retain: options.retain,
      properties: gatherProperties(options.properties, 'publish'),
    };
    this.#lost = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    this.#lost.catch(() => undefined);
    client.on('close', (error) => {
      if (error !== null) this.#fail(error);
    });
  }

  publish(payload: Buffer): void {
    const result = this.#client.publish(this.#topic, payload, this.#how);
    if (this.#how.qos === 0) {
      result.catch(this.#refused);
      return;
    }
    this.#waiting += 1;
    result.then(this.#settled, this.#refused);
  }

  /** Resolves once the next messages may come. */
  drained(): Promise<void> {
    return this.#client.drained(AHEAD);
  }

  /** Resolves once every message has been acknowledged. */
  acknowledged(): Promise<void> {
    if (this.#waiting === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenNoneWaits = resolve;
    });
  }

  /** Waits until everything has left and is acknowledged, and disconnects. */
  async end(): Promise<void> {
    await this.acknowledged();
    await this.#client.drained();
    await this.#client.end(0, gatherProperties(this.#properties, 'disconnect'));
  }

  /** Waits for the work, or rejects as soon as the connection is lost for good. */
  async untilLost(work: Promise<void>): Promise<void> {
    await Promise.race([work, this.#lost]);
  }

  readonly #settled = ({ id, reason, properties }: PublishResult): void => {
    if (isRefusal(reason.code)) {
      this.#console.warn(`Warning: Publish ${id} failed: ${reason.text}.`);
      for (const words of brokersWords(properties)) this.#console.warn(words);
    }
    this.#waiting -= 1;
    if (this.#waiting > 0) return;
    this.#whenNoneWaits?.();
    this.#whenNoneWaits = null;
  };

  /** A lost connection shows in the client's end; a message that can't be sent at all ends the tool here. */
  readonly #refused = (error: unknown): void => {
    if (error instanceof InvalidRequest) this.#fail(error);
  };
}
