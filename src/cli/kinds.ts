// Kinds of option values: how many words of the command line they take and what the words mean. A kind never sees another
// option, so a row of the tables says everything about its option.
import { NEVER_EXPIRES } from '../protocol/constants.ts';
import { topicFilterFault, topicNameFault } from '../protocol/topic.ts';
import { UsageError, withNearest } from './messages.ts';

/** Longest topic that a sentence quotes whole. */
const LONGEST_QUOTE = 1000;

/** A kind of value. */
export interface Kind<T> {
  /** Whether the option stands alone (a switch) or is followed by words that it eats, whatever they look like. */
  readonly switch: boolean;
  /**
   * How many of the words behind the option belong to it; more than there are means that some are missing. `isOption` tells
   * the spelling of an option, for a value that may be left out.
   */
  words(following: readonly string[], isOption: (word: string) => boolean): number;
  /** The value; throws UsageError. */
  parse(words: readonly string[]): T;
  /** The words that may be given, where they are few, for completion in a shell. */
  readonly choices?: readonly string[];
  /** The words that may follow each of the choices, if more than one word is taken. */
  readonly seconds?: () => Readonly<Record<string, readonly string[]>>;
}

/** A kind that takes one word. */
export function oneWord<T>(parse: (word: string) => T): Kind<T> {
  return { switch: false, words: () => 1, parse: (words) => parse(words[0] ?? '') };
}

/** A switch. */
export const FLAG: Kind<boolean> = { switch: true, words: () => 0, parse: () => true };

/** Any text, the empty one too. */
export const TEXT: Kind<string> = oneWord((word) => word);

/** Any text, or nothing where the command line ends or goes on with another option: null. */
export const TEXT_OR_NOTHING: Kind<string | null> = {
  switch: false,
  words: ([next], isOption) => (next === undefined || isOption(next) ? 0 : 1),
  parse: ([word]) => word ?? null,
};

/** A whole number within bounds, in decimal digits, blanks around them. `fault` makes the sentence for anything else. */
export function integer(min: number, max: number, fault: (word: string) => string): Kind<number> {
  return oneWord((word) => {
    const value = /^\s*[+-]?\d+\s*$/.test(word) ? Number(word) : Number.NaN;
    if (!(value >= min && value <= max)) throw new UsageError(fault(word));
    return value;
  });
}

/** Seconds, fractions allowed. */
export function seconds(min: number, fault: (word: string) => string): Kind<number> {
  return oneWord((word) => {
    const value = /^\s*[+-]?(\d+(\.\d*)?|\.\d+)\s*$/.test(word) ? Number(word) : Number.NaN;
    // A longer time does not fit a timer of Node (2^31 - 1 milliseconds).
    if (!(value >= min && value <= 2_147_483)) throw new UsageError(fault(word));
    return value;
  });
}

/** One of a few words. */
export function choice<const T extends Readonly<Record<string, unknown>>>(
  values: T,
  fault: (word: string) => string,
): Kind<T[keyof T]> {
  const choices = Object.keys(values);
  const kind = oneWord((text) => {
    const word = text.trim();
    if (!Object.hasOwn(values, word)) throw new UsageError(withNearest(fault(text), word, choices));
    return values[word] as T[keyof T];
  });
  return { ...kind, choices };
}

/** A form of payloads (--payload-format). */
export const PAYLOAD_FORMAT: Kind<'hex' | 'base64' | 'json' | 'cbor' | 'msgpack'> = choice(
  { hex: 'hex', base64: 'base64', json: 'json', cbor: 'cbor', msgpack: 'msgpack' },
  (word) => `Invalid --payload-format '${word}': it is hex, base64, json, cbor or msgpack.`,
);

/** A TCP port. */
export const PORT: Kind<number> = integer(1, 65_535, (word) => `Invalid port given: ${word}`);

/** A quality of service; `what` opens the sentence, for example 'Invalid will QoS'. */
export function qos(what: string): Kind<0 | 1 | 2> {
  return choice({ '0': 0, '1': 1, '2': 2 }, (word) => `${what} ${word}.`) as Kind<0 | 1 | 2>;
}

/** A topic to publish to; `what` names it in the sentence, for example 'publish topic'. */
export function topicName(what: string): Kind<string> {
  return oneWord((word) => checkTopicName(word, what));
}

/** A topic filter; `what` names it in the sentence, for example 'subscription topic'. */
export function topicFilter(what: string): Kind<string> {
  return oneWord((word) => checkTopicFilter(word, what));
}

/** A topic in a sentence: one that is too long for MQTT is too long for a terminal. */
const shortened = (topic: string): string =>
  topic.length > LONGEST_QUOTE ? `${topic.slice(0, LONGEST_QUOTE)}…` : topic;

/** Returns the topic; throws UsageError in Mosquitto's words where it is none. */
export function checkTopicName(topic: string, what: string): string {
  const fault = topicNameFault(topic);
  if (fault === null) return topic;
  if (/[+#]/.test(topic)) throw new UsageError(`Invalid ${what} '${shortened(topic)}', does it contain '+' or '#'?`);
  throw new UsageError(`Invalid ${what} '${shortened(topic)}', ${fault}.`);
}

/** Returns the filter; throws UsageError in Mosquitto's words where it is none. */
export function checkTopicFilter(filter: string, what: string): string {
  const fault = topicFilterFault(filter);
  if (fault === null) return filter;
  if (/[+#]/.test(filter)) {
    throw new UsageError(`Invalid ${what} '${shortened(filter)}', are all '+' and '#' wildcards correct?`);
  }
  throw new UsageError(`Invalid ${what} '${shortened(filter)}', ${fault}.`);
}

/** Seconds that a session outlives its connection; -1 and ∞ mean for ever. */
export const SESSION_EXPIRY: Kind<number> = oneWord((word) => {
  if (word === '∞') return NEVER_EXPIRES;
  if (!/^\s*[+-]?\d+\s*$/.test(word)) throw new UsageError('session-expiry-interval not a number.');
  const value = Number(word);
  if (value < -1 || value > NEVER_EXPIRES) throw new UsageError('session-expiry-interval out of range.');
  return value === -1 ? NEVER_EXPIRES : value;
});
