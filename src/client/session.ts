// A client's session: what is on its way and what is subscribed to. It outlives connections; each new one is given what
// the last one left undone (MQTT 5.0 section 4.4).
import { InboundWindow, OVER_QUOTA } from '../flow/inbound.ts';
import { AWAIT_PUBACK, AWAIT_PUBCOMP, AWAIT_PUBREC, OutboundWindow, RELEASE, UNKNOWN } from '../flow/outbound.ts';
import { MAX_PACKET_ID, PUBACK, PUBCOMP, PUBREC, PUBREL, SUBACK, SUBSCRIBE, UNSUBACK } from '../protocol/constants.ts';
import { PeerFault, ProtocolError } from '../protocol/errors.ts';
import type { AckPacket, SubackPacket, UnsubackPacket } from '../protocol/packets.ts';
import { NO_PROPERTIES, type Properties } from '../protocol/properties.ts';
import {
  PACKET_IDENTIFIER_NOT_FOUND,
  QUOTA_EXCEEDED,
  RECEIVE_MAXIMUM_EXCEEDED,
  reasonOf,
  SUCCESS,
} from '../protocol/reasons.ts';
import { Ring } from '../util/ring.ts';
import type { Connection } from './connection.ts';
import { InvalidRequest } from './errors.ts';
import type { PublishResult, ReceivedMessage } from './options.ts';
import { type OutgoingMessage, OutgoingRequest } from './outgoing.ts';
import { Subscriptions } from './subscriptions.ts';

/** Codes from here on refuse. */
const REFUSAL = 0x80;

/** Session state and the sending side of a client. */
export class Session {
  private readonly maxInflight: number;
  private readonly hasReasons: boolean;
  private readonly deliver: (message: ReceivedMessage) => void;
  /** Messages and requests with a packet identifier. */
  private readonly window: OutboundWindow<OutgoingMessage | OutgoingRequest>;
  private readonly inbound: InboundWindow;
  private readonly subscriptions: Subscriptions;
  /** QoS > 0 messages that wait for room in the window. */
  private readonly queued: Ring<OutgoingMessage>;
  /** QoS 0 messages that wait for the connection or for the broker to read. */
  private readonly unsent: Ring<OutgoingMessage>;
  /** Messages in the window. */
  private inFlight: number;
  /** Those of them that were sent on this connection: the broker's receive maximum counts these. */
  private onWire: number;
  /** Identifiers to be sent again on this connection, in order. */
  private again: number[];
  private limit: number;
  private connection: Connection | null;
  private waiters: { count: number; resolve(): void; reject(error: Error): void }[];

  /**
   * @param receiveMaximum the Receive Maximum of our CONNECT
   * @param hasReasons whether acknowledgements carry reason codes
   * @param deliver takes each received message once
   */
  constructor(
    maxInflight: number,
    receiveMaximum: number,
    hasReasons: boolean,
    deliver: (message: ReceivedMessage) => void,
  ) {
    this.maxInflight = maxInflight;
    this.hasReasons = hasReasons;
    this.deliver = deliver;
    this.window = new OutboundWindow(MAX_PACKET_ID);
    this.inbound = new InboundWindow(receiveMaximum);
    this.subscriptions = new Subscriptions();
    this.queued = new Ring();
    this.unsent = new Ring();
    this.inFlight = 0;
    this.onWire = 0;
    this.again = [];
    this.limit = maxInflight;
    this.connection = null;
    this.waiters = [];
  }

  /** Sends a message, or has it wait for its turn. */
  publish(message: OutgoingMessage): void {
    if (message.qos > 0) this.queued.push(message);
    else this.unsent.push(message);
    this.pump();
  }

  /** Sends a request, at the latest on the next connection. Rejects through the request. */
  request(request: OutgoingRequest): void {
    if (!this.window.hasRoom) {
      request.settle?.reject(new InvalidRequest(QUOTA_EXCEEDED, 'every packet identifier is in use'));
      return;
    }
    const id = this.window.take(request, 1);
    if (this.connection !== null) this.sendRequest(id, request);
  }

  /** Resolves when at most `count` messages are unacknowledged and the broker takes bytes. */
  drained(count: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiters.push({ count, resolve, reject });
      this.wake();
    });
  }

  /** A connection is there: what was under way goes on if the broker remembers the session, else it starts over. */
  attach(connection: Connection, sessionPresent: boolean): void {
    this.connection = connection;
    this.limit = Math.min(this.maxInflight, connection.granted.receiveMaximum ?? MAX_PACKET_ID); // [MQTT-3.3.4-9]
    if (!sessionPresent) {
      this.inbound.clear();
      this.forgetReleased();
      for (const packet of this.subscriptions.requests()) this.request(new OutgoingRequest(packet, null));
    }
    const requests: [number, OutgoingRequest][] = [];
    this.window.forEach((id, item, state) => {
      if (item.kind === 'request') requests.push([id, item]);
      else if (state === AWAIT_PUBCOMP) {
        this.onWire += 1;
        connection.acknowledge(PUBREL, id, SUCCESS.code);
      } else this.again.push(id);
    });
    for (const [id, request] of requests) if (!request.isSent) this.sendRequest(id, request);
    this.isResuming = sessionPresent;
    this.pump();
  }
}
