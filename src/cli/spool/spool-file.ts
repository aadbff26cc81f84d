// A file that keeps messages until they are sent: new ones are written behind those that are there, what is done is noted
// behind them as well, and the file is emptied whenever everything is done.
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import type { LockFile } from '../../util/lock-file.ts';
import { Ring } from '../../util/ring.ts';
import { UsageError } from '../messages.ts';
import { HEADER, openSpoolFile, syncFolder, writeWhole } from './open.ts';
import { encodeDone, messageAt, type SpooledMessage } from './records.ts';
import { type Step, Walk } from './walk.ts';

/** Milliseconds after which what was written is also on the disk. */
const SYNC_MS = 100;
/** A spool of which everything is done is emptied from this size on; a smaller one at the end. */
const EMPTY_FROM = 262_144;

/** From how many bytes that are done on the rest is written anew, if it is the smaller part. */
export const COMPACT_FROM = 67_108_864;

/** A message that was taken from the spool to be sent. */
export interface Taken {
  readonly message: SpooledMessage;
  /** Offset behind it. */
  end: number;
  isDone: boolean;
}

/** An open spool. Its calls throw as the file system does. */
export class SpoolFile {
  readonly name: string;
  /** What was found wrong with the file; null where nothing was. */
  readonly warning: string | null;
  readonly #lock: LockFile;
  readonly #compactFrom: number;
  #fd: number;
  #end: number;
  #messages: number;
  #done: number;
  #head: number;
  /** What the last note in the file says. */
  #noted: number;
  #walk: Walk;
  readonly #taken = new Ring<Taken>();
  #timer: NodeJS.Timeout | null = null;
  #syncing: Promise<void> = Promise.resolve();
  #syncError: Error | null = null;
  #isClosed = false;

  /** Opens a spool; throws UsageError where that can't be. */
  constructor(name: string, compactFrom: number = COMPACT_FROM) {
    const { file, fd, lock, content, warning } = openSpoolFile(name);
    this.name = file;
    this.warning = warning;
    this.#lock = lock;
    this.#compactFrom = compactFrom;
    this.#fd = fd;
    this.#end = content.end;
    this.#messages = content.messages;
    this.#done = content.done;
    this.#noted = content.done;
    this.#head = content.head;
    this.#walk = new Walk(fd, content.head);
  }

  /** Messages that are not done. */
  get kept(): number {
    return this.#messages - this.#done;
  }

