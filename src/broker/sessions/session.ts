// One client's state that outlives its connection: subscriptions, the window of unacknowledged messages, the queue behind
// it, and the will. It decides for every message whether it goes out, waits, or is dropped; all bounds are checked here.

import { InboundWindow } from '../../flow/inbound.ts';
import { AWAIT_PUBCOMP, OutboundWindow } from '../../flow/outbound.ts';
import type { Logger } from '../../log/logger.ts';
import type { Outbox } from '../../net/outbox.ts';
import { FLAG_DUP, FLAG_QOS_SHIFT, FLAG_RETAIN, MAX_PACKET_ID, PUBREL } from '../../protocol/constants.ts';
import type { Will } from '../../protocol/packets.ts';
import { publishSize } from '../../protocol/publish.ts';
import { wallNow } from '../../util/clock.ts';
import { Ring } from '../../util/ring.ts';
import type { Decision } from '../hooks/points.ts';
import type { Message } from '../routing/message.ts';
import { MAY_READ, MUST_NOT_READ, NOT_ASKED, type Plan } from '../routing/plan.ts';
import type { Subscriber } from '../routing/subscriber.ts';
import type { Subscription } from '../routing/subscription.ts';
import type { TopicTable } from '../routing/topics.ts';
import type { Metrics } from '../sys/metrics.ts';
import { metricIndex } from '../sys/metrics.ts';
import type { SessionLimits } from './limits.ts';
import { MessageQueue } from './queue.ts';
import { Replays } from './replay.ts';

const PUBLISH_DROPPED = metricIndex('publishDropped');

/** What sessions share: the broker's part that they need. */
export interface SessionHost {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly limits: SessionLimits;
  readonly topics: TopicTable;
}

/** The connection of a session while its client is there. */
export interface SessionLink {
  readonly outbox: Outbox;
  readonly shape: 0 | 1;
  /** Largest packet that the client takes, 0 without a limit. */
  readonly maximumPacketSize: number;
  /** Messages that the client takes unacknowledged. */
  readonly receiveMaximum: number;
}

/** A PUBLISH that is to be sent again. */
interface Resend {
  readonly id: number;
  readonly message: Message;
  readonly flags: number;
  readonly extra: Buffer;
}

/** A session; the destination of its subscriptions. */
export class Session implements Subscriber {
  readonly clientId: string;
  readonly subscriptions: Map<string, Subscription>;
  readonly window: OutboundWindow<Message>;
  readonly queue: MessageQueue;
  readonly inbound: InboundWindow;
  /** Identity of the client's current (or last) connection; the source of its messages. */
  context: object;
  /** Seconds that the session outlives its connection; NEVER_EXPIRES for ever. */
  expiryInterval: number;
  will: Will | null;
  /** Asks whether the client may read a topic; null where nothing restricts it. */
  mayRead: ((topic: string) => boolean) | null;
  /** Whether the answer holds for the same topic until a reload, so that plans may remember it. */
  readRightIsCacheable: boolean;
  /** Asks whether the client may write a topic, for its will; null where nothing restricts it. */
  mayWrite: ((topic: string) => Decision | Promise<Decision>) | null;
  /** Prefix of the topics of the client's listener: taken off again on delivery. */
  mountPoint: string | null;
  /** Retained messages that are still on their way to new subscriptions. */
  readonly replays: Replays;
  private readonly host: SessionHost;
  private link: SessionLink | null;
  /** In flight since the last connection, and not sent again on this one yet. */
  private readonly resends: Ring<Resend>;
  private inflightBytes: number;
  private isDropping: boolean;

  constructor(clientId: string, host: SessionHost) {
    this.clientId = clientId;
    this.subscriptions = new Map();
    this.window = new OutboundWindow(MAX_PACKET_ID);
    this.queue = new MessageQueue();
    this.inbound = new InboundWindow(MAX_PACKET_ID);
    this.context = NOBODY;
    this.expiryInterval = 0;
    this.will = null;
    this.mayRead = null;
    this.readRightIsCacheable = true;
    this.mayWrite = null;
    this.mountPoint = null;
    this.replays = new Replays(this);
    this.host = host;
    this.link = null;
    this.resends = new Ring();
    this.inflightBytes = 0;
    this.isDropping = false;
  }

  get isOnline(): boolean {
    return this.link !== null;
  }

