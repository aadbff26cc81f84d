// A client that is not let in: CONNACK with the reason, then the line is closed [MQTT-3.2.2-7].
import { CONNACK } from '../../protocol/constants.ts';
import { connackCode3 } from '../../protocol/encode.ts';
import { NO_PROPERTIES, type Properties } from '../../protocol/properties.ts';
import type { Reason } from '../../protocol/reasons.ts';
import type { Refusal } from '../hooks/points.ts';
import type { Peer } from '../peer.ts';

/**
 * Sends the refusal, with one sentence that says why, and closes; without a word where 3.x has no return code for the reason
 * [MQTT3-3.2.2-6].
 */
export function refuse(peer: Peer, reason: Reason, why: string, extra: Properties = NO_PROPERTIES): void {
  peer.core.log.information?.(`Client ${peer.name} [${peer.place}] refused: ${why}`);
  if (peer.profile.hasProperties || reason.connack3 > 0) {
    peer.core.log.debug?.(`Sending CONNACK to ${peer.name} (0, ${shownCode(peer, reason)})`);
    peer.send({ type: CONNACK, sessionPresent: false, code: reason.code, properties: { reasonString: why, ...extra } });
  }
  peer.endRefused(reason);
}

function shownCode(peer: Peer, reason: Reason): number {
  return peer.profile.hasProperties ? reason.code : connackCode3(reason.code);
}

/** Why a plugin refuses. */
export function sentenceOf(refusal: Refusal): string {
  return refusal.reasonString ?? `${refusal.reason.text}.`;
}

/** What a plugin's refusal adds to the packet. */
export function referenceOf(refusal: Refusal): Properties {
  return refusal.serverReference === undefined ? NO_PROPERTIES : { serverReference: refusal.serverReference };
}
