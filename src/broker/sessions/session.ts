// One client's state that outlives its connection: subscriptions, the window of unacknowledged messages, the queue behind
// it, and the will. It decides for every message whether it goes out, waits, or is dropped; all bounds are checked here.
import { InboundWindow } from '../../flow/inbound.ts';
import type { OutboundWindow } from '../../flow/outbound.ts';
import { FLAG_DUP, FLAG_QOS_SHIFT, FLAG_RETAIN, MAX_PACKET_ID } from '../../protocol/constants.ts';
import type { Will } from '../../protocol/packets.ts';
import { publishSize } from '../../protocol/publish.ts';
import { touch, wallNow } from '../../util/clock.ts';
import type { ClientContext, Decision } from '../hooks/points.ts';
import type { Message } from '../routing/message.ts';
import type { Plan } from '../routing/plan.ts';
import type { Subscriber } from '../routing/subscriber.ts';
import type { Subscription } from '../routing/subscription.ts';
import type { Delivery, SessionRecord } from '../store/session-record.ts';
import type { LiveMessage } from '../store/stored-place.ts';
import { Drops } from './drops.ts';
import type { SessionHost, SessionLink } from './host.ts';
import { type FlightOwner, InFlight, type RestoredFlight } from './in-flight.ts';
import { KEPT_OVERHEAD } from './kept.ts';
import { Lane } from './lane.ts';
import type { MessageQueue } from './queue.ts';
import { isReadable, isStillReadable, type Reader } from './read-right.ts';
import { Replays } from './replay.ts';
import { recordReplayed } from './stored-view.ts';
import { SubscriptionTable } from './subscription-table.ts';

/** Messages that move up for one client in one turn. */
const MOVES_PER_TURN = 500;

/** A session; the destination of its subscriptions. */
export class Session implements Subscriber, Reader, FlightOwner {
  readonly clientId: string;
  readonly subscriptions: SubscriptionTable;
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
  /** That listener's key. */
  listener: string;
  /** Wall-clock milliseconds since when the client is away, 0 while it is connected. */
  awaySince: number;
  /** Retained messages that are still on their way to new subscriptions. */
  readonly replays: Replays;
  private readonly host: SessionHost;
  private link: SessionLink | null;
  private readonly inFlight: InFlight;
  /** What waits for a place in the window, or for the client to come back. */
  private readonly lane: Lane;
  /** QoS 0 that waits for the client to read what was written to it; made for the first message that has to. */
  private lateLane: Lane | null;
  private readonly drops: Drops;
  /** What waits goes on moving in the next turn, not before. */
  private isResting: boolean;

  constructor(clientId: string, host: SessionHost) {
    this.clientId = clientId;
    this.subscriptions = new SubscriptionTable();
    this.inbound = new InboundWindow(MAX_PACKET_ID);
    this.context = NOBODY;
    this.expiryInterval = 0;
    this.will = null;
    this.mayRead = null;
    this.readRightIsCacheable = true;
    this.mayWrite = null;
    this.mountPoint = null;
    this.listener = '';
    this.awaySince = 0;
    this.replays = new Replays(this);
    this.host = host;
    this.link = null;
    this.inFlight = new InFlight(host, this);
    this.drops = new Drops(clientId, host.log, host.metrics);
    this.lane = new Lane(host.kept, host.pacing, this.drops);
    this.lateLane = null;
    this.isResting = false;
  }

  /** QoS 1 and 2 that the client has not acknowledged. */
  get window(): OutboundWindow<Message> {
    return this.inFlight.window;
  }

  /** Where the session is on disk; null where it is not. */
  get record(): SessionRecord | null {
    return this.inFlight.record;
  }

  set record(record: SessionRecord | null) {
    this.inFlight.record = record;
    this.lane.record = record;
  }

  /** QoS 1 and 2 that wait, and QoS 0 that came while the client was away. */
  get queue(): MessageQueue {
    return this.lane.queue;
  }

