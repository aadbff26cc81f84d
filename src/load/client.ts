// One connection of a load: CONNECT, subscriptions, keep-alive and goodbye. What its messages mean is the publisher's and the
// receiver's; there are no promises, timers apart from the keep-alive, or objects for a message.
import { connackFault, readConnack } from '../client/connack.ts';
import { ConnectionLost, ConnectRefused, InvalidRequest } from '../client/errors.ts';
import { KeepAlive } from '../client/keep-alive.ts';
import { sizeLimits } from '../client/limits.ts';
import { AWAIT_PUBACK, AWAIT_PUBCOMP, AWAIT_PUBREC } from '../flow/outbound.ts';
import type { FlushTurn } from '../net/flush.ts';
import { Link, type LinkOwner } from '../net/link.ts';
import type { Transport } from '../net/transport.ts';
import {
  CONNACK,
  CONNECT,
  DISCONNECT,
  PINGREQ,
  PINGRESP,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBACK,
  SUBSCRIBE,
} from '../protocol/constants.ts';
import { decode } from '../protocol/decode.ts';
import { encode } from '../protocol/encode.ts';
import { type PeerFault, ProtocolError } from '../protocol/errors.ts';
import { NO_PROPERTIES, type Properties } from '../protocol/properties.ts';
import {
  KEEP_ALIVE_TIMEOUT,
  PACKET_TOO_LARGE,
  QOS_NOT_SUPPORTED,
  RETAIN_NOT_SUPPORTED,
  reasonOf,
  SUCCESS,
} from '../protocol/reasons.ts';
import type { Measurement } from './measurement.ts';
import type { LoadPlan, PlannedClient } from './plan.ts';
import type { Publisher } from './publisher.ts';
import type { Receiver } from './receiver.ts';

/** Who is told what becomes of a client. */
export interface ClientWatcher {
  /** CONNACK came, or SUBACK where it subscribes: reason codes above 0x7f are refusals. */
  ready(client: LoadClient, codes: readonly number[]): void;
  /** Something came that may let a publisher go on. */
  progressed(): void;
  /** It is over, and why; null after end(). */
  closed(client: LoadClient, error: Error | null): void;
}

const COUNTERS = { sentBytes: (): void => undefined, sentPublish: (): void => undefined };
/** Filters in one SUBSCRIBE: brokers bound it. */
const MOST_FILTERS = 50;

const OPEN_TYPES = [PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, PINGRESP];

/** A client of a run. */
export class LoadClient implements LinkOwner {
  readonly planned: PlannedClient;
  readonly link: Link;
  publisher: Publisher | null;
  receiver: Receiver | null;
  /** What CONNACK granted. */
  granted: Properties;
  /** The clock when CONNACK came. */
  connackAt: number;
  private readonly plan: LoadPlan;
  private readonly watcher: ClientWatcher;
  private readonly measurement: Measurement;
  private readonly turn: FlushTurn;
  private readonly keepAlive: KeepAlive;
  private error: Error | null;
  private ending: boolean;
  /** Of the SUBACKs. */
  private codes: readonly number[];

  constructor(
    transport: Transport,
    turn: FlushTurn,
    plan: LoadPlan,
    planned: PlannedClient,
    measurement: Measurement,
    watcher: ClientWatcher,
  ) {
    this.planned = planned;
    this.publisher = null;
    this.receiver = null;
    this.granted = NO_PROPERTIES;
    this.connackAt = 0;
    this.plan = plan;
    this.watcher = watcher;
    this.measurement = measurement;
    this.turn = turn;
    this.error = null;
    this.ending = false;
    this.codes = [];
    this.link = new Link(transport, turn, sizeLimits([CONNACK], plan.properties), this, COUNTERS);
    this.link.useProfile(plan.profile);
    this.keepAlive = new KeepAlive(
      this.link,
      () => this.link.outbox.pushEmpty(PINGREQ << 4),
      () => this.abandon(new ConnectionLost('The broker did not answer within the keep-alive', KEEP_ALIVE_TIMEOUT)),
    );
  }

  /** Sends CONNECT. */
  start(): void {
    const { profile, cleanStart, keepAlive, properties, password, username } = this.plan;
    const { names } = this.planned;
    this.link.open();
    const packet = encode(profile, {
      type: CONNECT,
      profile,
      bridge: false,
      clientId: names.clientId,
      cleanStart,
      keepAlive,
      username: username === null ? null : names.username,
      password: password === null ? null : Buffer.from(password),
      will: null,
      properties: profile.hasProperties ? properties : NO_PROPERTIES,
    });
    this.link.outbox.pushControl(packet);
  }

  /** Says goodbye and closes. */
  end(): void {
    if (this.ending) return;
    this.ending = true;
    this.keepAlive.stop();
    this.link.outbox.pushControl(encode(this.plan.profile, { type: DISCONNECT, code: 0, properties: NO_PROPERTIES }));
    this.link.end(this.turn);
  }

