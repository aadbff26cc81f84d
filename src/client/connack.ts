// CONNACK: how it is read, what must not stand in it, and the error where it does not come.
import { noteDial } from '../net/dial-facts.ts';
import type { PeerInfo } from '../net/transport.ts';
import { CONNACK } from '../protocol/constants.ts';
import { decode } from '../protocol/decode.ts';
import type { ConnackPacket } from '../protocol/packets.ts';
import { NO_PROPERTIES } from '../protocol/properties.ts';
import { reasonOf, SUCCESS, UNSUPPORTED_PROTOCOL_VERSION } from '../protocol/reasons.ts';
import type { Profile } from '../protocol/version.ts';
import { ConnectionLost } from './errors.ts';

/**
 * Reads CONNACK. A broker of 3.x answers a CONNECT of version 5 with return code 1 in its own form: two bytes and no
 * properties.
 * @throws PeerFault
 */
export function readConnack(
  profile: Profile,
  buffer: Buffer,
  first: number,
  start: number,
  end: number,
): ConnackPacket {
  if (profile.hasProperties && end - start === 2 && buffer[start + 1] === 1) {
    const { code } = UNSUPPORTED_PROTOCOL_VERSION;
    return { type: CONNACK, sessionPresent: false, code, properties: NO_PROPERTIES };
  }
  return decode(profile, buffer, first, start, end) as ConnackPacket;
}

/** What CONNACK is measured by. */
export interface ConnackContext {
  /** Whether CONNECT asked for a clean start. */
  readonly startsClean: boolean;
  /** Whether the client has a session that the broker may know. */
  readonly hasSession: boolean;
  /** Whether CONNECT named an authentication method. */
  readonly hasMethod: boolean;
}

/** Which rule a CONNACK breaks, or null. */
export function connackFault(packet: ConnackPacket, context: ConnackContext): string | null {
  const { code, sessionPresent, properties } = packet;
  if (code !== SUCCESS.code) {
    if (!sessionPresent) return null;
    return `CONNACK refuses (${reasonOf(code).text}) and has a session present`; // [MQTT-3.2.2-6, MQTT3-3.2.2-4]
  }
  if (sessionPresent && context.startsClean) return 'a session is present after a clean start'; // [MQTT-3.2.2-2]
  if (sessionPresent && !context.hasSession) return 'a session is present that the client does not have'; // [MQTT-3.2.2-4]
  if (properties.authenticationMethod !== undefined && !context.hasMethod) {
    return 'CONNACK names an authentication method and CONNECT did not'; // [MQTT-4.12.0-6]
  }
  return null;
}

/**
 * The error of a connection that ended without a CONNACK that admits us: `error` where there is one of ours, else one with
 * a guess, as the other side does not tell its cause. It knows the address.
 * @param cause the transport's error
 */
export function notStarted(info: PeerInfo, error: Error | null, cause: Error | null): Error {
  const hint =
    info.tls === null
      ? 'it may expect TLS on this port, or speak no MQTT'
      : 'it may want a client certificate, or not accept the one given';
  const text = `The connection was lost before the broker answered CONNECT: ${hint}`;
  const failure = error ?? new ConnectionLost(text, null, cause);
  noteDial(failure, 'connack', [{ address: info.address, port: info.port, code: null }]);
  return failure;
}
