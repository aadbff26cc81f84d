// --topic-map FROM=TO: other topics for what is sent. FROM is the beginning of a topic, whole levels of it, in which + stands
// for any level; TO takes its place.
import { type Kind, oneWord } from '../kinds.ts';
import { UsageError } from '../messages.ts';

/** One rule, both sides as levels. */
export interface TopicRule {
  readonly from: readonly string[];
  readonly to: readonly string[];
}

/** The kind of --topic-map. */
export const TOPIC_RULE: Kind<TopicRule> = oneWord((word) => {
  const fault = (why: string): UsageError => new UsageError(`Invalid topic map "${word}", ${why}.`);
  const at = word.indexOf('=');
  if (at < 0) throw fault('it must be FROM=TO');
  const from = levels(word.slice(0, at));
  const to = levels(word.slice(at + 1));
  for (const side of [from, to]) {
    if (side.some((level) => level !== '+' && /[+#]/.test(level))) {
      throw fault("'+' must be a whole level, and '#' the last one");
    }
  }
  if (countWild(to) > countWild(from)) throw fault("TO has more levels '+' than FROM, and nothing to put there");
  return { from, to };
});

/** The levels of one side; a # at its end says what goes without saying. */
function levels(side: string): string[] {
  const all = side === '' ? [] : side.split('/');
  if (all.at(-1) === '#') all.pop();
  return all;
}

const countWild = (side: readonly string[]): number => side.filter((level) => level === '+').length;

/**
 * Makes a function that maps topics. The rule with the most levels that fits counts, of several the one with fewer +, of
 * several the first; a topic that none fits stays as it is. What comes out need not be a topic: `a=` makes nothing of `a`.
 */
export function topicMapper(rules: readonly TopicRule[]): (topic: string) => string {
  if (rules.length === 0) return (topic) => topic;
  const sorted = rules.toSorted(
    (one, other) => other.from.length - one.from.length || countWild(one.from) - countWild(other.from),
  );
  return (topic) => {
    const parts = topic.split('/');
    const rule = sorted.find(({ from }) => fits(from, parts));
    if (rule === undefined) return topic;
    const wild = parts.filter((_, i) => rule.from[i] === '+').values();
    const front = rule.to.map((level) => (level === '+' ? (wild.next().value ?? '') : level));
    return [...front, ...parts.slice(rule.from.length)].join('/');
  };
}

function fits(from: readonly string[], parts: readonly string[]): boolean {
  return from.length <= parts.length && from.every((level, i) => level === '+' || level === parts[i]);
}
