// The handlers of a client's events. Lists are replaced, never changed, so that a handler may take itself out while the
// event goes round.
import type { Properties } from '../protocol/properties.ts';
import type { Reason } from '../protocol/reasons.ts';
import type { ClientEvents, ConnectedInfo, ReceivedMessage } from './options.ts';

type Lists = { [E in keyof ClientEvents]: readonly ClientEvents[E][] };

/** Handlers by event; each event is a method. */
export class Handlers implements ClientEvents {
  private readonly lists: Lists;

  constructor() {
    this.lists = { connect: [], message: [], disconnect: [], reconnecting: [], close: [] };
  }

  add<E extends keyof ClientEvents>(event: E, handler: ClientEvents[E]): void {
    this.replace(event, (known) => [...known, handler]);
  }

  remove<E extends keyof ClientEvents>(event: E, handler: ClientEvents[E]): void {
    this.replace(event, (known) => known.filter((other) => other !== handler));
  }

  /** To the compiler every event's list is a different one; here they are all alike. */
  private replace(event: keyof ClientEvents, change: (known: readonly unknown[]) => readonly unknown[]): void {
    const lists: Record<keyof ClientEvents, readonly unknown[]> = this.lists;
    lists[event] = change(lists[event]);
  }

  connect(info: ConnectedInfo): void {
    for (const handler of this.lists.connect) handler(info);
  }

  message(message: ReceivedMessage): void {
    for (const handler of this.lists.message) handler(message);
  }

  disconnect(reason: Reason, properties: Properties): void {
    for (const handler of this.lists.disconnect) handler(reason, properties);
  }

  reconnecting(error: Error, delayMs: number): void {
    for (const handler of this.lists.reconnecting) handler(error, delayMs);
  }

  close(error: Error | null): void {
    for (const handler of this.lists.close) handler(error);
  }
}
