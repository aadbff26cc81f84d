// A second look at a store's folder, beside that of who opens it.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { realFiles } from '../../src/broker/store/files.ts';
import { type Recovered, readLog } from '../../src/broker/store/recover.ts';
import { checkHeader, firstGroupOf, parseSegmentName, segmentOf } from '../../src/broker/store/segment.ts';
import { asRead, StoreState } from '../../src/broker/store/state.ts';

/** What was found in a folder. */
export interface Reading {
  readonly found: Recovered;
  readonly state: StoreState;
  /** Records that were read. */
  readonly visited: number;
}

/** Reads a store's folder. */
export function read(folder: string): Reading {
  const state = new StoreState(asRead);
  let visited = 0;
  const found = readLog(folder, realFiles, (type, bytes, start, end, segment) => {
    visited += 1;
    state.take(type, bytes, start, end, segment);
  });
  state.finish();
  return { found, state, visited };
}

/** Whether something is wrong with a store. */
export const isDamaged = ({ damages, missingGroups }: Recovered): boolean => damages.length > 0 || missingGroups > 0;

/** Whether segments are there that were there before, when the last group had this number. */
export function hasOld(folder: string, lastGroup: number): boolean {
  return readdirSync(folder).some((name) => {
    const number = parseSegmentName(name)?.number;
    // A segment that was cut off wholly has left its name to the next one.
    if (number === undefined) return false;
    const bytes = bytesOf(path.join(folder, name));
    return bytes !== null && (!isHeaded(bytes, number) || firstGroupOf(bytes) <= lastGroup);
  });
}

const isHeaded = (bytes: Buffer, number: number): boolean =>
  checkHeader(bytes) === 'whole' && segmentOf(bytes) === number;

function bytesOf(file: string): Buffer | null {
  try {
    return readFileSync(file);
  } catch {
    // It went just now.
    return null;
  }
}
