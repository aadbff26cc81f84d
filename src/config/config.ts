// The shape of a configuration, however it came about: from a file (load.ts) or from a program (from-program.ts).
import type { LogType } from '../log/logger.ts';
import type { Place } from './errors.ts';
import type { GlobalOptions, ListenerOptions, SecurityOptions } from './options.ts';

/**
 * Where options were set, by their key (camelCase); options that were not set are missing. An option that may have several
 * lines has the last one there, and each of them under key and value: `logDest file /var/log/m`.
 */
export type Places = ReadonlyMap<string, Place>;

/** Who may connect and do what. One object for all listeners, or one for each with per_listener_settings. */
export interface SecurityConfig extends Omit<SecurityOptions, 'allowAnonymous'> {
  /** Never null: the default depends on the listeners and is settled. */
  readonly allowAnonymous: boolean;
  readonly places: Places;
}

/** A listener. */
export interface ListenerConfig extends ListenerOptions {
  /** TCP port; 0 lets the system choose, in a program's configuration only, and stands beside a Unix path. */
  readonly port: number;
  /** Address or name to bind; null for every address, and for a Unix socket. */
  readonly host: string | null;
  /** Path of a Unix socket; null for TCP. */
  readonly path: string | null;
  readonly security: SecurityConfig;
  /** Whether clients may connect here without user name: listener_allow_anonymous, else allow_anonymous. */
  readonly allowAnonymous: boolean;
  /** Start of made-up client ids here: listener_auto_id_prefix, else auto_id_prefix. */
  readonly autoIdPrefix: string;
  /** Where the listener begins; null without a file, and for the default listener. */
  readonly place: Place | null;
  readonly places: Places;
}

/** The whole configuration. Never changed: a reload makes another one. */
export interface Config {
  /** The main file; null without one. */
  readonly file: string | null;
  /** True without any configured listener: only this machine can connect, and the broker says so. */
  readonly localOnly: boolean;
  readonly global: GlobalOptions;
  /** The global security options; with per_listener_settings those of the listeners count instead. */
  readonly security: SecurityConfig;
  readonly listeners: readonly ListenerConfig[];
  /** Places of the global options. */
  readonly places: Places;
}

/** Something about the configuration for the log. */
export interface ConfigNote {
  readonly type: LogType;
  readonly text: string;
}
