// Values on their way to a configuration: what was set so far and where. Both readers, of files and of a program's options,
// fill drafts; finish() makes the configuration of them.
import type { Config, ListenerConfig, Places, SecurityConfig } from './config.ts';
import type { Place } from './errors.ts';
import { type ConfigOption, type GlobalOptions, type ListenerOptions, valueOptions } from './options.ts';

/** Values that were set, by key. */
export interface Draft {
  readonly values: Map<string, unknown>;
  readonly places: Map<string, Place>;
}

/** A listener on its way. */
export interface ListenerDraft extends Draft {
  port: number;
  host: string | null;
  path: string | null;
  readonly place: Place | null;
  /** Its own security options; null where the global ones count. */
  security: Draft | null;
}

/** Everything on its way. */
export interface ConfigDraft {
  readonly file: string | null;
  readonly localOnly: boolean;
  readonly global: Draft;
  readonly security: Draft;
  readonly listeners: readonly ListenerDraft[];
  /** Value of allow_anonymous where none was set, for the global options and for a listener. */
  anonymousByDefault(listener: ListenerDraft | null): boolean;
}

/** The rows with a value, by scope and key. */
export const GLOBAL_OPTIONS = valueOptions('global');
export const SECURITY_OPTIONS = valueOptions('security');
export const LISTENER_OPTIONS = valueOptions('listener');

export function newDraft(): Draft {
  return { values: new Map(), places: new Map() };
}

export function newListenerDraft(place: Place | null): ListenerDraft {
  return { port: 0, host: null, path: null, place, security: null, ...newDraft() };
}

/** True when two values of an option are the same. */
export function sameValue(option: ConfigOption, a: unknown, b: unknown): boolean {
  if (a === null || b === null) return a === b;
  const lines = option.kind.print(b);
  const others = option.kind.print(a);
  return others.length === lines.length && others.every((line, index) => line === lines[index]);
}

/** True when a draft says something other than the defaults. */
export function hasEffect(draft: Draft, options: ReadonlyMap<string, ConfigOption>): boolean {
  for (const [key, value] of draft.values) {
    const option = options.get(key);
    if (option !== undefined && !sameValue(option, value, option.default)) return true;
  }
  return false;
}

/** Every option of a scope with its value, set or default. */
function complete(draft: Draft, options: ReadonlyMap<string, ConfigOption>): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [key, option] of options) values[key] = draft.values.has(key) ? draft.values.get(key) : option.default;
  return values;
}

function finishSecurity(draft: Draft, anonymousByDefault: boolean): SecurityConfig {
  const values = complete(draft, SECURITY_OPTIONS) as Omit<SecurityConfig, 'places'>;
  return { ...values, allowAnonymous: values.allowAnonymous ?? anonymousByDefault, places: draft.places };
}

function finishListener(draft: ListenerDraft, security: SecurityConfig): ListenerConfig {
  const values = complete(draft, LISTENER_OPTIONS) as ListenerOptions;
  const places: Places = draft.places;
  return {
    ...values,
    port: draft.port,
    host: draft.host,
    path: draft.path,
    security,
    allowAnonymous: values.listenerAllowAnonymous ?? security.allowAnonymous,
    autoIdPrefix: values.listenerAutoIdPrefix ?? security.autoIdPrefix,
    place: draft.place,
    places,
  };
}

/** Fills in what was not set. */
export function finish(draft: ConfigDraft): Config {
  const security = finishSecurity(draft.security, draft.anonymousByDefault(null));
  const listeners = draft.listeners.map((listener) => {
    if (listener.security === null) return finishListener(listener, security);
    return finishListener(listener, finishSecurity(listener.security, draft.anonymousByDefault(listener)));
  });
  return {
    file: draft.file,
    localOnly: draft.localOnly,
    global: complete(draft.global, GLOBAL_OPTIONS) as GlobalOptions,
    security,
    listeners,
    places: draft.global.places,
  };
}

/** Listeners that only this machine can reach, on every one of the ports. */
export function loopbackListeners(ports: readonly number[]): ListenerDraft[] {
  return ports.flatMap((port) => ['127.0.0.1', '::1'].map((host) => ({ ...newListenerDraft(null), port, host })));
}

/** The port of MQTT. */
export const DEFAULT_PORT = 1883;
