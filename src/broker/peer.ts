// One connected peer: which packets may come in which state, and the one place where a connection ends. What a packet
// means is in handlers/.
import type { InboundAliases } from '../flow/alias.ts';
import { Link, type LinkOwner, PAUSE_CONGESTED, PAUSE_HOOK, PAUSE_PACE, PAUSE_STORE, PAUSE_TURN } from '../net/link.ts';
import type { PeerInfo, Transport } from '../net/transport.ts';
import {
  AUTH,
  CONNACK,
  CONNECT,
  DISCONNECT,
  PINGREQ,
  PINGRESP,
  PUBLISH,
  SUBSCRIBE,
  UNSUBSCRIBE,
} from '../protocol/constants.ts';
import { encode } from '../protocol/encode.ts';
import { type PeerFault, TlsOnPlainConnection, UnexpectedPacket } from '../protocol/errors.ts';
import type { ControlPacket } from '../protocol/packets.ts';
import { NO_PROPERTIES, type Properties } from '../protocol/properties.ts';
import { PublishView } from '../protocol/publish.ts';
import {
  KEEP_ALIVE_TIMEOUT,
  PACKET_TOO_LARGE,
  type Reason,
  SESSION_TAKEN_OVER,
  UNSPECIFIED_ERROR,
} from '../protocol/reasons.ts';
import { MQTT311, type Profile } from '../protocol/version.ts';
import { monotonicNow, touch } from '../util/clock.ts';
import type { WheelEntry } from '../util/wheel.ts';
import { encodeWithin, fits } from './encode-within.ts';
import { onAck } from './handlers/acks.ts';
import { type Authentication, onAuth } from './handlers/auth.ts';
import { onConnect } from './handlers/connect.ts';
import { onDisconnect } from './handlers/disconnect.ts';
import { onPing } from './handlers/ping.ts';
import { onPublish } from './handlers/publish.ts';
import { onSubscribe } from './handlers/subscribe.ts';
import { onUnsubscribe } from './handlers/unsubscribe.ts';
import { sentence, WHY } from './handlers/why.ts';
import { HeldReplies } from './held-replies.ts';
import type { ClientContext } from './hooks/points.ts';
import { networkWords } from './network-words.ts';
import type { Topic } from './routing/topics.ts';
import type { Holder } from './sessions/registry.ts';
import type { Session } from './sessions/session.ts';
import type { Core, ListenerSettings } from './settings.ts';
import type { Store } from './store/store.ts';
import { metricIndex } from './sys/metrics.ts';
import { TurnShare } from './turn-share.ts';

const BYTES_RECEIVED = metricIndex('bytesReceived');
const SOCKETS = metricIndex('socketCount');

/** The live part of a listener that its peers count against and read their settings from. */
export interface PeerListener {
  /** What it is called in the store, where things remember which listener's rules hold for them. */
  readonly key: string;
  settings: ListenerSettings;
  connections: number;
}

/** A peer. Created when its transport is accepted; ends in `end`, whatever the cause. */
export class Peer implements LinkOwner, Holder, WheelEntry {
  readonly core: Core;
  readonly listener: PeerListener;
  readonly link: Link;
  /** Set once CONNECT is accepted. */
  session: Session | null;
  /** Whether CONNACK has been sent: it may have to wait for the disk. */
  isAdmitted: boolean;
  context: ClientContext | null;
  /** The client id, or the address before there is one: how log lines name this peer. */
  name: string;
  /** An enhanced authentication under way or done, null without. */
  authentication: Authentication | null;
  aliases: InboundAliases<Topic> | null;
  /** Whether CONNECT had the mark of a 3.x bridge, which stands for no-local and retain-as-published. */
  isBridge: boolean;
  /** Longest silence in milliseconds, 0 without a bound; the time for CONNECT until that is there. */
  silenceMs: number;
  /** Before the client is in, its time runs from here, however many bytes it sends: from its coming, or the last AUTH to it. */
  waitsSince: number;
  /** Whether the log has heard that this client uses identifiers of QoS 2 anew before their time. */
  hasToldReuse: boolean;
  /** Whether the log has heard that this client wants more subscriptions than it may have. */
  hasToldQuota: boolean;
  /** Largest packet that the client takes, 0 without a limit. */
  maximumPacketSize: number;
  /** Whether acknowledgements may say why [MQTT-3.1.2-29]; CONNACK and DISCONNECT may in any case. */
  wantsReasons: boolean;
  /** The topic that was last found writable, with the hooks' generation of then. */
  writableTopic: Topic | null;
  writableGeneration: number;
  private publishView: PublishView | null;
  private held: HeldReplies | null;
  private readonly share: TurnShare;
  private isOver: boolean;

