// The password file on the disk, for mqtt-passwd: read with its faults told, and changed by one process at a time.
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { type LockFile, takeLock } from '../../util/lock-file.ts';
import { readSmallFile } from '../../util/small-file.ts';
import { systemErrorText } from '../../util/system-error.ts';
import type { Io } from '../io.ts';
import { UsageError } from '../messages.ts';
import { besideName, interruptedChange, realTarget, replaceFile } from './replace-file.ts';

/** Largest password file that is read, in bytes. */
const LARGEST_FILE = 128 * 1024 * 1024;
/** Milliseconds that another process may hold the lock: it reads, changes and writes the file meanwhile, and nothing else. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 20;
/** Milliseconds that a process of another container, which can't be seen from here, may hold it. */
const GRACE_MS = 2000;

/** An error that is not about the command line: the sentence alone, exit code 1. */
export function failure(sentence: string): UsageError {
  return new UsageError(sentence, 'nothing');
}

/** The file as Latin-1 text. Throws a sentence. */
export function loadPasswords(file: string): string {
  return load(file).text;
}

/** Like loadPasswords, and warns about a file that everybody may read. */
export function loadPasswordsAndWarn(file: string, io: Pick<Io, 'stderr'>): string {
  const { text, mode } = load(file);
  if ((mode & 0o004) !== 0) {
    io.stderr.write(
      `Warning: File ${file} has world readable permissions. Future versions will refuse to load this file.\n`,
    );
  }
  return text;
}

function load(file: string): { text: string; mode: number } {
  try {
    const { bytes, mode } = readSmallFile(file, LARGEST_FILE);
    if (bytes.includes(0)) throw failure(`File ${file} is no password file: it is not text.`);
    return { text: bytes.toString('latin1'), mode };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw failure(`Unable to open password file ${file}. ${systemErrorText(error)}.`);
  }
}

/**
 * Changes a file while no other mqtt-passwd does: hands its text to `change` and writes what that returns; null leaves the
 * file alone. Rejects with what change throws, and with sentences.
 */
export async function changePasswords(
  file: string,
  io: Pick<Io, 'stderr'>,
  change: (before: string) => string | null,
): Promise<void> {
  await locked(file, io, (target) => {
    const before = loadPasswords(target);
    const after = change(before);
    if (after !== null && after !== before) replaceFile(target, Buffer.from(after, 'latin1'), false);
  });
}

/** Makes a file with this text, or overwrites it. Rejects with a sentence. */
export async function createPasswords(file: string, io: Pick<Io, 'stderr'>, text: string): Promise<void> {
  await locked(file, io, (target) => replaceFile(target, Buffer.from(text, 'latin1'), true));
}

/** Does the work with the lock of a file; `target` is the file without symbolic links. */
async function locked(file: string, io: Pick<Io, 'stderr'>, work: (target: string) => void): Promise<void> {
  try {
    const target = realTarget(file);
    const isFile = statSync(target, { throwIfNoEntry: false })?.isFile() ?? true;
    const lock = isFile ? await lockOf(target, file, io) : null;
    try {
      if (isFile) tidy(target, io);
      work(target);
    } finally {
      lock?.release();
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw failure(`Unable to open file ${file} for writing. ${systemErrorText(error)}.`);
  }
}

function tidy(target: string, io: Pick<Io, 'stderr'>): void {
  const kept = interruptedChange(target);
  if (kept === null) return;
  io.stderr.write(
    `Warning: A change of ${target} was interrupted while it was being written. What it was to become is in ${kept}.\n`,
  );
}

/** Takes the lock of a file: beside it, so that every user of the folder meets it; elsewhere if the folder forbids that. */
async function lockOf(target: string, file: string, io: Pick<Io, 'stderr'>): Promise<LockFile | null> {
  const inTurn = [besideName(target, 'lock'), temporaryLock(target)];
  for (const place of inTurn) {
    try {
      return await waitForLock(place, file);
    } catch (error) {
      if (!isForbidden(error) || existsSync(place)) throw error;
    }
  }
  io.stderr.write(`Warning: File ${file} can't be locked: no file can be made beside it, nor in ${os.tmpdir()}.\n`);
  return null;
}

/** One for each user: else anybody could leave a file there that nobody else may remove. */
function temporaryLock(target: string): string {
  const name = createHash('sha256').update(path.resolve(target)).digest('hex').slice(0, 16);
  return path.join(os.tmpdir(), `mqtt-passwd-${process.getuid?.() ?? 0}-${name}.lock`);
}

async function waitForLock(place: string, file: string): Promise<LockFile> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const lock = tryLock(place);
    if (typeof lock === 'object') return lock;
    if (performance.now() > end) {
      const who = lock === 0 ? 'another process' : `the process ${lock}`;
      throw failure(`File ${file} is being changed by ${who}, see ${place}. Nothing was changed.`);
    }
    await delay(PAUSE_MS);
  }
}

/** The lock, or the pid of who holds it: 0 for a process of another user or container. */
function tryLock(place: string): LockFile | number {
  try {
    return takeLock(place, GRACE_MS);
  } catch (error) {
    if (isForbidden(error) && existsSync(place)) return 0;
    throw error;
  }
}

const isForbidden = (error: unknown): boolean =>
  ['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '');
