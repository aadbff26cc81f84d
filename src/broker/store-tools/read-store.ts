// A store as it lies on the disk, read without changing anything or asking for the lock: also while a broker writes to it.
import { existsSync } from 'node:fs';
import { type Files, realFiles } from '../store/files.ts';
import { storeHolder } from '../store/lock.ts';
import { type Damage, type Recovered, readLog } from '../store/recover.ts';
import { segmentName, VERSION } from '../store/segment.ts';
import { asRead, StoreState } from '../store/state.ts';

/** A stretch of a file. */
export interface Stretch {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/** How the files of a store are. */
export interface StoreFiles {
  /** Version of their format. */
  readonly format: number;
  readonly segments: number;
  readonly bytes: number;
  /** Number of the newest group of records, 0 without. */
  readonly lastGroup: number;
  /** What can't be read, and groups of which something is missing. */
  readonly damages: readonly Stretch[];
  readonly missingGroups: number;
  /** What a group that was being written has left at the very end; nobody was promised anything of it. */
  readonly unfinished: Stretch | null;
}

/** What was read. */
export interface StoredState {
  readonly folder: string;
  readonly state: StoreState;
  readonly files: StoreFiles;
  /** The process that has the store open; 0 where none does. */
  readonly holder: number;
}

/** Times that reading begins anew because a broker has cleaned a file away meanwhile. */
const ATTEMPTS = 100;

/** Reads the store of a folder; null if there is no such folder. Throws StoreRefused, or as the file system does. */
export function readStore(folder: string, files: Files = realFiles): StoredState | null {
  for (let attempt = 1; ; attempt++) {
    const state = new StoreState(asRead);
    try {
      // Files only ever grow at the end and are cleaned away once all that counts in them stands in a later one: whichever
      // files are met, what they say is how things were at one moment, unless one of them was gone before it was read.
      const found = readLog(folder, files, (type, bytes, start, end, segment) =>
        state.take(type, bytes, start, end, segment),
      );
      state.finish();
      return { folder, state, files: filesOf(found), holder: storeHolder(folder) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      if (!existsSync(folder)) return null;
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

function filesOf({ salt, sizes, lastGroup, damages, missingGroups, tail }: Recovered): StoreFiles {
  const named = ({ segment, offset, length }: Damage): Stretch => ({
    file: segmentName(segment, salt!),
    offset,
    length,
  });
  const isUnfinished = tail?.isPlain === true;
  return {
    format: VERSION,
    segments: sizes.size,
    bytes: [...sizes.values()].reduce((sum, size) => sum + size, 0),
    lastGroup,
    damages: damages.map(named),
    missingGroups,
    unfinished: isUnfinished ? named(tail) : null,
  };
}