  constructor(core: Core, listener: PeerListener, transport: Transport) {
    this.core = core;
    this.listener = listener;
    this.session = null;
    this.isAdmitted = false;
    this.context = null;
    this.name = transport.info.address;
    this.authentication = null;
    this.aliases = null;
    this.isBridge = false;
    this.silenceMs = core.settings.connectTimeoutMs;
    this.maximumPacketSize = 0;
    this.wantsReasons = false;
    this.hasToldReuse = false;
    this.hasToldQuota = false;
    this.writableTopic = null;
    this.writableGeneration = -1;
    this.publishView = null;
    this.held = null;
    this.share = new TurnShare();
    this.isOver = false;
    this.link = new Link(transport, core.turn, core.settings.sizesBeforeConnect, this, core.metrics);
    core.connections += 1;
    core.peers.add(this);
    listener.connections += 1;
    core.metrics.add(SOCKETS, 1);
    this.waitsSince = this.link.lastReceived;
    core.wheel.add(this, this.waitsSince + this.silenceMs);
    this.link.open();
  }

  get info(): PeerInfo {
    return this.link.transport.info;
  }

  /** The settled version; 3.1.1 before CONNECT. */
  get profile(): Profile {
    return this.link.profile ?? MQTT311;
  }

  get isClosed(): boolean {
    return this.isOver;
  }

  /** The one view that this peer's PUBLISH packets are read into. */
  get view(): PublishView {
    this.publishView ??= new PublishView();
    return this.publishView;
  }

  frame(buffer: Buffer, first: number, start: number, end: number): boolean {
    const type = first >> 4;
    const { store } = this.core;
    const recorded = store === null ? 0 : store.recorded;
    this.core.metrics.packetIn(type);
    switch (type) {
      case PUBLISH:
        onPublish(this, buffer, first, start, end);
        break;
      case CONNECT:
        onConnect(this, buffer, start, end);
        break;
      case SUBSCRIBE:
        this.share.expectMuch();
        onSubscribe(this, buffer, first, start, end);
        break;
      case UNSUBSCRIBE:
        this.share.expectMuch();
        onUnsubscribe(this, buffer, first, start, end);
        break;
      case PINGREQ:
        onPing(this, buffer, first, start, end);
        break;
      case DISCONNECT:
        onDisconnect(this, buffer, first, start, end);
        break;
      case AUTH:
        onAuth(this, buffer, first, start, end);
        break;
      default:
        onAck(this, buffer, first, start, end);
    }
    if (this.share.isUsedUp(this.core.router.work)) this.letOthers();
    if (store?.isCongested === true && store.recorded !== recorded) this.waitForStore(store);
    return this.link.isReading;
  }

  received(count: number): void {
    this.share.begin(this.core.router.work);
    this.core.metrics.add(BYTES_RECEIVED, count);
  }

  /** The rest of the chunk waits until all others had their turn. */
  private letOthers(): void {
    if (this.isOver || this.link.isPausedFor(PAUSE_TURN)) return;
    this.link.pause(PAUSE_TURN);
    setImmediate(() => {
      touch();
      this.share.begin(this.core.router.work);
      this.link.resume(PAUSE_TURN);
    });
  }

