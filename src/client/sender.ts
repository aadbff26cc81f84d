// The sending side of a client's session: messages and requests on their way, their packet identifiers, and what has to be
// sent again on the next connection (MQTT 5.0 sections 4.3, 4.4 and 4.9).
import { type AWAIT_PUBACK, AWAIT_PUBCOMP, AWAIT_PUBREC, DONE, OutboundWindow, RELEASE } from '../flow/outbound.ts';
import { MAX_PACKET_ID, PUBREL } from '../protocol/constants.ts';
import type { AckPacket } from '../protocol/packets.ts';
import { NO_PROPERTIES } from '../protocol/properties.ts';
import { PACKET_IDENTIFIER_NOT_FOUND, QUOTA_EXCEEDED, reasonOf, SUCCESS } from '../protocol/reasons.ts';
import { Ring } from '../util/ring.ts';
import type { Connection } from './connection.ts';
import { InvalidRequest } from './errors.ts';
import type { PublishResult } from './options.ts';
import type { OutgoingMessage, OutgoingRequest } from './outgoing.ts';

/** Codes from here on refuse. */
const REFUSAL = 0x80;

/** What every QoS 0 message comes to. */
const WRITTEN: Promise<PublishResult> = Promise.resolve(
  Object.freeze({ id: 0, reason: SUCCESS, properties: NO_PROPERTIES }),
);

/** Messages and requests of one client. */
export class Sender {
  private readonly maxInflight: number;
  private readonly window: OutboundWindow<OutgoingMessage | OutgoingRequest>;
  /** QoS > 0 messages that wait for room in the window. */
  private readonly queued: Ring<OutgoingMessage>;
  /** QoS 0 messages that wait for a connection, or for the broker to take bytes. */
  private readonly unsent: Ring<OutgoingMessage>;
  /** Messages in the window, and those of them that count against this connection's receive maximum. */
  private inFlight: number;
  private onWire: number;
  /** Identifiers of messages that were sent on an earlier connection only, in order. */
  private again: number[];
  private dup: boolean;
  private limit: number;
  private connection: Connection | null;
  private waiters: { count: number; resolve(): void; reject(error: Error): void }[];

  constructor(maxInflight: number) {
    this.maxInflight = maxInflight;
    this.window = new OutboundWindow(MAX_PACKET_ID);
    this.queued = new Ring();
    this.unsent = new Ring();
    this.inFlight = 0;
    this.onWire = 0;
    this.again = [];
    this.dup = true;
    this.limit = maxInflight;
    this.connection = null;
    this.waiters = [];
  }

  get hasUnsent(): boolean {
    return this.unsent.length > 0;
  }

  /** Sends a message, or has it wait for its turn. */
  publish(message: OutgoingMessage): Promise<PublishResult> {
    const { connection } = this;
    if (message.qos === 0 && connection !== null && !connection.isCongested) {
      const refusal = connection.refusal(message);
      if (refusal !== null) return Promise.reject(refusal);
      connection.publish(message, 0, false);
      return WRITTEN;
    }
    return new Promise((resolve, reject) => {
      message.settle = { resolve, reject };
      if (message.qos === 0) this.unsent.push(message);
      else this.queued.push(message);
      this.pump();
    });
  }

  /** Sends a request, at the latest on the next connection. */
  request(request: OutgoingRequest): void {
    if (!this.window.hasRoom) {
      request.settle?.reject(new InvalidRequest(QUOTA_EXCEEDED, 'every packet identifier is in use'));
      return;
    }
    this.sendRequest(this.window.take(request, 1), request);
  }