  /** QoS 0 that waits for the client to read. */
  get late(): Pick<MessageQueue, 'length' | 'bytes'> {
    return this.lateLane === null ? NO_MESSAGES : this.lateLane.queue;
  }

  get isStored(): boolean {
    return this.record?.keepsMessages === true;
  }

  get isOnline(): boolean {
    return this.link !== null;
  }

  deliver(message: Message, subscription: Subscription, plan: Plan | null, index: number): boolean {
    if (subscription.noLocal && this.hasPublished(message)) return true; // [MQTT-3.8.3-3]
    if (this.mayRead !== null && !isReadable(this, message, plan, index, this.host.log)) return false;
    const qos = this.qosFor(message, subscription);
    const retain = subscription.retainAsPublished && message.retain ? FLAG_RETAIN : 0;
    return this.send(this.unmounted(message), (qos << FLAG_QOS_SHIFT) | retain, subscription.extra);
  }

  hasPlaceFor(message: Message, subscription: Subscription): boolean {
    const { link } = this;
    if (subscription.noLocal && this.hasPublished(message)) return false;
    const qos = this.qosFor(message, subscription);
    if (link !== null && link.maximumPacketSize > 0) {
      const size = publishSize(this.unmounted(message), link.shape, qos > 0, subscription.extra.length);
      if (size > link.maximumPacketSize) return false;
    }
    const lane = link === null ? this.lane : this.laneFor(link, qos);
    return lane === null || this.takesMore(lane);
  }

  private qosFor(message: Message, subscription: Subscription): number {
    return message.qos < subscription.qos && !this.host.limits.upgradeOutgoingQos ? message.qos : subscription.qos;
  }

  /** Whether a message is this client's own, of this connection or an earlier one: the client id counts. */
  hasPublished(message: Message): boolean {
    return message.source === this.context || (message.source as ClientContext | null)?.clientId === this.clientId;
  }

  replayed(subscription: Subscription): void {
    recordReplayed(this, subscription);
  }

  /** Takes a retained message for a new subscription [MQTT-3.3.1-8]. */
  deliverRetained(message: Message, subscription: Subscription): void {
    if (this.mayRead !== null && !isReadable(this, message, null, -1, this.host.log)) return;
    const qos = this.qosFor(message, subscription);
    this.send(this.unmounted(message), (qos << FLAG_QOS_SHIFT) | FLAG_RETAIN, subscription.extra);
  }

  /** Whether more can be taken without queueing: what a replay waits for. */
  get hasRoom(): boolean {
    if (this.link === null || this.link.outbox.isPaused || this.isResting) return false;
    return this.queue.length === 0 && this.late.length === 0 && this.inFlight.isCaughtUp && this.inFlight.hasRoom;
  }

  /** The message under the name that the client knows it by. */
  private unmounted(message: Message): Message {
    if (this.mountPoint === null || !message.topic.name.startsWith(this.mountPoint)) return message;
    return message.renamed(this.host.topics.internName(message.topic.name.slice(this.mountPoint.length)));
  }

  private send(message: Message, flags: number, extra: Buffer): boolean {
    const { link } = this;
    const qos = flags >> FLAG_QOS_SHIFT;
    if (link === null) {
      if (qos === 0 && !this.host.limits.queueQos0Messages) return false;
      this.enqueue(this.lane, message, flags, extra);
      return true;
    }
    if (link.maximumPacketSize > 0 && !this.fits(link, message, qos > 0, extra)) return true;
    const lane = this.laneFor(link, qos);
    if (lane !== null) {
      this.enqueue(lane, message, flags, extra);
    } else if (qos === 0) {
      link.outbox.push(message, flags, 0, extra);
      this.logSending(message, flags, 0);
    } else if (this.host.kept.isOverfull && this.isGreedy) {
      this.drops.add();
    } else {
      this.inFlight.send(link, message, flags, extra, 0);
    }
    return true;
  }

