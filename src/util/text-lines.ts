// Bytes of a file → the lines of its text.
import { isUtf8 } from 'node:buffer';

/** The lines without their line feeds and a byte order mark, and the number of the first that is not UTF-8; null if all are. */
export function linesOf(bytes: Buffer): { readonly lines: readonly string[]; readonly faulty: number | null } {
  const lines = bytes
    .toString()
    .replace(/^\uFEFF/, '')
    .split('\n');
  // What is no UTF-8 became U+FFFD.
  return { lines, faulty: isUtf8(bytes) ? null : lines.findIndex((text) => text.includes('\uFFFD')) + 1 };
}
