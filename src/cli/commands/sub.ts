// mqtt-sub: subscribes and prints what comes in, until it has had enough or is told to stop.
import { ConnectRefused } from '../../client/errors.ts';
import type { Client, ReceivedMessage, SubscribeFilter } from '../../client/options.ts';
import { reasonOf } from '../../protocol/reasons.ts';
import { topicMatches } from '../../protocol/topic.ts';
import type { MessagePrinter } from '../format.ts';
import type { Io } from '../io.ts';
import { EXIT_OK } from '../messages.ts';
import type { Options } from '../options/tables.ts';
import { gatherProperties } from '../property-option.ts';
import { clientCommand, EVERY_SECOND, EXIT_TIMEOUT, openClient, type Workplace } from './client-command.ts';
import type { Console } from './console.ts';
import { printerFor } from './printing.ts';
import { onStopSignal, untilTimeout } from './stop.ts';

/** Reason code that has the broker send the will all the same (MQTT 5.0 section 3.14.2.1). */
const WITH_WILL = 4;

/** Runs the command; resolves to its exit code. */
export function main(argv: readonly string[], io: Io): Promise<number> {
  return clientCommand('sub', argv, io, run);
}

async function run(options: Options<'sub'>, place: Workplace): Promise<number> {
  const print = printerFor(options, place.console);
  return untilTimeout(options.timeout, place.console, async (timeout) => {
    const client = await openClient('sub', options, place, EVERY_SECOND, options.timeout);
    const subscriber = new Subscriber(client, options, place.console, print);
    timeout.onExpiry(() => subscriber.stop(EXIT_TIMEOUT));
    const forget = onStopSignal(() => subscriber.stop(EXIT_OK, WITH_WILL));
    try {
      return await subscriber.run();
    } finally {
      forget();
    }
  });
}
