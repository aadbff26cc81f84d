// The public client: calls and events in front, the session behind them, and one connection after the other underneath.
import { isUtf8 } from 'node:buffer';
import { dialer as dialerTo } from '../net/endpoint.ts';
import { PAUSE_CALLER } from '../net/link.ts';
import type { Dialer } from '../net/transport.ts';
import { PUBLISH, SUBSCRIBE, UNSUBSCRIBE } from '../protocol/constants.ts';
import type { AckPacket, ConnackPacket, SubackPacket, UnsubackPacket } from '../protocol/packets.ts';
import { NO_PROPERTIES, type Properties } from '../protocol/properties.ts';
import {
  PAYLOAD_FORMAT_INVALID,
  PROTOCOL_ERROR,
  type Reason,
  SUCCESS,
  TOPIC_FILTER_INVALID,
  TOPIC_NAME_INVALID,
} from '../protocol/reasons.ts';
import { topicFilterFault, topicNameFault } from '../protocol/topic.ts';
import type { Connection, ConnectionOwner } from './connection.ts';
import { Destination } from './destination.ts';
import { ConnectionLost, InvalidRequest } from './errors.ts';
import { Handlers } from './handlers.ts';
import { goodbyeRefusal, subscriptionFault } from './limits.ts';
import { MessageStream } from './message-stream.ts';
import type {
  Client,
  ClientEvents,
  ClientOptions,
  ConnectedInfo,
  PublishOptions,
  PublishResult,
  ReceivedMessage,
  SubscribeFilter,
  SubscribeResult,
} from './options.ts';
import { OutgoingMessage, OutgoingRequest } from './outgoing.ts';
import { propertiesFault } from './outgoing-properties.ts';
import { connectFirst, connectOnce, keepTrying } from './reconnect.ts';
import { Session } from './session.ts';
import type { SessionState } from './session-state.ts';
import { type Settings, settingsOf } from './settings.ts';

/** Reasons of ours to pause the link, beside those of net/link.ts: a full reader, and a caller that cannot listen yet. */
const PAUSE_READER = 0x100;
const PAUSE_START = 0x200;

/** Topics whose bytes are kept: tools publish to few. */
const KNOWN_TOPICS = 1_024;

/**
 * Connects to a broker. Rejects with ConnectRefused, ConnectionLost, PeerFault, InvalidRequest (options that make no
 * CONNECT) or the dialer's own error; one attempt is made, unless `reconnect` says that the first is tried again.
 */
export function connect(options: ClientOptions): Promise<Client> {
  return connectVia(options, null);
}

/**
 * As `connect`, through a dialer of the caller's choice; null takes the endpoint's.
 * @param toOthers makes the dialers for servers that this one refers us to
 */
export async function connectVia(
  options: ClientOptions,
  dialer: Dialer | null,
  toOthers: (endpoint: Settings['endpoint']) => Dialer = dialerTo,
): Promise<Client> {
  const settings = settingsOf(options);
  const home = dialer ?? dialerTo(settings.endpoint);
  const follow = settings.followServerReference ? toOthers : null;
  const client = new MqttClient(settings, new Destination(settings.endpoint, home, follow));
  await client.start();
  return client;
}

/** A promise whose rejection is no unhandled one: not everybody looks at every result, and 'close' tells of the loss. */
function optional<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

class MqttClient implements Client, ConnectionOwner {
  wasReset: boolean;
  private readonly settings: Settings;
  private readonly destination: Destination;
  private readonly sessionState: Session;
  private readonly handlers: Handlers;
  private readonly giveUp: AbortController;
  private readonly topics: Map<string, Buffer>;
  private readonly streams: Set<MessageStream>;
  private readonly deliver: (message: ReceivedMessage) => void;
  private readonly closing: Promise<void>;
  private settleClosing: () => void;
  private connection: Connection | null;
  private granted: ConnectedInfo | null;
  private isPaused: boolean;
  private isEnding: boolean;
  private isClosed: boolean;
  /** What calls are told once end() was called or the client is closed. */
  private gone: ConnectionLost | null;

  constructor(settings: Settings, destination: Destination) {
    this.settings = settings;
    this.destination = destination;
    this.sessionState = new Session(settings);
    this.handlers = new Handlers();
    this.giveUp = new AbortController();
    this.topics = new Map();
    this.streams = new Set();
    this.deliver = (message) => this.handOut(message);
    this.settleClosing = () => {};
    this.closing = new Promise((resolve) => {
      this.settleClosing = resolve;
    });
    this.connection = null;
    this.granted = null;
    this.isPaused = false;
    this.isEnding = false;
    this.isClosed = false;
    this.gone = null;
    this.wasReset = false;
  }

  /** The first connection. */
  start(): Promise<void> {
    return connectFirst(this.settings, this.destination, this, this.giveUp.signal);
  }