  /** Too much waits for the disk: who adds to it is not read from until that is over. */
  private waitForStore(store: Store): void {
    this.link.pause(PAUSE_CONGESTED);
    store.whenRelieved(this, () => this.link.resume(PAUSE_CONGESTED));
  }

  drained(): void {
    this.session?.fill();
  }

  /** Settles the version, and what the client wants to be told, by its CONNECT. */
  settleTerms(profile: Profile, properties: Properties): void {
    this.link.useProfile(profile);
    this.maximumPacketSize = properties.maximumPacketSize ?? 0;
    this.wantsReasons = profile.hasProperties && properties.requestProblemInformation !== 0;
  }

  /** The properties of an acknowledgement that refuses. */
  because(why: string): Properties {
    return this.wantsReasons ? { reasonString: why } : NO_PROPERTIES;
  }

  /**
   * Encodes and queues a control packet, without its reason string if it would be too large for the client with it
   * [MQTT-3.1.2-24]. A client that cannot take its answer at all is not left waiting for it: the connection ends.
   */
  send(packet: ControlPacket): void {
    this.queue(packet, null);
  }

  /**
   * Sends an answer in its order: behind those that wait for the disk, and waits itself if it promises what is not there.
   * Returns whether it waits.
   */
  answer(packet: ControlPacket, waits: boolean): boolean {
    const holder = this.holder(waits);
    this.queue(packet, holder);
    return holder !== null;
  }

  /** Where the next answer has to wait; null if it can go at once. */
  holder(waits: boolean): HeldReplies | null {
    const { store } = this.core;
    if (waits && store !== null) this.held ??= new HeldReplies(store, this.link.outbox);
    return this.held !== null && (waits || this.held.isHolding) ? this.held : null;
  }

  private queue(packet: ControlPacket, holder: HeldReplies | null): void {
    if (this.isOver) return;
    const bytes = encodeWithin(this.profile, packet, this.maximumPacketSize);
    if (bytes === null) {
      if (packet.type !== DISCONNECT && packet.type !== CONNACK) this.close(PACKET_TOO_LARGE, WHY.packetSize);
      return;
    }
    if (bytes.length === 0) return;
    this.core.metrics.packetOut(packet.type);
    if (holder === null) this.link.outbox.pushControl(bytes);
    else holder.add(bytes);
  }

  /** Whether a packet is not larger than the client takes. */
  takes(packet: ControlPacket): boolean {
    return this.maximumPacketSize === 0 || fits(encode(this.profile, packet), this.maximumPacketSize);
  }

  /** Queues a bodiless answer. */
  sendPingResponse(): void {
    this.core.metrics.packetOut(PINGRESP);
    this.link.outbox.pushEmpty(PINGRESP << 4);
  }

  /** The peer broke the protocol. */
  fault(fault: PeerFault): void {
    const { log } = this.core;
    if (fault instanceof TlsOnPlainConnection) {
      log.notice?.(`Client from ${this.place} appears to be using TLS to connect to a non-TLS listener.`);
    } else if (fault instanceof UnexpectedPacket && this.session === null && this.authentication === null) {
      const byte = fault.first.toString(16).toUpperCase().padStart(2, '0');
      log.information?.(`Protocol error from ${this.place}: First packet not CONNECT (${byte}).`);
    } else {
      log.information?.(`Protocol error from ${this.name} [${this.place}]: ${fault.message}.`);
    }
    this.close(fault.reason, sentence(fault.message));
  }

  /** The broker ends the connection for a reason; an MQTT 5 client is told, and `why`. The will is published. */
  close(reason: Reason, why: string, extra: Properties = NO_PROPERTIES): void {
    if (this.isOver) return;
    if (this.profile.hasProperties) this.sayGoodbye(reason, { reasonString: why, ...extra });
    this.end(reason.log, reason.code);
  }

