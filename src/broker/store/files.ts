// The file operations that the store is made of, in one place, so that tests can have them fail, write less than asked, or
// forget what was not synced.
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import process from 'node:process';

/** What the store asks of a file system; everything is synchronous and throws as node:fs does. */
export interface Files {
  /** Makes a file that does not exist yet, readable by its owner only, and opens it for writing. */
  create(path: string): number;
  /** Opens a file for writing at its end. */
  append(path: string): number;
  /** May write less than asked; returns how much. */
  write(file: number, bytes: Uint8Array, start: number, length: number): number;
  syncData(file: number): void;
  syncAll(file: number): void;
  truncate(file: number, length: number): void;
  close(file: number): void;
  remove(path: string): void;
  /** Makes what was created or removed in a folder last. */
  syncFolder(path: string): void;
  makeFolder(path: string): void;
  list(path: string): string[];
  /** The whole file; in the memory of `room`, whatever was there, if that is given and large enough. */
  read(path: string, room?: Buffer): Buffer;
}

/** The file system of the machine. */
export const realFiles: Files = {
  create: (path) => openSync(path, 'wx', 0o600),
  append: (path) => openSync(path, 'r+'),
  write: (file, bytes, start, length) => writeSync(file, bytes, start, length),
  syncData: (file) => fdatasyncSync(file),
  syncAll: (file) => fsyncSync(file),
  truncate: (file, length) => ftruncateSync(file, length),
  close: (file) => closeSync(file),
  remove: (path) => unlinkSync(path),
  syncFolder: (path) => {
    // Windows has no such thing; a new file's entry is safe there once the file is.
    if (process.platform === 'win32') return;
    const folder = openSync(path, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  },
  makeFolder: (path) => void mkdirSync(path, { recursive: true, mode: 0o700 }),
  list: (path) => readdirSync(path),
  read: (path, room) => (room === undefined ? readFileSync(path) : readInto(path, room)),
};

function readInto(path: string, room: Buffer): Buffer {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const bytes = size <= room.buffer.byteLength ? Buffer.from(room.buffer, 0, size) : Buffer.allocUnsafeSlow(size);
    let at = 0;
    while (at < size) {
      const count = readSync(file, bytes, at, size - at, null);
      if (count === 0) break;
      at += count;
    }
    return bytes.subarray(0, at);
  } finally {
    closeSync(file);
  }
}

/** Writes all of it, in as many steps as the system takes. */
export function writeAll(files: Files, file: number, bytes: Uint8Array): void {
  let at = 0;
  while (at < bytes.length) {
    const count = files.write(file, bytes, at, bytes.length - at);
    if (count <= 0) throw new Error('the file system wrote nothing and gave no reason');
    at += count;
  }
}
