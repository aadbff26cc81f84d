// What a client's calls reject with, beside PeerFault (the broker broke the protocol) and the dialer's own errors.
import { connackCode3 } from '../protocol/encode.ts';
import { NO_PROPERTIES, type Properties } from '../protocol/properties.ts';
import { CONNACK3, type Reason } from '../protocol/reasons.ts';
import type { Profile } from '../protocol/version.ts';

/** The broker answered CONNECT with a refusal. */
export class ConnectRefused extends Error {
  readonly reason: Reason;
  /** The return code of MQTT 3.1 and 3.1.1 (1 … 5); 0 in versions that have reason codes. */
  readonly returnCode: number;
  /** Properties of the CONNACK: `reasonString` and `serverReference` among them. */
  readonly properties: Properties;

  constructor(profile: Profile, reason: Reason, properties: Properties) {
    const returnCode = profile.hasProperties ? 0 : connackCode3(reason.code);
    super(returnCode === 0 ? reason.text : (CONNACK3[returnCode]?.text ?? reason.text));
    this.name = 'ConnectRefused';
    this.reason = reason;
    this.returnCode = returnCode;
    this.properties = properties;
  }
}

/** The connection ended, or the client was closed, before what was asked for could happen. `cause` is the system's error. */
export class ConnectionLost extends Error {
  /** Why, where it is known: of the broker's DISCONNECT, or KEEP_ALIVE_TIMEOUT where it no longer answers. */
  readonly reason: Reason | null;
  /** Properties of the broker's DISCONNECT: `reasonString` and `serverReference` among them. */
  readonly properties: Properties;

  constructor(
    message: string,
    reason: Reason | null = null,
    cause: Error | null = null,
    properties: Properties = NO_PROPERTIES,
  ) {
    super(message, cause === null ? {} : { cause });
    this.name = 'ConnectionLost';
    this.reason = reason;
    this.properties = properties;
  }
}

/** What was asked for cannot be sent: it is no MQTT, or more than the broker takes. Nothing was sent. */
export class InvalidRequest extends Error {
  readonly reason: Reason;

  constructor(reason: Reason, message: string) {
    super(message);
    this.name = 'InvalidRequest';
    this.reason = reason;
  }
}
