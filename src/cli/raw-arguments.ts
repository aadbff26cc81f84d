// Node hands over arguments as text, with U+FFFD for whatever is no UTF-8. Sent or stored, that would be another topic,
// message or password than the one that was given; Linux can tell.
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { UsageError } from './messages.ts';
import type { Tool } from './options/row.ts';

const COMMAND_LINE = '/proc/self/cmdline';

/** Tools, options and properties with values of any bytes; what mqtt-bench sends is a text with places to fill in. */
const TOOLS: readonly Tool[] = ['pub', 'sub', 'rr'];
const PAYLOADS: readonly string[] = ['-m', '--message', '--will-payload'];
const PROPERTIES: readonly string[] = ['-D', '--property'];
const BINARY_PROPERTIES: readonly string[] = ['correlation-data', 'authentication-data'];

/** What the arguments that are no UTF-8 were, by the text that Node made of them. */
const given = new Map<string, Buffer>();

/**
 * Keeps the bytes of arguments that may be any, and throws UsageError for another one of this process that is not UTF-8.
 * `argv` are its last arguments, as Node has them.
 */
export function checkArguments(tool: Tool, argv: readonly string[], commandLine = COMMAND_LINE): void {
  if (!argv.some((word) => word.includes('\uFFFD'))) return;
  const raw = rawArguments(commandLine).slice(-argv.length);
  // Arguments that are not this process's own came from a program, as text.
  if (raw.some((bytes, i) => bytes.toString() !== argv[i])) return;
  given.clear();
  for (const [i, bytes] of raw.entries()) {
    if (isUtf8(bytes)) continue;
    const text = bytes.toString();
    const before = argv[i - 1];
    // Two of the same text could not be told apart later on.
    if (!TOOLS.includes(tool) || !mayBeBytes(argv, i) || given.get(text)?.equals(bytes) === false) {
      throw new UsageError(`Malformed UTF-8 in ${before?.startsWith('-') === true ? `${before} ` : ''}argument.`);
    }
    given.set(text, bytes);
  }
}

/** The bytes that an argument was given as; for text those of UTF-8. */
export function bytesOf(word: string): Buffer {
  return given.get(word) ?? Buffer.from(word);
}

function mayBeBytes(argv: readonly string[], place: number): boolean {
  const [option = '', , name = ''] = argv.slice(Math.max(0, place - 3), place);
  return PAYLOADS.includes(argv[place - 1] ?? '') || (PROPERTIES.includes(option) && BINARY_PROPERTIES.includes(name));
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
