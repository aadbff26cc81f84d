// The condition of --until: what a message must be like. It is parsed to a tree and the tree is walked; nothing of it ever
// runs as a program. A message can be anything: what it lacks makes comparisons false, never an error.
import type { ReceivedMessage } from '../../client/options.ts';
import { PROPERTIES, type Properties } from '../../protocol/properties.ts';
import { UsageError } from '../messages.ts';
import { guarded } from './guarded-regex.ts';
import { type Comparison, type Expression, parseCondition } from './parser.ts';
import { ConditionError } from './tokens.ts';

/** A test of messages. */
export type Condition = (message: ReceivedMessage) => boolean;

/**
 * Compiles a condition. Throws UsageError with a line that points at the fault.
 * @param warn is told once that a regular expression took too long for a message
 */
export function compileCondition(text: string, warn: (sentence: string) => void): Condition {
  let isTold = false;
  const tell = (): void => {
    if (isTold) return;
    isTold = true;
    warn('Warning: A regular expression of --until took too long for a message, which counts as not fulfilling it.');
  };
  try {
    const value = compile(parseCondition(text), tell);
    return (message) => isTrue(value(new Subject(message)));
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    const line = text.replace(/[\p{Cc}\u2028\u2029]/gu, ' ');
    throw new UsageError(
      `The condition of --until makes no sense: ${error.message}.\n  ${line}\n  ${' '.repeat(error.at)}^`,
    );
  }
}

/** A message while a condition looks at it: its payload is parsed once, and only if that is asked for. */
class Subject {
  readonly message: ReceivedMessage;
  #text: string | null = null;
  #value: { readonly of: unknown } | null = null;

  constructor(message: ReceivedMessage) {
    this.message = message;
  }

  get text(): string {
    this.#text ??= this.message.payload.toString();
    return this.#text;
  }

  /** The payload as the JSON that it is, else as text. */
  get value(): unknown {
    this.#value ??= { of: parsed(this.text) };
    return this.#value.of;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The value of an expression for a message; undefined for what is not there. */
type Evaluator = (subject: Subject) => unknown;

function compile(expression: Expression, tooSlow: () => void): Evaluator {
  switch (expression.kind) {
    case 'literal':
      return () => expression.value;
    case 'path':
      return pathOf(expression);
    case 'not': {
      const inner = compile(expression.of, tooSlow);
      return (subject) => !isTrue(inner(subject));
    }
    case 'any': {
      const parts = expression.of.map((part) => compile(part, tooSlow));
      return (subject) => parts.some((part) => isTrue(part(subject)));
    }
    case 'all': {
      const parts = expression.of.map((part) => compile(part, tooSlow));
      return (subject) => parts.every((part) => isTrue(part(subject)));
    }
    case 'compare':
      return comparisonOf(expression, tooSlow);
    case 'match':
      return matchOf(expression, tooSlow);
  }
}

function isTrue(value: unknown): boolean {
  return Boolean(value);
}

function pathOf({ root, steps }: Expression & { kind: 'path' }): Evaluator {
  const start = ROOTS[root];
  return (subject) => {
    let value = start(subject);
    for (const step of steps) {
      // Only what a message brought counts, not what objects of JavaScript have by themselves.
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
      value = (value as Record<string | number, unknown>)[step];
    }
    return value;
  };
}

const ROOTS: Readonly<Record<(Expression & { kind: 'path' })['root'], Evaluator>> = {
  payload: (subject) => subject.value,
  topic: ({ message }) => message.topic,
  qos: ({ message }) => message.qos,
  retain: ({ message }) => message.retain,
  properties: ({ message }) => propertiesOf(message.properties),
};

/** Properties by the names of --property, and user properties by their own; of several with one name, the first counts. */
function propertiesOf(properties: Properties): Record<string, unknown> {
  const values: Record<string, unknown> = Object.create(null);
  for (const { name, option, type } of PROPERTIES) {
    const value = properties[name];
    if (value === undefined || type === 'pair') continue;
    values[option] = Buffer.isBuffer(value) ? value.toString() : value;
  }
  for (const [name, value] of properties.userProperties ?? []) values[name] ??= value;
  return values;
}

/** Whether an expression is the payload as a whole. */
function isPayload(expression: Expression): boolean {
  return expression.kind === 'path' && expression.root === 'payload' && expression.steps.length === 0;
}

function isNull(expression: Expression): boolean {
  return expression.kind === 'literal' && expression.value === null;
}

function comparisonOf(expression: Expression & { kind: 'compare' }, tooSlow: () => void): Evaluator {
  const { sign } = expression;
  const left = compile(expression.left, tooSlow);
  const right = compile(expression.right, tooSlow);
  if (isNull(expression.left) || isNull(expression.right)) {
    // Asks whether there is something; what is null or missing compares to nothing else.
    if (sign !== '==' && sign !== '!=') return () => false;
    return (subject) => ((left(subject) ?? null) === (right(subject) ?? null)) === (sign === '==');
  }
  const isEquality = sign === '==' || sign === '!=';
  const textOnLeft = isEquality && isPayload(expression.left);
  const textOnRight = isEquality && isPayload(expression.right);
  return (subject) => {
    const one = left(subject);
    const other = right(subject);
    // The payload `true`, say, is also the text "true".
    if (textOnLeft && typeof other === 'string' && subject.text === other) return sign === '==';
    if (textOnRight && typeof one === 'string' && subject.text === one) return sign === '==';
    return compared(sign, one, other);
  };
}

const NUMBER = /^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$/;

/** A value as a number where it can be one: true is 1, and digits are a number. */
function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'string' && NUMBER.test(value) ? Number(value) : null;
}

/** Compares values as numbers if one of them is a number, else as what they are. */
function compared(sign: Comparison, left: unknown, right: unknown): boolean {
  if (left === undefined || left === null || right === undefined || right === null) return false;
  if (typeof left === 'number' || typeof right === 'number') {
    const one = numberOf(left);
    const other = numberOf(right);
    return one === null || other === null ? sign === '!=' : ordered(sign, one, other);
  }
  if (typeof left === 'string' && typeof right === 'string') return ordered(sign, left, right);
  if (typeof left === 'boolean' && typeof right === 'boolean') return ordered(sign, Number(left), Number(right));
  return sign === '!=';
}

function ordered<T extends number | string>(sign: Comparison, left: T, right: T): boolean {
  switch (sign) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
  }
}

function matchOf(expression: Expression & { kind: 'match' }, tooSlow: () => void): Evaluator {
  const { isNegated } = expression;
  const matches = guarded(expression.regex);
  const of = compile(expression.of, tooSlow);
  const isWhole = isPayload(expression.of);
  return (subject) => {
    const value = isWhole ? subject.text : of(subject);
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return false;
    const found = matches(String(value));
    if (found === null) tooSlow();
    return found !== null && found !== isNegated;
  };
}
