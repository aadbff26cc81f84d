// mqtt-sub: subscribes and prints what comes in, until it has had enough or is told to stop.
import type { Client, ReceivedMessage, SubscribeFilter } from '../../client/options.ts';
import { isRefusal, type Reason } from '../../protocol/reasons.ts';
import { topicMatches } from '../../protocol/topic.ts';
import type { Io } from '../io.ts';
import { EXIT_OK } from '../messages.ts';
import type { Options } from '../options/tables.ts';
import { gatherProperties } from '../property-option.ts';
import { clientCommand, type Workplace } from './client-command.ts';
import type { Console } from './console.ts';
import { Denials, refusedSubscriptions } from './denials.ts';
import { type Display, displayFor } from './display.ts';
import { type Goal, goalFor } from './goal.ts';
import { type Receiver, runReceiver } from './receiver.ts';
import { EVERY_SECOND } from './reconnecting.ts';
import { endAfter } from './stop.ts';

/** Reason code that has the broker send the will all the same (MQTT 5.0 section 3.14.2.1). */
const WITH_WILL = 4;

/** Runs the command; resolves to its exit code. */
export function main(argv: readonly string[], io: Io): Promise<number> {
  return clientCommand('sub', argv, io, run);
}

async function run(given: Options<'sub'>, place: Workplace): Promise<number> {
  const options = given.record === null ? given : recordingOptions(given);
  const goal = await goalFor(options, (sentence) => place.console.warn(sentence));
  const display = await displayFor(options, place);
  let subscriber: Subscriber | null = null;
  const begin = (client: Client): Subscriber => {
    subscriber = new Subscriber(client, options, place.console, display, goal);
    return subscriber;
  };
  // What is subscribed anew after a lost connection may be refused, too.
  const trace = options.failOnDenied
    ? refusedSubscriptions(place.trace, (reason) => subscriber?.refusedAnew(reason))
    : place.trace;
  try {
    return await runReceiver('sub', options, { ...place, trace }, EVERY_SECOND, WITH_WILL, begin);
  } finally {
    display.end();
  }
}

/** A recording is to have all of a message, properties as well, which only MQTT 5 carries. */
function recordingOptions(options: Options<'sub'>): Options<'sub'> {
  return { ...options, protocolVersion: options.protocolVersion ?? '5' };
}

/** A subscribed client with what its messages go through. */
class Subscriber implements Receiver {
  readonly #client: Client;
  readonly #options: Options<'sub'>;
  readonly #console: Console;
  readonly #display: Display;
  readonly #goal: Goal;
  readonly #denials: Denials;
  readonly #ended: Promise<number>;
  #resolve: (code: number) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #isSubscribed = false;
  #removing = false;
  #stopping = false;

  constructor(client: Client, options: Options<'sub'>, console: Console, display: Display, goal: Goal) {
    this.#client = client;
    this.#options = options;
    this.#console = console;
    this.#display = display;
    this.#goal = goal;
    this.#denials = new Denials(console, options.failOnDenied);
    this.#ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    display.onFailure?.((error) => this.#reject(error));
    client.on('message', (message) => this.#receive(message));
    client.on('close', (error) => {
      if (error !== null) this.#reject(error);
    });
    console.out.watch({
      full: () => client.pause(),
      drained: () => client.resume(),
      closed: () => this.#end(EXIT_OK, 0),
    });
  }

  /** Subscribes and goes on until the end; resolves to the exit code, rejects with the client's error. */
  run(): Promise<number> {
    this.#display.begin();
    this.#subscribe().catch((error: Error) => {
      if (!this.#stopping) this.#reject(error);
    });
    return this.#ended;
  }

  /** The broker refuses a subscription, perhaps on a later connection what it had granted before. */
  refusedAnew(reason: Reason): void {
    if (this.#isSubscribed && !this.#stopping && this.#denials.subscribedAnew(reason)) this.#end(EXIT_OK, 0);
  }

  /** Ends in an orderly way, with the reason code of the DISCONNECT. What still comes in is not printed. */
  stop(exitCode: number, reasonCode = 0): void {
    this.#judge(exitCode, reasonCode, false);
  }

  #judge(exitCode: number, reasonCode: number, isComplete: boolean): void {
    if (this.#stopping) return;
    const { code, sentence } = this.#goal.verdict(exitCode, isComplete);
    this.#end(code, reasonCode);
    if (sentence !== null) this.#console.error(sentence);
  }

  #end(exitCode: number, reasonCode: number): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#display.end();
    const removed = this.#removing && reasonCode === 0 ? this.#client.drained() : null;
    const properties = gatherProperties(this.#options.properties, 'disconnect');
    endAfter(this.#client, removed, reasonCode, properties).then(
      () => this.#resolve(this.#denials.exitCode(exitCode)),
      this.#reject,
    );
  }

  async #subscribe(): Promise<void> {
    const { topics, properties, exitAfterSubscribe, failOnDenied } = this.#options;
    if (topics.length > 0) {
      const filters = topics.map((filter) => this.#subscription(filter));
      const subscribed = this.#client.subscribe(filters, gatherProperties(properties, 'subscribe'));
      // Right behind, as Mosquitto's: the broker takes them in order. A lost connection shows in the client's end.
      const unsubscribed = this.#unsubscribe();
      unsubscribed.catch(() => undefined);
      const answer = await subscribed;
      this.#isSubscribed = true;
      if (this.#denials.subscribed(topics, answer)) {
        if (this.#denials.hasFailed) this.#end(EXIT_OK, 0);
        else this.stop(EXIT_OK);
        return;
      }
      if (failOnDenied) await unsubscribed;
    } else await this.#unsubscribe();
    if (exitAfterSubscribe) this.stop(EXIT_OK);
  }

  /** Ends the subscriptions of -U, a packet each; resolves once the broker has answered for all of them. */
  async #unsubscribe(): Promise<void> {
    const properties = gatherProperties(this.#options.properties, 'unsubscribe');
    const end = async (filter: string): Promise<void> => {
      const answer = await this.#client.unsubscribe(filter, properties);
      if (this.#denials.unsubscribed([filter], answer)) this.#end(EXIT_OK, 0);
    };
    await Promise.all(this.#options.unsubscribe.map(end));
  }

  #subscription(filter: string): SubscribeFilter {
    const { qos, retainAsPublished, retainHandling } = this.#options;
    return { filter, qos, retainAsPublished, retainHandling };
  }

  #receive(message: ReceivedMessage): void {
    if (this.#stopping) return;
    const { retainedOnly, skipRetained, filterOut, removeRetained, randomFilter } = this.#options;
    if (retainedOnly && !message.retain) {
      this.#judge(EXIT_OK, 0, true);
      return;
    }
    if (skipRetained && message.retain) return;
    for (let i = 0; i < filterOut.length; i++) {
      if (topicMatches(filterOut[i] as string, message.topic)) return;
    }
    if (removeRetained && message.retain) this.#remove(message.topic);
    if (randomFilter !== null && Math.random() * 100 >= randomFilter) return;
    this.#display.show(message);
    if (this.#goal.reached(message)) this.stop(EXIT_OK);
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
