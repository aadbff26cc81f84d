// Messages, subscribers and sessions as the broker has them, for tests below it.
import { Message } from '../../src/broker/routing/message.ts';
import { Retained } from '../../src/broker/routing/retained.ts';
import { Router } from '../../src/broker/routing/router.ts';
import type { Subscriber } from '../../src/broker/routing/subscriber.ts';
import { Subscription } from '../../src/broker/routing/subscription.ts';
import { TopicTable } from '../../src/broker/routing/topics.ts';
import { Trie } from '../../src/broker/routing/trie.ts';
import type { SessionLink } from '../../src/broker/sessions/host.ts';
import { KeptMessages } from '../../src/broker/sessions/kept.ts';
import type { SessionLimits } from '../../src/broker/sessions/limits.ts';
import { Pacing, type Pausable } from '../../src/broker/sessions/pacing.ts';
import type { ReplaySource } from '../../src/broker/sessions/replay.ts';
import { Session } from '../../src/broker/sessions/session.ts';
import type { Store } from '../../src/broker/store/store.ts';
import { METRICS, Metrics } from '../../src/broker/sys/metrics.ts';
import { FlushTurn } from '../../src/net/flush.ts';
import { PAUSE_PACE } from '../../src/net/link.ts';
import { Outbox } from '../../src/net/outbox.ts';
import { PUBLISH } from '../../src/protocol/constants.ts';
import { Framer } from '../../src/protocol/framer.ts';
import type { Properties } from '../../src/protocol/properties.ts';
import { PublishView, publishProperties, readPublish } from '../../src/protocol/publish.ts';
import { splitShared } from '../../src/protocol/topic.ts';
import { Wheel } from '../../src/util/wheel.ts';
import { CountedBytes, FakeTransport } from './fake-transport.ts';
import { keptLog } from './hook-client.ts';

/** What may be said of a message. */
export interface MessageParts {
  readonly payload?: string | Buffer;
  readonly qos?: number;
  readonly retain?: boolean;
  readonly properties?: Properties;
  readonly source?: object;
  /** Wall-clock time at which it came. */
  readonly at?: number;
}

/** The routing of a broker without the rest. */
export class Routing {
  readonly topics = new TopicTable();
  readonly trie = new Trie(this.topics);
  readonly retained = new Retained();
  readonly router = new Router(this.topics, this.trie, this.retained);

  message(topic: string, parts: MessageParts = {}): Message {
    const { payload = 'x', qos = 0, retain = false, properties = {}, source = null, at = 0 } = parts;
    return Message.made(this.topics.internName(topic), Buffer.from(payload), qos, retain, properties, source, at);
  }

  subscribe(subscriber: Subscriber, filter: string, options: SubscriptionOptions = {}): Subscription {
    const subscription = subscriptionTo(subscriber, filter, options);
    this.trie.add(subscription, null);
    return subscription;
  }
}

/** Options of a subscription, off by default. */
export interface SubscriptionOptions {
  readonly qos?: number;
  readonly noLocal?: boolean;
  readonly retainAsPublished?: boolean;
  readonly identifiers?: readonly number[];
}

/** A subscription that is in no trie yet. */
export function subscriptionTo(
  subscriber: Subscriber,
  filter: string,
  options: SubscriptionOptions = {},
): Subscription {
  const { qos = 0, noLocal = false, retainAsPublished = false, identifiers = [] } = options;
  const group = splitShared(filter)?.group ?? null;
  return new Subscription(subscriber, filter, group, qos, noLocal, retainAsPublished, identifiers);
}

/** A subscriber that remembers what it got as `payload` texts. */
export class Remembering implements Subscriber {
  isOnline = true;
  readonly isStored = false;
  takes = true;
  hasPlace = true;
  readonly got: string[] = [];
  readonly subscriptions: Subscription[] = [];

  hasPlaceFor(): boolean {
    return this.hasPlace;
  }

  deliver(message: Message, subscription: Subscription): boolean {
    if (!this.takes) return false;
    this.got.push(message.payloadBuffer.toString('utf8', message.payloadStart, message.payloadEnd));
    this.subscriptions.push(subscription);
    return true;
  }
}

/** What a client saw of one packet: acknowledgements by type and id, messages by their fields. */
export interface Seen {
  readonly type: number;
  readonly id: number;
  readonly qos: number;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly topic: string;
  readonly payload: string;
  readonly properties: Properties;
}

/** A source of retained messages with these, whatever the filter. */
export function sourceOf(messages: readonly Message[]): ReplaySource {
  return {
    match: () => messages.values(),
    get: (topic) => messages.findLast((message) => message.topic.name === topic) ?? null,
  };
}

