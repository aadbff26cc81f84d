// Asks the hooks about several topics of one packet at once.
import { type Access, ALLOW, type Decision } from '../hooks/points.ts';
import type { Peer } from '../peer.ts';

/** A decision for each topic; a promise only if a plugin needs time for one of them. */
export function decideAll(
  peer: Peer,
  access: Access,
  topics: readonly string[],
): readonly Decision[] | Promise<readonly Decision[]> {
  const { hooks } = peer.listener.settings;
  if (!hooks.hasAuthorize) return topics.map(() => ALLOW);
  const decisions = topics.map((topic) => hooks.authorize(peer.context!, access, topic));
  return decisions.every((decision) => typeof decision === 'number') ? decisions : Promise.all(decisions);
}
