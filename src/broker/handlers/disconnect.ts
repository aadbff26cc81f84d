// DISCONNECT from a client (MQTT 5.0 section 3.14).
import { DISCONNECT } from '../../protocol/constants.ts';
import { decode } from '../../protocol/decode.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { DISCONNECT_WITH_WILL, SUCCESS } from '../../protocol/reasons.ts';
import type { Peer } from '../peer.ts';
import { logProperties } from './diagnostics.ts';

/** Handles DISCONNECT: the will is forgotten unless the client asks for it, and the session may get a new expiry. */
export function onDisconnect(peer: Peer, buffer: Buffer, first: number, start: number, end: number): void {
  const packet = decode(peer.profile, buffer, first, start, end);
  if (packet.type !== DISCONNECT) return;
  peer.core.log.debug?.(`Received DISCONNECT from ${peer.name}`);
  logProperties(peer, packet);
  const session = peer.session;
  if (session !== null) {
    const expiry = packet.properties.sessionExpiryInterval;
    if (expiry !== undefined) {
      // A session that was to end with its connection cannot be kept after all (section 3.14.2.2.2).
      if (session.expiryInterval === 0 && expiry > 0) {
        throw new ProtocolError('DISCONNECT sets a session expiry although CONNECT had none');
      }
      session.expiryInterval = expiry;
    }
    // [MQTT-3.14.4-3]; any other code than 0 leaves the will in force.
    if (packet.code === SUCCESS.code) session.will = null;
    else if (packet.code !== DISCONNECT_WITH_WILL.code) {
      peer.core.log.information?.(`Client ${peer.name} disconnects with reason code ${packet.code}.`);
    }
  }
  peer.endByClient(packet.code);
}