/** A connection that remembers whether it is read from. */
export class Gate implements Pausable {
  isPaused = false;

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }
}

/** A session with the connection of a client that is led by the hand. */
export class SessionRig {
  readonly routing = new Routing();
  readonly metrics = new Metrics();
  readonly turn = new FlushTurn();
  readonly wheel = new Wheel(100, 0);
  readonly pacing = new Pacing(this.wheel, PAUSE_PACE);
  readonly lines: string[];
  readonly host: {
    log: ReturnType<typeof keptLog>['log'];
    metrics: Metrics;
    limits: SessionLimits;
    topics: TopicTable;
    kept: KeptMessages;
    pacing: Pacing;
    store: Store | null;
  };
  readonly session: Session;
  transport = new FakeTransport();
  outbox = new Outbox(this.transport, this.turn, new CountedBytes());
  /** The client's own connection, and what was asked of it. */
  readonly reading = new Gate();
  private seen = 0;
  private shape: 0 | 1 = 1;

  constructor(limits: Partial<SessionLimits> = {}) {
    const { log, lines } = keptLog();
    log.debug = null;
    this.lines = lines;
    this.host = {
      log,
      metrics: this.metrics,
      limits: {
        maxInflightMessages: 20,
        maxInflightBytes: 0,
        maxQueuedMessages: 1000,
        maxQueuedBytes: 0,
        maxKeptBytes: 1e9,
        queueQos0Messages: false,
        upgradeOutgoingQos: false,
        ...limits,
      },
      topics: this.routing.topics,
      kept: new KeptMessages(log, this.wheel, this.pacing, limits.maxKeptBytes ?? 1e9),
      pacing: this.pacing,
      store: null,
    };
    this.session = new Session('client', this.host);
  }

  /** The client connects. */
  attach(options: Partial<Pick<SessionLink, 'shape' | 'maximumPacketSize' | 'receiveMaximum'>> = {}): void {
    const { shape = 1, maximumPacketSize = 0, receiveMaximum = 65_535 } = options;
    this.transport = new FakeTransport();
    this.outbox = new Outbox(this.transport, this.turn, new CountedBytes());
    this.outbox.shape = shape;
    this.shape = shape;
    this.seen = 0;
    const { outbox } = this;
    this.transport.sink = {
      receive: () => undefined,
      writable: () => {
        outbox.writable();
        this.session.fill();
      },
      closed: () => undefined,
    };
    this.session.attach({ outbox, reading: this.reading, shape, maximumPacketSize, receiveMaximum });
  }

  /** The connection is gone. */
  detach(): void {
    this.outbox.close();
    this.session.detach();
  }

  /** Gives the session a message as one of its subscriptions would. */
  give(payload: string, options: MessageParts & { readonly granted?: number; readonly topic?: string } = {}): boolean {
    const { granted = options.qos ?? 0, topic = 't' } = options;
    const message = this.routing.message(topic, { ...options, payload });
    return this.session.deliver(message, subscriptionTo(this.session, topic, { qos: granted }), null, -1);
  }

  /** What the client was sent since it was asked last. */
  received(): Seen[] {
    this.outbox.flush(this.turn);
    const bytes = this.transport.bytes;
    const found = packetsOf(bytes.subarray(this.seen), this.shape);
    this.seen = bytes.length;
    return found;
  }

  /** Payloads of what the client was sent since it was asked last. */
  payloads(): string[] {
    return this.received().map(({ payload }) => payload);
  }

  metric(key: string): number {
    return this.metrics.values[METRICS.findIndex((row) => row.key === key)]!;
  }
}

/** Reads the packets of a stream of whole ones: PUBLISH, and acknowledgements of four bytes. */
export function packetsOf(bytes: Buffer, shape: 0 | 1): Seen[] {
  const found: Seen[] = [];
  const view = new PublishView();
  new Framer(new Uint32Array(16).fill(268_435_460)).push(bytes, {
    frame(buffer, first, start, end) {
      if (first >> 4 !== PUBLISH) {
        const none = { qos: 0, retain: false, dup: false, topic: '', payload: '', properties: {} };
        found.push({ ...none, type: first >> 4, id: buffer.readUInt16BE(start) });
        return true;
      }
      readPublish(view, shape === 1, true, buffer, first, start, end);
      found.push({
        type: PUBLISH,
        id: view.id,
        qos: view.qos,
        retain: (first & 1) !== 0,
        dup: (first & 8) !== 0,
        topic: buffer.toString('utf8', view.topicStart, view.topicEnd),
        payload: buffer.toString('utf8', view.payloadStart, end),
        properties: publishProperties(view),
      });
      return true;
    },
  });
  return found;
}
