// Rules for what a server may send once CONNACK has come, beyond those of the single packet: the sentences that name them.
import { AUTH, CONNACK, CONNECT, DISCONNECT, PACKET_NAMES } from '../protocol/constants.ts';
import { type PeerFault, ProtocolError, UnexpectedPacket } from '../protocol/errors.ts';
import type { ControlPacket, DisconnectPacket } from '../protocol/packets.ts';
import type { Properties } from '../protocol/properties.ts';
import { DISCONNECT_WITH_WILL } from '../protocol/reasons.ts';
import type { Profile } from '../protocol/version.ts';

/** Says which rule a packet of a wrong type broke; other faults are passed on. */
export function explained(fault: PeerFault, profile: Profile): PeerFault {
  if (!(fault instanceof UnexpectedPacket)) return fault;
  const type = fault.first >> 4;
  switch (type) {
    case 0:
      return new ProtocolError('packet type 0 is reserved');
    case CONNECT:
      return new ProtocolError('CONNECT is for clients to send');
    case CONNACK:
      return new ProtocolError('a second CONNACK came'); // [MQTT-3.2.0-2]
    case AUTH:
      return new ProtocolError(
        profile.hasProperties
          ? 'AUTH came, and CONNECT named no authentication method' // [MQTT-4.12.0-6]
          : 'packet type 15 is reserved',
      );
    case DISCONNECT:
      return new ProtocolError('a server sends no DISCONNECT in this version of MQTT');
    default:
      return new ProtocolError(`${PACKET_NAMES[type]} is for clients to send`);
  }
}

/** Which rule a server's DISCONNECT breaks, or null. */
export function disconnectFault({ code, properties }: DisconnectPacket): string | null {
  // [MQTT-3.14.2-2]
  if (properties.sessionExpiryInterval !== undefined) return 'a server must not set a session expiry in DISCONNECT';
  if (code === DISCONNECT_WITH_WILL.code) return 'reason code 0x04 of DISCONNECT is for clients to send';
  return null;
}

/** [MQTT-3.1.2-29]: without request problem information only PUBLISH, CONNACK and DISCONNECT say more than they must. */
export function unaskedInformation(asked: Properties, packet: ControlPacket): string | null {
  if (asked.requestProblemInformation !== 0 || packet.type === DISCONNECT || !('properties' in packet)) return null;
  const { reasonString, userProperties } = packet.properties;
  if (reasonString === undefined && userProperties === undefined) return null;
  return `${PACKET_NAMES[packet.type]} has a reason string or user properties, and CONNECT asked for none`;
}
