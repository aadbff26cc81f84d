// What clients say about their acknowledgements and their goodbye: reason strings and user properties are for people who
// look for a fault, so they go to the log and nowhere else (MQTT 5.0 sections 3.4.2.2 and 3.14.2.2).
import { PACKET_NAMES } from '../../protocol/constants.ts';
import type { AckPacket, AuthPacket, DisconnectPacket } from '../../protocol/packets.ts';
import type { Peer } from '../peer.ts';

/** Logs the properties of a packet that are there to explain it. */
export function logProperties(peer: Peer, packet: AckPacket | AuthPacket | DisconnectPacket): void {
  const { log } = peer.core;
  if (log.debug === null) return;
  const { reasonString, userProperties = [] } = packet.properties;
  const name = `${PACKET_NAMES[packet.type]} from ${peer.name}`;
  if (reasonString !== undefined) log.debug(`\t${name} (rc${packet.code}) says: ${reasonString}`);
  for (const [key, value] of userProperties) log.debug(`\t${name} has the user property ${key}: ${value}`);
}
