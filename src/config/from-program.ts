// A configuration from the options that an embedding program gives, judged by the same table as a file.
import { checkConfig } from './check.ts';
import type { Config } from './config.ts';
import {
  DEFAULT_PORT,
  type Draft,
  finish,
  GLOBAL_OPTIONS,
  LISTENER_OPTIONS,
  type ListenerDraft,
  loopbackListeners,
  newDraft,
  newListenerDraft,
  SECURITY_OPTIONS,
} from './draft.ts';
import { ConfigError } from './errors.ts';
import { nearestName } from './nearest.ts';
import type { ConfigOption, GlobalOptions, ListenerOptions, SecurityOptions } from './options.ts';

/** A listener in a program's options. */
export interface ListenerInput extends Partial<ListenerOptions> {
  /** Default 1883; 0 lets the system choose. */
  readonly port?: number;
  /** Default '127.0.0.1', this machine only; null, '0.0.0.0' or '::' is open to every machine. */
  readonly host?: string | null;
  /** Path of a Unix socket, instead of port and host. */
  readonly path?: string;
  /** Security options of this listener only, instead of the common ones. */
  readonly security?: Partial<SecurityOptions>;
}

/** A program's options: those of mosquitto.conf in camelCase. */
export interface ConfigInput {
  /** Default: 127.0.0.1 and ::1 on port 1883. */
  readonly listeners?: readonly ListenerInput[];
  readonly global?: Partial<Omit<GlobalOptions, 'perListenerSettings'>>;
  readonly security?: Partial<SecurityOptions>;
}

const PROGRAM_OPTIONS = new Map([...GLOBAL_OPTIONS].filter(([key]) => key !== 'perListenerSettings'));

const ENDPOINT_KEYS = ['port', 'host', 'path', 'security'];

/**
 * Makes a configuration of a program's options. Clients without user name are allowed by default if every listener can be
 * reached from this machine only, else not. Throws ConfigError with a sentence that names the bad option.
 */
export function configFrom(options: ConfigInput): Config {
  refuseUnknown(options, ['listeners', 'global', 'security'], 'the options');
  const inputs: unknown = options.listeners;
  if (inputs !== undefined && !Array.isArray(inputs)) {
    throw new ConfigError(['Error: Invalid listeners value.', 'It must be a list of listeners.']);
  }
  const global = draftOf(options.global, PROGRAM_OPTIONS, 'global');
  const security = draftOf(options.security, SECURITY_OPTIONS, 'security');
  const listeners =
    options.listeners?.map((input, index) => listenerOf(input, `listeners[${index}]`)) ??
    loopbackListeners([DEFAULT_PORT]);
  const config = finish({
    file: null,
    localOnly: options.listeners === undefined,
    global,
    security,
    listeners,
    anonymousByDefault: (listener) => (listener === null ? listeners.every(isLocal) : isLocal(listener)),
  });
  checkConfig(config, []);
  return config;
}

function listenerOf(input: ListenerInput, where: string): ListenerDraft {
  const { port = DEFAULT_PORT, host = '127.0.0.1', path = null, security, ...options } = input;
  if (path !== null && (input.port !== undefined || input.host !== undefined)) {
    throw new ConfigError([`Error: A listener has either a path or port and host, in ${where}.`]);
  }
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    const hint = 'It must be a whole number from 0 to 65535.';
    throw new ConfigError([`Error: Invalid port value (${port}), in ${where}.`, hint]);
  }
  for (const [name, value] of Object.entries({ host, path })) {
    if (value === null || (typeof value === 'string' && value !== '')) continue;
    throw new ConfigError([`Error: Invalid ${name} value (${String(value)}), in ${where}.`, 'It must be a text.']);
  }
  const draft = draftOf(options, LISTENER_OPTIONS, where, ENDPOINT_KEYS);
  return {
    ...newListenerDraft(null),
    ...draft,
    port: path === null ? port : 0,
    host: path === null ? host : null,
    path,
    security: security === undefined ? null : draftOf(security, SECURITY_OPTIONS, `${where}.security`),
  };
}

/** True for a listener that no other machine can reach. */
function isLocal({ host, path }: ListenerDraft): boolean {
  return path !== null || host === 'localhost' || host === '::1' || (host !== null && /^127\.[0-9.]+$/.test(host));
}

/** The values of an object, each judged by its row; an undefined one counts as not given. */
function draftOf(
  values: object | undefined,
  options: ReadonlyMap<string, ConfigOption>,
  where: string,
  otherKeys: readonly string[] = [],
): Draft {
  const draft = newDraft();
  if (values === undefined) return draft;
  refuseUnknown(values, [...options.keys(), ...otherKeys], where);
  for (const [key, value] of Object.entries(values)) {
    const option = options.get(key);
    if (value === undefined || option === undefined) continue;
    if (value !== null || option.default !== null) judge(option, value, where);
    draft.values.set(key, value);
  }
  return draft;
}

function judge({ kind, key }: ConfigOption, value: unknown, where: string): void {
  const fault = kind.fault(value);
  if (fault === null) return;
  const sentence = fault.error?.(key) ?? `Error: Invalid ${key} value (${String(value)}).`;
  throw new ConfigError([sentence, ...(fault.hint === null ? [] : [fault.hint]), `Error found in ${where}.`]);
}

function refuseUnknown(values: object, known: readonly string[], where: string): void {
  for (const key of Object.keys(values)) {
    if (known.includes(key)) continue;
    const near = nearestName(key, known);
    const hint = near === null ? [] : [`Did you mean '${near}'?`];
    throw new ConfigError([`Error: Unknown configuration variable '${key}'.`, ...hint, `Error found in ${where}.`]);
  }
}