  deliver(message: Message, subscription: Subscription, plan: Plan | null, index: number): boolean {
    if (subscription.noLocal && message.source === this.context) return true; // [MQTT-3.8.3-3]
    if (this.mayRead !== null && !this.isReadable(message, plan, index)) return false;
    const qos = message.qos < subscription.qos && !this.host.limits.upgradeOutgoingQos ? message.qos : subscription.qos;
    const retain = subscription.retainAsPublished && message.retain ? FLAG_RETAIN : 0;
    return this.send(this.unmounted(message), (qos << FLAG_QOS_SHIFT) | retain, subscription.extra);
  }

  /** Takes a retained message for a new subscription [MQTT-3.3.1-8]. */
  deliverRetained(message: Message, subscription: Subscription): void {
    if (this.mayRead !== null && !this.isReadable(message, null, -1)) return;
    const qos = message.qos < subscription.qos && !this.host.limits.upgradeOutgoingQos ? message.qos : subscription.qos;
    this.send(this.unmounted(message), (qos << FLAG_QOS_SHIFT) | FLAG_RETAIN, subscription.extra);
  }

  /** Whether more can be taken without queueing: what a replay waits for. */
  get hasRoom(): boolean {
    return this.link !== null && this.queue.length === 0 && !this.link.outbox.isPaused && this.window.hasRoom;
  }

  private isReadable(message: Message, plan: Plan | null, index: number): boolean {
    const known = plan === null ? NOT_ASKED : plan.permissions[index]!;
    if (known !== NOT_ASKED) return known === MAY_READ;
    const allowed = this.mayRead!(message.topic.name);
    if (plan !== null && this.readRightIsCacheable) plan.permissions[index] = allowed ? MAY_READ : MUST_NOT_READ;
    if (!allowed) {
      this.host.log.debug?.(
        `Denied PUBLISH to ${this.clientId} (q${message.qos}, r${Number(message.retain)}, '${message.topic.name}', ... (${message.payloadLength} bytes))`,
      );
    }
    return allowed;
  }

  /** The message under the name that the client knows it by. */
  private unmounted(message: Message): Message {
    if (this.mountPoint === null || !message.topic.name.startsWith(this.mountPoint)) return message;
    return message.renamed(this.host.topics.internName(message.topic.name.slice(this.mountPoint.length)));
  }

  private send(message: Message, flags: number, extra: Buffer): boolean {
    const link = this.link;
    const qos = flags >> FLAG_QOS_SHIFT;
    if (link === null) {
      if (qos === 0 && !this.host.limits.queueQos0Messages) return false;
      return this.enqueue(message, flags, extra);
    }
    if (link.maximumPacketSize > 0 && !this.fits(link, message, qos > 0, extra)) return true;
    if (qos === 0) {
      const outbox = link.outbox;
      // What was queued while the client was away goes first [MQTT-4.6.0-6].
      if (this.queue.length > 0 && this.host.limits.queueQos0Messages) return this.enqueue(message, flags, extra);
      if (outbox.isPaused && this.isFull(outbox.messages, outbox.messageBytes + message.payloadLength)) {
        return this.drop();
      }
      outbox.push(message, flags, 0, extra);
      this.isDropping = false;
      this.logSending(message, flags, 0);
      return true;
    }
    if (this.queue.length > 0 || !this.hasWindow(message)) return this.enqueue(message, flags, extra);
    this.sendInFlight(link, message, flags, extra);
    return true;
  }

  private hasWindow(message: Message): boolean {
    if (!this.window.hasRoom) return false;
    const limit = this.host.limits.maxInflightBytes;
    return limit === 0 || this.inflightBytes === 0 || this.inflightBytes + message.size <= limit;
  }

  private sendInFlight(link: SessionLink, message: Message, flags: number, extra: Buffer): void {
    const id = this.window.take(message, (flags >> FLAG_QOS_SHIFT) & 3, flags, extra);
    this.inflightBytes += message.size;
    link.outbox.push(message, flags, id, extra);
    this.logSending(message, flags, id);
  }

  /** [MQTT-3.1.2-24, MQTT-3.1.2-25]: what the client would not take is as good as delivered. */
  private fits(link: SessionLink, message: Message, withId: boolean, extra: Buffer): boolean {
    const alias = link.outbox.aliases === null ? 0 : TOPIC_ALIAS_SIZE;
    const size = publishSize(message, link.shape, withId, extra.length + alias);
    if (size <= link.maximumPacketSize) return true;
    this.host.metrics.add(PUBLISH_DROPPED, 1);
    this.host.log.notice?.(`Dropping too large outgoing PUBLISH for ${this.clientId} (${size} bytes)`);
    return false;
  }

