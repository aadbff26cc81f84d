// THE place for the differences between MQTT 3.1, 3.1.1 and 5.0: three frozen profiles with capabilities. Nothing outside
// protocol/ compares a version; what differs is asked for by name.

/** What a protocol version can say. */
export interface Profile {
  /** Protocol level on the wire; read only in protocol/. */
  readonly level: 3 | 4 | 5;
  /** How a log line shows the version (Mosquitto 2.1's "p" field). */
  readonly shown: '3' | '4' | '5';
  /** The name of the protocol in CONNECT. */
  readonly protocolName: 'MQIsdp' | 'MQTT';
  /** The spelling of the tools' -V option. */
  readonly option: 'mqttv31' | 'mqttv311' | 'mqttv5';
  /** Packets carry properties, acknowledgements carry reason codes, and the server may send DISCONNECT and AUTH. */
  readonly hasProperties: boolean;
  /** Index of the encoding of a PUBLISH: 0 without a property length, 1 with. */
  readonly shape: 0 | 1;
  /** Bits of a subscription's options byte that may be set. */
  readonly subscriptionMask: number;
  /** An empty client id is allowed at all (3.1 wants 1 to 23 characters; like Mosquitto, longer ones are let in). */
  readonly allowsEmptyClientId: boolean;
  /** An empty client id is allowed where the session outlives the connection: the server tells which id it chose. */
  readonly emptyClientIdMayPersist: boolean;
  /** Bit 7 of the level marks a bridge: Mosquitto's own addition to 3.x; in MQTT 5 subscription options say the same. */
  readonly hasBridgeBit: boolean;
  /** CONNACK tells whether there was a session; in 3.1 that byte is reserved. */
  readonly hasSessionPresent: boolean;
  /**
   * Flags that mean nothing are let pass: reserved ones, in the fixed header and in CONNECT, and those of a will without a
   * will. User name and password may be missing although their flags are set (MQTT 3.1, sections 2.1 and 3.1).
   */
  readonly flagsAreLoose: boolean;
  /** A password may come without a user name. */
  readonly passwordWithoutUsername: boolean;
}

/** MQTT 3.1, protocol level 3. */
export const MQTT31: Profile = Object.freeze({
  level: 3,
  shown: '3',
  protocolName: 'MQIsdp',
  option: 'mqttv31',
  hasProperties: false,
  shape: 0,
  subscriptionMask: 0x03,
  allowsEmptyClientId: false,
  emptyClientIdMayPersist: false,
  hasBridgeBit: true,
  hasSessionPresent: false,
  flagsAreLoose: true,
  passwordWithoutUsername: false,
});

/** MQTT 3.1.1, protocol level 4. */
export const MQTT311: Profile = Object.freeze({
  level: 4,
  shown: '4',
  protocolName: 'MQTT',
  option: 'mqttv311',
  hasProperties: false,
  shape: 0,
  subscriptionMask: 0x03,
  allowsEmptyClientId: true,
  emptyClientIdMayPersist: false,
  hasBridgeBit: true,
  hasSessionPresent: true,
  flagsAreLoose: false,
  passwordWithoutUsername: false,
});

/** MQTT 5.0, protocol level 5. */
export const MQTT5: Profile = Object.freeze({
  level: 5,
  shown: '5',
  protocolName: 'MQTT',
  option: 'mqttv5',
  hasProperties: true,
  shape: 1,
  subscriptionMask: 0x3f,
  allowsEmptyClientId: true,
  emptyClientIdMayPersist: true,
  hasBridgeBit: false,
  hasSessionPresent: true,
  flagsAreLoose: false,
  passwordWithoutUsername: true,
});

/** The profiles, oldest first. */
export const PROFILES: readonly Profile[] = [MQTT31, MQTT311, MQTT5];

/** The profiles of some protocol levels (3, 4, 5), oldest first. */
export function profilesOfLevels(levels: readonly number[]): readonly Profile[] {
  return PROFILES.filter((profile) => levels.includes(profile.level));
}
