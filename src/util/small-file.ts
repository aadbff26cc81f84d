// Files that people name in options: read whole, but never without a bound, and without ever waiting for a pipe or a device
// that may have nothing to say.
import { closeSync, fstatSync, readSync } from 'node:fs';
import { nap } from './nap.ts';
import { openNow, TO_READ } from './open-now.ts';
import { systemErrorText } from './system-error.ts';

/** Bytes asked for at a time, where the size is not known. */
const CHUNK = 65_536;
/** Milliseconds between two looks at a pipe. */
const NAP_MS = 10;

/** A file that can't be read. The message is the cause alone, without the path and without a full stop. */
export class UnreadableFile extends Error {
  /** The system's code for it; undefined where the system had nothing against it. */
  readonly code: string | undefined;

  constructor(cause: string, code?: string) {
    super(cause);
    this.name = 'UnreadableFile';
    this.code = code;
  }
}

/** A file's bytes, and the bits of its mode. */
export interface SmallFile {
  readonly bytes: Buffer;
  readonly mode: number;
}

/**
 * Reads a file of at most `largest` bytes. A pipe is read to its end if its writer says everything within `patienceMs`
 * milliseconds, during which the thread is blocked. Throws UnreadableFile.
 */
export function readSmallFile(path: string, largest: number, patienceMs = 0): SmallFile {
  try {
    const file = openNow(path, TO_READ);
    try {
      const info = fstatSync(file);
      if (info.isDirectory()) throw new UnreadableFile('Is a directory');
      if (info.size > largest) throw tooLarge(largest);
      const bytes = readToEnd(file, largest, patienceMs);
      if (bytes.length === 0 && info.isFIFO()) throw new UnreadableFile('It is a pipe that nobody writes to');
      return { bytes, mode: info.mode };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (error instanceof UnreadableFile) throw error;
    throw new UnreadableFile(systemErrorText(error), (error as NodeJS.ErrnoException).code);
  }
}

function readToEnd(file: number, largest: number, patienceMs: number): Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  let waited = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const count = readSome(file, chunk);
    if (count === 0) return Buffer.concat(chunks, size);
    if (count === null) {
      if (waited >= patienceMs) throw new UnreadableFile('It is a pipe or device that has no end');
      nap(NAP_MS);
      waited += NAP_MS;
      continue;
    }
    chunks.push(chunk.subarray(0, count));
    size += count;
    if (size > largest) throw tooLarge(largest);
  }
}

/** The number of bytes that were there; 0 at the end, null where more may come later. */
function readSome(file: number, target: Buffer): number | null {
  try {
    return readSync(file, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return null;
    throw error;
  }
}

function tooLarge(largest: number): UnreadableFile {
  return new UnreadableFile(`It is larger than ${largest} bytes`);
}
