// Values that are looked up when $SYS is published.
import { getHeapStatistics } from 'node:v8';
import type { Core } from '../settings.ts';

let heapMaximum = 0;

/** Reads every gauge of the metric table. */
export function readGauges(core: Core, set: (key: string, value: number) => void): void {
  const { kept, registry, retained, store, trie } = core;
  let waiting = 0;
  let waitingBytes = 0;
  for (const peer of core.peers) {
    waiting += peer.waitingMessages;
    waitingBytes += peer.waitingBytes;
  }
  // process.memoryUsage() reads a file, and throws where clients have taken every file descriptor.
  const heap = getHeapStatistics().used_heap_size;
  heapMaximum = Math.max(heapMaximum, heap);
  set('clientsTotal', registry.total);
  set('clientsMaximum', registry.maximum);
  set('clientsConnected', registry.connected);
  set('clientsDisconnected', registry.total - registry.connected);
  set('messagesStored', retained.count + kept.count);
  set('messagesStoredBytes', retained.bytes + kept.bytes);
  set('retainedCount', retained.count);
  set('subscriptionCount', trie.count - trie.sharedCount);
  set('sharedSubscriptionCount', trie.sharedCount);
  set('packetOutCount', waiting);
  set('packetOutBytes', waitingBytes);
  set('heapCurrent', heap);
  set('heapMaximum', heapMaximum);
  if (store !== null) readStore(store, set);
}

function readStore(store: NonNullable<Core['store']>, set: (key: string, value: number) => void): void {
  const { figures } = store;
  set('storeBytes', store.totalBytes);
  set('storeLiveBytes', store.liveBytes);
  set('storeSegments', store.segments);
  set('storeCommits', figures.groups);
  set('storeRecords', figures.records);
  set('storeWritten', figures.bytes);
  set('storeCommitLast', Math.round(figures.lastCommit * 1000));
  set('storeCommitLongest', Math.round(figures.longestCommit * 1000));
  set('storeFailing', store.isFailing ? 1 : 0);
  figures.longestCommit = 0;
}
