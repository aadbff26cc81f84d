// A client's session: it outlives connections, and each new one is given what the last one left undone.
import { isUtf8 } from 'node:buffer';
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
import {
  PACKET_IDENTIFIER_NOT_FOUND,
  PAYLOAD_FORMAT_INVALID,
  RECEIVE_MAXIMUM_EXCEEDED,
  SUCCESS,
} from '../protocol/reasons.ts';
import type { ReceivedMessage } from './options.ts';
import { OutgoingRequest } from './outgoing.ts';
import type { Output } from './output.ts';
import { Sender } from './sender.ts';
import { type SessionState, savedEntries, savedMessage } from './session-state.ts';
import type { Settings } from './settings.ts';
import { Subscriptions } from './subscriptions.ts';

/** Session state of a client. */
export class Session {
  readonly sender: Sender;
  private readonly inbound: InboundWindow;
  private readonly subscriptions: Subscriptions;
  private readonly checksPayloadFormat: boolean;
  private output: Output | null;

  constructor(settings: Settings) {
    this.sender = new Sender(settings.maxInflight);
    this.inbound = new InboundWindow(settings.properties.receiveMaximum ?? MAX_PACKET_ID);
    this.subscriptions = new Subscriptions();
    this.checksPayloadFormat = settings.checkPayloadFormat;
    this.output = null;
    const { restored } = settings;
    if (restored === null) return;
    this.sender.restore(savedEntries(restored), restored.lastPacketId);
    this.inbound.restore(new Map(restored.received.map((id) => [id, 0])));
  }

  /** What another client needs to go on from here. */
  save(clientId: string): SessionState {
    return {
      clientId,
      lastPacketId: this.sender.lastIdentifier,
      outgoing: this.sender.entries.map(savedMessage),
      received: this.inbound.identifiers,
    };
  }

  /**
   * A connection is there. Where the broker has no session for us, ours starts over, and messages that it had not taken
   * over are published as new ones [MQTT-3.2.2-5].
   * @param resumes whether the broker has the session, as far as it can tell
   * @param subscribesAnew whether it may know nothing of our subscriptions
   */
  attach(output: Output, resumes: boolean, subscribesAnew: boolean): void {
    this.output = output;
    this.sender.attach(output, resumes, subscribesAnew);
    if (resumes) this.inbound.reconnected();
    else this.inbound.clear();
    if (subscribesAnew) {
      for (const packet of this.subscriptions.requests()) this.sender.request(new OutgoingRequest(packet, null));
    }
    this.sender.resume();
  }

  detach(): void {
    this.output = null;
    this.sender.detach();
  }

  /**
   * Hands a message over once and acknowledges it, whether anybody listens or not [MQTT-4.5.0-2].
   * @throws PeerFault for more messages than we admit [MQTT-3.3.4-9]
   */
  receive(message: ReceivedMessage, deliver: (message: ReceivedMessage) => void): void {
    const { output } = this;
    const { qos, id } = message;
    const isFit = !this.checksPayloadFormat || hasPayloadAsSaid(message);
    if (qos === 2) {
      const answer = this.inbound.admit(id);
      if (answer === OVER_QUOTA) throw overQuota();
      if (!isFit) {
        this.inbound.release(id); // [MQTT-4.3.3-9]
        output?.acknowledge(PUBREC, id, PAYLOAD_FORMAT_INVALID.code);
        return;
      }
      if (answer !== DUPLICATE) deliver(message); // [MQTT-4.3.3-10]
      output?.acknowledge(PUBREC, id, SUCCESS.code);
      return;
    }
    // One of QoS 1 is acknowledged before the next one is read, so it is only together with others that it is too many.
    if (qos === 1 && this.inbound.isFull) throw overQuota();
    if (isFit) deliver(message);
    if (qos === 1) output?.acknowledge(PUBACK, id, isFit ? SUCCESS.code : PAYLOAD_FORMAT_INVALID.code);
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
        this.output?.acknowledge(PUBCOMP, packet.id, known ? SUCCESS.code : PACKET_IDENTIFIER_NOT_FOUND.code);
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

function overQuota(): PeerFault {
  return new PeerFault(
    RECEIVE_MAXIMUM_EXCEEDED,
    'more messages of QoS 1 and 2 than the receive maximum are unacknowledged',
  );
}

/** Whether the payload is what the payload format indicator says (MQTT 5.0 section 3.3.2.3.2). */
function hasPayloadAsSaid({ payload, properties }: ReceivedMessage): boolean {
  return properties.payloadFormatIndicator !== 1 || isUtf8(payload);
}
