// A configuration from a file, and the one without any.
import { buildConfig } from './build.ts';
import { checkConfig } from './check.ts';
import type { Config, ConfigNote } from './config.ts';
import { DEFAULT_PORT, finish, loopbackListeners, newDraft } from './draft.ts';
import { readConfigFiles } from './parse.ts';

/** A configuration, and what to log about it. */
export interface LoadedConfig {
  readonly config: Config;
  /** In the order they came up, with the type of log line that each is. */
  readonly warnings: readonly ConfigNote[];
}

/**
 * Reads mosquitto.conf and checks it; writes nothing and opens none of the files it names. `env` may overrule the place of
 * the store (MOSQUITTO_PERSISTENCE_LOCATION). `ports` are those of `-p`; they count if the file sets up no listener.
 * Throws ConfigError, whose lines are to be printed and whose exit code is 3.
 */
export function loadConfig(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
  ports: readonly number[] = [],
): LoadedConfig {
  const { lines, notes } = readConfigFiles(file);
  const warnings = [...notes];
  const built = buildConfig(file, lines, ports.length > 0 ? ports : null, warnings);
  checkConfig(built, warnings);
  const location = env['MOSQUITTO_PERSISTENCE_LOCATION'];
  if (location === undefined || location === '') return { config: built, warnings };
  const places = new Map(built.places);
  // What is wrong with the folder is not wrong with the line.
  places.delete('persistenceLocation');
  return { config: { ...built, global: { ...built.global, persistenceLocation: location }, places }, warnings };
}

/** The configuration without a file: loopback only, on the ports of `-p` or on 1883, anonymous clients allowed. */
export function defaultConfig(ports: readonly number[] = []): Config {
  return finish({
    file: null,
    localOnly: true,
    global: newDraft(),
    security: newDraft(),
    listeners: loopbackListeners(ports.length > 0 ? ports : [DEFAULT_PORT]),
    anonymousByDefault: () => true,
  });
}
