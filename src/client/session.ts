// A client's session: it outlives connections, and each new one is given what the last one left undone.
import { DUPLICATE, InboundWindow, OVER_QUOTA } from '../flow/inbound.ts';
import { AWAIT_PUBACK, AWAIT_PUBCOMP } from '../flow/outbound.ts';
import {
  MAX_PACKET_ID,
  PUBACK,
  PUBCOMP,
  PUBREC,
  PUBREL,
  SUBACK,
  SUBSCRIBE,
  UNSUBSCRIBE,
} from '../protocol/constants.ts';
import { PeerFault, ProtocolError } from '../protocol/errors.ts';
import type { AckPacket, SubackPacket, UnsubackPacket } from '../protocol/packets.ts';
import { PACKET_IDENTIFIER_NOT_FOUND, RECEIVE_MAXIMUM_EXCEEDED, SUCCESS } from '../protocol/reasons.ts';
import type { Connection } from './connection.ts';
import type { ReceivedMessage } from './options.ts';
import { OutgoingRequest } from './outgoing.ts';
import { Sender } from './sender.ts';
import type { Settings } from './settings.ts';
import { Subscriptions } from './subscriptions.ts';

/** Session state of a client. */
export class Session {
  readonly sender: Sender;
  private readonly inbound: InboundWindow;
  private readonly subscriptions: Subscriptions;
  private connection: Connection | null;

  constructor(settings: Settings) {
    this.sender = new Sender(settings.maxInflight);
    this.inbound = new InboundWindow(settings.properties.receiveMaximum ?? MAX_PACKET_ID);
    this.subscriptions = new Subscriptions();
    this.connection = null;
  }

  /** A connection is there. Where the broker has no session for us, ours starts over and subscribes anew. */
  attach(connection: Connection, sessionPresent: boolean): void {
    this.connection = connection;
    this.sender.attach(connection, sessionPresent);
    if (!sessionPresent) {
      this.inbound.clear();
      for (const packet of this.subscriptions.requests()) this.sender.request(new OutgoingRequest(packet, null));
    }
    this.sender.resume();
  }

  detach(): void {
    this.connection = null;
    this.sender.detach();
  }

  /**
   * Hands a message over once and acknowledges it.
   * @throws PeerFault for more QoS 2 messages than we admit [MQTT-3.3.4-7]
   */
  receive(message: ReceivedMessage, deliver: (message: ReceivedMessage) => void): void {
    const { connection } = this;
    if (message.qos === 2) {
      const answer = this.inbound.admit(message.id);
      if (answer === OVER_QUOTA) {
        throw new PeerFault(RECEIVE_MAXIMUM_EXCEEDED, 'more QoS 2 messages than the receive maximum are unfinished');
      }
      if (answer !== DUPLICATE) deliver(message); // [MQTT-4.3.3-10]
      connection?.acknowledge(PUBREC, message.id, SUCCESS.code);
      return;
    }
    deliver(message);
    if (message.qos === 1) connection?.acknowledge(PUBACK, message.id, SUCCESS.code);
  }

  acknowledged(packet: AckPacket): void {
    switch (packet.type) {
      case PUBACK:
        this.sender.finished(packet, AWAIT_PUBACK);
        break;
      case PUBREC:
        this.sender.received(packet);
        break;
      case PUBCOMP:
        this.sender.finished(packet, AWAIT_PUBCOMP);
        break;
      case PUBREL: {
        const known = this.inbound.release(packet.id);
        this.connection?.acknowledge(PUBCOMP, packet.id, known ? SUCCESS.code : PACKET_IDENTIFIER_NOT_FOUND.code);
      }
    }
  }

  /** @throws ProtocolError for another number of codes than there are filters */
  answered(packet: SubackPacket | UnsubackPacket): void {
    const request = this.sender.answered(packet.id, packet.type === SUBACK ? SUBSCRIBE : UNSUBSCRIBE);
    if (request === null) return;
    const asked = request.packet.type === SUBSCRIBE ? request.packet.subscriptions : request.packet.filters;
    const { id, codes, properties } = packet;
    if (codes.length !== asked.length && (packet.type === SUBACK || codes.length > 0)) {
      const fault = new ProtocolError(`${codes.length} reason codes came for ${asked.length} filters`); // [MQTT-3.9.3-1]
      request.settle?.reject(fault);
      throw fault;
    }
    if (request.packet.type === SUBSCRIBE) this.subscriptions.granted(request.packet, codes);
    else this.subscriptions.removed(request.packet.filters, codes);
    request.settle?.resolve({ id, codes, properties });
  }
}
