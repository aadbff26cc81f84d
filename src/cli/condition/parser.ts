// Words of a --until condition → a tree. The grammar is that of C and JavaScript without arithmetic:
//   or: and ('||' and)*    and: comparison ('&&' comparison)*    comparison: unary (('==' | '<' | …) unary)?
//   unary: '!'* primary    primary: '(' or ')' | literal | path | unary ('~' | '!~') REGEX | REGEX
import { ConditionError, type Token, tokensOf } from './tokens.ts';

/** Where a path begins. */
export type Root = 'payload' | 'topic' | 'qos' | 'retain' | 'properties';

/** Signs that compare. */
export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';

/** A condition as a tree. */
export type Expression =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'path'; readonly root: Root; readonly steps: readonly (string | number)[] }
  | { readonly kind: 'any' | 'all'; readonly of: readonly Expression[] }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'compare'; readonly sign: Comparison; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'match'; readonly of: Expression; readonly regex: RegExp; readonly isNegated: boolean };

const ROOTS: readonly string[] = ['payload', 'topic', 'qos', 'retain', 'properties'] satisfies Root[];
const COMPARISONS: readonly string[] = ['==', '!=', '<', '<=', '>', '>='] satisfies Comparison[];
const WORDS: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null };

/** Brackets and '!' within each other; keeps the stack small. */
const MAX_DEPTH = 100;

/** Parses a condition. Throws ConditionError. */
export function parseCondition(text: string): Expression {
  return new Parser(tokensOf(text)).whole();
}

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Expression {
    const expression = this.#any();
    const { kind, value, at } = this.#peek();
    if (kind === 'end') return expression;
    if (value === ')') throw new ConditionError("there is no '(' for this ')'", at);
    throw new ConditionError("'&&', '||' or the end was expected here", at);
  }

  #peek(): Token {
    // The end is never taken.
    return this.#tokens[this.#next] as Token;
  }

  /** Takes the next word if it is one of these signs. */
  #take(...signs: readonly string[]): string | null {
    const { kind, value } = this.#peek();
    if (kind !== 'sign' || !signs.includes(value)) return null;
    this.#next += 1;
    return value;
  }

  #any(): Expression {
    return this.#list('any', '||', () => this.#all());
  }

  #all(): Expression {
    return this.#list('all', '&&', () => this.#comparison());
  }

  #list(kind: 'any' | 'all', sign: string, part: () => Expression): Expression {
    const first = part();
    const of = [first];
    while (this.#take(sign) !== null) of.push(part());
    return of.length === 1 ? first : { kind, of };
  }

  #comparison(): Expression {
    const left = this.#unary();
    const sign = this.#take(...COMPARISONS) as Comparison | null;
    if (sign === null) return left;
    const next = this.#peek();
    if (next.kind === 'regex') {
      throw new ConditionError(`a regular expression must follow '~', not '${sign}'`, next.at);
    }
    const right = this.#unary();
    const { kind, value, at } = this.#peek();
    if (kind === 'sign' && COMPARISONS.includes(value)) {
      throw new ConditionError("comparisons can't be chained, join them with '&&'", at);
    }
    return { kind: 'compare', sign, left, right };
  }

  #unary(): Expression {
    const { at } = this.#peek();
    if (this.#take('!') === null) return this.#matched(this.#primary());
    return this.#nested(at, () => ({ kind: 'not', of: this.#unary() }));
  }

  #matched(of: Expression): Expression {
    const sign = this.#take('~', '!~');
    if (sign === null) return of;
    const token = this.#peek();
    if (token.kind !== 'regex') {
      throw new ConditionError(`a regular expression must follow '${sign}', as in ${sign} /on|off/`, token.at);
    }
    this.#next += 1;
    return { kind: 'match', of, regex: token.value, isNegated: sign === '!~' };
  }

  #primary(): Expression {
    const token = this.#peek();
    if (this.#take('(') !== null) {
      const inner = this.#nested(token.at, () => this.#any());
      if (this.#take(')') === null) throw new ConditionError("this '(' is never closed", token.at);
      return inner;
    }
    if (token.kind === 'end') throw new ConditionError('a value was expected here', token.at);
    if (token.kind === 'sign') throw new ConditionError(`a value was expected here, not '${token.value}'`, token.at);
    if (token.kind === 'member') throw new ConditionError("a name was expected in front of this '.'", token.at);
    this.#next += 1;
    if (token.kind === 'name') return this.#named(token.value, token.at);
    if (token.kind !== 'regex') return { kind: 'literal', value: token.value };
    return { kind: 'match', of: { kind: 'path', root: 'payload', steps: [] }, regex: token.value, isNegated: false };
  }

  #named(name: string, at: number): Expression {
    if (Object.hasOwn(WORDS, name)) return { kind: 'literal', value: WORDS[name] ?? null };
    if (ROOTS.includes(name)) return { kind: 'path', root: name as Root, steps: this.#steps() };
    throw new ConditionError(`'${name}' is unknown; there are ${ROOTS.slice(0, -1).join(', ')} and properties`, at);
  }

  #steps(): readonly (string | number)[] {
    const steps: (string | number)[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.kind === 'member') {
        this.#next += 1;
        steps.push(token.value);
      } else if (this.#take('[') !== null) {
        steps.push(this.#index());
        if (this.#take(']') === null) throw new ConditionError("this '[' is never closed", token.at);
      } else {
        return steps;
      }
    }
  }

  #index(): string | number {
    const token = this.#peek();
    const isIndex = token.kind === 'number' && Number.isInteger(token.value) && token.value >= 0;
    if (token.kind !== 'string' && !isIndex) {
      throw new ConditionError("a number from 0 on or a quoted name must follow '['", token.at);
    }
    this.#next += 1;
    return token.value;
  }

  #nested(at: number, parse: () => Expression): Expression {
    if (this.#depth === MAX_DEPTH) throw new ConditionError('this is nested too deeply', at);
    this.#depth += 1;
    const inner = parse();
    this.#depth -= 1;
    return inner;
  }
}
