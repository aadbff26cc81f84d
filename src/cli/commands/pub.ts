// mqtt-pub: publishes one message, once or repeatedly, or a message for each line of standard input.
import { setTimeout as sleep } from 'node:timers/promises';
import { protocolVersion } from '../connection.ts';
import { lineBatches, readPayloadFile, readPayloadStream } from '../input.ts';
import type { Io } from '../io.ts';
import { EXIT_OK, UsageError } from '../messages.ts';
import type { Options } from '../options/tables.ts';
import { bytesOf } from '../raw-arguments.ts';
import { clientCommand, openClient, type Workplace } from './client-command.ts';
import type { Console } from './console.ts';
import { Denials } from './denials.ts';
import { AHEAD, Publisher } from './publisher.ts';
import { EVERY_SECOND } from './reconnecting.ts';

/** Runs the command; resolves to its exit code. */
export function main(argv: readonly string[], io: Io): Promise<number> {
  return clientCommand('pub', argv, io, run);
}

async function run(options: Options<'pub'>, place: Workplace): Promise<number> {
  if (options.failOnDenied) warnOfSilence(options, place.console);
  if (options.spool !== null) return (await import('./spool.ts')).publishSpooled(options, options.spool, place);
  if (options.replay !== null) return (await import('./replay.ts')).publishRecording(options, options.replay, place);
  const { io, console } = place;
  const readsLines = options.stdinLines || options.jsonInput;
  const payload = readsLines ? null : await payloadOf(options, io);
  const client = await openClient('pub', options, place, readsLines ? EVERY_SECOND : null, null);
  const denials = new Denials(console, options.failOnDenied);
  const publisher = new Publisher(client, options, denials);
  const over = new AbortController();
  try {
    await publisher.untilLost(
      payload === null ? sendLines(publisher, options, io) : sendRepeatedly(publisher, payload, options, over.signal),
    );
  } finally {
    // Whoever types lines at a lost connection must not keep the tool from ending, nor the wait for the next repetition.
    over.abort();
    if (readsLines) io.stdin.destroy();
    // After a message that can't be sent, the connection is still there.
    await client.end();
  }
  denials.published(publisher.sent);
  return denials.exitCode(publisher.isDoubtful ? denials.unread() : EXIT_OK);
}

/** Warns of --fail-on-denied where no broker would tell. */
function warnOfSilence(options: Options<'pub'>, console: Console): void {
  const isForAll = !options.jsonInput && options.replay === null;
  const isUntold = options.qos === 0 && isForAll;
  if (!isUntold && protocolVersion('pub', options) === '5') return;
  const [what, way] = isUntold ? ['of QoS 0', 'use -q 1 or 2'] : ['before MQTT 5', 'leave -V out'];
  console.warn(
    `Warning: No broker tells that it refuses a message ${what}, so --fail-on-denied may not notice: ${way}.`,
  );
}

/** The payload that the options ask for, read before anything is connected. Throws UsageError. */
export async function payloadOf(
  options: Pick<Options<'rr'>, 'message' | 'file' | 'stdinWhole' | 'nullMessage' | 'payloadFormat'>,
  io: Io,
): Promise<Buffer> {
  const given = await givenPayload(options, io);
  if (options.payloadFormat === null || options.nullMessage) return given;
  const { formattedPayload } = await import('./formatted-payload.ts');
  return formattedPayload(options.payloadFormat, given);
}

async function givenPayload(options: Pick<Options<'rr'>, 'message' | 'file' | 'stdinWhole'>, io: Io): Promise<Buffer> {
  if (options.message !== null) return bytesOf(options.message);
  if (options.file !== null) return readPayloadFile(options.file);
  return options.stdinWhole ? readPayloadStream(io.stdin) : Buffer.alloc(0);
}

async function sendRepeatedly(
  publisher: Publisher,
  payload: Buffer,
  options: Options<'pub'>,
  signal: AbortSignal,
): Promise<void> {
  const delay = options.repeatDelay * 1000;
  for (let sent = 0; sent < options.repeat; sent++) {
    if (sent > 0 && delay > 0) await sleep(delay, undefined, { signal });
    publisher.publish(payload);
    if (delay > 0) await publisher.acknowledged();
    else if (sent % AHEAD === AHEAD - 1) await publisher.drained();
  }
  await publisher.end();
}

async function sendLines(publisher: Publisher, options: Options<'pub'>, io: Io): Promise<void> {
  if (options.jsonInput || options.payloadFormat !== null) {
    const { sendChecked } = await import('./pub-lines.ts');
    return sendChecked(publisher, options, io);
  }
  try {
    for await (const lines of lineBatches(io.stdin)) {
      // Short lines come by the ten thousand: objects for all of them at once would live long enough to cost dearly.
      for (let i = 0; i < lines.length; i++) {
        publisher.publish(lines[i]!);
        if (i % AHEAD === AHEAD - 1) await publisher.drained();
      }
      await publisher.drained();
    }
  } catch (error) {
    // A line that is too long, or input that can't be read, ends it: what came before is still sent and acknowledged.
    if (error instanceof UsageError) await publisher.end();
    throw error;
  }
  await publisher.end();
}
