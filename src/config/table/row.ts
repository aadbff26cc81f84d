// What a row of the option table says.
import type { Kind } from '../kinds.ts';

/** What an option belongs to. 'security' options are global, or of a listener with per_listener_settings. */
export type Scope = 'global' | 'security' | 'listener' | 'bridge' | 'plugin';

/** A row as the table files write it, under the option's name. */
export interface OptionSpec {
  readonly kind: Kind<unknown>;
  /** Value without a line for it; null where that means "none". */
  readonly default: unknown;
  /** Whether SIGHUP applies a new value or only the next start does. */
  readonly reload: 'live' | 'restart';
  /** For the manual: what the option does, and what its default means where the value does not tell. */
  readonly description: string;
  /** Other names for the same option, older ones as a rule. */
  readonly aliases?: readonly string[];
  /** Set for a deprecated option: the sentence that says what to use instead; may be empty. */
  readonly deprecated?: string;
  /** Set for an option that Mosquitto has and we don't serve: what to do without it. Its default value is accepted. */
  readonly refusal?: string;
  /** Set for an option that is read and does nothing, with a warning. */
  readonly ignored?: true;
  /** A new value of this listener option needs its socket to be opened anew; connections stay. */
  readonly reopens?: true;
  /** A sentence to log, as a notice, whenever the option is used. */
  readonly note?: string;
}

/** Checks the shape of rows and keeps their exact types. */
export function rows<const R extends Record<string, OptionSpec>>(table: R): R {
  return table;
}
