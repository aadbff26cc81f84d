// Kinds of values: each reads the text of a line, judges a value that a program gave, and prints it back.

/** Why a text or value will not do. `error` replaces Mosquitto's usual `Invalid NAME value (TEXT).`, `hint` follows it. */
export class Unfit {
  readonly error: ((name: string) => string) | null;
  readonly hint: string | null;

  constructor(hint: string | null, error: ((name: string) => string) | null = null) {
    this.hint = hint;
    this.error = error;
  }
}

/** A kind of value. */
export interface Kind<V> {
  /** What the manual puts behind the option's name. */
  readonly syntax: string;
  /** True: the value is the rest of the line. False: it is the first word. */
  readonly wholeLine: boolean;
  /** What a second line with the same option does: it counts, it is an error, or its values are added. */
  readonly repeat: 'last' | 'error' | 'add';
  /** Reads a text that is not empty. */
  parse(text: string): V | Unfit;
  /** Judges a value that did not come from a file; null when it is fine. */
  fault(value: unknown): Unfit | null;
  /** The texts of the lines that give this value; `add` kinds print a line each. */
  print(value: V): readonly string[];
  /** Joins a further line's value to the earlier ones; only kinds that repeat by 'add' have it. */
  add?(earlier: V, later: V): V;
}

/** `true`, `false`, `1` or `0`. */
export const bool: Kind<boolean> = {
  syntax: 'true | false',
  wholeLine: false,
  repeat: 'last',
  parse(text) {
    if (text === 'true' || text === '1') return true;
    if (text === 'false' || text === '0') return false;
    return new Unfit('It must be true or false.');
  },
  fault: (value) => (typeof value === 'boolean' ? null : new Unfit('It must be true or false.')),
  print: (value) => [String(value)],
};

/** What a whole number may be. */
interface IntRange {
  readonly min: number;
  readonly max: number;
  /** Text of the manual for the value. */
  readonly syntax?: string;
  /** Any negative number means this one. */
  readonly negative?: number;
  /** Mosquitto's own sentence for a number out of range. */
  readonly error?: (name: string) => string;
}

