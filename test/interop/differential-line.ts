// A command line of the differential suite: how it is written, what is filled in, and what of its outcome is not compared.

const HASH = 'HsZzcnEYCKMgQ/yMPgsWBXLMbVB6XaVQZrHJpPGZO0DgS3dJqyCGmVcHX1E/0SPOcsi3CDS6kmrwBCcR8V2uLA==';

/** Password files, by what they hold. */
export const FILES = {
  'two hashes': `anna:$7$101$AAAAAAAAAAAAAAAA$${HASH}\nbob:$6$AAAAAAAAAAAAAAAA$${HASH}\n`,
  'two passwords': 'anna:one\nbob:two\n',
  'a comment and two passwords': '# a comment\n\nanna:one\nbob:two\n',
  'a name alone': 'anna\n',
  'no line end': 'anna:one',
  nothing: '',
} as const;

/** Properties of a message, for {properties}. */
export const PROPERTIES =
  '-D publish content-type text/plain -D publish correlation-data c-17 -D publish response-topic answers/here ' +
  '-D publish payload-format-indicator 1 -D publish user-property z 1 -D publish user-property a 2 ' +
  '-D publish message-expiry-interval 600 -D publish user-property z 3';

/** A command line with what happens around it. */
export interface Line {
  /** As in a shell, without the program's prefix: `sub -t '#' -C 1`. Words in braces are filled in (see `fill`). */
  readonly line: string;
  /** Written to standard input, which is empty without it. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Lines for mosquitto's tools that run to their end before, and what a retained message leaves is theirs to remove. */
  readonly before?: readonly string[];
  /** Lines for mosquitto's tools that run once the broker has acknowledged the subscription of client {t}, or has the request of it. */
  readonly meanwhile?: readonly string[];
  /** Ends the program then, after those lines. */
  readonly signal?: NodeJS.Signals;
  /** Mosquitto's options file for the tool in {dir}; `env` has to lead there. */
  readonly options?: string;
  /** What {dir}/file holds to begin with; what it holds in the end belongs to the outcome. */
  readonly file?: keyof typeof FILES;
}

/** Command lines that belong together. */
export interface Group {
  readonly name: string;
  /** Words that stand behind the program's name in every line, for example the broker's address. */
  readonly common?: string;
  /** Whether ours runs inside the test instead of as a program of its own: for what ends before a connection. */
  readonly inside?: true;
  /** Words that ours has besides, to do what Debian's version does: no rule changes what is compared then. */
  readonly own?: string;
  readonly lines: readonly (string | Line)[];
}

/** What a command line left behind, as Latin-1 text: a character is a byte. */
export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  /** What {dir}/file holds, nothing where there is none. */
  readonly file: string;
}

/** The words of a line: blanks part them, single quotes hold them together. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/(?:[^\s']|'[^']*')+/g)].map(([word]) => word.replaceAll("'", ''));
}

/** Fills in the words in braces. */
export function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{([a-z]+)\}/g, (all, name: string) => values[name] ?? all);
}

/** A line with what happens beside it: its name in the suite and in the table of differences. */
export function titleOf({ line, meanwhile = [], signal, input, file, options, env, before = [] }: Line): string {
  const shown = (text: string): string => JSON.stringify(text);
  const beside = [
    ...before.map((other) => `after ${other}`),
    ...meanwhile.map((other) => `then ${other}`),
    ...(signal === undefined ? [] : [`then ${signal}`]),
    ...(input === undefined ? [] : [`input ${shown(input)}`]),
    ...(options === undefined ? [] : [`options file ${shown(options)}`]),
    ...Object.entries(env ?? {}).map(([name, value]) => `${name}=${value}`),
    ...(file === undefined ? [] : [`file with ${file}`]),
  ];
  return beside.length === 0 ? line : `${line} (${beside.join('; ')})`;
}

/** Patterns of what differs from run to run, and what is compared in their place. */
const REPLACEMENTS: readonly (readonly [RegExp, string])[] = [
  // The tools' names.
  [/mosquitto_(pub|sub|rr|passwd)/g, 'mqtt-$1'],
  // Client ids that a tool makes up, and those that the broker makes up.
  [/mosq-[A-Za-z0-9]{18}/g, '{id}'],
  [/auto-[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}/g, '{id}'],
  // Times to the second or finer; lines that a new minute begins in are run again.
  [/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, '{date}'],
  [/(\d{4}-\d\d-\d\dT\d\d:\d\d):\d\d/g, '$1:{s}'],
  [/:\{s\}\.\d{6}/g, ':{s}.{us}'],
  [/\b(\d\d:\d\d):\d\d\b/g, '$1:{s}'],
  [/\b1[789]\d{8}\.\d{9}\b/g, '{unix}.{ns}'],
  [/\b1[789]\d{8}\b/g, '{unix}'],
  [/=\d{9}=/g, '={ns}='],
  // Salts and hashes of a password file.
  [/\$2b\$10\$[./A-Za-z0-9]{53}/g, '{bcrypt}'],
  [/\$[A-Za-z0-9+/]{16}\$[A-Za-z0-9+/]{86}==/g, '$${salt}$${hash}'],
];

/** Replaces what differs from run to run; `own` are the words of this run alone (its folder, topic and process id). */
export function normal(text: string, own: Readonly<Record<string, string>>): string {
  let result = text;
  for (const [name, value] of Object.entries(own)) {
    const pattern = /^\d+$/.test(value) ? new RegExp(`(?<!\\d)${value}(?!\\d)`, 'g') : value;
    result = result.replaceAll(pattern, `{${name}}`);
  }
  for (const [pattern, replacement] of REPLACEMENTS) result = result.replace(pattern, replacement);
  return result;
}
