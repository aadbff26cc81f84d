// mqtt-sub: subscribes and prints what comes in, until it has had enough or is told to stop.
import type { Client, ReceivedMessage, SubscribeFilter } from '../../client/options.ts';
import { isRefusal, type Reason, reasonOf } from '../../protocol/reasons.ts';
import { topicMatches } from '../../protocol/topic.ts';
import { brokersWords } from '../brokers-words.ts';
import type { MessagePrinter } from '../format.ts';
import type { Io } from '../io.ts';
import { EXIT_OK } from '../messages.ts';
import type { Options } from '../options/tables.ts';
import { gatherProperties } from '../property-option.ts';
import { clientCommand, EVERY_SECOND, type Workplace } from './client-command.ts';
import type { Console } from './console.ts';
import { Denials, refusedSubscriptions } from './denials.ts';
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
  let subscriber: Subscriber | null = null;
  const begin = (client: Client): Subscriber => {
    subscriber = new Subscriber(client, options, place.console, print);
    return subscriber;
  };
  // What is subscribed anew after a lost connection may be refused, too.
  const trace = options.failOnDenied
    ? refusedSubscriptions(place.trace, (reason) => subscriber?.refusedAnew(reason))
    : place.trace;
  return runReceiver('sub', options, { ...place, trace }, EVERY_SECOND, WITH_WILL, begin);
}

/** A subscribed client with what its messages go through. */
class Subscriber implements Receiver {
  readonly #client: Client;
  readonly #options: Options<'sub'>;
  readonly #console: Console;
  readonly #print: MessagePrinter;
  readonly #denials: Denials;
  readonly #ended: Promise<number>;
  #resolve: (code: number) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #isSubscribed = false;
  #printed = 0;
  #removing = false;
  #stopping = false;

  constructor(client: Client, options: Options<'sub'>, console: Console, print: MessagePrinter) {
    this.#client = client;
    this.#options = options;
    this.#console = console;
    this.#print = print;
    this.#denials = new Denials(options.failOnDenied);
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

  /** The broker refuses, on a later connection, what it had granted before. Only with --fail-on-denied. */
  refusedAnew(reason: Reason): void {
    if (!this.#isSubscribed || this.#stopping) return;
    this.#console.error(`Error: The broker refused a subscription that was made anew: ${reason.text}.`);
    this.#denials.note();
    this.stop(EXIT_OK);
  }

  /** Ends in an orderly way, with the reason code of the DISCONNECT. What still comes in is not printed. */
  stop(exitCode: number, reasonCode = 0): void {
    if (this.#stopping) return;
    this.#stopping = true;
    const removed = this.#removing && reasonCode === 0 ? this.#client.drained() : null;
    const properties = gatherProperties(this.#options.properties, 'disconnect');
    endAfter(this.#client, removed, reasonCode, properties).then(
      () => this.#resolve(this.#denials.exitCode(exitCode)),
      this.#reject,
    );
  }

  async #subscribe(): Promise<void> {
    const { topics, unsubscribe, properties, exitAfterSubscribe } = this.#options;
    if (topics.length > 0) {
      const filters = topics.map((filter) => this.#subscription(filter));
      const suback = await this.#client.subscribe(filters, gatherProperties(properties, 'subscribe'));
      const { codes } = suback;
      this.#isSubscribed = true;
      this.#tellRefusals(codes);
      if (codes.every(isRefusal)) this.#console.error('All subscription requests were denied.');
      if (codes.some(isRefusal)) {
        this.#console.quote(brokersWords(suback.properties));
        this.#denials.note();
      }
      if (codes.every(isRefusal) || this.#hasFailed) {
        this.stop(EXIT_OK);
        return;
      }
    }
    if (unsubscribe.length > 0) {
      const { codes } = await this.#client.unsubscribe(unsubscribe, gatherProperties(properties, 'unsubscribe'));
      if (codes.some(isRefusal)) this.#refusedToEnd(codes);
    }
    if (exitAfterSubscribe || this.#hasFailed) this.stop(EXIT_OK);
  }

  /** Whether --fail-on-denied wants the tool to end. */
  get #hasFailed(): boolean {
    return this.#denials.exitCode(EXIT_OK) !== EXIT_OK;
  }

  /** Mosquitto's tool says nothing of it, so neither does this one without --fail-on-denied. */
  #refusedToEnd(codes: readonly number[]): void {
    this.#denials.note();
    if (!this.#denials.matter) return;
    codes.forEach((code, i) => {
      if (!isRefusal(code)) return;
      const filter = this.#options.unsubscribe[i];
      this.#console.error(`Error: The end of the subscription to '${filter}' was refused: ${reasonOf(code).text}.`);
    });
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
        this.#denials.note();
        this.#console.warn(`Warning: The retained message of '${topic}' was not removed: ${reason.text}.`);
      },
      // A lost connection shows in the client's end.
      () => undefined,
    );
  }
}