  /** Bytes that were not taken. */
  get waiting(): number {
    return Math.max(0, this.#end - this.#walk.position);
  }

  /** Writes records behind those that are there: once this returns, they survive the end of the process. */
  append(records: Buffer, messages: number): void {
    if (this.#syncError !== null) throw this.#syncError;
    this.#write(this.#end === 0 ? Buffer.concat([HEADER, records]) : records);
    this.#messages += messages;
    this.#syncSoon();
  }

  /** The next messages in their order, of so many bytes or one. */
  take(bytes: number): Taken[] {
    const taken: Taken[] = [];
    for (const until = this.#walk.position + bytes; this.#walk.position < until && this.waiting > 0; ) {
      const step = this.#walk.next(this.#end);
      if (step.kind === 'done') continue;
      if (step.kind !== 'message') throw new UsageError(`Another program changed the spool "${this.name}".`, 'nothing');
      const one: Taken = { message: this.#messageOf(step), end: this.#walk.position, isDone: false };
      this.#taken.push(one);
      taken.push(one);
    }
    return taken;
  }

  /** A message that was taken need not be kept any more. */
  finished(one: Taken): void {
    one.isDone = true;
    for (let first = this.#taken.at(0); first?.isDone === true; first = this.#taken.at(0)) {
      this.#taken.shift();
      this.#done += 1;
      this.#head = first.end;
    }
  }

  /** Notes in the file what is done, so that no later run sends it again. A note that can't be written costs duplicates only. */
  note(): void {
    if (this.#isClosed || this.#done === this.#noted) return;
    try {
      if (this.kept === 0 && this.#end >= EMPTY_FROM) {
        this.#empty();
        return;
      }
      this.#write(encodeDone(this.#done, this.#head));
      this.#noted = this.#done;
    } catch {
      return;
    }
    if (this.#head >= this.#compactFrom && this.#head > this.#end / 2) this.#compact();
  }

  /** Closes the file, empty if everything is done. Throws UsageError where what is kept is lost with the file. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#syncing;
    try {
      if (this.kept === 0) {
        this.#empty();
      } else {
        this.note();
        fdatasyncSync(this.#fd);
        if (this.#isLost()) throw this.#lostWithFile();
      }
    } finally {
      this.#isClosed = true;
      closeSync(this.#fd);
      this.#lock.release();
    }
  }

  /** Whether the file was removed, replaced or changed while it was open. */
  #isLost(): boolean {
    const there = statSync(this.name, { bigint: true, throwIfNoEntry: false });
    const own = fstatSync(this.#fd, { bigint: true });
    return there?.ino !== own.ino || there.dev !== own.dev || Number(own.size) !== this.#end;
  }

  #lostWithFile(): UsageError {
    const lines = this.kept === 1 ? '1 line that was kept in it is' : `${this.kept} lines that were kept in it are`;
    return new UsageError(
      `The spool "${this.name}" was removed or changed while it was in use: ${lines} lost.`,
      'nothing',
    );
  }

  /** What is whole and yet no message was not written by this version. */
  #messageOf({ bytes, start, stop }: Step & { kind: 'message' }): SpooledMessage {
    try {
      return messageAt(bytes, start, stop);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new UsageError(`The spool "${this.name}" holds what is no message: ${why}.`, 'nothing');
    }
  }

  /** A write that fails half-way leaves nothing behind. Nothing is written to a file that another program has changed. */
  #write(bytes: Buffer): void {
    if (fstatSync(this.#fd).size !== this.#end) throw new Error('another program changed it');
    try {
      writeWhole(this.#fd, bytes, this.#end);
    } catch (error) {
      ftruncateSync(this.#fd, this.#end);
      throw error;
    }
    this.#end += bytes.length;
    if (this.#end === bytes.length) this.#walk = new Walk(this.#fd, HEADER.length);
  }

  #empty(): void {
    ftruncateSync(this.#fd, 0);
    this.#restart(0, HEADER.length, 0);
  }

  /** The file has these bytes and messages, none of them done, and is read from here on. */
  #restart(end: number, from: number, messages: number): void {
    this.#end = end;
    this.#messages = messages;
    this.#done = 0;
    this.#noted = 0;
    this.#head = HEADER.length;
    this.#walk = new Walk(this.#fd, from);
  }

  /** Writes what is kept into a new file that takes the place of this one. One that can't be written changes nothing. */
  #compact(): void {
    const beside = `${this.name}.new`;
    let fd = -1;
    try {
      // What a process that was killed has left there, and no link to elsewhere.
      rmSync(beside, { force: true });
      fd = openSync(beside, 'wx+', 0o600);
      const { end, from, ends } = this.#copyKept(fd);
      fdatasyncSync(fd);
      renameSync(beside, this.name);
      syncFolder(path.dirname(this.name));
      const old = this.#fd;
      this.#fd = fd;
      this.#syncing = this.#syncing.then(() => closeSync(old));
      for (let i = 0; i < this.#taken.length; i++) this.#taken.at(i)!.end = ends[i]!;
      this.#restart(end, from, this.kept);
    } catch {
      if (fd >= 0) closeSync(fd);
      rmSync(beside, { force: true });
    }
  }

  /** Copies the messages that are kept: the size of the copy, where those begin that were not taken, and where the others end. */
  #copyKept(fd: number): { end: number; from: number; ends: number[] } {
    writeWhole(fd, HEADER, 0);
    let end = HEADER.length;
    let from = 0;
    const ends: number[] = [];
    const walk = new Walk(this.#fd, this.#head);
    for (;;) {
      if (from === 0 && walk.position >= this.#walk.position) from = end;
      const step = walk.next(this.#end);
      if (step.kind === 'done') continue;
      if (step.kind !== 'message') return { end, from: from === 0 ? end : from, ends };
      writeWhole(fd, step.bytes.subarray(step.start, step.stop), end);
      end += step.stop - step.start;
      if (ends.length < this.#taken.length) ends.push(end);
    }
  }

  #syncSoon(): void {
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#syncing = this.#sync().finally(() => {
        this.#timer = null;
      });
    }, SYNC_MS).unref();
  }

  #sync(): Promise<void> {
    return new Promise((resolve) => {
      fdatasync(this.#fd, (error) => {
        this.#syncError ??= error;
        resolve();
      });
    });
  }
}
