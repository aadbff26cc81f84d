// What mqtt-sub and mqtt-rr have in common: they connect, and work until they are done, -W is over or a signal comes.
import type { Client, ReconnectOptions } from '../../client/options.ts';
import { EXIT_TIMEOUT } from '../exit-status.ts';
import { EXIT_OK } from '../messages.ts';
import type { Options } from '../options/tables.ts';
import { openClient, type Workplace } from './client-command.ts';
import { Deadline, onStopSignal } from './stop.ts';

/** A connected tool at its work. */
export interface Receiver {
  /** Resolves to the exit code, rejects with the client's error. */
  run(): Promise<number>;
  /** Ends in an orderly way, with the reason code of the DISCONNECT. */
  stop(exitCode: number, reasonCode?: number): void;
}

/**
 * Connects, has `begin` make a receiver of the client, and runs it; resolves to the exit code.
 * @param signalReason reason code of the DISCONNECT when a signal ends the tool
 */
export async function runReceiver<T extends 'sub' | 'rr'>(
  tool: T,
  options: Options<T>,
  place: Workplace,
  reconnect: ReconnectOptions | null,
  signalReason: number,
  begin: (client: Client) => Receiver,
): Promise<number> {
  const { timeout } = options as Options<'sub' | 'rr'>;
  const deadline = new Deadline(timeout);
  let client: Client;
  try {
    client = await openClient(tool, options, place, reconnect, timeout);
  } catch (error) {
    if (!deadline.isOver) throw error;
    place.console.error('Timed out');
    const { failureOf } = await import('./failure.ts');
    for (const detail of failureOf(error).details) place.console.detail(detail);
    return EXIT_TIMEOUT;
  }
  const receiver = begin(client);
  deadline.watch(() => receiver.stop(EXIT_TIMEOUT));
  const forget = onStopSignal(() => receiver.stop(EXIT_OK, signalReason));
  try {
    const code = await receiver.run();
    if (code === EXIT_TIMEOUT) place.console.error('Timed out');
    return code;
  } finally {
    forget();
    deadline.cancel();
    // After a request that can't be sent, the connection is still there.
    await client.end();
  }
}
