// What is in flight to one client: sent or sent again, and not acknowledged yet. Where the session is on disk too, each step
// is recorded; and a message of QoS 2 leaves only when that is safe, or a broker that is killed would send it again under
// another identifier, and the client could not know it again.

import { AWAIT_PUBCOMP, AWAIT_PUBREC, DONE, OutboundWindow, RELEASE } from '../../flow/outbound.ts';
import { FLAG_DUP, FLAG_QOS_SHIFT, MAX_PACKET_ID, PUBREL } from '../../protocol/constants.ts';
import { Ring } from '../../util/ring.ts';
import type { Message } from '../routing/message.ts';
import type { Delivery, SessionRecord } from '../store/session-record.ts';
import type { SessionHost, SessionLink } from './host.ts';
import type { Borrower } from './kept.ts';

/** A PUBLISH that is to be sent again. */
interface Resend {
  readonly id: number;
  readonly message: Message;
  readonly flags: number;
  readonly extra: Buffer;
}

/** What an earlier process had in flight: packet identifier, what its PUBLISH is sent with, and its places in the store. */
export interface RestoredFlight {
  readonly id: number;
  readonly flags: number;
  readonly extra: Buffer;
  readonly seq: number;
  readonly turn: number;
}

/** A PUBLISH of QoS 2 that waits for the disk. */
interface Held extends Resend {
  readonly link: SessionLink;
  /** The group of records that has to be safe. */
  readonly group: number;
}

/** Whose messages are in flight: the session. An interface, for a closure costs each session more than its state here. */
export interface FlightOwner {
  /** A PUBLISH leaves: for the log. */
  logSending(message: Message, flags: number, id: number): void;
  /** Decides whether a message may be sent again; counts what may not. */
  mayResend(link: SessionLink, message: Message, extra: Buffer): boolean;
}

/** The in-flight messages of one session. */
export class InFlight implements Borrower {
  readonly window: OutboundWindow<Message>;
  /** Topic, property and payload bytes of the messages. */
  bytes: number;
  /** Where the session is on disk, null without. */
  record: SessionRecord | null;
  private readonly host: SessionHost;
  private readonly owner: FlightOwner;
  /** In flight since the last connection, and not sent again on this one yet. */
  private readonly resends: Ring<Resend>;
  private readonly held: Ring<Held>;
  /** The window has messages that are still in the chunks they came in. */
  private isBorrowing: boolean;
  /** Identifiers by number in the store, made when it is asked for and dropped with the next change. */
  private bySeq: Map<number, number> | null;

  constructor(host: SessionHost, owner: FlightOwner) {
    this.window = new OutboundWindow(MAX_PACKET_ID);
    this.bytes = 0;
    this.record = null;
    this.host = host;
    this.owner = owner;
    this.resends = new Ring();
    this.held = new Ring();
    this.isBorrowing = false;
    this.bySeq = null;
  }

  /** As in Mosquitto, the message that reaches the limit in bytes still goes. */
  get hasRoom(): boolean {
    const limit = this.host.limits.maxInflightBytes;
    return this.window.hasRoom && (limit === 0 || this.bytes < limit);
  }

  /** Whether everything that the last connection left has been sent again. */
  get isCaughtUp(): boolean {
    return this.resends.length === 0;
  }

  /** Sends a message that has come, or one that has waited: that has a number in the store already. Only while hasRoom. */
  send(link: SessionLink, message: Message, flags: number, extra: Buffer, waitedAs: number): void {
    const { record, window } = this;
    const qos = (flags >> FLAG_QOS_SHIFT) & 3;
    let seq = waitedAs;
    if (record !== null) {
      this.bySeq = null;
      const next = window.nextId();
      if (seq > 0) record.sent(seq, next);
      else seq = record.add(message, flags, extra, next);
    }
    const id = window.take(message, qos, flags, extra, seq);
    this.bytes += message.size;
    this.host.kept.hold(message);
    if (!this.isBorrowing) {
      this.isBorrowing = true;
      this.host.kept.borrow(this);
    }
    // What comes behind it waits with it, so that messages of QoS 1 and 2 keep their order.
    if (seq > 0 && (qos === 2 || this.held.length > 0)) this.holdBack(link, message, flags, extra, id);
    else {
      link.outbox.push(message, flags, id, extra);
      this.owner.logSending(message, flags, id);
    }
  }

  /** Puts back what an earlier process had in flight. */
  restore(message: Message, state: number, { id, flags, extra, seq, turn }: RestoredFlight): void {
    this.window.restore(id, message, state, flags, extra, seq, turn);
    this.bytes += message.size;
    this.host.kept.hold(message);
  }

  /** PUBACK or PUBCOMP came, as `state` tells. False if nothing waited for it. */
  finish(id: number, state: number): boolean {
    const message = this.window.messageOf(id);
    const seq = this.window.tagOf(id);
    if (this.window.acknowledge(id, state) !== DONE) return false;
    this.settle(message!, seq);
    return true;
  }

