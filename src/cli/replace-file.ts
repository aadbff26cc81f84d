// Writes a file that holds secrets so that readers see the old or the new content, never half of it: a new file beside it,
// synced, renamed over it. A file that is a mount of its own (as containers do) can't be renamed over, and a folder may
// forbid new files; then it is written in place.
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';

/** Errors of the careful way that the plain way may not meet. */
const FALL_BACK = new Set(['EACCES', 'EBUSY', 'EPERM', 'EROFS', 'EXDEV']);

/**
 * Replaces or makes a file. Only its owner may read it afterwards; a group that could read it, while others could not,
 * still can. A symbolic link stays one. Rejects with the system's error; the old content is whole then, except after an
 * error in place.
 */
export async function replaceFile(file: string, content: Buffer): Promise<void> {
  const target = await realpath(file).catch(() => file);
  const old = await stat(target).catch(() => null);
  if (old !== null && !old.isFile()) return writeInPlace(target, content, null);
  const mode = old !== null && (old.mode & 0o007) === 0 ? 0o600 | (old.mode & 0o060) : 0o600;
  const beside = path.join(path.dirname(target), `.${path.basename(target)}.${randomBytes(6).toString('hex')}`);
  try {
    const handle = await open(beside, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      if (old !== null) await handle.chown(old.uid, old.gid);
      await handle.chmod(mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, target);
  } catch (error) {
    await rm(beside, { force: true });
    if (!FALL_BACK.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await writeInPlace(target, content, mode);
  }
}

async function writeInPlace(file: string, content: Buffer, mode: number | null): Promise<void> {
  const handle: FileHandle = await open(file, 'w', 0o600);
  try {
    await handle.writeFile(content);
    // Who may write a file need not own it; its mode is the owner's matter then.
    if (mode !== null) await handle.chmod(mode).catch(() => undefined);
  } finally {
    await handle.close();
  }
}