  get info(): ConnectedInfo {
    return this.granted ?? { sessionPresent: false, clientId: this.settings.clientId, properties: NO_PROPERTIES };
  }

  get clientId(): string {
    return this.info.clientId;
  }

  get hasSession(): boolean {
    return this.granted !== null || this.settings.mayHaveSession;
  }

  publish(topic: string, payload: string | Buffer, options: PublishOptions = {}): Promise<PublishResult> {
    if (this.gone !== null) return optional(Promise.reject(this.gone));
    const message = this.messageOf(topic, payload, options);
    if (message instanceof InvalidRequest) return optional(Promise.reject(message));
    return optional(this.sessionState.sender.publish(message));
  }

  subscribe(
    filters: SubscribeFilter | readonly SubscribeFilter[],
    properties: Properties = NO_PROPERTIES,
  ): Promise<SubscribeResult> {
    const list = Array.isArray(filters) ? (filters as readonly SubscribeFilter[]) : [filters as SubscribeFilter];
    const subscriptions = list.map((filter) => ({
      qos: 0,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
      ...(typeof filter === 'string' ? { filter } : filter),
    }));
    const names = subscriptions.map((subscription) => subscription.filter);
    const fault = subscriptions.map(subscriptionFault).find((text) => text !== null);
    if (fault !== undefined) return optional(Promise.reject(new InvalidRequest(PROTOCOL_ERROR, fault)));
    return this.request({ type: SUBSCRIBE, subscriptions, properties }, names);
  }

  unsubscribe(filters: string | readonly string[], properties: Properties = NO_PROPERTIES): Promise<SubscribeResult> {
    const list = typeof filters === 'string' ? [filters] : filters;
    return this.request({ type: UNSUBSCRIBE, filters: list, properties }, list);
  }

  messages(): AsyncIterable<ReceivedMessage> {
    const stream = new MessageStream(
      () => this.readOn(),
      (left) => this.streams.delete(left),
    );
    if (!this.isClosed) this.streams.add(stream);
    else stream.finish();
    return stream;
  }

  on<E extends keyof ClientEvents>(event: E, handler: ClientEvents[E]): this {
    this.handlers.add(event, handler);
    return this;
  }

  off<E extends keyof ClientEvents>(event: E, handler: ClientEvents[E]): this {
    this.handlers.remove(event, handler);
    return this;
  }

  drained(count = 0): Promise<void> {
    return optional(this.gone === null ? this.sessionState.sender.drained(count) : Promise.reject(this.gone));
  }

  pause(): void {
    this.isPaused = true;
    this.connection?.pause(PAUSE_CALLER);
  }

  resume(): void {
    this.isPaused = false;
    this.connection?.resume(PAUSE_CALLER);
  }

  reauthenticate(): Promise<void> {
    if (this.gone !== null) return optional(Promise.reject(this.gone));
    const again = this.connection?.reauthenticate();
    return optional(
      again ?? Promise.reject(new InvalidRequest(PROTOCOL_ERROR, 'there is no connection at the moment')),
    );
  }

  session(): SessionState {
    return this.sessionState.save(this.clientId);
  }

  end(code: number = SUCCESS.code, properties: Properties = NO_PROPERTIES): Promise<void> {
    const refusal = goodbyeRefusal(this.settings, this.granted?.properties ?? NO_PROPERTIES, code, properties);
    if (refusal !== null) return optional(Promise.reject(refusal));
    this.isEnding = true;
    this.gone ??= new ConnectionLost('The client was closed');
    if (this.connection === null) this.giveUp.abort(new ConnectionLost('The client was closed'));
    else this.connection.end(code, properties);
    return this.closing;
  }

  connected(connection: Connection, packet: ConnackPacket): void {
    const { sessionPresent, properties } = packet;
    // Only a client without an identifier is given one [MQTT-3.2.2-16]; it keeps it from then on.
    const clientId = this.clientId === '' ? (properties.assignedClientIdentifier ?? '') : this.clientId;
    this.granted = { sessionPresent, clientId, properties };
    this.connection = connection;
    const { profile, cleanStart } = this.settings;
    // MQTT 3.1 cannot tell whether there was a session: without a clean one, both sides go on.
    const resumes = sessionPresent || !(profile.hasSessionPresent || cleanStart);
    this.sessionState.attach(connection.output, resumes, !sessionPresent);
    if (this.isPaused) connection.pause(PAUSE_CALLER);
    // What the broker sends right behind CONNACK waits until whoever awaits connect() has had a chance to listen.
    connection.pause(PAUSE_START);
    setImmediate(() => {
      if (this.connection !== connection) return;
      this.handlers.connect(this.info);
      connection.resume(PAUSE_START);
    });
  }

  message(message: ReceivedMessage): void {
    this.sessionState.receive(message, this.deliver);
  }

  acknowledged(packet: AckPacket): void {
    this.sessionState.acknowledged(packet);
  }

  answered(packet: SubackPacket | UnsubackPacket): void {
    this.sessionState.answered(packet);
  }