  /** PUBREC came: RELEASE or UNKNOWN. */
  release(id: number): number {
    const { record, window } = this;
    const isFirst = window.stateOf(id) === AWAIT_PUBREC;
    const answer = window.acknowledge(id, AWAIT_PUBREC);
    const seq = answer === RELEASE && isFirst ? window.tagOf(id) : 0;
    if (seq > 0) record?.released(seq, id, window.turnOf(id));
    return answer;
  }

  /** Gives a message up: refused by the client, or not for it any more. False if there is none under the identifier. */
  drop(id: number): boolean {
    const message = this.window.messageOf(id);
    const seq = this.window.tagOf(id);
    if (!this.window.drop(id)) return false;
    this.settle(message!, seq);
    return true;
  }

  /** A message leaves the window: its bytes no longer count. */
  private settle(message: Message, seq: number): void {
    this.bytes -= message.size;
    this.bySeq = null;
    this.host.kept.letGo(message);
    if (seq > 0) this.record?.done(seq, message);
  }

  ownMessages(): void {
    this.isBorrowing = false;
    this.window.forEachMessage(own);
  }

  /** The client is back: PUBRELs go at once [MQTT-4.4.0-1], messages with resend(). */
  attach(link: SessionLink, clientId: string): void {
    const { host } = this;
    this.window.forEach((id, message, state, flags, extra) => {
      if (state === AWAIT_PUBCOMP) {
        link.outbox.pushAck((PUBREL << 4) | 2, id);
        host.metrics.packetOut(PUBREL);
        host.log.debug?.(`Sending PUBREL to ${clientId} (m${id})`);
      } else {
        this.resends.push({ id, message, flags, extra });
      }
    });
  }

  /**
   * Sends again what the last connection left. The receive maximum of this one holds for that, too [MQTT-3.3.4-9]. Returns
   * how many of `most` moves are left.
   */
  resend(link: SessionLink, most: number): number {
    const { resends, window } = this;
    let left = most;
    while (left > 0 && resends.length > 0 && window.inFlight - resends.length < window.limit) {
      const { id, message, flags, extra } = resends.shift()!;
      left -= 1;
      if (!window.isUnanswered(id, message)) continue;
      if (!this.owner.mayResend(link, message, extra)) {
        this.drop(id);
        continue;
      }
      link.outbox.push(message, flags | FLAG_DUP, id, extra);
      this.owner.logSending(message, flags | FLAG_DUP, id);
    }
    return left;
  }

  /** The connection is over; what is in flight stays for the next one. */
  detach(): void {
    this.resends.clear();
    this.held.clear();
    this.window.forEachMessage(own);
  }

  /** Forgets everything. */
  clear(): void {
    this.window.forEachMessage((message) => {
      this.bytes -= message.size;
      this.host.kept.letGo(message);
    });
    this.window.clear();
    this.resends.clear();
    this.held.clear();
    this.bySeq = null;
  }

  /** The delivery with a number in the store, null if it is not in flight. */
  deliveryOf(seq: number): Delivery | null {
    if (this.bySeq === null) {
      const bySeq = new Map<number, number>();
      this.window.forEach((id, _message, _state, _flags, _extra, tag) => {
        bySeq.set(tag, id);
      });
      this.bySeq = bySeq;
    }
    const id = this.bySeq.get(seq);
    if (id === undefined) return null;
    const { window } = this;
    return {
      message: window.messageOf(id)!,
      flags: window.flagsOf(id),
      extra: window.extraOf(id),
      id,
      isReleased: window.stateOf(id) === AWAIT_PUBCOMP,
      turn: window.turnOf(id),
    };
  }

  /** Messages of which the store knows that they are in flight. */
  storedMessages(): Message[] {
    const messages: Message[] = [];
    this.window.forEach((_id, message, _state, _flags, _extra, tag) => {
      if (tag > 0) messages.push(message);
    });
    return messages;
  }

  private holdBack(link: SessionLink, message: Message, flags: number, extra: Buffer, id: number): void {
    const record = this.record!;
    const last = this.held.length === 0 ? null : this.held.at(this.held.length - 1);
    const group = record.lastGroup;
    this.held.push({ link, id, message, flags, extra, group });
    if (last?.group !== group) record.whenDurable(() => this.letGo(record.durableGroup));
  }

  private letGo(group: number): void {
    for (let next = this.held.at(0); next !== null && next.group <= group; next = this.held.at(0)) {
      this.held.shift();
      const { link, id, message, flags, extra } = next;
      if (!this.window.isUnanswered(id, message)) continue;
      link.outbox.push(message, flags, id, extra);
      this.owner.logSending(message, flags, id);
    }
  }
}

function own(message: Message): void {
  message.own();
}