/** A whole number as C writes it: decimal, 0x for hexadecimal, a leading 0 for octal. Null for anything else. */
function readInt(text: string): number | null {
  const match = /^([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/.exec(text);
  if (match === null) return null;
  const digits = match[2] ?? '';
  const size = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  return match[1] === '-' && size !== 0 ? -size : size;
}

/** A whole number in a range. */
export function int(range: IntRange): Kind<number> {
  const hint = `It must be a whole number from ${range.min} to ${range.max}.`;
  const judge = (value: number | null): number | Unfit => {
    if (value === null || !Number.isSafeInteger(value)) return new Unfit(hint);
    if (value < 0 && range.negative !== undefined) return range.negative;
    if (value < range.min || value > range.max) {
      return range.error === undefined ? new Unfit(hint) : new Unfit(null, range.error);
    }
    return value;
  };
  return {
    syntax: range.syntax ?? 'number',
    wholeLine: false,
    repeat: 'last',
    parse: (text) => judge(readInt(text)),
    fault(value) {
      const judged = judge(typeof value === 'number' ? value : null);
      if (judged instanceof Unfit) return judged;
      return judged === value ? null : new Unfit(hint);
    },
    print: (value) => [String(value)],
  };
}

/** True for a text that a line of the file can carry as it is. */
function isOneLine(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.trim() === value && !/[\0\r\n]/.test(value);
}

/** What a text may be. */
interface TextRule {
  readonly syntax: string;
  /** Null when the text will do. */
  readonly judge?: (text: string) => Unfit | null;
}

/** The rest of the line. */
export function text(rule: TextRule): Kind<string> {
  return {
    syntax: rule.syntax,
    wholeLine: true,
    repeat: 'error',
    parse: (value) => rule.judge?.(value) ?? value,
    fault(value) {
      if (!isOneLine(value)) return new Unfit('It must be a text of one line, without blanks at its ends.');
      return rule.judge?.(value) ?? null;
    },
    print: (value) => [value],
  };
}

/** The name of a file, as the system takes it; relative names count from the working directory. */
export const file = text({ syntax: 'file' });

/** The name of a folder. */
export const folder = text({ syntax: 'folder' });

/** A text in each of several lines. */
export function texts(syntax: string): Kind<readonly string[]> {
  return {
    syntax,
    wholeLine: true,
    repeat: 'add',
    parse: (value) => [value],
    fault(value) {
      if (Array.isArray(value) && value.every(isOneLine)) return null;
      return new Unfit('It must be a list of texts of one line each.');
    },
    print: (value) => value,
    add: (earlier, later) => [...earlier, ...later],
  };
}

/** One of some words. `refused` names words that Mosquitto knows and we don't serve, each with the reason. */
export function oneOf<const W extends string>(
  words: readonly W[],
  refused: Readonly<Record<string, string>> = {},
): Kind<W> {
  const judge = (value: unknown): W | Unfit => {
    const word = words.find((known) => known === value);
    if (word !== undefined) return word;
    const reason = typeof value === 'string' && Object.hasOwn(refused, value) ? refused[value] : undefined;
    if (reason !== undefined) {
      return new Unfit(reason, (name) => `Error: '${name} ${String(value)}' is not supported by mqtt-broker.`);
    }
    return new Unfit(`It must be ${words.length === 1 ? '' : 'one of '}${words.join(', ')}.`);
  };
  return {
    syntax: words.join(' | '),
    wholeLine: false,
    repeat: 'last',
    parse: judge,
    fault(value) {
      const judged = judge(value);
      return judged instanceof Unfit ? judged : null;
    },
    print: (value) => [value],
  };
}

const SECONDS_OF: Readonly<Record<string, number>> = {
  s: 1,
  h: 3600,
  d: 86_400,
  w: 7 * 86_400,
  m: 30 * 86_400,
  y: 365 * 86_400,
};

const DURATION_HINT = 'It must be a number above 0 and one of s, h, d, w, m, y; 14d, for example.';

/** A time such as 14d, kept in seconds; a month counts 30 days, a year 365. */
export const duration: Kind<number> = {
  syntax: 'number followed by s, h, d, w, m or y',
  wholeLine: false,
  repeat: 'last',
  parse(value) {
    const match = /^([0-9]+)([shdwmy])$/.exec(value);
    const seconds = Number(match?.[1] ?? 0) * (SECONDS_OF[match?.[2] ?? ''] ?? 0);
    if (seconds > 0 && Number.isSafeInteger(seconds)) return seconds;
    return new Unfit(DURATION_HINT, (name) => `Error: Invalid ${name} duration in configuration.`);
  },
  fault(value) {
    if (Number.isSafeInteger(value) && Number(value) > 0) return null;
    return new Unfit('It must be a whole number of seconds above 0.');
  },
  print: (value) => [`${value}s`],
};

const PROTOCOL_HINT = 'It must be a comma-separated list of 3, 4 and 5.';

/** MQTT versions by their level on the wire: 3 is 3.1, 4 is 3.1.1, 5 is 5.0. */
export const protocolLevels: Kind<readonly number[]> = {
  syntax: '3,4,5',
  wholeLine: true,
  repeat: 'last',
  parse(value) {
    const words = value.split(',').map((word) => word.trim());
    if (!words.every((word) => /^[345]$/.test(word))) return new Unfit(PROTOCOL_HINT);
    return [...new Set(words.map(Number))].sort();
  },
  fault(value) {
    if (Array.isArray(value) && value.length > 0 && value.every((level) => [3, 4, 5].includes(level))) return null;
    return new Unfit('It must be a list of 3, 4 and 5.');
  },
  print: (value) => [value.join(',')],
};

/** A line that is read for its own meaning, by build.ts or parse.ts, and is no value of the configuration. */
export function directive(syntax: string): Kind<never> {
  return {
    syntax,
    wholeLine: true,
    repeat: 'last',
    parse: () => new Unfit(null),
    fault: () => new Unfit('It is no setting of its own.'),
    print: () => [],
  };
}
