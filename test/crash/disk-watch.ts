// Loaded into the broker, in front of it, in each of its threads (NODE_OPTIONS=--import=…): stands between the store and
// the file system. It keeps an image of what the disk is sure to hold (disk-image.ts), and it can be told that the disk is
// full. What it is to watch is said by its environment:
//
//   CRASH_ROOT   the folder that is watched
//   CRASH_IMAGE  the folder of the image; no image is kept without it
//   CRASH_FULL   a file: while it exists, nothing can be written
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';
import { DiskImage } from './disk-image.ts';

/** An open file or folder of the watched one. */
interface Open {
  readonly relative: string;
  /** null for a folder. */
  readonly id: string | null;
  /** Where the next write without a position goes. */
  at: number;
  /** Everything in front of this offset is in the image. */
  safeTo: number;
}

type WriteSync = (
  file: number,
  bytes: NodeJS.ArrayBufferView,
  start?: number | null,
  length?: number | null,
  position?: number | null,
) => number;

const real = { ...fs };

/** Says that the disk is full as the system does. The first write that meets it is cut short, as it would be. */
function full(): Error {
  return Object.assign(new Error('ENOSPC: no space left on device, write'), {
    code: 'ENOSPC',
    errno: -28,
    syscall: 'write',
  });
}

/** Puts the watch in place of node:fs's functions, for everything that is loaded later. */
export function watch(image: DiskImage, keepsImage: boolean, fullFile: string | null): void {
  const opened = new Map<number, Open>();
  let wasFull = false;

  const openSync: typeof fs.openSync = (file, flags, mode) => {
    const relative = image.within(String(file));
    const wasThere = relative !== null && real.existsSync(file);
    const handle = real.openSync(file, flags, mode);
    if (relative === null) return handle;
    if (real.fstatSync(handle).isDirectory()) opened.set(handle, { relative, id: null, at: 0, safeTo: 0 });
    else if (flags !== undefined && flags !== 'r') {
      const id = (wasThere ? image.idOf(relative) : null) ?? image.created(relative);
      opened.set(handle, { relative, id, at: 0, safeTo: 0 });
    }
    return handle;
  };

  const writeSync: WriteSync = (file, bytes, start, length, position) => {
    const open = opened.get(file);
    const from = start ?? 0;
    let count = length ?? bytes.byteLength - from;
    if (open !== undefined && fullFile !== null) {
      const isFull = real.existsSync(fullFile);
      if (isFull && (wasFull || count < 2)) throw full();
      if (isFull) count = count >> 1;
      wasFull = isFull;
    }
    const written = (real.writeSync as WriteSync)(file, bytes, from, count, position ?? null);
    if (open !== undefined) {
      const at = position ?? open.at;
      open.safeTo = Math.min(open.safeTo, at);
      if (position === undefined || position === null) open.at += written;
    }
    return written;
  };

  const ftruncateSync: typeof fs.ftruncateSync = (file, length) => {
    real.ftruncateSync(file, length);
    const open = opened.get(file);
    if (open !== undefined) open.safeTo = Math.min(open.safeTo, length ?? 0);
  };

  const synced = (file: number): void => {
    const open = opened.get(file);
    if (open === undefined || !keepsImage) return;
    if (open.id === null) image.folderSynced(open.relative);
    else open.safeTo = copyFrom(image, open.id, file, open.relative, open.safeTo);
  };

  const patches = {
    openSync,
    writeSync,
    ftruncateSync,
    fdatasyncSync: (file: number): void => {
      real.fdatasyncSync(file);
      synced(file);
    },
    fsyncSync: (file: number): void => {
      real.fsyncSync(file);
      synced(file);
    },
    closeSync: (file: number): void => {
      opened.delete(file);
      real.closeSync(file);
    },
    unlinkSync: (file: fs.PathLike): void => {
      real.unlinkSync(file);
      const relative = image.within(String(file));
      if (relative !== null) image.removed(relative);
    },
    renameSync: (from: fs.PathLike, to: fs.PathLike): void => {
      real.renameSync(from, to);
      const [before, after] = [image.within(String(from)), image.within(String(to))];
      if (before !== null && after !== null) image.renamed(before, after);
    },
  };
  Object.assign(fs, patches);
  syncBuiltinESMExports();
}

/** Brings the image of a file up to date behind an offset; returns the file's length. */
function copyFrom(image: DiskImage, id: string, file: number, relative: string, offset: number): number {
  const size = real.fstatSync(file).size;
  const target = image.dataFile(id);
  const from = real.existsSync(target) ? Math.min(offset, real.statSync(target).size) : 0;
  const bytes = Buffer.alloc(size - from);
  // The file may be open for writing only.
  const source = real.openSync(`${image.root}/${relative}`, 'r');
  const copy = real.openSync(target, real.existsSync(target) ? 'r+' : 'w');
  try {
    real.readSync(source, bytes, 0, bytes.length, from);
    let done = 0;
    while (done < bytes.length) done += real.writeSync(copy, bytes, done, bytes.length - done, from + done);
    real.ftruncateSync(copy, size);
  } finally {
    real.closeSync(source);
    real.closeSync(copy);
  }
  return size;
}

const { CRASH_ROOT, CRASH_IMAGE, CRASH_FULL } = process.env;
if (CRASH_ROOT !== undefined) {
  watch(new DiskImage(CRASH_ROOT, CRASH_IMAGE ?? `${CRASH_ROOT}.image`), CRASH_IMAGE !== undefined, CRASH_FULL ?? null);
}
