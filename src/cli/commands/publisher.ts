// How mqtt-pub hands its messages to the client, whatever they come from.
import { InvalidRequest } from '../../client/errors.ts';
import type { Client, PublishOptions, PublishResult } from '../../client/options.ts';
import { isRefusal } from '../../protocol/reasons.ts';
import type { Options } from '../options/tables.ts';
import { gatherProperties } from '../property-option.ts';
import type { Denials } from './denials.ts';

/** Messages that may be under way before the next ones are read or repeated. */
export const AHEAD = 1000;

/** Publishes with the same topic and options all the time, and knows what is still to be acknowledged. */
export class Publisher {
  readonly #client: Client;
  readonly #topic: string;
  readonly #how: PublishOptions;
  readonly #properties: Options<'pub'>['properties'];
  readonly #denials: Denials;
  readonly #lost: Promise<never>;
  #fail: (error: Error) => void = () => undefined;
  #sent = 0;
  /** Whether there were messages of QoS 0, which nobody acknowledges. */
  #isBlind = false;
  #waiting = 0;
  #whenNoneWaits: (() => void) | null = null;

  constructor(client: Client, options: Options<'pub'>, denials: Denials) {
    this.#client = client;
    this.#denials = denials;
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

  /** Publishes as the options say. */
  publish(payload: Buffer): void {
    this.send(this.#topic, payload, this.#how);
  }

  /** Publishes a message that says by itself where it belongs and how it is sent. */
  send(topic: string, payload: Buffer, how: PublishOptions): void {
    this.#sent += 1;
    const result = this.#client.publish(topic, payload, how);
    if (how.qos === 0) {
      this.#isBlind = true;
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

  /**
   * Whether what was published last may not have been read: a broker that closes the connection over a message that is too
   * large for it, for example, leaves the rest of it unread, and the system turns that into a reset.
   */
  get isDoubtful(): boolean {
    return this.#isBlind && this.#client.wasReset;
  }

  /** Messages that were published. */
  get sent(): number {
    return this.#sent;
  }

  /** Waits for the work, or rejects as soon as the connection is lost for good. */
  async untilLost(work: Promise<void>): Promise<void> {
    await Promise.race([work, this.#lost]);
  }

  readonly #settled = ({ id, reason, properties }: PublishResult): void => {
    if (isRefusal(reason.code)) this.#denials.message(id, reason, properties);
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
