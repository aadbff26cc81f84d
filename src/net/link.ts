// One MQTT connection: transport, framer, outbox, profile, and the reasons for which it is not read from. Broker peers and
// clients both sit on it; it knows packets' borders, not their meaning.
import { PeerFault } from '../protocol/errors.ts';
import { Framer, type SizeLimits } from '../protocol/framer.ts';
import type { FrameSink } from '../protocol/packets.ts';
import type { Profile } from '../protocol/version.ts';
import { monotonicNow, touch } from '../util/clock.ts';
import { noteAnswer } from './dial-facts.ts';
import type { FlushTurn } from './flush.ts';
import { Outbox, type OutboxCounters } from './outbox.ts';
import type { Transport, TransportSink } from './transport.ts';

/** Reasons to pause reading, as bits. */
export const PAUSE_HOOK = 1;
export const PAUSE_ACKS_UNREAD = 2;
export const PAUSE_CALLER = 4;
export const PAUSE_TURN = 8;
export const PAUSE_PACE = 16;
export const PAUSE_STORE = 32;
export const PAUSE_CONGESTED = 64;

/** Unsent acknowledgements beyond which a peer is not read from until it takes them. */
const CONTROL_LIMIT = 65_536;

/**
 * Bytes that a packet may still miss without being large. The keep-alive is about packets, so one that comes in drops does
 * not count until it is whole; but a large one may be longer under way than the keep-alive lasts, and nothing else can be
 * sent meanwhile. The number is Mosquitto's.
 */
const LARGE_REST = 1000;

/** What the owner of a link is told. */
export interface LinkOwner extends FrameSink {
  /** Bytes came: for counters. */
  received(count: number): void;
  /** The peer broke the protocol; nothing more is handed out. */
  fault(fault: PeerFault): void;
  /** The peer takes bytes again. */
  drained(): void;
  /** The peer closed its half: nothing more comes, what was written still leaves, and `closed` follows. */
  ended?(): void;
  /** The connection is over; called once, last. */
  closed(error: Error | null): void;
}

/** A link between a transport and its owner. */
export class Link implements TransportSink {
  readonly transport: Transport;
  readonly outbox: Outbox;
  /** Null until CONNECT or CONNACK settled the version. */
  profile: Profile | null;
  /**
   * Coarse monotonic milliseconds of the last sign of life: a whole packet [MQTT-3.1.2-22], bytes of one that is large, or
   * reading that went on after a pause.
   */
  lastReceived: number;
  private readonly framer: Framer;
  private readonly owner: LinkOwner;
  private pauses: number;
  private over: boolean;
  /** The transport is closed, and the owner is told once it has taken what came before that; null until then. */
  private lost: { readonly error: Error | null } | null;

  constructor(transport: Transport, turn: FlushTurn, limits: SizeLimits, owner: LinkOwner, counters: OutboxCounters) {
    this.transport = transport;
    this.outbox = new Outbox(transport, turn, counters);
    this.profile = null;
    touch();
    this.lastReceived = monotonicNow();
    this.framer = new Framer(limits);
    this.owner = owner;
    this.pauses = 0;
    this.over = false;
    this.lost = null;
    transport.expect?.(Math.max(...limits));
  }

  /** Starts to receive. */
  open(): void {
    this.transport.attach(this);
  }

  /** Settles the version for both directions. */
  useProfile(profile: Profile): void {
    this.profile = profile;
    this.outbox.shape = profile.shape;
    this.framer.flagsAreLoose = profile.flagsAreLoose;
  }

  /** Sizes that hold from the next packet on. */
  setLimits(limits: SizeLimits): void {
    this.framer.limits = limits;
    this.transport.expect?.(Math.max(...limits));
  }

  /** Whether frames are handed out. */
  get isReading(): boolean {
    return this.pauses === 0 && !this.over;
  }

  /** Whether a reason of these keeps the peer from being read. */
  isPausedFor(reasons: number): boolean {
    return (this.pauses & reasons) !== 0;
  }

  /** Stops reading for a reason; frames that are there already wait. */
  pause(reason: number): void {
    // What ends must go on reading: it waits for the other side's end. What is closed has nothing to read.
    if (this.pauses === 0 && !this.over && this.lost === null) this.transport.pause();
    this.pauses |= reason;
  }

  /** Takes a reason back; reading goes on when it was the last. Not to be called from inside frame(). */
  resume(reason: number): void {
    if ((this.pauses & reason) === 0) return;
    this.pauses &= ~reason;
    if (this.pauses !== 0 || this.over) return;
    // Who was not read from cannot have been silent.
    this.lastReceived = monotonicNow();
    this.walk(null, false);
    if (this.pauses !== 0 || this.over) return;
    if (this.lost === null) this.transport.resume();
    else this.tellClosed(this.lost.error);
  }

  receive(chunk: Buffer): void {
    this.take(chunk, false);
  }

  receiveLent(chunk: Buffer): void {
    this.take(chunk, true);
  }

  private take(chunk: Buffer, isLent: boolean): void {
    if (this.over) return;
    touch();
    const { frames } = this.framer;
    this.owner.received(chunk.length);
    this.walk(chunk, isLent);
    if (this.framer.frames !== frames || this.framer.missing > LARGE_REST) this.lastReceived = monotonicNow();
    // Only a paused outbox is sure to become writable, and so to end the pause.
    if (this.outbox.isPaused && this.outbox.controlBytes > CONTROL_LIMIT) this.pause(PAUSE_ACKS_UNREAD);
  }

  writable(): void {
    if (this.over) return;
    touch();
    this.outbox.writable();
    this.owner.drained();
    this.resume(PAUSE_ACKS_UNREAD);
  }

  ended(): void {
    if (!this.over && !this.owesFrames) this.owner.ended?.();
  }

  /**
   * What came before the end counts: a publisher may send, say goodbye and leave while it is not read from. So the owner
   * hears of the end behind the last frame. That nobody takes answers any more is no reason to wait.
   */
  closed(error: Error | null): void {
    if (this.over || !this.owesFrames) {
      this.tellClosed(error);
      return;
    }
    this.lost = { error };
    this.resume(PAUSE_ACKS_UNREAD);
  }

  private get owesFrames(): boolean {
    return this.pauses !== 0 && this.framer.isHolding;
  }

  private tellClosed(error: Error | null): void {
    this.over = true;
    this.outbox.close();
    this.owner.closed(error);
  }

  /** Ends what only waited for frames to be taken. The owner is told in a later turn, as a transport would do it. */
  private letGo(): void {
    if (this.lost === null) return;
    const { error } = this.lost;
    setImmediate(() => this.tellClosed(error));
  }

  /** Sends what waits in the outbox, then closes. Nothing is received any more. `patienceMs` is that of Transport.end(). */
  end(turn: FlushTurn, patienceMs?: number): void {
    if (this.over) return;
    this.over = true;
    this.outbox.clearMessages();
    this.outbox.flush(turn);
    this.outbox.close();
    this.transport.end(patienceMs);
    this.letGo();
  }

  /** Closes at once. */
  destroy(): void {
    if (this.over) return;
    this.over = true;
    this.outbox.close();
    this.transport.destroy();
    this.letGo();
  }

  private walk(chunk: Buffer | null, isLent: boolean): void {
    try {
      if (chunk === null) this.framer.resume(this.owner);
      else this.framer.push(chunk, this.owner, isLent);
    } catch (error) {
      if (!(error instanceof PeerFault)) throw error;
      if (chunk !== null) noteAnswer(error, chunk);
      this.owner.fault(error);
    }
  }
}
