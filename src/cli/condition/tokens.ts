// The words of a --until condition: cut one after the other, each with its place for the error message.

/** A condition that makes no sense. */
export class ConditionError extends Error {
  /** Where in the condition, in UTF-16 units. */
  readonly at: number;

  /** @param message what is wrong, without a capital and a full stop */
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** A word of a condition. */
export type Token =
  | { readonly kind: 'number'; readonly value: number; readonly at: number }
  | { readonly kind: 'string'; readonly value: string; readonly at: number }
  | { readonly kind: 'regex'; readonly value: RegExp; readonly at: number }
  | { readonly kind: 'name'; readonly value: string; readonly at: number }
  /** A name behind a point. */
  | { readonly kind: 'member'; readonly value: string; readonly at: number }
  | { readonly kind: 'sign'; readonly value: string; readonly at: number }
  | { readonly kind: 'end'; readonly value: ''; readonly at: number };

const BLANKS = /\s*/y;
const NUMBER = /-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])/y;
const STRING = /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'/sy;
const REGEX = /\/((?:[^/\\[]|\\.|\[(?:[^\]\\]|\\.)*\])+)\/([\w$]*)/sy;
const NAME = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
const MEMBER = /\.([\p{L}\p{N}_$-]+)/uy;
const SIGN = /&&|\|\||==|!=|<=|>=|!~|[<>!~()[\]]/y;
/** Signs of other languages, and what they are here. */
const FOREIGN = /===|!==|=~|=>|=<|=(?!=)|&(?!&)|\|(?!\|)/y;
const MEANT: Readonly<Record<string, string>> = {
  '===': '==',
  '!==': '!=',
  '=~': '~',
  '=>': '>=',
  '=<': '<=',
  '=': '==',
  '&': '&&',
  '|': '||',
};

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0' };

/** Flags of a regular expression that mean something when it is used once for a text. */
const FLAGS = /^[imsuv]*$/;

/** What each kind of word looks like, and what it stands for. The first that fits is taken. */
const READERS: readonly {
  readonly pattern: RegExp;
  token(found: RegExpExecArray, at: number): Token;
}[] = [
  {
    pattern: FOREIGN,
    token: ([sign], at) => {
      throw new ConditionError(`'${sign}' has no meaning here, '${MEANT[sign]}' has`, at);
    },
  },
  { pattern: NUMBER, token: ([digits], at) => ({ kind: 'number', value: Number(digits), at }) },
  {
    pattern: STRING,
    token: ([, double, single], at) => ({ kind: 'string', value: unescaped(double ?? single ?? ''), at }),
  },
  {
    pattern: REGEX,
    token: ([, source = '', flags = ''], at) => ({ kind: 'regex', value: regexOf(source, flags, at), at }),
  },
  { pattern: NAME, token: ([value], at) => ({ kind: 'name', value, at }) },
  { pattern: MEMBER, token: ([, value = ''], at) => ({ kind: 'member', value, at }) },
  { pattern: SIGN, token: ([value], at) => ({ kind: 'sign', value, at }) },
];

/** The words of a condition, an `end` behind the last. Throws ConditionError. */
export function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = behindBlanks(text, 0); at < text.length; ) {
    const { token, end } = tokenAt(text, at);
    tokens.push(token);
    at = behindBlanks(text, end);
  }
  tokens.push({ kind: 'end', value: '', at: text.length });
  return tokens;
}

function behindBlanks(text: string, at: number): number {
  BLANKS.lastIndex = at;
  BLANKS.exec(text);
  return BLANKS.lastIndex;
}

function tokenAt(text: string, at: number): { token: Token; end: number } {
  for (const { pattern, token } of READERS) {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) return { token: token(found, at), end: at + found[0].length };
  }
  throw new ConditionError(faultOf(text[at] ?? ''), at);
}

function faultOf(char: string): string {
  if (char === '"' || char === "'") return 'this text has no end';
  if (char === '/') return 'this regular expression has no end, or is empty';
  if (char === '.') return "the name behind this '.' is missing";
  if (/[-\d]/.test(char)) return 'this is no number';
  return 'this has no meaning';
}

function unescaped(text: string): string {
  return text.replace(/\\u([0-9a-fA-F]{4})|\\(.)/gs, (_all, unit: string | undefined, char: string) =>
    unit === undefined ? (ESCAPES[char] ?? char) : String.fromCharCode(Number.parseInt(unit, 16)),
  );
}

function regexOf(source: string, flags: string, at: number): RegExp {
  if (!FLAGS.test(flags)) {
    throw new ConditionError(`the flags of a regular expression are i, m, s, u and v, not '${flags}'`, at);
  }
  try {
    return new RegExp(source, flags);
  } catch (error) {
    const { message } = error as Error;
    throw new ConditionError(`this is no regular expression (${message.replace(/^.*: /, '')})`, at);
  }
}