  /** Closes at once. */
  abandon(error: Error): void {
    this.error ??= error;
    this.link.destroy();
    this.link.transport.destroy();
  }

  received(): void {
    this.measurement.readClock();
    this.turn.request();
    this.watcher.progressed();
  }

  frame(buffer: Buffer, first: number, start: number, end: number): boolean {
    const type = first >> 4;
    if (type === PUBLISH) {
      if (this.receiver !== null) this.receiver.publish(buffer, first, start, end);
    } else if (type >= PUBACK && type <= PUBCOMP && end - start >= 2) {
      const id = (buffer[start]! << 8) | buffer[start + 1]!;
      const code = end - start > 2 ? buffer[start + 2]! : 0;
      if (type === PUBREL) this.receiver?.release(id);
      else if (this.publisher !== null) {
        const waiting = type === PUBACK ? AWAIT_PUBACK : type === PUBREC ? AWAIT_PUBREC : AWAIT_PUBCOMP;
        this.publisher.acknowledged(id, waiting, code);
      }
    } else {
      this.control(buffer, first, start, end);
    }
    return this.link.isReading;
  }

  drained(): void {
    if (this.publisher !== null) this.publisher.blocked = false;
    this.watcher.progressed();
  }

  fault(fault: PeerFault): void {
    this.error ??= fault;
    this.link.end(this.turn);
  }

  ended(): void {
    this.link.destroy();
  }

  closed(error: Error | null): void {
    this.keepAlive.stop();
    if (this.ending) {
      this.watcher.closed(this, null);
      return;
    }
    const detail = error === null ? '' : `: ${error.message}`;
    this.watcher.closed(this, this.error ?? new ConnectionLost(`The connection was lost${detail}`, null, error));
  }

  private control(buffer: Buffer, first: number, start: number, end: number): void {
    const { profile } = this.plan;
    if (first >> 4 === CONNACK) {
      this.connack(buffer, first, start, end);
      return;
    }
    const packet = decode(profile, buffer, first, start, end);
    if (packet.type === SUBACK) {
      this.codes = [...this.codes, ...packet.codes];
      if (this.codes.length >= this.planned.filters.length) this.watcher.ready(this, this.codes);
    } else if (packet.type === DISCONNECT) {
      const reason = reasonOf(packet.code);
      this.error ??= new ConnectionLost(
        `The broker closed the connection: ${reason.text}`,
        reason,
        null,
        packet.properties,
      );
    }
  }

  private connack(buffer: Buffer, first: number, start: number, end: number): void {
    const { profile, cleanStart, keepAlive, properties } = this.plan;
    const packet = readConnack(profile, buffer, first, start, end);
    const fault = connackFault(packet, { startsClean: cleanStart, hasSession: true, hasMethod: false });
    if (fault !== null) throw new ProtocolError(fault);
    if (packet.code !== SUCCESS.code) {
      this.error = new ConnectRefused(profile, reasonOf(packet.code), packet.properties);
      this.link.end(this.turn);
      return;
    }
    this.granted = packet.properties;
    this.connackAt = this.measurement.clock;
    this.link.setLimits(sizeLimits(profile.hasProperties ? [...OPEN_TYPES, DISCONNECT] : OPEN_TYPES, properties));
    this.keepAlive.start(packet.properties.serverKeepAlive ?? keepAlive);
    if (this.planned.filters.length > 0) this.subscribe();
    else this.watcher.ready(this, []);
  }

  private subscribe(): void {
    const { profile, qos } = this.plan;
    const { filters } = this.planned;
    const how = { qos, noLocal: false, retainAsPublished: false, retainHandling: 0 };
    for (let from = 0, id = 1; from < filters.length; from += MOST_FILTERS, id++) {
      const subscriptions = filters.slice(from, from + MOST_FILTERS).map((filter) => ({ filter, ...how }));
      this.link.outbox.pushControl(encode(profile, { type: SUBSCRIBE, id, subscriptions, properties: NO_PROPERTIES }));
    }
  }

  /** Why the broker would not take what this client is to publish, or null (MQTT 5.0 sections 3.2.2.3.4 to 3.2.2.3.6). */
  refusal(packetSize: number): Error | null {
    const { maximumQoS = 2, retainAvailable = 1, maximumPacketSize } = this.granted;
    if (this.plan.qos > maximumQoS) {
      return new InvalidRequest(QOS_NOT_SUPPORTED, `the broker takes at most QoS ${maximumQoS}`);
    }
    if (this.plan.retain && retainAvailable === 0) {
      return new InvalidRequest(RETAIN_NOT_SUPPORTED, 'the broker takes no retained messages');
    }
    if (maximumPacketSize !== undefined && packetSize > maximumPacketSize) {
      const text = `a packet of ${packetSize} bytes is larger than the ${maximumPacketSize} that the broker takes`;
      return new InvalidRequest(PACKET_TOO_LARGE, text);
    }
    return null;
  }
}
