// What a peer can do wrong. Anything else that is thrown is a bug of ours.
import type { Properties } from './properties.ts';
import { MALFORMED_PACKET, PROTOCOL_ERROR, type Reason } from './reasons.ts';
import type { Profile } from './version.ts';

/** A fault of the peer: carries the reason to close with and one sentence for the log that says which rule was broken. */
export class PeerFault extends Error {
  readonly reason: Reason;

  constructor(reason: Reason, message: string) {
    super(message);
    this.name = 'PeerFault';
    this.reason = reason;
  }
}

/** Bytes that are no packet (section 4.13.1): truncated fields, bad UTF-8, reserved bits, bad variable byte integers. */
export class MalformedPacket extends PeerFault {
  constructor(message: string) {
    super(MALFORMED_PACKET, message);
    this.name = 'MalformedPacket';
  }
}

/** A well-formed packet that must not come now, or a field whose value the standard forbids. */
export class ProtocolError extends PeerFault {
  constructor(message: string) {
    super(PROTOCOL_ERROR, message);
    this.name = 'ProtocolError';
  }
}

/** A CONNECT that is none: how far it was understood tells in which words to answer. */
export class ConnectFault extends PeerFault {
  /** The version, null if the packet does not get as far as that or names one that is not spoken here. */
  readonly profile: Profile | null;
  /** The properties, empty if it does not get as far as those. */
  readonly properties: Properties;

  constructor(fault: PeerFault, profile: Profile | null, properties: Properties) {
    super(fault.reason, fault.message);
    this.name = 'ConnectFault';
    this.profile = profile;
    this.properties = properties;
  }
}

/** A packet of a type that must not come now; `first` is its first byte. */
export class UnexpectedPacket extends ProtocolError {
  readonly first: number;

  constructor(name: string, first: number) {
    super(`${name} must not come now`);
    this.name = 'UnexpectedPacket';
    this.first = first;
  }
}

/** The first bytes are those of a TLS handshake: the peer speaks TLS to a plain listener. */
export class TlsOnPlainConnection extends MalformedPacket {
  constructor() {
    super('these bytes are a TLS handshake');
    this.name = 'TlsOnPlainConnection';
  }
}
