// Sends what is in a spool, in its order, over one client and all of its connections, and notes what is done.
import { InvalidRequest } from '../../client/errors.ts';
import type { Client, PublishResult } from '../../client/options.ts';
import { isRefusal, PACKET_TOO_LARGE } from '../../protocol/reasons.ts';
import type { SpoolFile, Taken } from '../spool/spool-file.ts';
import type { Console } from './console.ts';
import type { Denials } from './denials.ts';
import { AHEAD } from './publisher.ts';

/** Bytes that are read from the spool at once. */
const PIECE = 262_144;

/** The way from a spool to the broker. */
export class SpoolSender {
  /** The first message that was left out for being too large for the broker; null where there was none. */
  oversize: InvalidRequest | null = null;
  readonly #client: Client;
  readonly #spool: SpoolFile;
  readonly #console: Console;
  readonly #denials: Denials;
  readonly #moved: () => void;
  /** Messages of QoS 0 that the client has sent, and the system perhaps not yet. */
  #leaving: Taken[] = [];
  /** Messages of QoS 0 that a lost connection may have taken with it. */
  #again: Taken[] = [];
  #isInputOver = false;
  #isNoting = false;
  #failure: Error | null = null;
  #wake: () => void = () => undefined;

  /** @param moved is told when messages were taken from the spool */
  constructor(client: Client, spool: SpoolFile, console: Console, denials: Denials, moved: () => void) {
    this.#client = client;
    this.#spool = spool;
    this.#console = console;
    this.#denials = denials;
    this.#moved = moved;
  }

  /** Something is new: lines in the spool, an acknowledgement, the end of the input. */
  wake(): void {
    this.#wake();
  }

  /** Nothing is added to the spool any more. */
  inputIsOver(): void {
    this.#isInputOver = true;
    this.#wake();
  }

  /** What was on its way at QoS 0 may be lost; the client itself sends the rest again. */
  connectionLost(): void {
    this.#again.push(...this.#leaving);
    this.#leaving = [];
    this.#wake();
  }

  /** Resolves when the input is over and everything is done. Rejects where a message can't be sent, or the client is closed. */
  async untilEmpty(): Promise<void> {
    for (;;) {
      await this.#client.drained(AHEAD);
      if (this.#failure !== null) throw this.#failure;
      const pieces = this.#again.length > 0 ? this.#again.splice(0) : this.#spool.take(PIECE);
      for (let i = 0; i < pieces.length; i++) {
        this.#send(pieces[i]!);
        if (i % AHEAD === AHEAD - 1) await this.#client.drained(AHEAD);
      }
      this.#moved();
      if (pieces.length > 0 || this.#leaving.length > 0) await this.#handOver();
      else if (this.#isInputOver && this.#spool.kept === 0) return;
      else await this.#change();
    }
  }

  /** What was written before has left with the turn, as far as the system takes it; what is left then is waited for. */
  async #handOver(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    const leaving = this.#leaving;
    const count = leaving.length;
    await this.#client.drained(AHEAD);
    // A connection that was lost meanwhile has taken them out of the list.
    if (leaving !== this.#leaving) return;
    for (const one of leaving.splice(0, count)) this.#finish(one);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #send(one: Taken): void {
    const { topic, payload, how } = one.message;
    const result = this.#client.publish(topic, payload, how);
    if (how.qos === 0)
      result.then(
        () => this.#leaving.push(one),
        (error) => this.#refused(one, error),
      );
    else
      result.then(
        (answer) => this.#answered(one, answer),
        (error) => this.#refused(one, error),
      );
  }

  #answered(one: Taken, { id, reason, properties }: PublishResult): void {
    if (isRefusal(reason.code)) this.#denials.message(id, reason, properties);
    this.#finish(one);
    this.#wake();
  }

  /**
   * A message that is too large for the broker would hold up all others for ever: it is left out. With anything else that
   * the broker does not take, it may be all of them, and the user is to decide. A client that was closed keeps what it had.
   */
  #refused(one: Taken, error: unknown): void {
    if (!(error instanceof InvalidRequest)) return;
    if (error.reason === PACKET_TOO_LARGE) {
      this.#console.warn(`Warning: A line for '${one.message.topic}' is too large for the broker, and left out.`);
      this.oversize ??= error;
      this.#finish(one);
    } else {
      this.#failure ??= error;
    }
    this.#wake();
  }

  #finish(one: Taken): void {
    this.#spool.finished(one);
    if (this.#isNoting) return;
    this.#isNoting = true;
    setImmediate(() => {
      this.#isNoting = false;
      this.#spool.note();
    });
  }
}
