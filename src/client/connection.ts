// One network connection of a client, from CONNECT to its end: packets in and out, the keep-alive, and the one place where
// a broker's fault, its DISCONNECT, a silence or our own goodbye end it.
import { FlushTurn } from '../net/flush.ts';
import { Link, type LinkOwner } from '../net/link.ts';
import type { Transport } from '../net/transport.ts';
import {
  AUTH,
  CONNACK,
  DISCONNECT,
  PINGREQ,
  PINGRESP,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBACK,
  UNSUBACK,
} from '../protocol/constants.ts';
import { decode } from '../protocol/decode.ts';
import { type PeerFault, ProtocolError, UnexpectedPacket } from '../protocol/errors.ts';
import type {
  AckPacket,
  ConnackPacket,
  ConnectPacket,
  ControlPacket,
  DisconnectPacket,
  SubackPacket,
  UnsubackPacket,
} from '../protocol/packets.ts';
import { NO_PROPERTIES, type Properties } from '../protocol/properties.ts';
import {
  KEEP_ALIVE_TIMEOUT,
  PROTOCOL_ERROR,
  type Reason,
  reasonFits,
  reasonOf,
  SUCCESS,
  UNSPECIFIED_ERROR,
} from '../protocol/reasons.ts';
import { monotonicNow, touch } from '../util/clock.ts';
import { AuthExchange } from './authentication.ts';
import { connackFault, notStarted, readConnack } from './connack.ts';
import { ConnectionLost, ConnectRefused, InvalidRequest } from './errors.ts';
import { fixedHeader, IncomingMessages, traceOf } from './incoming.ts';
import { KeepAlive } from './keep-alive.ts';
import { sizeLimits } from './limits.ts';
import type { ReceivedMessage } from './options.ts';
import { Output } from './output.ts';
import { disconnectFault, explained, unaskedInformation } from './rules.ts';
import { connectPacket, type Settings } from './settings.ts';

/** A reason to pause the link, beside those of net/link.ts and the client's: the method looks at what CONNACK brought. */
const PAUSE_AUTH = 0x400;

/** The first byte of a TLS alert, which an OpenSSL server answers plain text with. */
const TLS_ALERT = 0x15;

/** Milliseconds that whoever answers CONNECT with something else has to close its side: it may not know that it should. */
const STRANGER_MS = 100;

/** All clients of the process share one flush turn. */
const turn = new FlushTurn();

/** What a connection tells its client. */
export interface ConnectionOwner {
  /** The client identifier to connect with. */
  readonly clientId: string;
  /** Whether the broker may know a session of ours. */
  readonly hasSession: boolean;
  /** CONNACK admitted us. Packets that follow it wait until the next loop turn. */
  connected(connection: Connection, packet: ConnackPacket): void;
  message(message: ReceivedMessage): void;
  acknowledged(packet: AckPacket): void;
  answered(packet: SubackPacket | UnsubackPacket): void;
  /** The broker said goodbye; `lost` follows. */
  disconnected(reason: Reason, properties: Properties): void;
  /** The broker takes bytes again. */
  writable(): void;
  /** Whether QoS 0 messages still wait for the broker to take bytes. */
  readonly hasUnsent: boolean;
  /** Whether the broker owes an acknowledgement. */
  readonly hasUnanswered: boolean;
  /** A connection that was `connected` is over; null after end(). @param wasReset see Client.wasReset */
  lost(error: Error | null, wasReset: boolean): void;
}

const OPEN_TYPES = [PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, PINGRESP];

/** A connection to a broker. */
export class Connection implements LinkOwner {
  readonly output: Output;
  private readonly settings: Settings;
  private readonly owner: ConnectionOwner;
  private readonly link: Link;
  private readonly incoming: IncomingMessages;
  private state: 'new' | 'open' | 'ending' | 'over';
  /** Why the connection ends; null for our own orderly end. */
  private error: Error | null;
  private startsClean: boolean;
  private settleStart: { resolve(): void; reject(error: Error): void } | null;
  private goodbye: ControlPacket | null;
  /** The broker closed its half before our DISCONNECT had left: what was sent last may never have been read. */
  private endedEarly: boolean;
  private pauses: number;
  private isInFrame: boolean;
  private readonly keepAlive: KeepAlive;
  /** Null where CONNECT names no authentication method. */
  private readonly exchange: AuthExchange | null;
  private endTimer: NodeJS.Timeout | null;

  constructor(transport: Transport, settings: Settings, owner: ConnectionOwner) {
    const { authentication, connectTimeoutMs, profile, properties } = settings;
    this.settings = settings;
    this.owner = owner;
    this.incoming = new IncomingMessages(profile, properties.topicAliasMaximum ?? 0);
    this.state = 'new';
    this.error = null;
    this.startsClean = false;
    this.settleStart = null;
    this.goodbye = null;
    this.endedEarly = false;
    this.pauses = 0;
    this.isInFrame = false;
    this.endTimer = null;
    this.exchange = authentication === null ? null : new AuthExchange(authentication, this, connectTimeoutMs);
    const counters = { sentBytes: () => this.sentBytes(), sentPublish: () => {} };
    this.link = new Link(transport, turn, sizeLimits(this.types([CONNACK]), properties), this, counters);
    this.link.useProfile(profile);
    this.output = new Output(this.link, turn, settings, (error) => this.abandon(error));
    this.keepAlive = new KeepAlive(
      this.link,
      () => this.send({ type: PINGREQ }),
      () => this.abandon(new ConnectionLost('The broker did not answer within the keep-alive', KEEP_ALIVE_TIMEOUT)),
    );
  }