  private enqueue(message: Message, flags: number, extra: Buffer): boolean {
    if (this.isFull(this.queue.length, this.queue.bytes + message.size)) return this.drop();
    this.queue.push(message, flags, extra);
    return true;
  }

  /** Whether so many waiting messages leave no place for one that would make it so many bytes. */
  private isFull(count: number, bytes: number): boolean {
    const { maxQueuedMessages, maxQueuedBytes } = this.host.limits;
    return (maxQueuedMessages > 0 && count >= maxQueuedMessages) || (maxQueuedBytes > 0 && bytes > maxQueuedBytes);
  }

  /** Counts a dropped message; the log hears of it once, until messages flow again. Always true: it was taken care of. */
  private drop(): boolean {
    this.host.metrics.add(PUBLISH_DROPPED, 1);
    if (!this.isDropping) {
      this.isDropping = true;
      this.host.log.notice?.(`Outgoing messages are being dropped for client ${this.clientId}.`);
    }
    return true;
  }

  /** An acknowledgement freed a place: what waits moves up. */
  fill(): void {
    const link = this.link;
    if (link === null) return;
    this.resend(link);
    const now = wallNow();
    while (this.queue.length > 0) {
      const message = this.queue.peek();
      const flags = this.queue.peekFlags();
      const extra = this.queue.peekExtra();
      if (message.hasExpired(now)) {
        this.queue.shift();
        this.host.metrics.add(PUBLISH_DROPPED, 1);
        continue;
      }
      const qos = flags >> FLAG_QOS_SHIFT;
      if (qos > 0 && !this.hasWindow(message)) break;
      if (qos === 0 && link.outbox.isPaused) break;
      this.queue.shift();
      if (link.maximumPacketSize > 0 && !this.fits(link, message, qos > 0, extra)) continue;
      if (qos === 0) link.outbox.push(message, flags, 0, extra);
      else this.sendInFlight(link, message, flags, extra);
      this.isDropping = false;
    }
    this.replays.advance();
  }

  /** The receive maximum of this connection holds for what the last one left, too [MQTT-3.3.4-9]. */
  private resend(link: SessionLink): void {
    while (this.resends.length > 0 && this.window.inFlight - this.resends.length < this.window.limit) {
      const { id, message, flags, extra } = this.resends.shift()!;
      if (this.window.messageOf(id) !== message) continue;
      if (link.maximumPacketSize > 0 && !this.fits(link, message, true, extra)) {
        this.window.drop(id);
        this.settle(message);
        continue;
      }
      link.outbox.push(message, flags | FLAG_DUP, id, extra);
      this.logSending(message, flags | FLAG_DUP, id);
    }
  }

  /** A message leaves the window: its bytes no longer count. */
  settle(message: Message | null): void {
    if (message !== null) this.inflightBytes = Math.max(0, this.inflightBytes - message.size);
  }

  /** The client is back: what was in flight is sent again in its order [MQTT-4.4.0-1], then what waits. */
  attach(link: SessionLink): void {
    this.link = link;
    this.window.limit = Math.min(link.receiveMaximum, this.host.limits.maxInflightMessages);
    this.window.forEach((id, message, state, flags, extra) => {
      if (state === AWAIT_PUBCOMP) {
        link.outbox.pushAck((PUBREL << 4) | 2, id);
        this.host.metrics.packetOut(PUBREL);
        this.host.log.debug?.(`Sending PUBREL to ${this.clientId} (m${id})`);
      } else {
        this.resends.push({ id, message, flags, extra });
      }
    });
    this.fill();
  }

  /** The connection is over; what is in flight stays for the next one. */
  detach(): void {
    this.link = null;
    this.resends.clear();
    this.window.forEach((_id, message) => {
      message.own();
    });
  }

  /** Drops all state but the identity. */
  clear(): void {
    this.window.clear();
    this.queue.clear();
    this.inbound.clear();
    this.resends.clear();
    this.replays.clear();
    this.inflightBytes = 0;
  }

  private logSending(message: Message, flags: number, id: number): void {
    this.host.log.debug?.(
      `Sending PUBLISH to ${this.clientId} (d${(flags & FLAG_DUP) >> 3}, q${(flags >> FLAG_QOS_SHIFT) & 3}, r${flags & FLAG_RETAIN}, m${id}, '${message.topic.name}', ... (${message.payloadLength} bytes))`,
    );
  }
}

const NOBODY = {};

/** Bytes of a topic alias among the properties. */
const TOPIC_ALIAS_SIZE = 3;
