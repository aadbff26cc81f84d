// Texts that millions of records have in common, like topics and publishers: the same string for the same bytes, in most
// cases without making it first.
import type { Part } from './segment.ts';

interface Known {
  readonly bytes: Buffer;
  readonly text: string;
}

/** Texts that are found by their bytes; another one with the same hash takes the place. */
const RECENT = 1024;
/** Beyond this length, looking at each byte costs more than it saves. */
const LONGEST = 64;

/** Makes strings of bytes. */
export class CommonTexts {
  private readonly recent: (Known | undefined)[];
  private readonly all: Map<string, string>;

  constructor() {
    this.recent = new Array(RECENT).fill(undefined);
    this.all = new Map();
  }

  /** The text of these bytes. */
  of(part: Part): string {
    const { buffer, start, end } = part;
    if (end - start > LONGEST) return this.shared(buffer.toString('utf8', start, end));
    const place = hashOf(part) & (RECENT - 1);
    const known = this.recent[place];
    if (known !== undefined && isSame(known.bytes, part)) return known.text;
    const text = this.shared(buffer.toString('utf8', start, end));
    this.recent[place] = { bytes: Buffer.from(buffer.subarray(start, end)), text };
    return text;
  }

  /** Forgets them. */
  clear(): void {
    this.recent.fill(undefined);
    this.all.clear();
  }

  private shared(text: string): string {
    const known = this.all.get(text);
    if (known !== undefined) return known;
    this.all.set(text, text);
    return text;
  }
}

/** FNV-1a, with its upper half mixed in. */
function hashOf({ buffer, start, end }: Part): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ buffer[at]!, 0x01000193);
  return hash ^ (hash >>> 16);
}

function isSame(bytes: Buffer, { buffer, start, end }: Part): boolean {
  if (bytes.length !== end - start) return false;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] !== buffer[start + at]) return false;
  return true;
}
