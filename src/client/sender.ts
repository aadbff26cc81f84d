// The sending side of a client's session: messages and requests on their way, their packet identifiers, and what has to be
// sent again on the next connection (MQTT 5.0 sections 4.3, 4.4 and 4.9).
import { AWAIT_PUBACK, AWAIT_PUBCOMP, AWAIT_PUBREC, DONE, OutboundWindow, RELEASE } from '../flow/outbound.ts';
import { MAX_PACKET_ID, PACKET_NAMES, PUBREL } from '../protocol/constants.ts';
import { ProtocolError } from '../protocol/errors.ts';
import type { AckPacket } from '../protocol/packets.ts';
import { NO_PROPERTIES } from '../protocol/properties.ts';
import { isRefusal, PACKET_IDENTIFIER_NOT_FOUND, QUOTA_EXCEEDED, reasonOf, SUCCESS } from '../protocol/reasons.ts';
import { Ring } from '../util/ring.ts';
import { InvalidRequest } from './errors.ts';
import type { PublishResult } from './options.ts';
import type { OutgoingMessage, OutgoingRequest } from './outgoing.ts';
import type { Output } from './output.ts';
import type { WindowEntry } from './session-state.ts';

/** What every QoS 0 message comes to. */
const WRITTEN: Promise<PublishResult> = Promise.resolve(
  Object.freeze({ id: 0, reason: SUCCESS, properties: NO_PROPERTIES }),
);

