// mqtt-broker --store-import: JSON lines from standard input become the store.
import { constants } from 'node:buffer';
import { beginImport } from '../../broker/store-tools/configured.ts';
import type { Counts } from '../../broker/store-tools/export-format.ts';
import { PlaceTaken, type StoreImport } from '../../broker/store-tools/import-store.ts';
import { BadLine } from '../../broker/store-tools/json-fields.ts';
import type { Config } from '../../config/config.ts';
import { storeFolder } from '../../config/store-folder.ts';
import { systemErrorText } from '../../util/system-error.ts';
import { lineBatches } from '../input.ts';
import type { Io } from '../io.ts';
import { EXIT_ERROR, UsageError } from '../messages.ts';
import { become, identityOf } from '../privileges.ts';
import { printLines } from './print-lines.ts';
import { onStopSignal } from './stop.ts';
import { counted } from './store-words.ts';

const NOTHING_DONE = 'Nothing was imported.';

/** Standard input can't be read on, or is not to be. */
class NoInput extends Error {}

/** Fills the store; resolves to the exit code. Throws ConfigError or UsageError, and has left nothing behind then. */
export async function importStore(config: Config, io: Io): Promise<number> {
  if (io.stdin.isTTY) {
    throw new UsageError('--store-import reads lines from standard input: redirect it from a file.', 'nothing');
  }
  // The files of the store are to belong to the user that the broker runs as.
  const identity = identityOf(config.global.user);
  if (identity !== null) become(identity);
  // Signals are caught before there is a trace to remove.
  const forget = onStopSignal(() => io.stdin.destroy(new NoInput('a signal ended the import')));
  let counts: Counts;
  try {
    counts = await fillNew(config, io);
  } finally {
    forget();
  }
  return printLines([imported(counts, storeFolder(config.global))], io);
}

async function fillNew(config: Config, io: Io): Promise<Counts> {
  const store = beginImport(config);
  try {
    return await fill(store, io);
  } catch (error) {
    store.abandon();
    throw explained(error, storeFolder(config.global));
  }
}

async function fill(store: StoreImport, io: Io): Promise<Counts> {
  let number = 0;
  for await (const lines of inputLines(io)) {
    for (const line of lines) {
      number += 1;
      try {
        store.take(line);
      } catch (error) {
        throw error instanceof BadLine ? new BadLine(`line ${number}: ${error.message}`) : error;
      }
    }
  }
  return store.finish();
}

/** The lines of standard input; whatever goes wrong with it is a NoInput. */
async function* inputLines({ stdin }: Io): AsyncGenerator<Buffer[]> {
  try {
    // A line becomes one string.
    yield* lineBatches(stdin, constants.MAX_STRING_LENGTH, 'a line is too long');
  } catch (error) {
    if (error instanceof NoInput) throw error;
    throw new NoInput(`standard input can't be read: ${systemErrorText(error)}`);
  }
}

/** The sentences about what ended the import; a bug stays as it is. */
function explained(error: unknown, folder: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof BadLine || error instanceof NoInput || error instanceof PlaceTaken) {
    return new UsageError(`${sentence(message)}\n${NOTHING_DONE}`, 'nothing', EXIT_ERROR);
  }
  if (typeof code !== 'string') return error;
  const text = `The store ${folder} can't be written: ${systemErrorText(error)}.\n${NOTHING_DONE}`;
  return new UsageError(text, 'nothing', EXIT_ERROR);
}

/** With a capital and a full stop. */
const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

function imported(counts: Counts, folder: string): string {
  const { sessions, subscriptions, retained, deliveries } = counts;
  const parts = [
    counted(sessions, 'session'),
    counted(subscriptions, 'subscription'),
    counted(deliveries, 'message for clients', 'messages for clients'),
    counted(retained, 'retained message'),
  ];
  return `Imported into ${folder}: ${parts.join(', ')}.`;
}
