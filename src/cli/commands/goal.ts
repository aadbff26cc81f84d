// What mqtt-sub waits for (-C, --expect, --until), and what it says and exits with when something else ends it before.
import type { ReceivedMessage } from '../../client/options.ts';
import { EXIT_TIMEOUT } from '../exit-status.ts';
import { EXIT_ERROR, EXIT_OK, UsageError } from '../messages.ts';
import type { Expectation } from '../options/subscribe.ts';
import type { Options } from '../options/tables.ts';

/** How a tool ends: its exit code, and what is wrong (null for nothing). */
export interface Verdict {
  readonly code: number;
  readonly sentence: string | null;
}

/** What the tool waits for. */
export interface Goal {
  /** Looks at a message that was printed; true where there is nothing more to wait for. */
  reached(message: ReceivedMessage): boolean;
  /**
   * How the tool ends that would end with this exit code if it waited for nothing.
   * @param isComplete whether all messages came that were asked for (--retained-only)
   */
  verdict(code: number, isComplete: boolean): Verdict;
}

type GoalOptions = Pick<Options<'sub'>, 'count' | 'expect' | 'until' | 'timeout'> &
  Partial<Pick<Options<'sub'>, 'payloadFormat'>>;

/** The goal that the options set. Throws UsageError for one that has no meaning. */
export async function goalFor(options: GoalOptions, warn: (sentence: string) => void): Promise<Goal> {
  const { count, expect, until, timeout, payloadFormat = null } = options;
  if (expect !== null) {
    if (expect.exactly && timeout === null) {
      throw new UsageError("An exact number of messages needs a time to wait for more of them: add '-W'.");
    }
    return new Expected(expect);
  }
  if (until === null) return new Counted(count);
  const { compileCondition } = await import('../condition/condition.ts');
  const isTrue = compileCondition(until, warn);
  if (payloadFormat === null) return new Fulfilled(isTrue, count);
  const { withShownPayload } = await import('../payload/shown.ts');
  const shown = await withShownPayload(payloadFormat);
  return new Fulfilled((message) => isTrue(shown(message)), count);
}

/** -C: so many messages; null for no end. */
class Counted implements Goal {
  readonly #count: number | null;
  #seen = 0;

  constructor(count: number | null) {
    this.#count = count;
  }

  reached(): boolean {
    this.#seen += 1;
    return this.#seen === this.#count;
  }

  verdict(code: number): Verdict {
    return { code, sentence: null };
  }
}

/** --expect. */
class Expected implements Goal {
  readonly #expectation: Expectation;
  #seen = 0;

  constructor(expectation: Expectation) {
    this.#expectation = expectation;
  }

  reached(): boolean {
    this.#seen += 1;
    const { count, exactly } = this.#expectation;
    return this.#seen === (exactly ? count + 1 : count);
  }

  verdict(code: number, isComplete: boolean): Verdict {
    const { count, exactly } = this.#expectation;
    const timeIsOver = code === EXIT_TIMEOUT;
    // That there are no more is known only then.
    if (this.#seen === count && (timeIsOver || isComplete || !exactly)) return { code: EXIT_OK, sentence: null };
    const sentence = `Expected ${count} ${count === 1 ? 'message' : 'messages'}, got ${this.#seen}.`;
    if (this.#seen === count) return { code: EXIT_ERROR, sentence: `${sentence} The time of -W was not over.` };
    return { code: timeIsOver ? EXIT_TIMEOUT : code === EXIT_OK ? EXIT_ERROR : code, sentence };
  }
}

/** --until, with -C as the number of messages after which it gives up. */
class Fulfilled implements Goal {
  readonly #isTrueOf: (message: ReceivedMessage) => boolean;
  readonly #patience: Counted;
  #isFulfilled = false;

  constructor(isTrueOf: (message: ReceivedMessage) => boolean, count: number | null) {
    this.#isTrueOf = isTrueOf;
    this.#patience = new Counted(count);
  }

  reached(message: ReceivedMessage): boolean {
    this.#isFulfilled = this.#isTrueOf(message);
    const isOver = this.#patience.reached();
    return this.#isFulfilled || isOver;
  }

  verdict(code: number): Verdict {
    if (this.#isFulfilled) return { code: EXIT_OK, sentence: null };
    const sentence = 'No message fulfilled the condition of --until.';
    return { code: code === EXIT_OK ? EXIT_ERROR : code, sentence };
  }
}