  /** Where a new message has to wait while the client is there; null if it can go at once. */
  private laneFor(link: SessionLink, qos: number): Lane | null {
    if (qos > 0) {
      const { inFlight, queue } = this;
      const mustWait = link.outbox.isPaused || queue.length > 0 || !inFlight.isCaughtUp || !inFlight.hasRoom;
      return mustWait ? this.lane : null;
    }
    // What was queued while the client was away goes first [MQTT-4.6.0-5].
    if (this.lane.zeros > 0) return this.lane;
    if (!link.outbox.isPaused && (this.lateLane === null || this.lateLane.queue.length === 0)) return null;
    this.lateLane ??= new Lane(this.host.kept, this.host.pacing, this.drops);
    return this.lateLane;
  }

  /** [MQTT-3.1.2-24, MQTT-3.1.2-25]: what the client would not take is as good as delivered. */
  private fits(link: SessionLink, message: Message, withId: boolean, extra: Buffer): boolean {
    const size = publishSize(message, link.shape, withId, extra.length);
    if (size <= link.maximumPacketSize) return true;
    this.drops.addOne();
    if (link.hasToldSize !== true) {
      this.host.log.notice?.(`Dropping too large outgoing PUBLISH for ${this.clientId} (${size} bytes)`);
    }
    link.hasToldSize = true;
    return false;
  }

  private enqueue(lane: Lane, message: Message, flags: number, extra: Buffer): void {
    if (this.takesMore(lane)) lane.push(message, flags, extra, this.host.limits, this.link?.reading ?? null);
    else this.drops.add();
  }

  private takesMore(lane: Lane): boolean {
    const { limits, kept } = this.host;
    return lane.hasPlace(limits, wallNow()) && !(kept.isFull && this.isGreedy);
  }

  /** Whether the session keeps more than its share of what all may. */
  private get isGreedy(): boolean {
    const count = this.queue.length + this.late.length + this.window.inFlight;
    const bytes = this.queue.bytes + this.late.bytes + this.inFlight.bytes;
    return bytes + count * KEPT_OVERHEAD > this.host.kept.share;
  }

  /**
   * An acknowledgement freed a place, or the client reads again: what waits moves up. A bounded number of messages, and
   * again in the next turn: 100,000 that wait for one client are no reason to keep all the others waiting.
   */
  fill(): void {
    const link = this.link;
    if (link === null || this.isResting) return;
    if (this.queue.length === 0 && this.late.length === 0 && this.inFlight.isCaughtUp) {
      if (this.drops.count > 0) this.drops.end();
      this.replays.advance();
      return;
    }
    const now = wallNow();
    let left = this.inFlight.resend(link, MOVES_PER_TURN);
    while (left > 0 && this.inFlight.isCaughtUp && this.queue.length > 0) {
      const qos = this.queue.peekFlags() >> FLAG_QOS_SHIFT;
      if (link.outbox.isPaused || (qos > 0 && !this.inFlight.hasRoom)) break;
      this.moveUp(link, this.lane, now);
      left -= 1;
    }
    while (left > 0 && this.lateLane !== null && this.lateLane.queue.length > 0 && !link.outbox.isPaused) {
      this.moveUp(link, this.lateLane, now);
      left -= 1;
    }
    if (left === 0) {
      this.rest();
      return;
    }
    if (this.queue.length === 0 && this.late.length === 0) this.drops.end();
    this.replays.advance();
  }

  /** Takes the oldest message out of a lane and sends it, if it may still go and the client takes so large a one. */
  private moveUp(link: SessionLink, lane: Lane, now: number): void {
    const message = lane.queue.peek();
    const flags = lane.queue.peekFlags();
    const extra = lane.queue.peekExtra();
    const qos = flags >> FLAG_QOS_SHIFT;
    if (message.hasExpired(now) || (lane.isDoubtful && !isStillReadable(this, message))) {
      lane.passOver(this.host.limits);
      return;
    }
    if (link.maximumPacketSize > 0 && !this.fits(link, message, qos > 0, extra)) {
      lane.discard(this.host.limits);
      return;
    }
    if (qos > 0) this.inFlight.send(link, message, flags, extra, lane.queue.peekSeq());
    else {
      link.outbox.push(message, flags, 0, extra);
      this.logSending(message, flags, 0);
      this.lateLane?.took();
    }
    lane.shift(this.host.limits);
  }

