// The store as the configuration names it: its folder, what can be told of that before anything is opened, and the sentence
// with the option's place when opening it fails.
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../config/config.ts';
import { ConfigError, errorAt, type Place } from '../config/errors.ts';
import { storeFolder, storeLocation } from '../config/store-folder.ts';
import type { Logger } from '../log/logger.ts';
import { systemErrorText } from '../util/system-error.ts';
import { sentence } from './handlers/why.ts';
import { StoreInUse } from './store/lock.ts';
import { StoreDamaged } from './store/open-log.ts';
import { StoreRefused } from './store/recover.ts';

/** Exit code where a store can't be opened though the configuration is fine. */
const EXIT_UNOPENED = 1;

/**
 * Has the store of a configuration opened in its folder, and says in the log what lies beside it. Throws ConfigError where
 * the folder around it is missing, and where `open` throws for what is in the files or what the system says.
 */
export function openInPlace<T>(config: Config, log: Logger, open: (folder: string) => T): T {
  const fault = locationFault(config);
  if (fault !== null) throw refused(placeOf(config, 'persistenceLocation'), ...fault);
  const database = path.join(storeLocation(config.global), config.global.persistenceFile);
  if (existsSync(database)) {
    log.notice?.(`The file ${database}, a database of Mosquitto's perhaps, is neither read nor changed.`);
  }
  const folder = storeFolder(config.global);
  try {
    return open(folder);
  } catch (error) {
    throw explained(config, folder, error);
  }
}

/** Sentences about a persistence_location in which no store can be; null where nothing is known against it. Changes nothing. */
export function locationFault(config: Config): string[] | null {
  const location = storeLocation(config.global);
  const why = folderFault(location);
  if (why === null) return null;
  const isFromOutside = config.global.persistenceLocation !== null && !config.places.has('persistenceLocation');
  const origin = config.file !== null && isFromOutside ? ' (from MOSQUITTO_PERSISTENCE_LOCATION)' : '';
  return [
    `Error: The persistence_location '${location}'${origin} can't be used: ${why}.`,
    'Make the folder, and give it to the user that the broker runs as.',
  ];
}

function folderFault(location: string): string | null {
  try {
    return statSync(location).isDirectory() ? null : 'Not a directory';
  } catch (error) {
    return systemErrorText(error);
  }
}

/** What opening threw, for whoever started the broker; what is a bug stays as it is. */
function explained(config: Config, folder: string, error: unknown): unknown {
  if (error instanceof StoreDamaged) {
    return refused(placeOf(config, 'persistenceOnCorruption'), `Error: ${sentence(error.message)}`);
  }
  if (error instanceof StoreInUse || error instanceof StoreRefused) {
    return refused(placeOf(config, 'persistenceLocation'), `Error: ${sentence(error.message)}`);
  }
  const { code, path: file } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string') return error;
  const which = file === undefined || file === folder ? '' : ` (${path.basename(file)})`;
  const text = `Error: The store ${folder}${which} can't be opened: ${systemErrorText(error)}.`;
  return refused(placeOf(config, 'persistenceLocation'), text);
}

function placeOf({ places }: Config, key: string): Place | null {
  return places.get(key) ?? places.get('persistence') ?? null;
}

function refused(place: Place | null, ...sentences: string[]): ConfigError {
  return new ConfigError(errorAt(place, ...sentences).lines, EXIT_UNOPENED);
}
