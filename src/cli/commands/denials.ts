// What a broker refuses once it has let the client in: messages, subscriptions, ends of subscriptions. Mosquitto's tools warn
// at most and end with 0; with --fail-on-denied the exit code tells.
import type { ClientTrace, SubscribeResult } from '../../client/options.ts';
import { SUBACK } from '../../protocol/constants.ts';
import type { Properties } from '../../protocol/properties.ts';
import { isRefusal, type Reason, reasonOf } from '../../protocol/reasons.ts';
import { brokersWords } from '../brokers-words.ts';
import { EXIT_DENIED, EXIT_LOST } from '../exit-status.ts';
import { EXIT_OK } from '../messages.ts';
import type { Console } from './console.ts';

/** Counts refusals, and says what Mosquitto's tools say of them. */
export class Denials {
  readonly #console: Console;
  readonly #matter: boolean;
  #count = 0;

  /** @param matter with --fail-on-denied */
  constructor(console: Console, matter: boolean) {
    this.#console = console;
    this.#matter = matter;
  }

  /** The broker refused a message. */
  message(id: number, reason: Reason, properties: Properties): void {
    this.#console.warn(`Warning: Publish ${id} failed: ${reason.text}.`);
    this.#console.quote(brokersWords(properties));
    this.note();
  }

  /** The broker refused something. */
  note(): void {
    this.#count += 1;
  }

  /** Whether the tool has failed: there was a refusal, and it matters. */
  get hasFailed(): boolean {
    return this.#matter && this.#count > 0;
  }

  /** The exit code of a tool that would end with this one. */
  exitCode(otherwise: number): number {
    return this.hasFailed ? EXIT_DENIED : otherwise;
  }

  /** The SUBACK for these filters; true where the tool is to end. */
  subscribed(filters: readonly string[], { codes, properties }: SubscribeResult): boolean {
    const areAll = codes.every(isRefusal);
    if (areAll) this.#console.error('All subscription requests were denied.');
    codes.forEach((code, i) => {
      if (!isRefusal(code)) return;
      this.note();
      if (areAll) return;
      this.#console.warn(`Warning: Subscription to '${filters[i]}' was refused: ${reasonOf(code).text}.`);
    });
    if (codes.some(isRefusal)) this.#console.quote(brokersWords(properties));
    return areAll || this.hasFailed;
  }

  /**
   * The UNSUBACK for these filters; true where the tool is to end. Mosquitto's tool says nothing of a refusal, so neither
   * does this one where it does not matter.
   */
  unsubscribed(filters: readonly string[], { codes, properties }: SubscribeResult): boolean {
    codes.forEach((code, i) => {
      if (!isRefusal(code)) return;
      this.note();
      if (!this.#matter) return;
      this.#console.error(`Error: The end of the subscription to '${filters[i]}' was refused: ${reasonOf(code).text}.`);
    });
    if (this.hasFailed) this.#console.quote(brokersWords(properties));
    return this.hasFailed;
  }

  /** A subscription was refused that the client made anew on a later connection; true where the tool is to end. */
  subscribedAnew(reason: Reason): boolean {
    this.note();
    this.#console.error(`Error: The broker refused a subscription that was made anew: ${reason.text}.`);
    return this.hasFailed;
  }

  /** So many messages were published; where it matters, says how many of several were refused. */
  published(messages: number): void {
    if (!this.hasFailed || messages === 1) return;
    this.#console.error(`Error: The broker refused ${this.#count} of ${messages} messages.`);
  }

  /** The broker broke the connection off behind messages of QoS 0: what is known is told; the exit code. */
  unread(): number {
    this.#console.warn(
      'Warning: The broker reset the connection: it may not have taken what was sent last, as where that is too large for it.',
    );
    return this.#matter ? EXIT_LOST : EXIT_OK;
  }
}

/**
 * A trace that tells of every refused subscription, also of those that the client makes anew by itself on the next
 * connection, and passes everything on.
 */
export function refusedSubscriptions(trace: ClientTrace | null, refused: (reason: Reason) => void): ClientTrace {
  return {
    ...(trace?.bytes === undefined ? {} : { bytes: trace.bytes }),
    sending: (packet) => trace?.sending(packet),
    received(packet) {
      trace?.received(packet);
      if (packet.type !== SUBACK) return;
      const code = packet.codes.find(isRefusal);
      if (code !== undefined) refused(reasonOf(code));
    },
  };
}
