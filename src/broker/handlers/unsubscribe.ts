// UNSUBSCRIBE (MQTT 5.0 section 3.10): rights decide here too; an unknown filter is answered as such.
import { PAUSE_HOOK } from '../../net/link.ts';
import { UNSUBACK, UNSUBSCRIBE } from '../../protocol/constants.ts';
import { decode } from '../../protocol/decode.ts';
import { NO_PROPERTIES } from '../../protocol/properties.ts';
import { NO_SUBSCRIPTION_EXISTED, NOT_AUTHORIZED, SUCCESS } from '../../protocol/reasons.ts';
import { ALLOW, UNSUBSCRIBE_ACCESS } from '../hooks/points.ts';
import type { Peer } from '../peer.ts';
import { checkFilterLevels } from '../routing/topics.ts';
import { decideAll } from './decide.ts';
import { hasRecorded, recordedBy } from './stored.ts';
import { checkTopicCount } from './topic-count.ts';
import { denied } from './why.ts';

/** Handles UNSUBSCRIBE. */
export function onUnsubscribe(peer: Peer, buffer: Buffer, first: number, start: number, end: number): void {
  const packet = decode(peer.profile, buffer, first, start, end);
  if (packet.type !== UNSUBSCRIBE) return;
  peer.core.log.debug?.(`Received UNSUBSCRIBE from ${peer.name}`);
  checkTopicCount(peer, UNSUBSCRIBE, packet.filters.length);
  for (const filter of packet.filters) checkFilterLevels(filter);
  const decisions = decideAll(peer, UNSUBSCRIBE_ACCESS, packet.filters);
  if (decisions instanceof Promise) {
    peer.link.pause(PAUSE_HOOK);
    void decisions.then((allowed) => {
      if (peer.isClosed) return;
      answer(peer, packet.id, packet.filters, allowed);
      peer.link.resume(PAUSE_HOOK);
    });
  } else {
    answer(peer, packet.id, packet.filters, decisions);
  }
}

function answer(peer: Peer, id: number, filters: readonly string[], decisions: readonly number[]): void {
  const { core } = peer;
  const session = peer.session!;
  const refused: string[] = [];
  const mark = recordedBy(core);
  const codes = filters.map((filter, i) => {
    core.log.debug?.(`\t${filter}`);
    if (decisions[i] !== ALLOW) {
      refused.push(filter);
      return NOT_AUTHORIZED.code;
    }
    core.log.unsubscribe?.(`${peer.name} ${filter}`);
    const subscription = session.subscriptions.get(filter);
    if (subscription === undefined) return NO_SUBSCRIPTION_EXISTED.code;
    session.subscriptions.delete(filter);
    session.record?.unsubscribed(filter);
    session.replays.drop(subscription);
    core.trie.remove(subscription);
    peer.listener.settings.hooks.unsubscribed(peer.context!, filter);
    return SUCCESS.code;
  });
  core.log.debug?.(`Sending UNSUBACK to ${peer.name}`);
  const properties = refused.length === 0 ? NO_PROPERTIES : peer.because(denied('unsubscribe from', refused));
  peer.answer({ type: UNSUBACK, id, codes, properties }, hasRecorded(core, mark));
}