  disconnected(reason: Reason, properties: Properties): void {
    this.handlers.disconnect(reason, properties);
  }

  writable(): void {
    this.sessionState.sender.writable();
  }

  get hasUnsent(): boolean {
    return this.sessionState.sender.hasUnsent;
  }

  get hasUnanswered(): boolean {
    return this.sessionState.sender.hasUnanswered;
  }

  lost(error: Error | null, wasReset: boolean): void {
    this.connection = null;
    this.wasReset = wasReset;
    this.sessionState.detach();
    const { reconnect } = this.settings;
    if (error === null || reconnect === null || this.isEnding) {
      this.finish(error);
      return;
    }
    const { signal } = this.giveUp;
    const attempt = (): Promise<void> => connectOnce(this.settings, this.destination, this, false, signal);
    this.destination.follow(error);
    const announce = (why: Error, delayMs: number): void => this.handlers.reconnecting(why, delayMs);
    keepTrying(reconnect, error, attempt, announce, signal).catch((failure: Error) => {
      this.finish(this.isEnding ? null : failure);
    });
  }

  private finish(error: Error | null): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.gone ??= new ConnectionLost(error === null ? 'The client was closed' : error.message, null, error);
    this.sessionState.sender.fail(error ?? this.gone);
    for (const stream of this.streams) stream.finish();
    this.streams.clear();
    this.settleClosing();
    this.handlers.close(error);
  }

  private handOut(message: ReceivedMessage): void {
    this.handlers.message(message);
    for (const stream of this.streams) {
      stream.push(message);
      if (stream.isFull) this.connection?.pause(PAUSE_READER);
    }
  }

  private readOn(): void {
    for (const stream of this.streams) if (stream.isFull) return;
    this.connection?.resume(PAUSE_READER);
  }

  private messageOf(
    topic: string,
    payload: string | Buffer,
    options: PublishOptions,
  ): OutgoingMessage | InvalidRequest {
    const qos = options.qos ?? 0;
    if (qos !== 0 && qos !== 1 && qos !== 2) return new InvalidRequest(PROTOCOL_ERROR, `${qos} is no QoS`);
    const properties = this.settings.profile.hasProperties ? (options.properties ?? NO_PROPERTIES) : NO_PROPERTIES;
    if (properties !== NO_PROPERTIES) {
      const fault = propertiesFault(properties, PUBLISH);
      if (fault !== null) return new InvalidRequest(PROTOCOL_ERROR, fault);
    }
    const alias = properties.topicAlias ?? 0;
    const name = topic === '' && alias > 0 ? (this.connection?.output.aliasedTopic(alias) ?? '') : topic;
    const topicBytes = this.bytesOfTopic(name);
    if (topicBytes instanceof InvalidRequest) return topicBytes;
    // At QoS 0 the caller may reuse its buffer as soon as the promise resolves, which is before the bytes leave.
    const bytes = typeof payload === 'string' || qos === 0 ? Buffer.from(payload as string) : payload;
    if (properties.payloadFormatIndicator === 1 && !isUtf8(bytes)) {
      return new InvalidRequest(PAYLOAD_FORMAT_INVALID, 'the payload is said to be text and is not valid UTF-8');
    }
    try {
      return new OutgoingMessage(name, topicBytes, bytes, qos, options.retain ?? false, properties);
    } catch (error) {
      if (error instanceof RangeError) return new InvalidRequest(PROTOCOL_ERROR, error.message);
      throw error;
    }
  }

  private bytesOfTopic(topic: string): Buffer | InvalidRequest {
    const known = this.topics.get(topic);
    if (known !== undefined) return known;
    const fault = topicNameFault(topic);
    if (fault !== null) return new InvalidRequest(TOPIC_NAME_INVALID, `invalid topic name: ${fault}`);
    if (this.topics.size === KNOWN_TOPICS) this.topics.clear();
    const bytes = Buffer.from(topic);
    this.topics.set(topic, bytes);
    return bytes;
  }

  private request(packet: OutgoingRequest['packet'], filters: readonly string[]): Promise<SubscribeResult> {
    if (this.gone !== null) return optional(Promise.reject(this.gone));
    const wrong = this.settings.profile.hasProperties ? propertiesFault(packet.properties, packet.type) : null;
    if (wrong !== null) return optional(Promise.reject(new InvalidRequest(PROTOCOL_ERROR, wrong)));
    const faults = filters.length === 0 ? ['there is none'] : filters.map(topicFilterFault);
    const fault = faults.find((text) => text !== null);
    if (fault !== undefined) {
      return optional(Promise.reject(new InvalidRequest(TOPIC_FILTER_INVALID, `invalid topic filter: ${fault}`)));
    }
    return optional(
      new Promise((resolve, reject) => {
        this.sessionState.sender.request(new OutgoingRequest(packet, { resolve, reject }));
      }),
    );
  }
}
