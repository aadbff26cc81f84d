// Messages of QoS 2 that a plugin still thinks about. Their client may lose its connection meanwhile, come back and send them
// again: that must not be answered before the decision is there, for PUBREC would promise what nobody has decided. The answer
// goes to the connection that asked last.
import type { Peer } from '../peer.ts';
import type { Session } from '../sessions/session.ts';

const askers = new WeakMap<Session, Map<number, Peer>>();

/** A plugin was asked about the message with this identifier. */
export function awaitDecision(peer: Peer, id: number): void {
  const session = peer.session!;
  const waiting = askers.get(session) ?? new Map<number, Peer>();
  askers.set(session, waiting);
  waiting.set(id, peer);
}

/** A message comes again. True if it is undecided; then this connection is the one that waits. */
export function isUndecided(peer: Peer, id: number): boolean {
  const waiting = askers.get(peer.session!);
  if (waiting?.has(id) !== true) return false;
  waiting.set(id, peer);
  return true;
}

/** The decision is there: returns the connection that waits for it. */
export function askerOf(peer: Peer, id: number): Peer {
  const waiting = askers.get(peer.session!);
  const asker = waiting?.get(id) ?? peer;
  waiting?.delete(id);
  return asker;
}
