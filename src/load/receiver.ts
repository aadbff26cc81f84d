// The receiving side of a client: reads the stamps of what comes in and keeps track of each publisher's numbers.
import { DUPLICATE, InboundWindow } from '../flow/inbound.ts';
import type { Link } from '../net/link.ts';
import { MAX_PACKET_ID, PUBACK, PUBCOMP, PUBREC } from '../protocol/constants.ts';
import { PublishView, readPublish } from '../protocol/publish.ts';
import { elapsed } from './clock.ts';
import type { Measurement } from './measurement.ts';
import type { Publisher } from './publisher.ts';
import { LATE, NEXT, REPEATED, SequenceTracker } from './sequence.ts';
import { readStamp, type Stamp } from './stamp.ts';

/** Publishers that one client keeps track of; messages of further ones are received, and not looked at. */
const MOST_TRACKED = 100_000;

/** Read into by all receivers: a message is done with before the next one comes. */
const view = new PublishView();
const stamp: Stamp = { run: 0, publisher: 0, sequence: 0, time: 0 };

/** How messages are told apart, the same for all receivers of a process. */
export interface Reception {
  readonly measurement: Measurement;
  readonly hasProperties: boolean;
  /** The run before the measurement begins; its messages are not counted. */
  readonly warmupRun: number;
  /** Mark of this machine's clock: stamps of others have no time that could be compared. */
  readonly clock: number;
  /** Publishers of this process by their number, for their windows; empty where messages come from elsewhere. */
  readonly publishers: ReadonlyMap<number, Publisher>;
  /** Whether several subscribers share messages, so that each of them misses some. */
  readonly isShared: boolean;
}

/** A subscriber's messages. */
export class Receiver {
  private readonly link: Link;
  private readonly reception: Reception;
  private readonly inbound: InboundWindow;
  /** By run and publisher. */
  private readonly trackers: Map<number, SequenceTracker[]>;
  private tracked: number;

  constructor(link: Link, reception: Reception) {
    this.link = link;
    this.reception = reception;
    this.inbound = new InboundWindow(MAX_PACKET_ID);
    this.trackers = new Map();
    this.tracked = 0;
  }

  /** A PUBLISH came. Throws PeerFault. */
  publish(buffer: Buffer, first: number, start: number, end: number): void {
    readPublish(view, this.reception.hasProperties, true, buffer, first, start, end);
    const { qos, id } = view;
    if (qos === 1) this.link.outbox.pushAck(PUBACK << 4, id);
    if (qos === 2) {
      this.link.outbox.pushAck(PUBREC << 4, id);
      if (this.inbound.admit(id) === DUPLICATE) return;
    }
    this.take(buffer, view.payloadStart, end);
  }

  /** A PUBREL came. */
  release(id: number): void {
    this.inbound.release(id);
    this.link.outbox.pushAck(PUBCOMP << 4, id);
  }

  private take(buffer: Buffer, start: number, end: number): void {
    const { measurement, warmupRun, publishers } = this.reception;
    const isStamped = measurement.isStamped && readStamp(stamp, buffer, start, end);
    const isWarmup = isStamped && stamp.run === warmupRun;
    const isOurs = isStamped && stamp.run === measurement.run;
    if (isWarmup || isOurs) {
      const publisher = publishers.get(stamp.publisher);
      if (publisher !== undefined && publisher.undelivered > 0) publisher.undelivered -= 1;
    }
    if (isWarmup) return;
    // Another process may have begun to send before this one was told that the measurement begins.
    if (!measurement.isCounting && (!isOurs || measurement.isOver)) return;
    const { counts } = measurement;
    if (measurement.isStamped && measurement.run !== null && !isOurs) {
      counts.foreign += 1;
      return;
    }
    counts.received += 1;
    measurement.lastReceivedAt = measurement.clock;
    counts.receivedBytes += end - start;
    if (isStamped) this.track();
    else counts.unstamped += 1;
  }

  /** Notes the stamp that was read. */
  private track(): void {
    const { measurement, clock, isShared } = this.reception;
    const { counts } = measurement;
    if (stamp.run >>> 16 === clock) measurement.delivered(elapsed(stamp.time, measurement.now));
    const tracker = this.trackerOf();
    if (tracker === null || isShared) {
      counts.unique += 1;
      return;
    }
    const { missing } = tracker;
    const answer = tracker.take(stamp.sequence);
    counts.missing += tracker.missing - missing;
    if (answer === NEXT) counts.unique += 1;
    else if (answer === LATE) {
      counts.unique += 1;
      counts.outOfOrder += 1;
    } else if (answer === REPEATED) counts.duplicated += 1;
  }

  /** The numbers of the stamp's publisher; null for one too many. */
  private trackerOf(): SequenceTracker | null {
    const known = this.trackers.get(stamp.run)?.[stamp.publisher];
    if (known !== undefined) return known;
    if (this.tracked >= MOST_TRACKED || stamp.publisher >= MOST_TRACKED) return null;
    this.tracked += 1;
    // A run of our own is watched from its first message on, another one from the first that came.
    const made = new SequenceTracker(this.reception.measurement.run === null ? stamp.sequence : 0);
    const ofRun = this.trackers.get(stamp.run) ?? [];
    ofRun[stamp.publisher] = made;
    this.trackers.set(stamp.run, ofRun);
    return made;
  }
}
