// The writing end of the log: groups go to the end of the newest segment and are synced. It runs in the worker thread.
//
// A write or sync that failed is final for its segment. The kernel may have dropped the pages that it could not write, and a
// later sync that succeeds says nothing of them; so the segment is cut back to its last good group, closed, and never
// written again, and the group is written anew into another segment.
import path from 'node:path';
import { type Files, writeAll } from './files.ts';
import { HEADER_LENGTH, segmentHeader, segmentName } from './segment.ts';

/** Appends groups to segments. */
export class SegmentWriter {
  private readonly folder: string;
  private readonly salt: number;
  private readonly files: Files;
  private file: number;
  private number: number;
  private length: number;
  private isUnsynced: boolean;

  constructor(folder: string, salt: number, files: Files) {
    this.folder = folder;
    this.salt = salt;
    this.files = files;
    this.file = -1;
    this.number = -1;
    this.length = 0;
    this.isUnsynced = false;
  }

  /**
   * Writes a group into a segment, which is made if it is not the current one. Throws as the file system does; the next
   * attempt must name a segment that was not used before.
   */
  write(segment: number, group: number, bytes: Uint8Array, isSynced: boolean): void {
    try {
      if (segment !== this.number) this.open(segment, group);
      writeAll(this.files, this.file, bytes);
      this.isUnsynced = true;
      if (isSynced) this.sync();
      this.length += bytes.length;
    } catch (error) {
      this.seal();
      throw error;
    }
  }

  /** Makes everything written so far last. A segment for which that fails is not written to any more. */
  sync(): void {
    if (!this.isUnsynced) return;
    try {
      this.files.syncData(this.file);
    } catch (error) {
      this.seal();
      throw error;
    }
    this.isUnsynced = false;
  }

  /** Removes a segment whose live records stand elsewhere, and are synced by now. */
  remove(segment: number): void {
    this.sync();
    if (segment === this.number) this.close();
    ifThere(() => this.files.remove(this.pathOf(segment)));
    this.files.syncFolder(this.folder);
  }

  /** The bytes of a segment; none of one that failed before it was made. */
  read(segment: number): Buffer {
    return ifThere(() => this.files.read(this.pathOf(segment))) ?? Buffer.alloc(0);
  }

  close(): void {
    if (this.file < 0) return;
    this.sync();
    this.files.close(this.file);
    this.file = -1;
    this.number = -1;
  }

  private open(segment: number, group: number): void {
    this.close();
    this.file = this.files.create(this.pathOf(segment));
    this.number = segment;
    this.length = 0;
    writeAll(this.files, this.file, segmentHeader(segment, this.salt, group));
    this.files.syncAll(this.file);
    this.files.syncFolder(this.folder);
    this.length = HEADER_LENGTH;
  }

  /** Lets go of a segment that failed. What stands behind its last good group is cut off if that can be done. */
  private seal(): void {
    const { file, length, number } = this;
    this.file = -1;
    this.number = -1;
    this.isUnsynced = false;
    if (file < 0) return;
    try {
      if (length > HEADER_LENGTH) this.files.truncate(file, length);
      this.files.close(file);
      // A segment without a whole group has nothing to keep, and its room may be what is missing.
      if (length <= HEADER_LENGTH) this.files.remove(this.pathOf(number));
    } catch {
      // The reader drops an unfinished group just as well.
    }
  }

  private pathOf(segment: number): string {
    return path.join(this.folder, segmentName(segment, this.salt));
  }
}

function ifThere<T>(action: () => T): T | null {
  try {
    return action();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
