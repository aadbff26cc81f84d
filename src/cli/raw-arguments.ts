// Node hands over arguments as text, with U+FFFD for whatever is no UTF-8. Sent or stored, that would be another topic,
// message or password than the one that was given; Linux can tell.
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { UsageError } from './messages.ts';

const COMMAND_LINE = '/proc/self/cmdline';

/** Throws UsageError for an argument of this process that is not UTF-8. `argv` are its last arguments, as Node has them. */
export function checkArguments(argv: readonly string[], commandLine = COMMAND_LINE): void {
  const suspect = argv.findIndex((word) => word.includes('\uFFFD'));
  if (suspect < 0) return;
  const raw = rawArguments(commandLine).slice(-argv.length);
  const bad = raw.findIndex((bytes) => !isUtf8(bytes));
  // Arguments that are not this process's own came from a program, as text.
  if (bad < 0 || raw.some((bytes, i) => bytes.toString() !== argv[i])) return;
  const before = argv[bad - 1];
  const sentence = `Malformed UTF-8 in ${before?.startsWith('-') === true ? `${before} ` : ''}argument.`;
  const way = before === '-m' || before === '--message' ? '\nFor a message that is no text, use -f or -s.' : '';
  throw new UsageError(sentence + way);
}

function rawArguments(commandLine: string): Buffer[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(commandLine);
  } catch {
    return [];
  }
  const words: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0, start);
    words.push(bytes.subarray(start, end < 0 ? bytes.length : end));
    start = end < 0 ? bytes.length : end + 1;
  }
  return words;
}
