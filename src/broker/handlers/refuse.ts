// A client that is not let in: CONNACK with the reason, then the line is closed [MQTT-3.2.2-7].
import { CONNACK } from '../../protocol/constants.ts';
import { connackCode3 } from '../../protocol/encode.ts';
import { NO_PROPERTIES } from '../../protocol/properties.ts';
import type { Reason } from '../../protocol/reasons.ts';
import type { Peer } from '../peer.ts';

/** Sends the refusal and closes. */
export function refuse(peer: Peer, reason: Reason): void {
  peer.core.log.debug?.(`Sending CONNACK to ${peer.name} (0, ${shownCode(peer, reason)})`);
  peer.send({ type: CONNACK, sessionPresent: false, code: reason.code, properties: NO_PROPERTIES });
  peer.endRefused(reason);
}

function shownCode(peer: Peer, reason: Reason): number {
  return peer.profile.hasProperties ? reason.code : connackCode3(reason.code);
}
