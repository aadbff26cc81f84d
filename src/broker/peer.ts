// One connected peer: which packets may come in which state, and the one place where a connection ends. What a packet
// means is in handlers/.
import type { InboundAliases } from '../flow/alias.ts';
import { Link, type LinkOwner, PAUSE_HOOK } from '../net/link.ts';
import type { PeerInfo, Transport } from '../net/transport.ts';
import {
  AUTH,
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
import { KEEP_ALIVE_TIMEOUT, type Reason, SESSION_TAKEN_OVER, UNSPECIFIED_ERROR } from '../protocol/reasons.ts';
import { MQTT311, type Profile } from '../protocol/version.ts';
import { monotonicNow, touch } from '../util/clock.ts';
import type { WheelEntry } from '../util/wheel.ts';
import { onAck } from './handlers/acks.ts';
import { type Authentication, onAuth } from './handlers/auth.ts';
import { onConnect } from './handlers/connect.ts';
import { onDisconnect } from './handlers/disconnect.ts';
import { onPing } from './handlers/ping.ts';
import { onPublish } from './handlers/publish.ts';
import { onSubscribe } from './handlers/subscribe.ts';
import { onUnsubscribe } from './handlers/unsubscribe.ts';
import type { ClientContext } from './hooks/points.ts';
import type { Topic } from './routing/topics.ts';
import type { Holder } from './sessions/registry.ts';
import type { Session } from './sessions/session.ts';
import type { Core, ListenerSettings } from './settings.ts';
import { metricIndex } from './sys/metrics.ts';

const BYTES_RECEIVED = metricIndex('bytesReceived');
const SOCKETS = metricIndex('socketCount');

/** The live part of a listener that its peers count against and read their settings from. */
export interface PeerListener {
  settings: ListenerSettings;
  /** Milliseconds that a connection may take until its CONNECT is complete. */
  readonly connectTimeoutMs: number;
  connections: number;
}

/** A peer. Created when its transport is accepted; ends in `end`, whatever the cause. */
export class Peer implements LinkOwner, Holder, WheelEntry {
  readonly core: Core;
  readonly listener: PeerListener;
  readonly link: Link;
  /** Set once CONNECT is accepted. */
  session: Session | null;
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
  /** The topic that was last found writable, with the hooks' generation of then. */
  writableTopic: Topic | null;
  writableGeneration: number;
  private publishView: PublishView | null;
  private isOver: boolean;

  constructor(core: Core, listener: PeerListener, transport: Transport) {
    this.core = core;
    this.listener = listener;
    this.session = null;
    this.context = null;
    this.name = transport.info.address;
    this.authentication = null;
    this.aliases = null;
    this.isBridge = false;
    this.silenceMs = listener.connectTimeoutMs;
    this.writableTopic = null;
    this.writableGeneration = -1;
    this.publishView = null;
    this.isOver = false;
    this.link = new Link(transport, core.turn, core.settings.sizesBeforeConnect, this, core.metrics);
    core.connections += 1;
    core.peers.add(this);
    listener.connections += 1;
    core.metrics.add(SOCKETS, 1);
    core.wheel.add(this, monotonicNow() + listener.connectTimeoutMs);
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
    this.core.metrics.packetIn(type);
    switch (type) {
      case PUBLISH:
        onPublish(this, buffer, first, start, end);
        break;
      case CONNECT:
        onConnect(this, buffer, start, end);
        break;
      case SUBSCRIBE:
        onSubscribe(this, buffer, first, start, end);
        break;
      case UNSUBSCRIBE:
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
    return this.link.isReading;
  }

  received(count: number): void {
    this.core.metrics.add(BYTES_RECEIVED, count);
  }

  drained(): void {
    this.session?.fill();
  }

  /** Encodes and queues a control packet. */
  send(packet: ControlPacket): void {
    if (this.isOver) return;
    const bytes = encode(this.profile, packet);
    if (bytes.length === 0) return;
    this.core.metrics.packetOut(packet.type);
    this.link.outbox.pushControl(bytes);
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
    this.close(fault.reason);
  }

  /** The broker ends the connection for a reason; an MQTT 5 client is told. The will is published. */
  close(reason: Reason, properties: Properties = NO_PROPERTIES): void {
    if (this.isOver) return;
    if (this.session !== null && this.profile.hasProperties && reason.packets.includes(DISCONNECT)) {
      this.core.log.debug?.(`Sending DISCONNECT to ${this.name} (rc${reason.code})`);
      this.send({ type: DISCONNECT, code: reason.code, properties });
    }
    this.end(reason.log, reason.code);
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
    return this.link.outbox.messages;
  }

  get waitingBytes(): number {
    return this.link.transport.backlog + this.link.outbox.controlBytes;
  }

  destroy(): void {
    this.link.transport.destroy();
  }

  takenOver(): void {
    this.core.log.notice?.(`Client ${this.name} already connected, closing old connection.`);
    this.close(SESSION_TAKEN_OVER);
  }

  due(): number {
    touch();
    if (this.silenceMs === 0) return 0;
    const deadline = this.link.lastReceived + this.silenceMs;
    if (monotonicNow() < deadline) return deadline;
    // Who waits for a plugin is not read from: its silence is ours.
    if (this.link.isPausedFor(PAUSE_HOOK)) return monotonicNow() + this.silenceMs;
    this.close(KEEP_ALIVE_TIMEOUT);
    return 0;
  }

  /** How long the peer may be silent from now on. */
  allowSilence(milliseconds: number): void {
    this.silenceMs = milliseconds;
    if (milliseconds === 0) this.core.wheel.remove(this);
    else this.core.wheel.add(this, this.link.lastReceived + milliseconds);
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
    const { log, settings } = this.core;
    if (settings.logsConnections) {
      log.notice?.(`Client ${this.name} [${this.place}] disconnected${words === '' ? '' : `: ${words}`}.`);
    }
    if (this.context !== null) {
      this.listener.settings.hooks.disconnected(this.context, code);
    }
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

/** What the system said about a broken connection, in Mosquitto's manner. */
function networkWords(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code;
  switch (code) {
    case 'ECONNRESET':
      return 'connection closed by client';
    case 'EPIPE':
      return 'Broken pipe';
    case 'ETIMEDOUT':
      return 'Connection timed out';
    default:
      return error.message;
  }
}