  /** Sends CONNECT; resolves when CONNACK admitted us. @param first whether the client was never connected before */
  start(first: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.settleStart = { resolve, reject };
      this.link.open();
      let packet: ConnectPacket;
      try {
        packet = connectPacket(this.settings, first, this.owner.clientId);
      } catch (error) {
        // What the authentication begins with could not be had.
        this.abandon(error as Error);
        return;
      }
      this.startsClean = packet.cleanStart;
      this.send(packet);
    });
  }

  /** Authenticates anew. */
  reauthenticate(): Promise<void> {
    if (this.exchange !== null && this.state === 'open') return this.exchange.again();
    const why = this.exchange === null ? 'CONNECT named no authentication method' : 'the client is closing';
    return Promise.reject(new InvalidRequest(PROTOCOL_ERROR, why)); // [MQTT-4.12.0-7]
  }

  /** For the authentication: sends AUTH. */
  sendAuth(code: number, properties: Properties): void {
    this.send({ type: AUTH, code, properties });
  }

  /** For the authentication: ends the connection. */
  giveUp(error: ConnectionLost): void {
    this.close(error, UNSPECIFIED_ERROR.code);
  }

  /** Stops handing out packets for a reason (a bit of link.ts or of the caller's). */
  pause(reason: number): void {
    this.pauses |= reason;
    this.link.pause(reason);
  }

  /** Takes a reason back. */
  resume(reason: number): void {
    this.pauses &= ~reason;
    // The link must not be resumed from inside a frame.
    if (this.isInFrame) setImmediate(() => this.continue(reason));
    else this.continue(reason);
  }

  /**
   * Sends what waits and DISCONNECT, then closes. Messages that still come are neither handed out nor acknowledged; the one
   * whose handler calls this still is.
   */
  end(code: number, properties: Properties): void {
    if (this.state === 'over' || this.state === 'ending') return;
    this.state = 'ending';
    this.goodbye = { type: DISCONNECT, code, properties };
    this.endTimer = setTimeout(() => this.destroy(), this.settings.connectTimeoutMs);
    // A handler's message is still to be acknowledged: frame() goes on from here.
    if (!this.isInFrame) this.finishEnding();
  }

  /** Closes at once for a reason of ours. */
  abandon(error: Error): void {
    if (this.state === 'over') return;
    this.error ??= error;
    this.destroy();
  }

  frame(buffer: Buffer, first: number, start: number, end: number): boolean {
    const before = this.state;
    this.settings.trace?.bytes?.(false, fixedHeader(first, end - start), buffer.subarray(start, end));
    this.isInFrame = true;
    try {
      if (first >> 4 === PUBLISH) this.onPublish(buffer, first, start, end);
      else if (first >> 4 === CONNACK) this.onConnack(buffer, first, start, end);
      else this.onControl(decode(this.settings.profile, buffer, first, start, end));
    } finally {
      this.isInFrame = false;
    }
    if (this.state === 'ending' && before !== 'ending') this.finishEnding();
    return this.link.isReading;
  }

  received(): void {
    // Ends the turn of the coarse clock, also where nothing is sent.
    turn.request();
  }

  fault(fault: PeerFault): void {
    const isFirst = this.state === 'new';
    if (isFirst && fault instanceof UnexpectedPacket && fault.first === TLS_ALERT) {
      this.error ??= new ConnectionLost('The broker speaks TLS on this port, and this connection does not');
      this.link.end(turn);
      return;
    }
    const code = reasonFits(fault.reason.code, DISCONNECT) ? fault.reason.code : PROTOCOL_ERROR.code;
    if (isFirst) this.close(fault, code, STRANGER_MS);
    else this.close(explained(fault, this.settings.profile), code);
  }

  drained(): void {
    this.owner.writable();
    if (this.state === 'ending') this.finishEnding();
  }

  ended(): void {
    this.endedEarly = true;
    // What has not left yet would be read by nobody.
    this.link.destroy();
  }

  closed(error: Error | null): void {
    // An end before DISCONNECT was sent is a loss: messages may have gone with it.
    const ended = this.state === 'ending' && this.goodbye === null && !this.endedEarly;
    this.state = 'over';
    this.keepAlive.stop();
    if (this.endTimer !== null) clearTimeout(this.endTimer);
    const detail = error === null ? '' : `: ${error.message}`;
    const reason = this.error ?? new ConnectionLost(`The connection was lost${detail}`, null, error);
    this.exchange?.close(reason);
    const { kind } = this.link.transport.info;
    // Over TLS and WebSocket there is more to read behind a DISCONNECT, which a broker may well leave unread.
    const wasReset = ended && error !== null && (kind === 'tcp' || kind === 'unix');
    if (this.settleStart === null) this.owner.lost(ended ? null : reason, wasReset);
    else this.settleStart.reject(notStarted(this.link.transport.info, this.error, error));
  }

  private send(packet: ControlPacket): void {
    if (this.state !== 'over') this.output.send(packet);
  }

  /** Ends the connection over a fault, with the reason where the version can tell one (MQTT 5.0 section 4.13). */
  private close(error: Error, code: number, patienceMs?: number): void {
    if (this.state === 'over') return;
    this.error ??= error;
    if (this.settings.profile.hasProperties) this.send({ type: DISCONNECT, code, properties: NO_PROPERTIES });
    this.link.end(turn, patienceMs);
  }

  /** A broker that does not close its side after our end is not waited for any longer, either. */
  private destroy(): void {
    this.link.destroy();
    this.link.transport.destroy();
  }

  /** Types that may come, with AUTH where there is somebody to answer it [MQTT-4.12.0-6]. */
  private types(types: readonly number[]): readonly number[] {
    return this.exchange === null ? types : [...types, AUTH];
  }

  private sentBytes(): void {
    touch();
    this.keepAlive.sent(monotonicNow());
  }

  private onPublish(buffer: Buffer, first: number, start: number, end: number): void {
    const message = this.incoming.read(buffer, first, start, end);
    this.settings.trace?.received(traceOf(message));
    if (this.state === 'open') this.owner.message(message);
  }

  private onConnack(buffer: Buffer, first: number, start: number, end: number): void {
    const packet = readConnack(this.settings.profile, buffer, first, start, end);
    this.settings.trace?.received(packet);
    const { hasSession } = this.owner;
    const context = { startsClean: this.startsClean, hasSession, hasMethod: this.exchange !== null };
    const fault = connackFault(packet, context);
    if (fault !== null) throw new ProtocolError(fault);
    if (packet.code !== SUCCESS.code) {
      this.error ??= new ConnectRefused(this.settings.profile, reasonOf(packet.code), packet.properties);
      this.link.end(turn);
    } else if (this.exchange === null) {
      this.open(packet);
    } else {
      this.pause(PAUSE_AUTH);
      this.exchange.accepted(packet.properties, () => {
        this.open(packet);
        this.resume(PAUSE_AUTH);
      });
    }
  }

  private open(packet: ConnackPacket): void {
    const { profile, properties, keepAlive } = this.settings;
    this.state = 'open';
    this.output.grant(packet.properties);
    const goodbye = profile.hasProperties ? [DISCONNECT] : [];
    this.link.setLimits(sizeLimits(this.types([...OPEN_TYPES, ...goodbye]), properties));
    this.keepAlive.start(packet.properties.serverKeepAlive ?? keepAlive); // [MQTT-3.1.2-21, MQTT-3.2.2-21]
    const { settleStart } = this;
    this.settleStart = null;
    this.owner.connected(this, packet);
    settleStart?.resolve();
  }

  private onControl(packet: ControlPacket): void {
    this.settings.trace?.received(packet);
    const fault = unaskedInformation(this.settings.properties, packet);
    if (fault !== null) throw new ProtocolError(fault);
    switch (packet.type) {
      case PUBACK:
      case PUBREC:
      case PUBREL:
      case PUBCOMP:
        this.owner.acknowledged(packet);
        break;
      case SUBACK:
      case UNSUBACK:
        this.owner.answered(packet);
        break;
      case DISCONNECT:
        this.onDisconnect(packet);
        break;
      case AUTH:
        this.exchange?.received(packet);
        break;
      default:
        // PINGRESP: that something came is all it says.
        break;
    }
  }

  private onDisconnect(packet: DisconnectPacket): void {
    const fault = disconnectFault(packet);
    if (fault !== null) throw new ProtocolError(fault);
    const { code, properties } = packet;
    const reason = reasonOf(code);
    const text = `The broker closed the connection: ${reason.text}`;
    this.error ??= new ConnectionLost(text, reason, null, properties);
    this.link.end(turn);
    this.owner.disconnected(reason, properties);
  }

  private continue(reason: number): void {
    if ((this.pauses & reason) !== 0) return;
    this.keepAlive.forgive();
    this.link.resume(reason);
  }

  /** Control packets overtake messages in the outbox, so DISCONNECT has to wait until these are gone. */
  private finishEnding(): void {
    const { outbox } = this.link;
    if (this.goodbye === null || this.endedEarly) return;
    this.output.flush();
    if (outbox.messages > 0 || outbox.awaitsWritable || this.owner.hasUnsent) {
      this.endTimer?.refresh();
      return;
    }
    const { goodbye } = this;
    this.goodbye = null;
    this.send(goodbye);
    // A broker that still had an answer on its way would have the system take back what it has not read yet.
    const isAnswered = this.keepAlive.isAnswered && !this.owner.hasUnanswered;
    this.link.end(turn, isAnswered ? this.settings.closeTimeoutMs : undefined);
  }
}
