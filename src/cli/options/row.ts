// The shape of the option tables' rows, and the types of parsed options that follow from them.
import type { Kind } from '../kinds.ts';

/** The tools that have options. */
export type Tool = 'broker' | 'pub' | 'sub' | 'rr' | 'passwd' | 'bench';

/** Headings under which --help and the man pages list options. */
export type Group =
  | 'General'
  | 'Connection'
  | 'Session'
  | 'Clients'
  | 'Messages'
  | 'Run'
  | 'Publishing'
  | 'Subscribing'
  | 'Output'
  | 'Will'
  | 'MQTT 5 properties'
  | 'TLS'
  | 'Password file';

/** One option. The parser, --help, the man pages and the checks of the tests read nothing else. */
export interface OptionRow {
  /** Field of the parsed options. */
  readonly key: string;
  /** Spellings, exactly as typed. */
  readonly names: readonly string[];
  readonly kind: Kind<unknown>;
  readonly tools: readonly Tool[];
  readonly group: Group;
  /** What stands for the value in --help; absent for a switch. */
  readonly value?: string;
  /** Sentence (without its full stop) where the value is missing. */
  readonly missing?: string;
  /** May be given repeatedly, and the field is an array; else the last one counts. */
  readonly list?: true;
  /** Value where the option is not given; null, false or [] by default. */
  readonly fallback?: unknown;
  /** Options that can't be given beside this one (keys, may include its own), and the sentence that says so. */
  readonly conflicts?: {
    readonly keys: readonly string[];
    readonly message: string;
    /** Those of an options file give way to this one on the command line. */
    readonly fileYields?: true;
  };
  /** Options of which this one needs at least one beside it (keys), and the sentence that says so. */
  readonly needs?: {
    readonly keys: readonly string[];
    readonly message: string;
  };
  /** The words of the value as others may see them, where they hold a secret. */
  readonly mask?: (words: readonly string[]) => readonly string[];
  /** Ends parsing at once (--help). */
  readonly stops?: true;
  /** Why an option that Mosquitto has is not supported: what to do instead. Such an option is refused by name. */
  readonly refused?: string;
  /** One or more sentences for --help and the man page. */
  readonly help: string;
}

type Value<R extends OptionRow> =
  R['kind'] extends Kind<infer T>
    ? R extends { list: true }
      ? readonly T[]
      : [T] extends [boolean]
        ? boolean
        : R extends { fallback: unknown }
          ? T
          : T | null
    : never;

type RowOf<Row extends OptionRow, T extends Tool> = Row extends OptionRow
  ? Row extends { refused: string }
    ? never
    : T extends Row['tools'][number]
      ? Row
      : never
  : never;

/** The parsed options that a tool gets from a table: every option of the tool is a field. */
export type Fields<Row extends OptionRow, T extends Tool> = {
  readonly [R in RowOf<Row, T> as R['key']]: Value<R>;
};
