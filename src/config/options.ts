// THE table of configuration options: the rows of table/, each with its name, scope and section. Parser, defaults, reload
// rule, manual page, TypeScript types and a test for each row come from here.
import type { Kind } from './kinds.ts';
import { BRIDGE } from './table/bridge.ts';
import { GENERAL } from './table/general.ts';
import { LIMITS } from './table/limits.ts';
import { LISTENER } from './table/listener.ts';
import { LOGGING } from './table/logging.ts';
import { PERSISTENCE } from './table/persistence.ts';
import { PLUGIN } from './table/plugin.ts';
import type { OptionSpec, Scope } from './table/row.ts';
import { SECURITY } from './table/security.ts';
import { TLS } from './table/tls.ts';

/** A row of the table. */
export interface ConfigOption {
  /** Name in the file; the one row that ends in `*` stands for every name that starts so. */
  readonly name: string;
  /** Name in the typed configuration. */
  readonly key: string;
  readonly aliases: readonly string[];
  /** Heading of the manual page that the option stands under. */
  readonly section: string;
  readonly scope: Scope;
  readonly kind: Kind<unknown>;
  /** Value without a line for it; null where that means "none" (the description says what then holds). */
  readonly default: unknown;
  readonly reload: 'live' | 'restart';
  readonly description: string;
  /** Null for an option in good standing; else what to use instead, possibly empty. */
  readonly deprecated: string | null;
  /** False for options of Mosquitto that are refused by name. */
  readonly supported: boolean;
  /** Why an unsupported option is refused and what to do; null for supported ones. */
  readonly refusal: string | null;
  /** True for an option that is read, warned about and not used. */
  readonly ignored: boolean;
  /** True where a new value needs the listener's socket to be opened anew. */
  readonly reopens: boolean;
  /** A sentence to log when the option is used; null as a rule. */
  readonly note: string | null;
}

/** Name in the file → name in the typed configuration: `ciphers_tls1.3` → `ciphersTls13`. */
function keyOf(name: string): string {
  return name.replaceAll('.', '').replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function section(title: string, scope: Scope, table: Readonly<Record<string, OptionSpec>>): ConfigOption[] {
  return Object.entries(table).map(([name, spec]) => ({
    name,
    key: keyOf(name),
    aliases: spec.aliases ?? [],
    section: title,
    scope,
    kind: spec.kind,
    default: spec.default,
    reload: spec.reload,
    description: spec.description,
    deprecated: spec.deprecated ?? null,
    supported: spec.refusal === undefined,
    refusal: spec.refusal ?? null,
    ignored: spec.ignored ?? false,
    reopens: spec.reopens ?? false,
    note: spec.note ?? null,
  }));
}

/** Every option of mosquitto.conf, in the order of the manual page. */
export const CONFIG_OPTIONS: readonly ConfigOption[] = [
  ...section('General options', 'global', GENERAL),
  ...section('Limits and retained messages', 'global', LIMITS),
  ...section('Authentication and access', 'security', SECURITY),
  ...section('Listeners', 'listener', LISTENER),
  ...section('TLS', 'listener', TLS),
  ...section('Logging', 'global', LOGGING),
  ...section('Persistence', 'global', PERSISTENCE),
  ...section('Plugins', 'plugin', PLUGIN),
  ...section('Bridges', 'bridge', BRIDGE),
];

const byName = new Map<string, ConfigOption>();
for (const option of CONFIG_OPTIONS) {
  for (const name of [option.name, ...option.aliases]) byName.set(name, option);
}

/** Every name and alias that is not a pattern. */
export const OPTION_NAMES: readonly string[] = [...byName.keys()].filter((name) => !name.endsWith('*'));

/** The row of a name or alias; null for an unknown one. */
export function findOption(name: string): ConfigOption | null {
  const found = byName.get(name);
  if (found !== undefined && !name.endsWith('*')) return found;
  for (const [pattern, option] of byName) {
    if (pattern.endsWith('*') && name.length >= pattern.length && name.startsWith(pattern.slice(0, -1))) return option;
  }
  return null;
}

/** The rows of a scope that have a value in the typed configuration, by key. */
export function valueOptions(scope: Scope): ReadonlyMap<string, ConfigOption> {
  const wanted = CONFIG_OPTIONS.filter(
    (o) => o.scope === scope && o.supported && !o.ignored && !DIRECTIVES.has(o.name),
  );
  return new Map(wanted.map((option) => [option.key, option]));
}

/** Lines that shape the configuration instead of setting a value in it. */
const DIRECTIVES: ReadonlySet<string> = new Set<Directive>(['include_dir', 'listener', 'port', 'bind_address']);
type Directive = 'include_dir' | 'listener' | 'port' | 'bind_address';

type Capital<S extends string> = S extends `${infer A}_${infer B}` ? `${Capitalize<A>}${Capital<B>}` : Capitalize<S>;
type Key<S extends string> = S extends `${infer A}.${infer B}`
  ? `${Key<A>}${B}`
  : S extends `${infer A}_${infer B}`
    ? `${A}${Capital<B>}`
    : S;

type Value<R> = R extends { kind: Kind<infer V>; default: infer D } ? (D extends null ? V | null : V) : never;
type Unused<R> = R extends { refusal: string } | { ignored: true } ? true : false;

/** The values of a table: a key for each option that has an effect. */
type Values<T> = {
  readonly [N in Exclude<keyof T & string, Directive> as Unused<T[N]> extends true ? never : Key<N>]: Value<T[N]>;
};

/** Options of the broker as a whole, by camelCase name. */
export type GlobalOptions = Values<typeof GENERAL> &
  Values<typeof LIMITS> &
  Values<typeof LOGGING> &
  Values<typeof PERSISTENCE>;

/** Options about who may connect and do what. */
export type SecurityOptions = Values<typeof SECURITY>;

/** Options of one listener, port and address apart. */
export type ListenerOptions = Values<typeof LISTENER> & Values<typeof TLS>;
