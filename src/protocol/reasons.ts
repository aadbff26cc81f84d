// THE table of reason codes: name, text for people, the packets that may carry it, its MQTT 3.x CONNACK return code and the
// words that end a connection's line in the broker's log.
import { AUTH, CONNACK, DISCONNECT, PUBACK, PUBCOMP, PUBREC, PUBREL, SUBACK, UNSUBACK } from './constants.ts';

/** One reason code of MQTT 5.0 (section 2.4). */
export interface Reason {
  readonly code: number;
  /** Text as Mosquitto's tools print it. */
  readonly text: string;
  /** Types of the packets that may carry it. */
  readonly packets: readonly number[];
  /** CONNACK return code towards MQTT 3.1 and 3.1.1; 0 where these have none and the connection closes without one. */
  readonly connack3: number;
  /** The words behind "disconnected:" in the broker's log; empty for an orderly end. */
  readonly log: string;
}

const row = (code: number, text: string, packets: readonly number[], connack3: number, log: string): Reason =>
  Object.freeze({ code, text, packets, connack3, log });

export const SUCCESS = row(
  0x00,
  'Success',
  [CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, DISCONNECT, AUTH],
  0,
  '',
);
export const GRANTED_QOS_1 = row(0x01, 'Granted QoS 1', [SUBACK], 0, '');
export const GRANTED_QOS_2 = row(0x02, 'Granted QoS 2', [SUBACK], 0, '');
export const DISCONNECT_WITH_WILL = row(0x04, 'Disconnect with Will Message', [DISCONNECT], 0, '');
export const NO_MATCHING_SUBSCRIBERS = row(0x10, 'No matching subscribers', [PUBACK, PUBREC], 0, '');
export const NO_SUBSCRIPTION_EXISTED = row(0x11, 'No subscription existed', [UNSUBACK], 0, '');
export const CONTINUE_AUTHENTICATION = row(0x18, 'Continue authentication', [AUTH], 0, '');
export const REAUTHENTICATE = row(0x19, 'Re-authenticate', [AUTH], 0, '');
export const UNSPECIFIED_ERROR = row(
  0x80,
  'Unspecified error',
  [CONNACK, PUBACK, PUBREC, SUBACK, UNSUBACK, DISCONNECT],
  3,
  'unspecified error',
);
export const MALFORMED_PACKET = row(0x81, 'Malformed packet', [CONNACK, DISCONNECT], 0, 'malformed packet');
export const PROTOCOL_ERROR = row(0x82, 'Protocol error', [CONNACK, DISCONNECT], 0, 'protocol error');
export const IMPLEMENTATION_SPECIFIC_ERROR = row(
  0x83,
  'Implementation specific error',
  [CONNACK, PUBACK, PUBREC, SUBACK, UNSUBACK, DISCONNECT],
  3,
  'implementation specific error',
);
export const UNSUPPORTED_PROTOCOL_VERSION = row(0x84, 'Unsupported protocol version', [CONNACK], 1, 'protocol error');
export const CLIENT_IDENTIFIER_NOT_VALID = row(
  0x85,
  'Client identifier not valid',
  [CONNACK],
  2,
  'client identifier not valid',
);
export const BAD_USERNAME_OR_PASSWORD = row(0x86, 'Bad username or password', [CONNACK], 4, 'bad username or password');
export const NOT_AUTHORIZED = row(
  0x87,
  'Not authorized',
  [CONNACK, PUBACK, PUBREC, SUBACK, UNSUBACK, DISCONNECT],
  5,
  'not authorised',
);
export const SERVER_UNAVAILABLE = row(0x88, 'Server unavailable', [CONNACK], 3, 'server unavailable');
export const SERVER_BUSY = row(0x89, 'Server busy', [CONNACK, DISCONNECT], 3, 'server busy');
export const BANNED = row(0x8a, 'Banned', [CONNACK], 5, 'client banned');
export const SERVER_SHUTTING_DOWN = row(0x8b, 'Server shutting down', [DISCONNECT], 0, 'server shutting down');
export const BAD_AUTHENTICATION_METHOD = row(
  0x8c,
  'Bad authentication method',
  [CONNACK, DISCONNECT],
  5,
  'bad authentication method',
);
export const KEEP_ALIVE_TIMEOUT = row(0x8d, 'Keep alive timeout', [DISCONNECT], 0, 'exceeded timeout');
export const SESSION_TAKEN_OVER = row(0x8e, 'Session taken over', [DISCONNECT], 0, 'session taken over');
export const TOPIC_FILTER_INVALID = row(
  0x8f,
  'Topic filter invalid',
  [SUBACK, UNSUBACK, DISCONNECT],
  0,
  'topic filter invalid',
);
export const TOPIC_NAME_INVALID = row(
  0x90,
  'Topic name invalid',
  [CONNACK, PUBACK, PUBREC, DISCONNECT],
  0,
  'topic name invalid',
);
export const PACKET_IDENTIFIER_IN_USE = row(
  0x91,
  'Packet identifier in use',
  [PUBACK, PUBREC, SUBACK, UNSUBACK],
  0,
  'packet identifier in use',
);
export const PACKET_IDENTIFIER_NOT_FOUND = row(
  0x92,
  'Packet identifier not found',
  [PUBREL, PUBCOMP],
  0,
  'packet identifier not found',
);
export const RECEIVE_MAXIMUM_EXCEEDED = row(
  0x93,
  'Receive maximum exceeded',
  [DISCONNECT],
  0,
  'receive maximum exceeded',
);
export const TOPIC_ALIAS_INVALID = row(0x94, 'Topic alias invalid', [DISCONNECT], 0, 'topic alias invalid');
export const PACKET_TOO_LARGE = row(0x95, 'Packet too large', [CONNACK, DISCONNECT], 0, 'oversize packet');
export const MESSAGE_RATE_TOO_HIGH = row(0x96, 'Message rate too high', [DISCONNECT], 0, 'message rate too high');
export const QUOTA_EXCEEDED = row(
  0x97,
  'Quota exceeded',
  [CONNACK, PUBACK, PUBREC, SUBACK, DISCONNECT],
  3,
  'quota exceeded',
);
export const ADMINISTRATIVE_ACTION = row(0x98, 'Administrative action', [DISCONNECT], 0, 'administrative action');
export const PAYLOAD_FORMAT_INVALID = row(
  0x99,
  'Payload format invalid',
  [CONNACK, PUBACK, PUBREC, DISCONNECT],
  0,
  'payload format invalid',
);
export const RETAIN_NOT_SUPPORTED = row(
  0x9a,
  'Retain not supported',
  [CONNACK, DISCONNECT],
  0,
  'used disallowed feature (QoS too high, retain not supported, or bad AUTH method)',
);
export const QOS_NOT_SUPPORTED = row(
  0x9b,
  'QoS not supported',
  [CONNACK, DISCONNECT],
  0,
  'used disallowed feature (QoS too high, retain not supported, or bad AUTH method)',
);
export const USE_ANOTHER_SERVER = row(0x9c, 'Use another server', [CONNACK, DISCONNECT], 3, 'use another server');
export const SERVER_MOVED = row(0x9d, 'Server moved', [CONNACK, DISCONNECT], 3, 'server moved');
export const SHARED_SUBSCRIPTIONS_NOT_SUPPORTED = row(
  0x9e,
  'Shared subscriptions not supported',
  [SUBACK, DISCONNECT],
  0,
  'shared subscriptions not supported',
);
export const CONNECTION_RATE_EXCEEDED = row(
  0x9f,
  'Connection rate exceeded',
  [CONNACK, DISCONNECT],
  3,
  'connection rate exceeded',
);
export const MAXIMUM_CONNECT_TIME = row(0xa0, 'Maximum connect time', [DISCONNECT], 0, 'maximum connect time');
export const SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED = row(
  0xa1,
  'Subscription identifiers not supported',
  [SUBACK, DISCONNECT],
  0,
  'subscription identifiers not supported',
);
export const WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED = row(
  0xa2,
  'Wildcard subscriptions not supported',
  [SUBACK, DISCONNECT],
  0,
  'wildcard subscriptions not supported',
);

