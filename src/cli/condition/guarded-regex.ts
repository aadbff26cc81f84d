// Regular expressions against texts of strangers: some expressions take time that grows exponentially with a text made for
// it. Most can't, and are used as they are; any other runs in a context that V8 interrupts when its time is over.
import { createContext, Script } from 'node:vm';

/** Milliseconds that an expression may take for one text: long enough for a busy machine, and bearable once in a while. */
const PATIENCE_MS = 500;

/** What is left of that time in the end, for whoever sends one text after the other that takes all of it. */
const LEAST_MS = 10;

/** A text so short that one repetition, tried from each of its places, is over in no time. */
const SHORT = 4096;

/** Whether an expression matches; null where it took too long to tell. */
export type Matcher = (text: string) => boolean | null;

/** A matcher that comes to an end in half a second, or another time in milliseconds; each time it does not, the next is shorter. */
export function guarded(regex: RegExp, patienceMs = PATIENCE_MS): Matcher {
  const repetitions = repetitionsOf(regex.source);
  if (repetitions === 0) return (text) => regex.test(text);
  let slow: Matcher | null = null;
  return (text) => {
    if (repetitions === 1 && text.length <= SHORT) return regex.test(text);
    slow ??= interrupted(regex, patienceMs);
    return slow(text);
  };
}

/** How many parts of an expression are repeated without bound; more than one for any that repeats a group. */
function repetitionsOf(source: string): number {
  let count = 0;
  // Escaped characters and classes are no signs; what they are replaced by is no sign, either.
  const signs = source.replace(/\\./gs, 'a').replace(/\[[^\]]*\]/g, 'a');
  for (const [sign] of signs.matchAll(/\)[*+{]|[*+{]/g)) count += sign.length;
  return count;
}

/** The program is always the same; what it works on comes from outside. */
function interrupted(regex: RegExp, patienceMs: number): Matcher {
  let timeout = patienceMs;
  const program = new Script('regex.test(text)');
  const place = createContext({ regex, text: '' });
  return (text) => {
    place['text'] = text;
    try {
      return program.runInContext(place, { timeout }) === true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      timeout = Math.max(Math.min(LEAST_MS, timeout), Math.floor(timeout / 2));
      return null;
    } finally {
      place['text'] = '';
    }
  };
}