  /** Before CONNACK there must be no DISCONNECT [MQTT-3.14.0-1]: a CONNACK takes its place (section 4.13.1). */
  private sayGoodbye(reason: Reason, properties: Properties): void {
    const type = this.isAdmitted ? DISCONNECT : CONNACK;
    if (!reason.packets.includes(type)) return;
    if (type === CONNACK) this.send({ type, sessionPresent: false, code: reason.code, properties });
    else {
      this.core.log.debug?.(`Sending DISCONNECT to ${this.name} (rc${reason.code})`);
      this.send({ type, code: reason.code, properties });
    }
  }

  /** Refuses a client whose CONNACK is already queued. */
  endRefused(reason: Reason): void {
    this.end(reason.log, reason.code);
  }

  /** The client said goodbye, with a reason code. */
  endByClient(code: number): void {
    this.end('', code);
  }

  get waitingMessages(): number {
    return this.link.outbox.messages + (this.session?.late.length ?? 0);
  }

  get waitingBytes(): number {
    return this.link.transport.backlog + this.link.outbox.controlBytes;
  }

  destroy(): void {
    this.link.destroy();
    this.link.transport.destroy();
  }

  takenOver(): void {
    this.core.log.notice?.(`Client ${this.name} already connected, closing old connection.`);
    this.close(SESSION_TAKEN_OVER, WHY.takenOver);
  }

  due(): number {
    touch();
    if (this.silenceMs === 0) return 0;
    const deadline = (this.session === null ? this.waitsSince : this.link.lastReceived) + this.silenceMs;
    if (monotonicNow() < deadline) return deadline;
    // Who waits for a plugin, for others' queues, for the disk or for its turn is not read from: its silence is ours.
    if (this.link.isPausedFor(OUR_PAUSES)) return monotonicNow() + this.silenceMs;
    if (this.session === null) {
      const seconds = this.silenceMs / 1000;
      this.core.log.information?.(
        `No complete CONNECT from ${this.place} within ${seconds} seconds (connect_timeout).`,
      );
    }
    this.close(KEEP_ALIVE_TIMEOUT, `No packet came within ${this.silenceMs / 1000} seconds.`);
    return 0;
  }

  /** How long the peer may be silent from now on. */
  allowSilence(milliseconds: number): void {
    this.silenceMs = milliseconds;
    if (milliseconds === 0) this.core.wheel.remove(this);
    else this.core.wheel.addUnlessEarlier(this, this.link.lastReceived + milliseconds);
  }

  closed(error: Error | null): void {
    this.core.connections -= 1;
    this.core.peers.delete(this);
    if (this.core.peers.size === 0) this.core.whenEmpty?.();
    this.listener.connections -= 1;
    this.finish(error === null ? 'connection closed by client' : networkWords(error), UNSPECIFIED_ERROR.code);
  }

  /** Sends what waits, closes, and lets go of the session. */
  private end(words: string, code: number): void {
    if (this.isOver) return;
    this.link.end(this.core.turn);
    this.finish(words, code);
  }

  private finish(words: string, code: number): void {
    if (this.isOver) return;
    this.isOver = true;
    this.core.wheel.remove(this);
    this.core.store?.leave(this);
    const { log, settings } = this.core;
    if (settings.logsConnections) {
      log.notice?.(`Client ${this.name} [${this.place}] disconnected${words === '' ? '' : `: ${words}`}.`);
    }
    if (this.isAdmitted) this.listener.settings.hooks.disconnected(this.context!, code);
    if (this.session !== null) {
      touch();
      this.core.registry.release(this.session, monotonicNow());
    }
  }

  /** Address and port, for the log. */
  get place(): string {
    return `${this.info.address}:${this.info.port}`;
  }
}

const OUR_PAUSES = PAUSE_HOOK | PAUSE_PACE | PAUSE_TURN | PAUSE_STORE | PAUSE_CONGESTED;
