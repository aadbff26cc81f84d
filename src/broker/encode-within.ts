// Control packets for a client that says how large they may be [MQTT-3.1.2-24].
import { encode } from '../protocol/encode.ts';
import type { ControlPacket } from '../protocol/packets.ts';
import type { Profile } from '../protocol/version.ts';

/** Whether a packet is not larger than `most` bytes; 0 is no limit. */
export function fits(bytes: Buffer, most: number): boolean {
  return most === 0 || bytes.length <= most;
}

/** Encodes a packet, without its reason string if it would be too large with it. Null if it is too large even so. */
export function encodeWithin(profile: Profile, packet: ControlPacket, most: number): Buffer | null {
  const whole = encode(profile, packet);
  if (fits(whole, most)) return whole;
  const short = encode(profile, withoutReasonString(packet));
  return fits(short, most) ? short : null;
}

/** The same packet, for a client for whom it is too large with a reason string [MQTT-3.2.2-19, MQTT-3.4.2-2 and its like]. */
function withoutReasonString(packet: ControlPacket): ControlPacket {
  if (!('properties' in packet) || packet.properties.reasonString === undefined) return packet;
  const { reasonString: _, ...properties } = packet.properties;
  return { ...packet, properties };
}
