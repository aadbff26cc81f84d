// What a broker refuses once it has let the client in: messages, subscriptions, ends of subscriptions. Mosquitto's tools warn
// at most and end with 0; with --fail-on-denied the exit code tells.
import type { ClientTrace } from '../../client/options.ts';
import { SUBACK } from '../../protocol/constants.ts';
import { isRefusal, type Reason, reasonOf } from '../../protocol/reasons.ts';
import { EXIT_DENIED } from '../exit-status.ts';

/** Counts refusals. */
export class Denials {
  /** With --fail-on-denied. */
  readonly matter: boolean;
  #count = 0;

  constructor(matter: boolean) {
    this.matter = matter;
  }

  get count(): number {
    return this.#count;
  }

  /** The broker refused something. */
  note(): void {
    this.#count += 1;
  }

  /** The exit code of a tool that would end with this one. */
  exitCode(otherwise: number): number {
    return this.matter && this.#count > 0 ? EXIT_DENIED : otherwise;
  }
}

/**
 * A trace that tells of every refused subscription, also of those that the client makes anew by itself on the next
 * connection, and passes everything on.
 */
export function refusedSubscriptions(trace: ClientTrace | null, refused: (reason: Reason) => void): ClientTrace {
  return {
    sending: (packet) => trace?.sending(packet),
    received(packet) {
      trace?.received(packet);
      if (packet.type !== SUBACK) return;
      const code = packet.codes.find(isRefusal);
      if (code !== undefined) refused(reasonOf(code));
    },
  };
}
