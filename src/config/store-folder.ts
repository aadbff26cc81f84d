// Where the store is. Mosquitto keeps one file there, `mosquitto.db`; our store is a folder beside it, named after it.
import path from 'node:path';
import type { GlobalOptions } from './options.ts';

/** Folder that the store's folder lies in; relative to the working directory, '.' by default. */
export function storeLocation({ persistenceLocation }: Pick<GlobalOptions, 'persistenceLocation'>): string {
  return persistenceLocation ?? '.';
}

/** Folder of the store: `mosquitto.store` in the working directory by default. */
export function storeFolder(global: Pick<GlobalOptions, 'persistenceLocation' | 'persistenceFile'>): string {
  return path.join(storeLocation(global), `${global.persistenceFile.replace(/\.db$/, '')}.store`);
}
