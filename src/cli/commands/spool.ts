// mqtt-pub -l --spool FILE: every line goes to the file first and from there to the broker, so that lines are taken while the
// broker is away and none is lost with the process.
import type { Client } from '../../client/options.ts';
import { dialFacts } from '../../net/dial-facts.ts';
import { systemErrorText } from '../../util/system-error.ts';
import { connectionOptions } from '../connection.ts';
import { EXIT_KEPT } from '../exit-status.ts';
import { lineBatches } from '../input.ts';
import { EXIT_OK, UsageError } from '../messages.ts';
import type { Options } from '../options/tables.ts';
import { PayloadFault } from '../payload/fault.ts';
import { gatherProperties } from '../property-option.ts';
import { MessageEncoder } from '../spool/records.ts';
import { SpoolFile } from '../spool/spool-file.ts';
import { openClient, type Workplace } from './client-command.ts';
import { Denials } from './denials.ts';
import { failureOf, sentencesOf } from './failure.ts';
import { EVERY_SECOND } from './reconnecting.ts';
import { SpoolSender } from './spool-sender.ts';
import { onStopSignal } from './stop.ts';

/** Bytes that may wait in the file, while there is a connection, before standard input is read on. */
const AHEAD_BYTES = 8_388_608;

/** Publishes the lines of standard input by way of a spool; resolves to the exit code. Throws UsageError. */
export async function publishSpooled(options: Options<'pub'>, name: string, place: Workplace): Promise<number> {
  const encoder = new MessageEncoder(options.topic ?? '', {
    qos: options.qos,
    retain: options.retain,
    properties: gatherProperties(options.properties, 'publish'),
  });
  const spool = new SpoolFile(name);
  if (spool.warning !== null) place.console.warn(`Warning: ${spool.warning}`);
  const run = new SpooledRun(options, place, spool, encoder);
  const forget = onStopSignal(() => run.stop(null));
  let failure: Error | null;
  try {
    failure = await run.toTheEnd();
  } finally {
    forget();
    await spool.close();
  }
  return tellTheEnd(place, spool, await explained(failure, options, place), run);
}

/** A failure to connect as one that explains itself, any other as it is. */
async function explained(failure: Error | null, options: Options<'pub'>, place: Workplace): Promise<Error | null> {
  if (failure === null || dialFacts(failure) === null) return failure;
  const { whileConnecting } = await import('./explain-connecting.ts');
  const { endpoint } = connectionOptions('pub', options, place.io.env);
  return whileConnecting(failure, endpoint) as Error;
}

/** What is said about a run that is over; the exit code. Throws the failure where nothing is kept, or it is of the file. */
function tellTheEnd({ console }: Workplace, spool: SpoolFile, failure: Error | null, run: SpooledRun): number {
  const { kept } = spool;
  if (failure instanceof UsageError) throw failure;
  const why = failure ?? run.badInput;
  if (kept === 0 && why !== null) throw why;
  if (kept === 0) return run.exitCode;
  if (run.badInput !== null) console.error(`Error: ${run.badInput.message}`);
  if (failure !== null) for (const sentence of sentencesOf(failure)) console.error(sentence);
  console.error(`${linesAre(kept)} kept in ${spool.name} and will be sent by the next run with it.`);
  return EXIT_KEPT;
}

const linesAre = (count: number): string => (count === 1 ? '1 line is' : `${count} lines are`);

/** One run: lines into the spool on one side, out of it on the other. */
class SpooledRun {
  readonly #options: Options<'pub'>;
  readonly #place: Workplace;
  readonly #spool: SpoolFile;
  readonly #encoder: MessageEncoder;
  readonly #denials: Denials;
  readonly #giveUp = new AbortController();
  readonly #over: Promise<Error | null>;
  #end: (failure: Error | null) => void = () => undefined;
  #sender: SpoolSender | null = null;
  #client: Client | null = null;
  /** Why there is no connection; null while there is one or the first attempt has not failed. */
  #away: Error | null = null;
  #isInputOver = false;
  /** What ended the input early. */
  badInput: UsageError | null = null;
  #isStopped = false;
  #lines = 0;
  #roomWanted: (() => void) | null = null;

