// A store that is made of lines. It grows in a folder beside the one where it is to be and takes that one's place when it is
// whole and safe on the disk: whatever ends the program before, there is nothing of it where a broker looks.
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type Files, realFiles } from '../store/files.ts';
import { lockStore, type StoreLock } from '../store/lock.ts';
import { BOUNDS } from '../store/log.ts';
import { StoreRefused } from '../store/recover.ts';
import { GroupWriter, parseSegmentName } from '../store/segment.ts';
import { SegmentWriter } from '../store/segment-writer.ts';
import type { Counts } from './export-format.ts';
import { LineImport } from './import-lines.ts';
import { readStore } from './read-store.ts';

/** The place is taken; the message says by what. */
export class PlaceTaken extends StoreRefused {}

/** A group is written once it has so many bytes. */
const GROUP_SIZE = 256 * 1024;

/** A store that is being made. */
export class StoreImport {
  private readonly folder: string;
  private readonly beside: string;
  private readonly files: Files;
  private readonly lock: StoreLock;
  private readonly isNew: boolean;
  private readonly lines: LineImport;
  private readonly group: GroupWriter;
  private readonly segments: SegmentWriter;
  private groupNumber: number;
  private segment: number;
  private segmentLength: number;
  private spare: Buffer | null;

  /** Begins a store for a folder. Throws PlaceTaken, StoreInUse, StoreRefused, or as the file system does. */
  constructor(folder: string, files: Files = realFiles) {
    this.folder = folder;
    this.files = files;
    this.beside = `${folder}.import`;
    this.isNew = !existsSync(folder);
    files.makeFolder(folder);
    const salt = randomBytes(4).readUInt32BE();
    this.group = new GroupWriter(salt);
    this.lines = new LineImport(this.group);
    this.segments = new SegmentWriter(this.beside, salt, files);
    this.groupNumber = 0;
    this.segment = 1;
    this.segmentLength = 0;
    this.spare = null;
    this.lock = lockStore(folder);
    try {
      checkEmpty(folder);
      // Of an import that was killed: who has the lock is the only one.
      rmSync(this.beside, { recursive: true, force: true });
      files.makeFolder(this.beside);
    } catch (error) {
      this.letGo();
      throw error;
    }
  }

  /** Takes the next line, without its line end. Throws BadLine, or as the file system does; abandon() must follow then. */
  take(line: Buffer): void {
    this.lines.take(line);
    if (this.group.length > GROUP_SIZE) this.write();
  }

  /**
   * All lines were taken: the store is where a broker finds it. Throws BadLine, PlaceTaken, or as the file system does;
   * abandon() must follow then.
   */
  finish(): Counts {
    this.lines.finish();
    this.write();
    this.segments.close();
    this.files.syncFolder(this.beside);
    this.takePlace();
    return this.lines.counts;
  }

  /** Removes all traces. */
  abandon(): void {
    try {
      this.segments.close();
    } catch {
      // It can't be synced, and need not be.
    }
    rmSync(this.beside, { recursive: true, force: true });
    this.letGo();
  }

  private write(): void {
    if (this.group.count === 0) return;
    this.groupNumber += 1;
    const bytes = this.group.take(this.groupNumber, this.spare);
    this.segments.write(this.segment, this.groupNumber, bytes, false);
    this.spare = Buffer.from(bytes.buffer);
    this.segmentLength += bytes.length;
    if (this.segmentLength < BOUNDS.segment) return;
    this.segment += 1;
    this.segmentLength = 0;
  }

  private takePlace(): void {
    for (const name of readdirSync(this.folder)) {
      if (name !== 'lock') this.files.remove(path.join(this.folder, name));
    }
    this.lock.release();
    try {
      rmdirSync(this.folder);
      // If a broker makes the folder and locks it at this moment, it can't be replaced any more.
      renameSync(this.beside, this.folder);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
      throw new PlaceTaken(`the store ${this.folder} was taken into use meanwhile; stop the broker and import again`);
    }
    this.files.syncFolder(path.dirname(this.folder));
  }

  private letGo(): void {
    this.lock.release();
    if (!this.isNew) return;
    try {
      rmdirSync(this.folder);
    } catch {
      // Somebody uses it already.
    }
  }
}

function checkEmpty(folder: string): void {
  const other = readdirSync(folder).find((name) => !/^lock(\.|$)/.test(name) && parseSegmentName(name) === null);
  if (other !== undefined) {
    throw new PlaceTaken(`the folder ${folder} is not empty: it has ${other}; move it away to make room`);
  }
  const { state, files } = readStore(folder)!;
  const { sessions, messages, lost } = state;
  const isLost = lost.sessions + lost.subscriptions + lost.entries + lost.records > 0;
  if (sessions.size + messages.size > 0 || files.damages.length > 0 || files.unfinished !== null || isLost) {
    throw new PlaceTaken(`the store ${folder} holds something already; move the folder away to make room`);
  }
}
