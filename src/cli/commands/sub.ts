// mqtt-sub: subscribes and prints what comes in, until it has had enough or is told to stop.
import type { Client, ReceivedMessage, SubscribeFilter } from '../../client/options.ts';
import { isRefusal, reasonOf } from '../../protocol/reasons.ts';
import { topicMatches } from '../../protocol/topic.ts';
import type { MessagePrinter } from '../format.ts';
import type { Io } from '../io.ts';
import { EXIT_OK } from '../messages.ts';
import type { Options } from '../options/tables.ts';
import { gatherProperties } from '../property-option.ts';
import { clientCommand, EVERY_SECOND, type Workplace } from './client-command.ts';
import type { Console } from './console.ts';
import { printerFor } from './printing.ts';
import { type Receiver, runReceiver } from './receiver.ts';
import { endAfter } from './stop.ts';

/** Reason code that has the broker send the will all the same (MQTT 5.0 section 3.14.2.1). */
const WITH_WILL = 4;

/** Runs the command; resolves to its exit code. */
export function main(argv: readonly string[], io: Io): Promise<number> {
  return clientCommand('sub', argv, io, run);
}

async function run(options: Options<'sub'>, place: Workplace): Promise<number> {
  const print = await printerFor(options, place.console);
  const begin = (client: Client): Subscriber => new Subscriber(client, options, place.console, print);
  return runReceiver('sub', options, place, EVERY_SECOND, WITH_WILL, begin);
}

/** A subscribed client with what its messages go through. */
class Subscriber implements Receiver {
  readonly #client: Client;
  readonly #options: Options<'sub'>;
  readonly #console: Console;
  readonly #print: MessagePrinter;
  readonly #ended: Promise<number>;
  #resolve: (code: number) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #printed = 0;
  #removing = false;
  #stopping = false;

  constructor(client: Client, options: Options<'sub'>, console: Console, print: MessagePrinter) {
    this.#client = client;
    this.#options = options;
    this.#console = console;
    this.#print = print;
    this.#ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    client.on('message', (message) => this.#receive(message));
    client.on('close', (error) => {
      if (error !== null) this.#reject(error);
    });
    console.out.watch({
      full: () => client.pause(),
      drained: () => client.resume(),
      closed: () => this.stop(EXIT_OK),
    });
  }

  /** Subscribes and goes on until the end; resolves to the exit code, rejects with the client's error. */
  run(): Promise<number> {
    this.#subscribe().catch((error: Error) => {
      if (!this.#stopping) this.#reject(error);
    });
    return this.#ended;
  }

  /** Ends in an orderly way, with the reason code of the DISCONNECT. What still comes in is not printed. */
  stop(exitCode: number, reasonCode = 0): void {
    if (this.#stopping) return;
    this.#stopping = true;
    const removed = this.#removing && reasonCode === 0 ? this.#client.drained() : null;
    const properties = gatherProperties(this.#options.properties, 'disconnect');
    endAfter(this.#client, removed, reasonCode, properties).then(() => this.#resolve(exitCode), this.#reject);
  }

  async #subscribe(): Promise<void> {
    const { topics, properties, exitAfterSubscribe } = this.#options;
    if (topics.length > 0) {
      const filters = topics.map((filter) => this.#subscription(filter));
      const subscribed = this.#client.subscribe(filters, gatherProperties(properties, 'subscribe'));
      // Right behind, a packet each, as Mosquitto's: the broker takes them in order. A lost connection shows in the client's end.
      this.#unsubscribe().catch(() => undefined);
      const { codes } = await subscribed;
      this.#tellRefusals(codes);
      if (codes.every(isRefusal)) {
        this.#console.error('All subscription requests were denied.');
        this.stop(EXIT_OK);
        return;
      }
    } else await this.#unsubscribe();
    if (exitAfterSubscribe) this.stop(EXIT_OK);
  }

  /** Resolves once the broker has answered for every filter of -U. */
  async #unsubscribe(): Promise<void> {
    const properties = gatherProperties(this.#options.properties, 'unsubscribe');
    await Promise.all(this.#options.unsubscribe.map((filter) => this.#client.unsubscribe(filter, properties)));
  }

  #subscription(filter: string): SubscribeFilter {
    const { qos, retainAsPublished, retainHandling } = this.#options;
    return { filter, qos, retainAsPublished, retainHandling };
  }

  /** Where the broker grants only some of the filters, says which ones it does not. */
  #tellRefusals(codes: readonly number[]): void {
    if (codes.every(isRefusal)) return;
    codes.forEach((code, i) => {
      if (!isRefusal(code)) return;
      this.#console.warn(`Warning: Subscription to '${this.#options.topics[i]}' was refused: ${reasonOf(code).text}.`);
    });
  }

  #receive(message: ReceivedMessage): void {
    if (this.#stopping) return;
    const { retainedOnly, skipRetained, filterOut, removeRetained, count } = this.#options;
    if (retainedOnly && !message.retain) {
      this.stop(EXIT_OK);
      return;
    }
    if (skipRetained && message.retain) return;
    for (let i = 0; i < filterOut.length; i++) {
      if (topicMatches(filterOut[i] as string, message.topic)) return;
    }
    if (removeRetained && message.retain) this.#remove(message.topic);
    this.#print(message, this.#console);
    this.#printed += 1;
    if (this.#printed === count) this.stop(EXIT_OK);
  }

  /** Deletes a retained message: an empty one takes its place (MQTT 5.0 section 3.3.1.3). */
  #remove(topic: string): void {
    this.#removing = true;
    this.#client.publish(topic, '', { qos: 1, retain: true }).then(
      ({ reason }) => {
        if (!isRefusal(reason.code)) return;
        this.#console.warn(`Warning: The retained message of '${topic}' was not removed: ${reason.text}.`);
      },
      // A lost connection shows in the client's end.
      () => undefined,
    );
  }
}
