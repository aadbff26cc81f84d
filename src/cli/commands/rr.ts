// mqtt-rr: publishes a request and prints its response, the first message on the response topic.
import process from 'node:process';
import type { Client, ReceivedMessage } from '../../client/options.ts';
import { answers, newCorrelationData } from '../../client/request.ts';
import type { Properties } from '../../protocol/properties.ts';
import { isRefusal, reasonOf, SUCCESS } from '../../protocol/reasons.ts';
import { brokersWords } from '../brokers-words.ts';
import type { MessagePrinter } from '../format/format.ts';
import type { Io } from '../io.ts';
import { latencyLine } from '../latency.ts';
import { EXIT_ERROR, EXIT_OK } from '../messages.ts';
import type { Options } from '../options/tables.ts';
import { gatherProperties } from '../property-option.ts';
import { clientCommand, type Workplace } from './client-command.ts';
import type { Console } from './console.ts';
import { Denials } from './denials.ts';
import { printerFor } from './printing.ts';
import { payloadOf } from './pub.ts';
import { type Receiver, runReceiver } from './receiver.ts';
import { endAfter } from './stop.ts';

/** Runs the command; resolves to its exit code. */
export function main(argv: readonly string[], io: Io): Promise<number> {
  return clientCommand('rr', argv, io, run);
}

async function run(options: Options<'rr'>, place: Workplace): Promise<number> {
  const print = await printerFor(options, place.console.paint.topic);
  const payload = await payloadOf(options, place.io);
  const begin = (client: Client): Request => new Request(client, options, payload, place.console, print);
  return runReceiver('rr', options, place, null, SUCCESS.code, begin);
}

/** One request and the wait for its response. */
class Request implements Receiver {
  readonly #client: Client;
  readonly #options: Options<'rr'>;
  readonly #payload: Buffer;
  readonly #responseTopic: string;
  readonly #correlationData: Buffer;
  readonly #console: Console;
  readonly #print: MessagePrinter;
  readonly #ended: Promise<number>;
  #resolve: (code: number) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  /** When the request went out, in nanoseconds of a clock that never goes back; null before. */
  #sentAt: bigint | null = null;
  #stopping = false;

  constructor(client: Client, options: Options<'rr'>, payload: Buffer, console: Console, print: MessagePrinter) {
    this.#client = client;
    this.#options = options;
    this.#payload = payload;
    this.#responseTopic = options.responseTopic ?? '';
    const given = gatherProperties(options.properties, 'publish').correlationData;
    this.#correlationData = given ?? newCorrelationData();
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
  }

  /** Resolves to the exit code, rejects with the client's error. */
  run(): Promise<number> {
    this.#send().catch((error: Error) => {
      if (!this.#stopping) this.#reject(error);
    });
    return this.#ended;
  }

  stop(exitCode: number, reasonCode = 0): void {
    if (this.#stopping) return;
    this.#stopping = true;
    const properties = gatherProperties(this.#options.properties, 'disconnect');
    endAfter(this.#client, null, reasonCode, properties).then(() => this.#resolve(exitCode), this.#reject);
  }

  /** Subscribes first, so that the response can't come too early. */
  async #send(): Promise<void> {
    const { topic, qos, properties, retainAsPublished, retainHandling } = this.#options;
    const filter = { filter: this.#responseTopic, qos, retainAsPublished, retainHandling };
    const { codes, properties: said } = await this.#client.subscribe(filter, gatherProperties(properties, 'subscribe'));
    const code = codes[0] ?? 0;
    if (isRefusal(code)) {
      this.#fail(`Error: The subscription to '${this.#responseTopic}' was refused: ${reasonOf(code).text}.`, said);
      return;
    }
    this.#sentAt = process.hrtime.bigint();
    const {
      id,
      reason,
      properties: answer,
    } = await this.#client.publish(topic ?? '', this.#payload, {
      qos,
      properties: {
        ...gatherProperties(properties, 'publish'),
        responseTopic: this.#responseTopic,
        correlationData: this.#correlationData,
      },
    });
    if (isRefusal(reason.code)) this.#fail(`Warning: Publish ${id} failed: ${reason.text}.`, answer);
  }

  /** The broker refused what the request needs: no response can come. */
  #fail(sentence: string, said: Properties): void {
    if (this.#stopping) return;
    this.#console.error(sentence);
    this.#console.quote(brokersWords(said));
    const denials = new Denials(this.#console, this.#options.failOnDenied);
    denials.note();
    this.stop(denials.exitCode(EXIT_ERROR));
  }

  #receive(message: ReceivedMessage): void {
    if (this.#stopping || this.#sentAt === null || !this.#isResponse(message)) return;
    const latency = process.hrtime.bigint() - this.#sentAt;
    this.#print(message, this.#console);
    if (this.#options.latency) this.#console.text(`${latencyLine(latency)}\n`);
    this.stop(EXIT_OK);
  }

  /**
   * Whether a message answers this request. A retained one is older than the request, except where the retain flag only
   * tells how it was published.
   */
  #isResponse(message: ReceivedMessage): boolean {
    if (message.retain && (this.#options.skipRetained || !this.#options.retainAsPublished)) return false;
    return answers(message, this.#responseTopic, this.#correlationData);
  }
}
