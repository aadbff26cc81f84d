// The store that a configuration names, for the tools that look into it.
import type { Config } from '../../config/config.ts';
import { ConfigError, errorAt } from '../../config/errors.ts';
import { storeFolder } from '../../config/store-folder.ts';
import { silentLogger } from '../../log/logger.ts';
import { openInPlace } from '../store-place.ts';
import { StoreImport } from './import-store.ts';
import { readStore, type StoredState } from './read-store.ts';

/** Exit code where there is nothing to look into though the configuration is fine. */
const EXIT_NO_STORE = 1;

/** Reads the store of a configuration and changes nothing. Throws ConfigError. */
export function readConfiguredStore(config: Config): StoredState {
  checkPersistence(config);
  const stored = openInPlace(config, silentLogger(), (folder) => readStore(folder));
  if (stored !== null) return stored;
  const text = `Error: There is no store ${storeFolder(config.global)} yet; a broker with this configuration makes it.`;
  throw new ConfigError([text], EXIT_NO_STORE);
}

/** Begins to fill the store of a configuration, which must hold nothing. Throws ConfigError. */
export function beginImport(config: Config): StoreImport {
  checkPersistence(config);
  return openInPlace(config, silentLogger(), (folder) => new StoreImport(folder));
}

function checkPersistence({ global, file, places }: Config): void {
  if (global.persistence) return;
  const text = `Error: Nothing is stored with ${file}: persistence is false, and that is the default.`;
  throw errorAt(places.get('persistence') ?? null, text);
}
