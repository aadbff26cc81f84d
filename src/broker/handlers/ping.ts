// PINGREQ (MQTT 5.0 section 3.12): answered at once [MQTT-3.12.4-1].
import { decode } from '../../protocol/decode.ts';
import type { Peer } from '../peer.ts';

/** Handles PINGREQ. */
export function onPing(peer: Peer, buffer: Buffer, first: number, start: number, end: number): void {
  if (end > start) decode(peer.profile, buffer, first, start, end);
  const { log } = peer.core;
  log.debug?.(`Received PINGREQ from ${peer.name}`);
  log.debug?.(`Sending PINGRESP to ${peer.name}`);
  peer.sendPingResponse();
}