  /** Resolves when at most `count` messages are unacknowledged and the broker takes bytes. */
  drained(count: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiters.push({ count, resolve, reject });
      this.wake();
    });
  }

  /** A new connection is there; requests that are unanswered go out on it, messages when resume() is called. */
  attach(connection: Connection, sessionPresent: boolean): void {
    this.connection = connection;
    this.limit = Math.min(this.maxInflight, connection.granted.receiveMaximum ?? MAX_PACKET_ID); // [MQTT-3.3.4-9]
    this.onWire = 0;
    this.again = [];
    this.dup = sessionPresent;
    if (!sessionPresent) this.forgetSession();
    this.window.forEach((id, item) => {
      if (item.kind === 'request') this.sendRequest(id, item);
    });
  }

  /** Sends what the last connection left unacknowledged, in its order [MQTT-4.4.0-1], and then what waits. */
  resume(): void {
    this.window.forEach((id, item, state) => {
      if (item.kind === 'request') return;
      if (state === AWAIT_PUBCOMP) {
        this.onWire += 1;
        this.connection?.acknowledge(PUBREL, id, SUCCESS.code);
      } else {
        this.again.push(id);
      }
    });
    this.pump();
    this.wake();
  }

  detach(): void {
    this.connection = null;
  }

  /** The broker takes bytes again. */
  writable(): void {
    this.pump();
    this.wake();
  }

  /** PUBACK and PUBCOMP. What nobody waits for is passed over: it may answer what was given up. */
  finished(packet: AckPacket, waitingFor: typeof AWAIT_PUBACK | typeof AWAIT_PUBCOMP): void {
    const item = this.window.messageOf(packet.id);
    if (item?.kind !== 'message' || this.window.acknowledge(packet.id, waitingFor) !== DONE) return;
    this.settle(item, packet);
  }

  /** PUBREC. */
  received(packet: AckPacket): void {
    const { id } = packet;
    const item = this.window.messageOf(id);
    const message = item?.kind === 'message' && item.qos === 2 ? item : null;
    if (packet.code >= REFUSAL) {
      if (message === null) return;
      this.window.drop(id);
      this.settle(message, packet);
    } else if (message !== null && this.window.acknowledge(id, AWAIT_PUBREC) === RELEASE) {
      this.connection?.acknowledge(PUBREL, id, SUCCESS.code);
    } else {
      this.connection?.acknowledge(PUBREL, id, PACKET_IDENTIFIER_NOT_FOUND.code);
    }
  }

  /** SUBACK or UNSUBACK for this identifier: the request it answers leaves the window; null if there is none. */
  answered(id: number, type: OutgoingRequest['packet']['type']): OutgoingRequest | null {
    const item = this.window.messageOf(id);
    if (item?.kind !== 'request' || item.packet.type !== type) return null;
    this.window.drop(id);
    return item;
  }

  /** Nothing will be sent any more. */
  fail(error: Error): void {
    this.connection = null;
    const items: (OutgoingMessage | OutgoingRequest)[] = [];
    this.window.forEach((_, item) => {
      items.push(item);
    });
    this.window.clear();
    this.inFlight = 0;
    for (const ring of [this.queued, this.unsent]) {
      for (let message = ring.shift(); message !== null; message = ring.shift()) items.push(message);
    }
    const { waiters } = this;
    this.waiters = [];
    for (const item of items) item.settle?.reject(error);
    for (const waiter of waiters) waiter.reject(error);
  }

  private settle(message: OutgoingMessage, packet: AckPacket): void {
    this.release(packet.id);
    message.settle?.resolve({ id: packet.id, reason: reasonOf(packet.code), properties: packet.properties });
    this.pump();
    this.wake();
  }

  /** A message has left the window. */
  private release(id: number): void {
    this.inFlight -= 1;
    const at = this.again.indexOf(id);
    if (at >= 0) this.again.splice(at, 1);
    else this.onWire -= 1;
  }

  /**
   * The broker knows nothing of the last connection. Messages of which it had said PUBREC were delivered, and that is all
   * there is to say about them; the others are published as new ones. Requests of our own making are made anew.
   */
  private forgetSession(): void {
    const gone: [number, OutgoingMessage | OutgoingRequest][] = [];
    this.window.forEach((id, item, state) => {
      if (item.kind === 'request' ? item.settle === null : state === AWAIT_PUBCOMP) gone.push([id, item]);
    });
    for (const [id, item] of gone) {
      this.window.drop(id);
      if (item.kind === 'request') continue;
      this.inFlight -= 1;
      item.settle?.resolve({ id, reason: SUCCESS, properties: NO_PROPERTIES });
    }
  }

  private sendRequest(id: number, request: OutgoingRequest): void {
    const refusal = this.connection?.request({ ...request.packet, id }) ?? null;
    if (refusal === null) return;
    this.window.drop(id);
    request.settle?.reject(refusal);
  }

  /** Sends as much as the broker may be given now. */
  private pump(): void {
    const { connection } = this;
    if (connection === null) return;
    while (this.unsent.length > 0 && !connection.isCongested) {
      const message = this.unsent.shift()!;
      const refusal = connection.refusal(message);
      if (refusal === null) {
        connection.publish(message, 0, false);
        message.settle?.resolve({ id: 0, reason: SUCCESS, properties: NO_PROPERTIES });
      } else {
        message.settle?.reject(refusal);
      }
    }
    while (this.onWire < this.limit && !connection.isCongested) {
      if (this.again.length > 0) this.sendAgain(connection, this.again.shift()!);
      else if (this.queued.length > 0 && this.window.hasRoom) this.sendNew(connection, this.queued.shift()!);
      else break;
    }
  }

  private sendNew(connection: Connection, message: OutgoingMessage): void {
    const refusal = connection.refusal(message);
    if (refusal !== null) {
      message.settle?.reject(refusal);
      return;
    }
    const id = this.window.take(message, message.qos);
    this.inFlight += 1;
    this.onWire += 1;
    connection.publish(message, id, false);
  }

  private sendAgain(connection: Connection, id: number): void {
    const item = this.window.messageOf(id);
    if (item?.kind !== 'message') return;
    const refusal = connection.refusal(item);
    if (refusal === null) {
      this.onWire += 1;
      connection.publish(item, id, this.dup);
      return;
    }
    this.window.drop(id);
    this.inFlight -= 1;
    item.settle?.reject(refusal);
  }

  private wake(): void {
    if (this.waiters.length === 0 || this.connection === null || this.connection.isCongested) return;
    if (this.unsent.length > 0) return;
    const open = this.inFlight + this.queued.length;
    const { waiters } = this;
    this.waiters = waiters.filter((waiter) => waiter.count < open);
    for (const waiter of waiters) if (waiter.count >= open) waiter.resolve();
  }
}
