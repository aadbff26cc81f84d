// Control packets as the core sees them: always in MQTT 5 terms. Decoding lifts 3.1 and 3.1.1 to them, encoding lowers them.
// PUBLISH is missing here on purpose: it is read in place (publish.ts).
import type {
  AUTH,
  CONNACK,
  CONNECT,
  DISCONNECT,
  PINGREQ,
  PINGRESP,
  PUBACK,
  PUBCOMP,
  PUBREC,
  PUBREL,
  SUBACK,
  SUBSCRIBE,
  UNSUBACK,
  UNSUBSCRIBE,
} from './constants.ts';
import type { Properties } from './properties.ts';
import type { Profile } from './version.ts';

/** The will of a CONNECT (section 3.1.2.5). */
export interface Will {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly retain: boolean;
  readonly properties: Properties;
}

export interface ConnectPacket {
  readonly type: typeof CONNECT;
  /** The protocol version, as its profile; `bridge` tells that bit 7 of the level was set (Mosquitto's bridges do). */
  readonly profile: Profile;
  readonly bridge: boolean;
  readonly clientId: string;
  readonly cleanStart: boolean;
  /** Seconds, 0 … 65,535; 0 turns the mechanism off. */
  readonly keepAlive: number;
  readonly username: string | null;
  readonly password: Buffer | null;
  readonly will: Will | null;
  /** For 3.x: sessionExpiryInterval is NEVER_EXPIRES where clean session is 0. */
  readonly properties: Properties;
}

export interface ConnackPacket {
  readonly type: typeof CONNACK;
  readonly sessionPresent: boolean;
  /** Reason code; towards 3.x lowered to a return code by the reason table, and lifted from it. */
  readonly code: number;
  readonly properties: Properties;
}

/** PUBACK, PUBREC, PUBREL, PUBCOMP. */
export interface AckPacket {
  readonly type: typeof PUBACK | typeof PUBREC | typeof PUBREL | typeof PUBCOMP;
  readonly id: number;
  readonly code: number;
  readonly properties: Properties;
}

export interface SubscriptionRequest {
  readonly filter: string;
  readonly qos: number;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** 0 send retained, 1 send them if the subscription is new, 2 do not send them. */
  readonly retainHandling: number;
}

export interface SubscribePacket {
  readonly type: typeof SUBSCRIBE;
  readonly id: number;
  readonly subscriptions: readonly SubscriptionRequest[];
  readonly properties: Properties;
}

export interface SubackPacket {
  readonly type: typeof SUBACK;
  readonly id: number;
  readonly codes: readonly number[];
  readonly properties: Properties;
}

export interface UnsubscribePacket {
  readonly type: typeof UNSUBSCRIBE;
  readonly id: number;
  readonly filters: readonly string[];
  readonly properties: Properties;
}

export interface UnsubackPacket {
  readonly type: typeof UNSUBACK;
  readonly id: number;
  /** For each filter; empty from a 3.x server. */
  readonly codes: readonly number[];
  readonly properties: Properties;
}

export interface PingPacket {
  readonly type: typeof PINGREQ | typeof PINGRESP;
}

export interface DisconnectPacket {
  readonly type: typeof DISCONNECT;
  readonly code: number;
  readonly properties: Properties;
}

export interface AuthPacket {
  readonly type: typeof AUTH;
  readonly code: number;
  readonly properties: Properties;
}

export type ControlPacket =
  | ConnectPacket
  | ConnackPacket
  | AckPacket
  | SubscribePacket
  | SubackPacket
  | UnsubscribePacket
  | UnsubackPacket
  | PingPacket
  | DisconnectPacket
  | AuthPacket;

/** Who receives whole frames from the framer: `first` is the fixed header's first byte, the body is buffer[start, end). */
export interface FrameSink {
  /** Returns false to stop the framer behind this frame (the link is paused or closed). */
  frame(buffer: Buffer, first: number, start: number, end: number): boolean;
}
