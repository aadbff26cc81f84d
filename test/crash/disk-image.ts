// What a disk is sure to hold of a folder: kept beside it, file by file, by the broker that is watched, and read by the
// harness when the power is lost.
//
//   ids/<path>       which file stands at a path now, as a number of its own: a file that is made anew is another file
//   data/<id>        what the file held when it was synced last
//   synced/<folder>  the names in a folder when the folder was synced last, with their ids
//
// Paths are relative to the watched folder, whose own entry is taken to be safe.
import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

/** Stands in the place of an id for a folder. */
export const FOLDER = 'folder';

/** Names with their ids. */
export type Names = Readonly<Record<string, string>>;

export class DiskImage {
  readonly root: string;
  private readonly folder: string;

  /** @param folder where the image is kept, outside of the watched folder */
  constructor(root: string, folder: string) {
    this.root = root;
    this.folder = folder;
    for (const part of ['ids', 'data', 'synced']) mkdirSync(path.join(folder, part), { recursive: true });
  }

  /** The path within the watched folder; null for one outside. */
  within(file: string): string | null {
    const relative = path.relative(this.root, path.resolve(file));
    return relative.startsWith('..') || path.isAbsolute(relative) ? null : relative;
  }

  /** The id of the file that stands there; null if nobody gave it one. */
  idOf(relative: string): string | null {
    const file = this.place('ids', relative);
    return existsSync(file) ? readFileSync(file, 'utf8') : null;
  }

  /** A file was made there. */
  created(relative: string): string {
    const id = randomUUID();
    writeFileSync(this.place('ids', relative), id);
    return id;
  }

  removed(relative: string): void {
    rmSync(this.place('ids', relative), { force: true });
  }

  renamed(from: string, to: string): void {
    if (this.idOf(from) !== null) renameSync(this.place('ids', from), this.place('ids', to));
  }

  /** Where the synced contents of a file are kept. */
  dataFile(id: string): string {
    return path.join(this.folder, 'data', id);
  }

  /** A folder was synced: its names are safe as they are now. */
  folderSynced(relative: string): void {
    const names: Record<string, string> = {};
    for (const entry of readdirSync(path.join(this.root, relative), { withFileTypes: true })) {
      const file = path.join(relative, entry.name);
      names[entry.name] = entry.isDirectory() ? FOLDER : (this.idOf(file) ?? this.created(file));
    }
    const place = this.place('synced', relative);
    writeFileSync(`${place}.new`, JSON.stringify(names));
    renameSync(`${place}.new`, place);
  }

  /** The names that are safe in a folder. */
  safeNames(relative: string): Names {
    const file = this.place('synced', relative);
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  }

  /** The names that stand in a folder now; a file without an id is one that nothing is known of. */
  presentNames(relative: string): Names {
    const folder = path.join(this.root, relative);
    if (!existsSync(folder)) return {};
    const names: Record<string, string> = {};
    for (const name of readdirSync(folder)) {
      const isFolder = statSync(path.join(folder, name)).isDirectory();
      names[name] = isFolder ? FOLDER : (this.idOf(path.join(relative, name)) ?? `unknown ${name}`);
    }
    return names;
  }

  /** What a file holds for sure; empty if it was never synced. */
  safeBytes(id: string): Buffer {
    const file = this.dataFile(id);
    return existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  }

  /** From now on the disk is sure to hold what stands in the watched folder. */
  restart(): void {
    for (const part of ['ids', 'data', 'synced']) {
      const folder = path.join(this.folder, part);
      for (const name of readdirSync(folder)) unlinkSync(path.join(folder, name));
    }
    this.keepAll('');
  }

  private keepAll(relative: string): void {
    this.folderSynced(relative);
    for (const [name, id] of Object.entries(this.safeNames(relative))) {
      const inner = path.join(relative, name);
      if (id === FOLDER) this.keepAll(inner);
      else writeFileSync(this.dataFile(id), readFileSync(path.join(this.root, inner)));
    }
  }

  private place(part: string, relative: string): string {
    return path.join(this.folder, part, `@${encodeURIComponent(relative)}`);
  }
}
