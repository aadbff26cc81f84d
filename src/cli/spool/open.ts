// Opening a spool: whose file it is, what is in it, and what of it can't be trusted.
import {
  closeSync,
  constants,
  fchmodSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  realpathSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { type LockFile, takeLock } from '../../util/lock-file.ts';
import { systemErrorText } from '../../util/system-error.ts';
import { UsageError } from '../messages.ts';
import { Walk } from './walk.ts';

/** What every spool begins with. */
export const HEADER: Buffer = Buffer.from('mqtt-suite spool 1\n');

const COPY_CHUNK = 1_048_576;

/** What a spool holds: messages, how many of them are done, and where the first that is not may be looked for. */
export interface Content {
  /** Bytes that can be trusted. */
  readonly end: number;
  readonly messages: number;
  readonly done: number;
  readonly head: number;
}

/** A spool that was opened and is locked. */
export interface Opened {
  readonly file: string;
  readonly fd: number;
  readonly lock: LockFile;
  readonly content: Content;
  /** A sentence about what was left out; null where the file was whole. */
  readonly warning: string | null;
}

/**
 * Opens a spool, or makes one that only its owner may read. What can't be trusted is moved to a file beside it. Throws
 * UsageError where the file is in use, is something else than a spool or can't be opened.
 */
export function openSpoolFile(name: string): Opened {
  let lock: LockFile | null = null;
  let fd = -1;
  try {
    const file = placeOf(name);
    const taken = takeLock(`${file}.lock`);
    if (typeof taken === 'number') {
      throw new UsageError(`The spool "${name}" is in use by the process ${taken}.`, 'nothing');
    }
    lock = taken;
    fd = openSync(file, constants.O_RDWR | constants.O_CREAT | (constants.O_NONBLOCK ?? 0), 0o600);
    const { size } = checkKind(fd, name);
    fchmodSync(fd, 0o600);
    if (size === 0) syncFolder(path.dirname(file));
    const content = readContent(fd, size);
    const warning = content.end < size ? moveRest(fd, file, content, size) : null;
    return { file, fd, lock, content, warning };
  } catch (error) {
    if (fd >= 0) closeSync(fd);
    lock?.release();
    if (error instanceof UsageError) throw error;
    throw new UsageError(`Unable to open the spool "${name}": ${systemErrorText(error)}.`, 'nothing');
  }
}

/** The file itself, which is made where it is not there: whoever comes to it by another link finds the same lock. */
function placeOf(name: string): string {
  try {
    return realpathSync(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    closeSync(openSync(name, constants.O_WRONLY | constants.O_CREAT, 0o600));
    return realpathSync(name);
  }
}

/** Nothing that is no spool is ever written to. */
function checkKind(fd: number, name: string): { size: number } {
  const facts = fstatSync(fd);
  if (!facts.isFile()) throw new UsageError(`The spool "${name}" is not a regular file.`, 'nothing');
  const start = Buffer.alloc(Math.min(facts.size, HEADER.length));
  readSync(fd, start, 0, start.length, 0);
  if (!start.equals(HEADER.subarray(0, start.length))) {
    throw new UsageError(`"${name}" is not a spool of mqtt-pub; it is left as it is.`, 'nothing');
  }
  // Each of its names would have a lock of its own.
  if (facts.nlink > 1) {
    throw new UsageError(`The spool "${name}" has ${facts.nlink} names (hard links): it must have one.`, 'nothing');
  }
  return facts;
}

/** What is in an open spool of this size, up to the first thing that is no record. */
export function readContent(fd: number, size: number): Content {
  const none: Content = { end: 0, messages: 0, done: 0, head: HEADER.length };
  // A header that was not written to its end has nothing behind it.
  if (size < HEADER.length) return none;
  const walk = new Walk(fd, HEADER.length);
  let { messages, done, head } = none;
  for (;;) {
    const end = walk.position;
    const step = walk.next(size);
    if (step.kind === 'message') messages += 1;
    else if (step.kind !== 'done') return { end, messages, done, head };
    else if (step.count < done || step.count > messages || step.offset > end || step.offset < head) {
      return { end, messages, done, head };
    } else {
      done = step.count;
      head = step.offset;
    }
  }
}

/** Moves what can't be trusted out of the spool; the sentence about it. */
function moveRest(fd: number, file: string, { end, messages, done }: Content, size: number): string {
  const { copy, target } = newCopy(`${file}.damaged`);
  try {
    const chunk = Buffer.alloc(Math.min(size - end, COPY_CHUNK));
    for (let at = end; at < size; ) {
      const count = readSync(fd, chunk, 0, Math.min(chunk.length, size - at), at);
      if (count === 0) break;
      writeWhole(target, chunk.subarray(0, count), null);
      at += count;
    }
    fdatasyncSync(target);
  } finally {
    closeSync(target);
  }
  ftruncateSync(fd, end);
  const bytes = size - end === 1 ? 'The last byte' : `The last ${size - end} bytes`;
  const kept = messages - done;
  return `${bytes} of the spool "${file}" are damaged or were not written to their end: they are moved to "${copy}" and not sent. The ${kept === 1 ? 'line' : `${kept} lines`} in front of them ${kept === 1 ? 'is' : 'are'} whole.`;
}

/** A new file of this name, or of this name with a number: what was moved there earlier stays. */
function newCopy(name: string): { copy: string; target: number } {
  for (let number = 1; ; number++) {
    const copy = number === 1 ? name : `${name}.${number}`;
    try {
      return { copy, target: openSync(copy, 'wx', 0o600) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Writes all of the bytes; at the file's place where `at` is null. Throws as the file system does. */
export function writeWhole(fd: number, bytes: Buffer, at: number | null): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(fd, bytes, done, bytes.length - done, at === null ? null : at + done);
  }
}

/** The name of a new file is in the folder, which has a sync of its own. Not every system lets a folder be opened. */
export function syncFolder(folder: string): void {
  try {
    const fd = openSync(folder, 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // The file itself is synced; that is as much as there is.
  }
}
