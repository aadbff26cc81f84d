// A file system in memory that knows what was synced: it can crash, losing what was not, and fail when told to.
import type { Files } from '../../src/broker/store/files.ts';

interface Entry {
  /** What the program sees. */
  now: Buffer;
  /** What is on the disk for sure. */
  synced: Buffer;
  /** Whether the folder's entry is synced. */
  isLinked: boolean;
}

const PAGE = 512;

/** A file system error as node:fs throws it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made up by a test`), { code });
}

/** Files of one folder. */
export class FakeFiles implements Files {
  private entries = new Map<string, Entry>();
  /** Removed, but not yet for sure. */
  private removed = new Map<string, Entry>();
  private readonly open = new Map<number, string>();
  private lastFile = 2;
  /** Asked before each operation; what it throws is thrown. */
  before: (operation: keyof Files, path: string) => void = () => undefined;
  /** How much of a write is carried out. */
  shorten: (length: number) => number = (length) => length;

  create(path: string): number {
    this.before('create', path);
    if (this.entries.has(path)) throw systemError('EEXIST');
    this.entries.set(path, { now: Buffer.alloc(0), synced: Buffer.alloc(0), isLinked: false });
    return this.opened(path);
  }

  append(path: string): number {
    this.before('append', path);
    this.entry(path);
    return this.opened(path);
  }

  write(file: number, bytes: Uint8Array, start: number, length: number): number {
    const path = this.open.get(file)!;
    const count = this.shorten(length);
    const entry = this.entry(path);
    try {
      this.before('write', path);
    } catch (error) {
      // What fails may have been written in part.
      entry.now = Buffer.concat([entry.now, bytes.subarray(start, start + Math.floor(length / 2))]);
      throw error;
    }
    entry.now = Buffer.concat([entry.now, bytes.subarray(start, start + count)]);
    return count;
  }

  syncData(file: number): void {
    const path = this.open.get(file)!;
    this.before('syncData', path);
    const entry = this.entry(path);
    entry.synced = Buffer.from(entry.now);
  }

  syncAll(file: number): void {
    this.before('syncAll', this.open.get(file)!);
    const entry = this.entry(this.open.get(file)!);
    entry.synced = Buffer.from(entry.now);
  }

  truncate(file: number, length: number): void {
    this.before('truncate', this.open.get(file)!);
    const entry = this.entry(this.open.get(file)!);
    entry.now = Buffer.from(entry.now.subarray(0, length));
  }

  close(file: number): void {
    this.open.delete(file);
  }

  remove(path: string): void {
    this.before('remove', path);
    this.removed.set(path, this.entry(path));
    this.entries.delete(path);
  }

  syncFolder(): void {
    this.before('syncFolder', '');
    this.removed.clear();
    for (const entry of this.entries.values()) entry.isLinked = true;
  }

  makeFolder(): void {}

  list(): string[] {
    return [...this.entries.keys()].map((path) => path.slice(path.lastIndexOf('/') + 1));
  }

  read(path: string): Buffer {
    this.before('read', path);
    return Buffer.from(this.entry(path).now);
  }

  /** Bytes of all files. */
  get size(): number {
    return [...this.entries.values()].reduce((sum, { now }) => sum + now.length, 0);
  }

  /** Changes a file behind the program's back. */
  damage(path: string, change: (bytes: Buffer) => Buffer): void {
    const entry = this.entry(path);
    entry.now = change(entry.now);
    entry.synced = Buffer.from(entry.now);
  }

  get paths(): string[] {
    return [...this.entries.keys()].sort();
  }

  /** What is there after the power was cut: of what was not synced, page by page what `survives` says. */
  afterPowerLoss(survives: () => boolean): FakeFiles {
    const left = new FakeFiles();
    const all = [...this.entries, ...[...this.removed].filter(() => survives())];
    for (const [path, entry] of all) {
      if (!entry.isLinked && !survives()) continue;
      const length = survives() ? entry.now.length : Math.min(entry.now.length, entry.synced.length);
      const bytes = Buffer.alloc(length);
      for (let at = 0; at < length; at += PAGE) {
        const end = Math.min(at + PAGE, length);
        if (survives()) bytes.set(entry.now.subarray(at, end), at);
        // A page that was synced in part keeps that part.
        bytes.set(entry.synced.subarray(at, end), at);
      }
      left.entries.set(path, { now: bytes, synced: Buffer.from(bytes), isLinked: true });
    }
    return left;
  }

  private opened(path: string): number {
    this.lastFile += 1;
    this.open.set(this.lastFile, path);
    return this.lastFile;
  }

  private entry(path: string): Entry {
    const entry = this.entries.get(path);
    if (entry === undefined) throw systemError('ENOENT');
    return entry;
  }
}