  constructor(options: Options<'pub'>, place: Workplace, spool: SpoolFile, encoder: MessageEncoder) {
    this.#options = options;
    this.#place = place;
    this.#spool = spool;
    this.#encoder = encoder;
    this.#denials = new Denials(place.console, options.failOnDenied);
    this.#over = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** The exit code where nothing is left: 0, or that of messages that the broker does not take or refuses. */
  get exitCode(): number {
    const oversize = this.#sender?.oversize ?? null;
    return this.#denials.exitCode(oversize === null ? EXIT_OK : failureOf(oversize).code);
  }

  /** Resolves when all is sent, or no more will be: with the reason, null where it was no failure. */
  async toTheEnd(): Promise<Error | null> {
    this.#takeIn().catch((error: Error) => this.stop(error));
    this.#sendOut().catch((error: Error) => this.stop(error));
    const failure = await this.#over;
    await this.#client?.end();
    return failure;
  }

  /** Ends the run, with what is not sent left in the spool. */
  stop(failure: Error | null): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#giveUp.abort(new Error('stopped'));
    this.#roomWanted?.();
    // Whoever types lines must not keep the tool from ending.
    this.#place.io.stdin.destroy();
    this.#end(failure);
  }

  async #takeIn(): Promise<void> {
    const { payloadFormat: format } = this.#options;
    const read = format === null ? null : await (await import('../payload/formats.ts')).payloadReader(format);
    try {
      for await (const lines of lineBatches(this.#place.io.stdin)) {
        if (this.#isStopped) return;
        const payloads = read === null ? lines : this.#understood(lines, read);
        this.#keep(payloads);
        // The rest of the input is not read.
        if (payloads.length < lines.length) break;
        await this.#room();
      }
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      // A line that is too long.
      this.badInput = error;
    }
    this.#isInputOver = true;
    this.#sender?.inputIsOver();
    if (this.#away !== null) this.#cannotWait(this.#away);
  }

  /** While there is a connection, standard input is read as fast as lines are sent. */
  async #room(): Promise<void> {
    this.#sender?.wake();
    while (this.#away === null && this.#client !== null && this.#spool.waiting > AHEAD_BYTES && !this.#isStopped) {
      await new Promise<void>((resolve) => {
        this.#roomWanted = resolve;
      });
    }
  }

  /** The payloads that lines stand for, up to the first that stands for none. */
  #understood(lines: readonly Buffer[], read: (line: Buffer) => Buffer): Buffer[] {
    const payloads: Buffer[] = [];
    try {
      for (const line of lines) payloads.push(read(line));
    } catch (error) {
      if (!(error instanceof PayloadFault)) throw error;
      const number = this.#lines + payloads.length + 1;
      this.badInput = new UsageError(`Line ${number} of standard input ${error.message}.`, 'nothing');
    }
    return payloads;
  }

  #keep(lines: readonly Buffer[]): void {
    try {
      this.#spool.append(this.#encoder.encode(lines), lines.length);
      this.#lines += lines.length;
    } catch (error) {
      const { kept, name } = this.#spool;
      const which = `Line ${this.#lines + 1} of standard input and those behind it are not kept`;
      const sentence = new UsageError(
        `The spool "${name}" can't be written: ${systemErrorText(error)}.\n${which}; ${linesAre(kept)} in it.`,
        'nothing',
      );
      this.stop(sentence);
    }
  }

  async #sendOut(): Promise<void> {
    const patient = { ...EVERY_SECOND, first: true, announce: (error: Error) => this.#goneAway(error) };
    const client = await openClient('pub', this.#options, this.#place, patient, null, this.#giveUp.signal);
    this.#client = client;
    client.on('connect', () => this.#cameBack());
    client.on('close', (error) => {
      if (error !== null) this.stop(error);
    });
    if (this.#isStopped) return void client.end();
    this.#away = null;
    const { console } = this.#place;
    const sender = new SpoolSender(client, this.#spool, console, this.#denials, () => this.#roomWanted?.());
    this.#sender = sender;
    if (this.#isInputOver) sender.inputIsOver();
    await sender.untilEmpty();
    await client.end(0, gatherProperties(this.#options.properties, 'disconnect'));
    this.stop(null);
  }

  #goneAway(error: Error): void {
    this.#away = error;
    this.#sender?.connectionLost();
    this.#roomWanted?.();
    if (this.#isInputOver) this.#cannotWait(error);
  }

  #cameBack(): void {
    this.#away = null;
  }

  /** At the end of the input the broker is not waited for, as the lines are safe; unless that is asked for. */
  #cannotWait(error: Error): void {
    if (!this.#options.reconnect) this.stop(error);
  }
}