/** Every row, in the order of the codes. */
export const REASONS: readonly Reason[] = [
  SUCCESS,
  GRANTED_QOS_1,
  GRANTED_QOS_2,
  DISCONNECT_WITH_WILL,
  NO_MATCHING_SUBSCRIBERS,
  NO_SUBSCRIPTION_EXISTED,
  CONTINUE_AUTHENTICATION,
  REAUTHENTICATE,
  UNSPECIFIED_ERROR,
  MALFORMED_PACKET,
  PROTOCOL_ERROR,
  IMPLEMENTATION_SPECIFIC_ERROR,
  UNSUPPORTED_PROTOCOL_VERSION,
  CLIENT_IDENTIFIER_NOT_VALID,
  BAD_USERNAME_OR_PASSWORD,
  NOT_AUTHORIZED,
  SERVER_UNAVAILABLE,
  SERVER_BUSY,
  BANNED,
  SERVER_SHUTTING_DOWN,
  BAD_AUTHENTICATION_METHOD,
  KEEP_ALIVE_TIMEOUT,
  SESSION_TAKEN_OVER,
  TOPIC_FILTER_INVALID,
  TOPIC_NAME_INVALID,
  PACKET_IDENTIFIER_IN_USE,
  PACKET_IDENTIFIER_NOT_FOUND,
  RECEIVE_MAXIMUM_EXCEEDED,
  TOPIC_ALIAS_INVALID,
  PACKET_TOO_LARGE,
  MESSAGE_RATE_TOO_HIGH,
  QUOTA_EXCEEDED,
  ADMINISTRATIVE_ACTION,
  PAYLOAD_FORMAT_INVALID,
  RETAIN_NOT_SUPPORTED,
  QOS_NOT_SUPPORTED,
  USE_ANOTHER_SERVER,
  SERVER_MOVED,
  SHARED_SUBSCRIPTIONS_NOT_SUPPORTED,
  CONNECTION_RATE_EXCEEDED,
  MAXIMUM_CONNECT_TIME,
  SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED,
  WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED,
];