  /** What the client may read was settled anew: what waits is asked about again when it is to go. */
  rightsChanged(): void {
    this.lane.doubt();
    this.lateLane?.doubt();
  }

  /** Goes on in the next turn. */
  private rest(): void {
    this.isResting = true;
    setImmediate(() => {
      this.isResting = false;
      touch();
      this.fill();
    });
  }

  /** Whether a message that was in flight before may go to the client of this connection, too. */
  mayResend(link: SessionLink, message: Message, extra: Buffer): boolean {
    if (!isStillReadable(this, message)) {
      this.drops.addOne();
      return false;
    }
    return link.maximumPacketSize === 0 || this.fits(link, message, true, extra);
  }

  /** PUBACK or PUBCOMP came, as `state` tells: a place in the window is free. An unknown identifier is let pass. */
  finish(id: number, state: number): void {
    if (!this.inFlight.finish(id, state)) return;
    this.lane.took();
    this.fill();
  }

  /** PUBREC came: RELEASE or UNKNOWN. */
  release(id: number): number {
    return this.inFlight.release(id);
  }

  /** The client refuses a message: its exchange ends here (section 4.3.3). */
  refused(id: number): void {
    if (this.inFlight.drop(id)) this.lane.took();
    this.fill();
  }

  /** The client is back: what was in flight is sent again in its order [MQTT-4.4.0-1, MQTT-4.6.0-1], then what waits. */
  attach(link: SessionLink): void {
    this.link = link;
    link.outbox.maximumPacketSize = link.maximumPacketSize;
    this.window.limit = Math.min(link.receiveMaximum, this.host.limits.maxInflightMessages);
    this.inFlight.attach(link, this.clientId);
    this.fill();
  }

  /** The connection is over; what is in flight stays for the next one. */
  detach(): void {
    this.link = null;
    this.lateLane?.clear();
    this.lane.rest();
    this.inFlight.detach();
  }

  /** Puts back a message that an earlier process had in flight (`state` as the window has it) or waiting. */
  restoreInFlight(message: Message, state: number, flight: RestoredFlight): void {
    this.inFlight.restore(message, state, flight);
  }

  restoreWaiting(message: Message, flags: number, extra: Buffer, seq: number): void {
    this.lane.restore(message, flags, extra, seq);
  }

  /** The delivery with a number in the store, null if it is over. */
  deliveryOf(seq: number): Delivery | null {
    const { queue } = this;
    const index = queue.indexOf(seq);
    if (index < 0) return this.inFlight.deliveryOf(seq);
    const extra = queue.extraAt(index);
    return { message: queue.messageAt(index), flags: queue.flagsAt(index), extra, id: 0, isReleased: false, turn: 0 };
  }

  /** Messages of which the store knows that they are to be delivered. */
  private *storedMessages(): Generator<LiveMessage> {
    const { queue } = this;
    for (let i = 0; i < queue.length; i++) if (queue.seqAt(i) > 0) yield queue.messageAt(i);
    yield* this.inFlight.storedMessages();
  }

  /** Drops all state but the identity; on disk, too. */
  clear(): void {
    this.record?.ended(this.storedMessages());
    this.record = null;
    this.inFlight.clear();
    this.lane.clear();
    this.lateLane?.clear();
    this.inbound.clear();
    this.replays.clear();
    this.drops.end();
  }

  /** Tells the log of a PUBLISH that leaves. */
  logSending(message: Message, flags: number, id: number): void {
    this.host.log.debug?.(
      `Sending PUBLISH to ${this.clientId} (d${(flags & FLAG_DUP) >> 3}, q${(flags >> FLAG_QOS_SHIFT) & 3}, r${flags & FLAG_RETAIN}, m${id}, '${message.topic.name}', ... (${message.payloadLength} bytes))`,
    );
  }
}

const NOBODY = {};
const NO_MESSAGES = { length: 0, bytes: 0 };
