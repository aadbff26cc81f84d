// Words → the options that they give. Mosquitto's grammar is simple and strict: a word is an option exactly as spelled, and
// the words behind it are its value whatever they look like (`-m --help` sends "--help"), so the option table alone can cut
// them. The words are those of a command line, or those of one line of an options file.
import { maskAll } from './masks.ts';
import { UsageError } from './messages.ts';
import type { OptionRow, Tool } from './options/row.ts';
import { unknownOption } from './suggest.ts';

/** An option that is given, with its value. */
export interface Given {
  readonly row: OptionRow;
  readonly value: unknown;
}

/** Words cut into options. */
export interface Cut {
  readonly given: readonly Given[];
  /** Words that are no options; only mqtt-passwd takes any. */
  readonly operands: readonly string[];
  /** An option such as --help made the rest of no account. */
  readonly stopped: boolean;
  /** The words with a mask for every secret; null where there is none. */
  readonly shown: readonly string[] | null;
}

/** Cuts the words of a command line, or with `isLine` of a line of an options file. Throws UsageError. */
export function cutWords(tool: Tool, rows: readonly OptionRow[], words: readonly string[], isLine = false): Cut {
  const given: Given[] = [];
  let operands: readonly string[] = [];
  let stopped = false;
  let shown: string[] | null = null;
  // A value of a file ends with its line, so that nothing can be taken for an option that is left out.
  const isOption = (word: string): boolean => !isLine && rows.some((row) => row.names.includes(word));
  for (let i = 0; i < words.length && !stopped; ) {
    const word = words[i]!;
    if (tool === 'passwd' && (word === '-' || !word.startsWith('-'))) {
      operands = words.slice(i);
      break;
    }
    const row = rows.find((candidate) => candidate.names.includes(word));
    const isBehindValue = !isLine && given.at(-1)?.row.kind.switch === false;
    // The broker shows its whole usage, as Mosquitto does; the other tools point to it.
    if (row === undefined)
      throw new UsageError(unknownOption(word, tool, isBehindValue), tool === 'broker' ? 'usage' : 'hint');
    if (row.refused !== undefined) {
      throw new UsageError(`The option '${word}' is known but not supported. ${row.refused}`);
    }
    const following = words.slice(i + 1);
    const count = row.kind.words(following, isOption);
    if (count > following.length) throw new UsageError(`${row.missing}.`);
    const taken = following.slice(0, count);
    if (row.mask !== undefined) {
      shown ??= [...words];
      shown.splice(i + 1, count, ...row.mask(taken));
    }
    given.push({ row, value: row.kind.parse(taken) });
    stopped = row.stops === true;
    i += 1 + count;
  }
  // mqtt-passwd -b FILE USER PASSWORD.
  if (operands.length > 2 && given.some(({ row }) => row.key === 'batch')) {
    shown = [...words.slice(0, -operands.length), ...operands.slice(0, 2), ...maskAll(operands.slice(2))];
  }
  return { given, operands, stopped, shown };
}