const byCode: (Reason | undefined)[] = [];
for (const reason of REASONS) byCode[reason.code] = reason;

/** The row of a code; for a code that the standard does not know, one that shows the number. */
export function reasonOf(code: number): Reason {
  return byCode[code] ?? row(code, `Unknown reason 0x${code.toString(16).padStart(2, '0')}`, [], 0, 'unknown reason');
}

/** Whether a packet of this type may carry this reason code. */
export function reasonFits(code: number, packetType: number): boolean {
  return byCode[code]?.packets.includes(packetType) ?? false;
}

/** Whether a reason code tells of a failure (MQTT 5.0 section 2.4); also the return code of SUBACK in MQTT 3.1.1. */
export function isRefusal(code: number): boolean {
  return code >= 0x80;
}

/** CONNACK return codes of MQTT 3.1.1 (table 3.1) as reasons, and the words Mosquitto's clients print for them. */
export const CONNACK3: readonly { readonly reason: Reason; readonly text: string }[] = [
  { reason: SUCCESS, text: 'Connection Accepted.' },
  { reason: UNSUPPORTED_PROTOCOL_VERSION, text: 'Connection Refused: unacceptable protocol version.' },
  { reason: CLIENT_IDENTIFIER_NOT_VALID, text: 'Connection Refused: identifier rejected.' },
  { reason: SERVER_UNAVAILABLE, text: 'Connection Refused: broker unavailable.' },
  { reason: BAD_USERNAME_OR_PASSWORD, text: 'Connection Refused: bad user name or password.' },
  { reason: NOT_AUTHORIZED, text: 'Connection Refused: not authorised.' },
];