/** A full window leaves in so many pieces. */
const WINDOW_PIECES = 4;

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
  /** Messages that were sent first since a piece of the window left. */
  private sinceFlush: number;
  /** Identifiers of messages that were sent on an earlier connection only, in order. */
  private again: number[];
  private dup: boolean;
  private limit: number;
  private output: Output | null;
  private waiters: { count: number; resolve(): void; reject(error: Error): void }[];
  /** What was unacknowledged when fail() was called; null before. */
  private left: readonly WindowEntry[] | null;

  constructor(maxInflight: number) {
    this.maxInflight = maxInflight;
    this.window = new OutboundWindow(MAX_PACKET_ID);
    this.queued = new Ring();
    this.unsent = new Ring();
    this.inFlight = 0;
    this.onWire = 0;
    this.sinceFlush = 0;
    this.again = [];
    this.dup = true;
    this.limit = maxInflight;
    this.output = null;
    this.waiters = [];
    this.left = null;
  }

  /** Unacknowledged messages of QoS 1 and 2 in their order, also those that were never sent. */
  get entries(): readonly WindowEntry[] {
    if (this.left !== null) return this.left;
    const entries: WindowEntry[] = [];
    this.window.forEach((id, item, state) => {
      if (item.kind === 'message') entries.push({ id, state, message: item });
    });
    for (let i = 0; i < this.queued.length; i++) entries.push({ id: 0, state: 0, message: this.queued.at(i)! });
    return entries;
  }

  get lastIdentifier(): number {
    return this.window.lastIdentifier;
  }

  /** Takes over what an earlier client left; before the first connection. */
  restore(entries: readonly WindowEntry[], lastIdentifier: number): void {
    for (const { id, state, message } of entries) {
      if (id === 0) {
        this.queued.push(message);
        continue;
      }
      this.window.restore(id, message, state);
      this.inFlight += 1;
    }
    this.window.continueAfter(lastIdentifier);
  }

  get hasUnsent(): boolean {
    return this.unsent.length > 0;
  }

  get hasUnanswered(): boolean {
    return this.window.inFlight > 0;
  }

  /** Sends a message, or has it wait for its turn. */
  publish(message: OutgoingMessage): Promise<PublishResult> {
    const { output } = this;
    if (message.qos === 0 && output !== null && !output.isCongested) {
      const refusal = output.refusal(message);
      if (refusal !== null) return Promise.reject(refusal);
      output.publish(message, 0, false);
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

  /**
   * A new connection is there; requests that are unanswered go out on it, messages when resume() is called.
   * @param resumes whether the broker goes on with our session
   * @param subscribesAnew whether requests of the client's own making follow, in the place of earlier ones
   */
  attach(output: Output, resumes: boolean, subscribesAnew: boolean): void {
    this.output = output;
    this.limit = Math.min(this.maxInflight, output.granted.receiveMaximum ?? MAX_PACKET_ID); // [MQTT-3.3.4-7]
    this.onWire = 0;
    this.again = [];
    this.dup = resumes;
    if (subscribesAnew) this.dropOwnRequests();
    if (!resumes) this.forgetSession();
    this.window.forEach((id, item) => {
      if (item.kind === 'request') this.sendRequest(id, item);
      else item.forgetAlias();
    });
  }

  /** Sends what the last connection left unacknowledged, in its order [MQTT-4.4.0-1], and then what waits. */
  resume(): void {
    this.window.forEach((id, item, state) => {
      if (item.kind === 'request') return;
      if (state === AWAIT_PUBCOMP) {
        this.onWire += 1;
        this.output?.acknowledge(PUBREL, id, SUCCESS.code);
      } else {
        this.again.push(id);
      }
    });
    this.pump();
    this.wake();
  }

  detach(): void {
    this.output = null;
  }

  /** The broker takes bytes again. */
  writable(): void {
    this.pump();
    this.wake();
  }

  /**
   * PUBACK and PUBCOMP. What nobody waits for is passed over: the standard names no answer, and a PUBCOMP may belong to the
   * PUBREL for an identifier that we did not know.
   * @throws ProtocolError for a PUBACK that answers no PUBLISH of QoS 1 [MQTT-2.2.1-5]
   */
  finished(packet: AckPacket, waitingFor: typeof AWAIT_PUBACK | typeof AWAIT_PUBCOMP): void {
    const item = this.window.messageOf(packet.id);
    if (waitingFor === AWAIT_PUBACK) checkKind(packet, item, 1);
    if (item?.kind !== 'message' || this.window.acknowledge(packet.id, waitingFor) !== DONE) return;
    this.settle(item, packet);
  }

  /** PUBREC. @throws ProtocolError where it answers no PUBLISH of QoS 2 [MQTT-2.2.1-5] */
  received(packet: AckPacket): void {
    const { id } = packet;
    const item = this.window.messageOf(id);
    checkKind(packet, item, 2);
    const message = item?.kind === 'message' && item.qos === 2 ? item : null;
    if (isRefusal(packet.code)) {
      if (message === null) return;
      this.window.drop(id);
      this.settle(message, packet);
    } else if (message !== null && this.window.acknowledge(id, AWAIT_PUBREC) === RELEASE) {
      this.output?.acknowledge(PUBREL, id, SUCCESS.code);
    } else {
      this.output?.acknowledge(PUBREL, id, PACKET_IDENTIFIER_NOT_FOUND.code);
    }
  }

  /**
   * SUBACK or UNSUBACK for this identifier: the request it answers leaves the window; null if there is none.
   * @throws ProtocolError where the identifier stands for something else [MQTT-2.2.1-6]
   */
  answered(id: number, type: OutgoingRequest['packet']['type']): OutgoingRequest | null {
    const item = this.window.messageOf(id);
    if (item === null) return null;
    if (item.kind !== 'request' || item.packet.type !== type) {
      throw new ProtocolError(
        `packet identifier ${id} stands for no ${PACKET_NAMES[type]} of ours, and was answered as one`,
      );
    }
    this.window.drop(id);
    return item;
  }

  /** Nothing will be sent any more. */
  fail(error: Error): void {
    this.output = null;
    this.left = this.entries;
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

  /** Nobody waits for requests that the client made to subscribe anew. */
  private dropOwnRequests(): void {
    const gone: number[] = [];
    this.window.forEach((id, item) => {
      if (item.kind === 'request' && item.settle === null) gone.push(id);
    });
    for (const id of gone) this.window.drop(id);
  }

  /**
   * The broker knows nothing of the last connection. Messages of which it had said PUBREC were delivered, and that is all
   * there is to say about them; the others are published as new ones.
   */
  private forgetSession(): void {
    const gone: [number, OutgoingMessage][] = [];
    this.window.forEach((id, item, state) => {
      if (item.kind === 'message' && state === AWAIT_PUBCOMP) gone.push([id, item]);
    });
    for (const [id, item] of gone) {
      this.window.drop(id);
      this.inFlight -= 1;
      item.settle?.resolve({ id, reason: SUCCESS, properties: NO_PROPERTIES });
    }
  }

  private sendRequest(id: number, request: OutgoingRequest): void {
    const refusal = this.output?.request({ ...request.packet, id }) ?? null;
    if (refusal === null) return;
    this.window.drop(id);
    request.settle?.reject(refusal);
  }

  /** Sends as much as the broker may be given now. */
  private pump(): void {
    const { output } = this;
    if (output === null) return;
    while (this.unsent.length > 0 && !output.isCongested) {
      const message = this.unsent.shift()!;
      const refusal = output.refusal(message);
      if (refusal === null) {
        output.publish(message, 0, false);
        message.settle?.resolve({ id: 0, reason: SUCCESS, properties: NO_PROPERTIES });
      } else {
        message.settle?.reject(refusal);
      }
    }
    while (this.onWire < this.limit && !output.isCongested) {
      if (this.again.length > 0) this.sendAgain(output, this.again.shift()!);
      else if (this.queued.length > 0 && this.window.hasRoom) this.sendNew(output, this.queued.shift()!);
      else break;
    }
  }

  private sendNew(output: Output, message: OutgoingMessage): void {
    const refusal = output.refusal(message);
    if (refusal !== null) {
      message.settle?.reject(refusal);
      return;
    }
    const id = this.window.take(message, message.qos);
    this.inFlight += 1;
    this.onWire += 1;
    output.publish(message, id, false);
    // Sent as one piece, a whole window would come back as one piece, and the two sides would only ever take turns.
    this.sinceFlush += 1;
    if (this.sinceFlush < this.limit / WINDOW_PIECES) return;
    this.sinceFlush = 0;
    output.flush();
  }

  private sendAgain(output: Output, id: number): void {
    const item = this.window.messageOf(id);
    if (item?.kind !== 'message') return;
    const refusal = output.refusal(item);
    if (refusal === null) {
      this.onWire += 1;
      output.publish(item, id, this.dup);
      return;
    }
    this.window.drop(id);
    this.inFlight -= 1;
    item.settle?.reject(refusal);
  }

  private wake(): void {
    if (this.waiters.length === 0 || this.output === null || this.output.isCongested) return;
    if (this.unsent.length > 0) return;
    const open = this.inFlight + this.queued.length;
    const { waiters } = this;
    this.waiters = waiters.filter((waiter) => waiter.count < open);
    for (const waiter of waiters) if (waiter.count >= open) waiter.resolve();
  }
}

/** An acknowledgement of an identifier in use has to be that of its QoS. */
function checkKind(packet: AckPacket, item: OutgoingMessage | OutgoingRequest | null, qos: number): void {
  if (item === null || (item.kind === 'message' && item.qos === qos)) return;
  const what = item.kind === 'request' ? PACKET_NAMES[item.packet.type] : `PUBLISH of QoS ${item.qos}`;
  throw new ProtocolError(`${PACKET_NAMES[packet.type]} ${packet.id} answers a ${what}`);
}
