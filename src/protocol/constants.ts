// Packet types, flags and limits of MQTT as plain numeric constants: the hot path compares small integers only.

/** Control packet types, the high nibble of the first byte (MQTT 5.0 section 2.1.2). */
export const CONNECT = 1;
export const CONNACK = 2;
export const PUBLISH = 3;
export const PUBACK = 4;
export const PUBREC = 5;
export const PUBREL = 6;
export const PUBCOMP = 7;
export const SUBSCRIBE = 8;
export const SUBACK = 9;
export const UNSUBSCRIBE = 10;
export const UNSUBACK = 11;
export const PINGREQ = 12;
export const PINGRESP = 13;
export const DISCONNECT = 14;
export const AUTH = 15;

/** Names in the standard's spelling, indexed by packet type. */
export const PACKET_NAMES: readonly string[] = [
  'a packet of the reserved type 0',
  'CONNECT',
  'CONNACK',
  'PUBLISH',
  'PUBACK',
  'PUBREC',
  'PUBREL',
  'PUBCOMP',
  'SUBSCRIBE',
  'SUBACK',
  'UNSUBSCRIBE',
  'UNSUBACK',
  'PINGREQ',
  'PINGRESP',
  'DISCONNECT',
  'AUTH',
];

/** Bits of a PUBLISH's first byte. */
export const FLAG_RETAIN = 0x01;
export const FLAG_QOS_SHIFT = 1;
export const FLAG_QOS = 0x06;
export const FLAG_DUP = 0x08;

/** Largest value of a variable byte integer, and so of a remaining length (section 1.5.5). */
export const MAX_VARINT = 268_435_455;
/** Largest control packet: the longest remaining length and five bytes of fixed header. */
export const MAX_PACKET_SIZE = MAX_VARINT + 5;
/** Largest packet identifier. */
export const MAX_PACKET_ID = 65_535;
/** Longest string or binary field. */
export const MAX_STRING = 65_535;
/** "Never expires" as a session expiry interval (section 3.1.2.11.2). */
export const NEVER_EXPIRES = 0xffff_ffff;
