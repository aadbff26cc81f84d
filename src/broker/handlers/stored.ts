// Whether handling a packet made the store record something: then its answer promises what is not on disk yet.
import type { Peer } from '../peer.ts';

/** Records made so far; taken before a packet is handled. */
export function recordedBy({ store }: Peer['core']): number {
  return store === null ? 0 : store.recorded;
}

/** Whether more were made since. */
export function hasRecorded({ store }: Peer['core'], before: number): boolean {
  return store !== null && store.recorded !== before;
}
