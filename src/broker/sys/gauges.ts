// Values that are looked up when $SYS is published.
import type { Core } from '../settings.ts';

let heapMaximum = 0;

/** Reads every gauge of the metric table. */
export function readGauges(core: Core, set: (key: string, value: number) => void): void {
  const { registry, retained, trie } = core;
  let queued = 0;
  let queuedBytes = 0;
  for (const session of registry.sessions()) {
    queued += session.queue.length + session.window.inFlight;
    queuedBytes += session.queue.bytes;
  }
  let waiting = 0;
  let waitingBytes = 0;
  for (const peer of core.peers) {
    waiting += peer.waitingMessages;
    waitingBytes += peer.waitingBytes;
  }
  const heap = process.memoryUsage().heapUsed;
  heapMaximum = Math.max(heapMaximum, heap);
  set('clientsTotal', registry.total);
  set('clientsMaximum', registry.maximum);
  set('clientsConnected', registry.connected);
  set('clientsDisconnected', registry.total - registry.connected);
  set('messagesStored', retained.count + queued);
  set('messagesStoredBytes', retained.bytes + queuedBytes);
  set('retainedCount', retained.count);
  set('subscriptionCount', trie.count - trie.sharedCount);
  set('sharedSubscriptionCount', trie.sharedCount);
  set('packetOutCount', waiting);
  set('packetOutBytes', waitingBytes);
  set('heapCurrent', heap);
  set('heapMaximum', heapMaximum);
}
