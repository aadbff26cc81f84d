// One network connection of a client, from CONNECT to its end: packets in and out, the keep-alive, and the one place where
// a broker's fault, its DISCONNECT, a silence or our own goodbye end it.
import { FlushTurn } from '../net/flush.ts';
import { Link, type LinkOwner } from '../net/link.ts';
import type { Transport } from '../net/transport.ts';
import {
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
import { encode } from '../protocol/encode.ts';
import { type PeerFault, ProtocolError, UnexpectedPacket } from '../protocol/errors.ts';
import type {
  AckPacket,
  ConnackPacket,
  ControlPacket,
  SubackPacket,
  SubscribePacket,
  UnsubackPacket,
  UnsubscribePacket,
} from '../protocol/packets.ts';
import { NO_PROPERTIES, type Properties } from '../protocol/properties.ts';
import { KEEP_ALIVE_TIMEOUT, PROTOCOL_ERROR, type Reason, reasonFits, reasonOf, SUCCESS } from '../protocol/reasons.ts';
import type { Profile } from '../protocol/version.ts';
import { monotonicNow, touch } from '../util/clock.ts';
import { ConnectionLost, ConnectRefused, type InvalidRequest } from './errors.ts';
import { IncomingMessages, readConnack, traceOf } from './incoming.ts';
import { KeepAlive } from './keep-alive.ts';
import { messageRefusal, requestRefusal, sizeLimits } from './limits.ts';
import type { ReceivedMessage } from './options.ts';
import type { OutgoingMessage } from './outgoing.ts';
import { connectPacket, type Settings } from './settings.ts';

/** So many payload bytes leave at once, within the turn, so that a caller that never lets the loop turn is stopped. */
const EARLY_FLUSH = 262_144;

/** The first byte of a TLS alert, which an OpenSSL server answers plain text with. */
const TLS_ALERT = 0x15;

const NOTHING = Buffer.alloc(0);

/** All clients of the process share one flush turn. */
const turn = new FlushTurn();

/** What a connection tells its client. */
export interface ConnectionOwner {
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
  /** A connection that was `connected` is over; null after end(). */
  lost(error: Error | null): void;
}

const OPEN_TYPES = [PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, PINGRESP];

/** A connection to a broker. */
export class Connection implements LinkOwner {
  /** What CONNACK granted. */
  granted: Properties;
  private readonly settings: Settings;
  private readonly profile: Profile;
  private readonly owner: ConnectionOwner;
  private readonly link: Link;
  private readonly incoming: IncomingMessages;
  /** Topics that our aliases stand for on this connection. */
  private readonly aliasTopics: Map<number, string>;
  private state: 'new' | 'open' | 'ending' | 'over';
  /** Why the connection ends; null for our own orderly end. */
  private error: Error | null;
  private startsClean: boolean;
  private settleStart: { resolve(): void; reject(error: Error): void } | null;
  private goodbye: ControlPacket | null;
  /** Payload bytes that were pushed since the outbox was last emptied here. */
  private unflushed: number;
  private pauses: number;
  private isInFrame: boolean;
  private readonly keepAlive: KeepAlive;
  private endTimer: NodeJS.Timeout | null;

  constructor(transport: Transport, settings: Settings, owner: ConnectionOwner) {
    this.granted = NO_PROPERTIES;
    this.settings = settings;
    this.profile = settings.profile;
    this.owner = owner;
    this.incoming = new IncomingMessages(settings.profile, settings.properties.topicAliasMaximum ?? 0);
    this.aliasTopics = new Map();
    this.state = 'new';
    this.error = null;
    this.startsClean = false;
    this.settleStart = null;
    this.goodbye = null;
    this.unflushed = 0;
    this.pauses = 0;
    this.isInFrame = false;
    this.endTimer = null;
    const counters = { sentBytes: () => this.sentBytes(), sentPublish: () => {} };
    this.link = new Link(transport, turn, sizeLimits([CONNACK], settings.properties), this, counters);
    this.link.useProfile(settings.profile);
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
      const packet = connectPacket(this.settings, first);
      this.startsClean = packet.cleanStart;
      this.send(packet);
    });
  }

  /** Whether bytes should wait, because the broker does not take them. */
  get isCongested(): boolean {
    return this.link.outbox.isPaused;
  }

  /** Why a message cannot be sent on this connection, or null. */
  refusal(message: OutgoingMessage): InvalidRequest | null {
    return messageRefusal(this.profile, this.granted, message);
  }

  /** Sends a message; `id` 0 at QoS 0. */
  publish(message: OutgoingMessage, id: number, dup: boolean): void {
    let extra: Buffer = NOTHING;
    if (message.alias > 0 && this.profile.hasProperties) {
      const known = this.aliasTopics.get(message.alias) === message.topic;
      this.aliasTopics.set(message.alias, message.topic);
      extra = message.useAlias(message.alias, known);
    }
    this.link.outbox.push(message, message.flags(dup), id, extra);
    this.unflushed += message.payloadEnd;
    if (this.unflushed >= EARLY_FLUSH) this.flush();
    this.settings.trace?.sending({
      type: PUBLISH,
      id,
      topic: message.topic,
      qos: message.qos,
      retain: message.retain,
      dup,
      payloadLength: message.payloadEnd,
    });
  }

  /** The topic that an alias of ours stands for. */
  aliasedTopic(alias: number): string | undefined {
    return this.aliasTopics.get(alias);
  }

  /** Sends an acknowledgement. */
  acknowledge(type: AckPacket['type'], id: number, code: number): void {
    if (code === SUCCESS.code && this.settings.trace === null) {
      this.link.outbox.pushAck((type << 4) | (type === PUBREL ? 0x02 : 0), id);
    } else {
      this.send({ type, id, code, properties: NO_PROPERTIES });
    }
  }

  /** Sends SUBSCRIBE or UNSUBSCRIBE. Returns why that cannot be, or null. */
  request(packet: SubscribePacket | UnsubscribePacket): InvalidRequest | null {
    const refusal = requestRefusal(this.profile, this.granted, packet);
    if (refusal === null) this.send(packet);
    return refusal;
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
    this.endTimer = setTimeout(() => this.link.destroy(), this.settings.connectTimeoutMs);
    // A handler's message is still to be acknowledged: frame() goes on from here.
    if (!this.isInFrame) this.finishEnding();
  }

  /** Closes at once for a reason of ours. */
  abandon(error: Error): void {
    if (this.state === 'over') return;
    this.error ??= error;
    this.link.destroy();
  }

  frame(buffer: Buffer, first: number, start: number, end: number): boolean {
    const before = this.state;
    this.isInFrame = true;
    try {
      if (first >> 4 === PUBLISH) this.onPublish(buffer, first, start, end);
      else if (this.state === 'new') this.onConnack(buffer, first, start, end);
      else this.onControl(decode(this.profile, buffer, first, start, end));
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
    const isAlert = this.state === 'new' && fault instanceof UnexpectedPacket && fault.first === TLS_ALERT;
    this.error ??= isAlert
      ? new ConnectionLost('The broker speaks TLS on this port, and this connection does not')
      : fault;
    if (this.profile.hasProperties && !isAlert) {
      const code = reasonFits(fault.reason.code, DISCONNECT) ? fault.reason.code : PROTOCOL_ERROR.code;
      this.send({ type: DISCONNECT, code, properties: NO_PROPERTIES });
    }
    this.link.end(turn);
  }

  drained(): void {
    this.owner.writable();
    if (this.state === 'ending') this.finishEnding();
  }

  closed(error: Error | null): void {
    // An end before DISCONNECT was sent is a loss: messages may have gone with it.
    const ended = this.state === 'ending' && this.goodbye === null;
    this.state = 'over';
    this.keepAlive.stop();
    if (this.endTimer !== null) clearTimeout(this.endTimer);
    if (this.settleStart === null) {
      const detail = error === null ? '' : `: ${error.message}`;
      const reason = this.error ?? new ConnectionLost(`The connection was lost${detail}`, null, error);
      this.owner.lost(ended ? null : reason);
    } else {
      this.settleStart.reject(this.error ?? neverAnswered(this.link.transport, error));
    }
  }

  /** Sends a control packet behind every message that was published before it. */
  private send(packet: ControlPacket): void {
    if (this.state === 'over') return;
    const { outbox } = this.link;
    if (outbox.messages > 0) this.flush();
    outbox.pushControl(encode(this.profile, packet));
    this.settings.trace?.sending(packet);
  }

  private sentBytes(): void {
    touch();
    this.keepAlive.sent(monotonicNow());
  }

  private flush(): void {
    this.unflushed = 0;
    this.link.outbox.flush(turn);
  }

  private onPublish(buffer: Buffer, first: number, start: number, end: number): void {
    const message = this.incoming.read(buffer, first, start, end);
    this.settings.trace?.received(traceOf(message));
    if (this.state === 'open') this.owner.message(message);
  }

  private onConnack(buffer: Buffer, first: number, start: number, end: number): void {
    const packet = readConnack(this.profile, buffer, first, start, end);
    this.settings.trace?.received(packet);
    if (packet.code !== SUCCESS.code) {
      this.error = new ConnectRefused(this.profile, reasonOf(packet.code), packet.properties);
      this.link.end(turn);
      return;
    }
    if (packet.sessionPresent && this.startsClean) {
      throw new ProtocolError('a session is present after a clean start'); // [MQTT-3.2.2-2]
    }
    this.state = 'open';
    this.granted = packet.properties;
    const goodbye = this.profile.hasProperties ? [DISCONNECT] : [];
    this.link.setLimits(sizeLimits([...OPEN_TYPES, ...goodbye], this.settings.properties));
    this.keepAlive.start(packet.properties.serverKeepAlive ?? this.settings.keepAlive); // [MQTT-3.1.2-21]
    const { settleStart } = this;
    this.settleStart = null;
    this.owner.connected(this, packet);
    settleStart?.resolve();
  }

  private onControl(packet: ControlPacket): void {
    this.settings.trace?.received(packet);
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
      case DISCONNECT: {
        const reason = reasonOf(packet.code);
        this.error ??= new ConnectionLost(`The broker closed the connection: ${reason.text}`, reason);
        this.link.end(turn);
        this.owner.disconnected(reason, packet.properties);
        break;
      }
      default:
        // PINGRESP: that something came is all it says.
        break;
    }
  }

  private continue(reason: number): void {
    if ((this.pauses & reason) !== 0) return;
    this.keepAlive.forgive();
    this.link.resume(reason);
  }

  /** Control packets overtake messages in the outbox, so DISCONNECT has to wait until these are gone. */
  private finishEnding(): void {
    const { outbox } = this.link;
    if (this.goodbye === null) return;
    this.flush();
    if (outbox.messages > 0 || outbox.isPaused || this.owner.hasUnsent) {
      this.endTimer?.refresh();
      return;
    }
    this.send(this.goodbye);
    this.goodbye = null;
    this.link.end(turn);
  }
}

/** A connection that ends without CONNACK has a cause that the other side does not tell; this is where to look for it. */
function neverAnswered(transport: Transport, error: Error | null): ConnectionLost {
  const hint =
    transport.info.tls === null
      ? 'it may expect TLS on this port, or speak no MQTT'
      : 'it may want a client certificate, or not accept the one given';
  return new ConnectionLost(`The connection was lost before the broker answered CONNECT: ${hint}`, null, error);
}
