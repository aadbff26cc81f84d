// What a client has on its way: messages, and SUBSCRIBE and UNSUBSCRIBE requests, which share the packet identifiers.
import type { SubscribePacket, UnsubscribePacket } from '../protocol/packets.ts';
import { NO_PROPERTIES, type Properties } from '../protocol/properties.ts';
import {
  encodeHead,
  encodePublishProperties,
  type Publication,
  type PublishFrame,
  publishFirst,
} from '../protocol/publish.ts';
import type { PublishResult, SubscribeResult } from './options.ts';

const NOTHING = Buffer.alloc(0);
const TOPIC_ALIAS = 0x23;

/** How a call learns its result. */
export interface Settle<T> {
  resolve(result: T): void;
  reject(error: Error): void;
}

/** A message to publish. Encoded for one version; sent once for each connection that it needs. */
export class OutgoingMessage implements Publication {
  readonly kind = 'message';
  readonly topic: string;
  readonly qos: number;
  readonly retain: boolean;
  /** Topic alias that the caller wants, 0 without. */
  alias: number;
  /** Null where nobody waits: a QoS 0 message that could be sent at once. */
  settle: Settle<PublishResult> | null;
  /** Equal topics of one client share their bytes, which so stand for the topic. */
  readonly topicKey: object;
  readonly properties: Properties;
  /** Empty while the alias stands for the topic. */
  topicBytes: Buffer;
  readonly propertyBytes: Buffer;
  /** A client says the whole expiry interval: it is not counted down here. */
  readonly expiryAt = -1;
  readonly expiresAt = 0;
  readonly payloadBuffer: Buffer;
  readonly payloadStart = 0;
  readonly payloadEnd: number;
  private readonly wholeTopic: Buffer;
  private encoded: PublishFrame | null;

  /** @throws RangeError for a property value that is too long */
  constructor(
    topic: string,
    topicBytes: Buffer,
    payload: Buffer,
    qos: number,
    retain: boolean,
    properties: Properties,
  ) {
    this.topic = topic;
    this.qos = qos;
    this.retain = retain;
    this.settle = null;
    this.topicKey = topicBytes;
    this.properties = properties;
    this.topicBytes = topicBytes;
    this.wholeTopic = topicBytes;
    this.payloadBuffer = payload;
    this.payloadEnd = payload.length;
    this.encoded = null;
    if (properties === NO_PROPERTIES) {
      this.alias = 0;
      this.propertyBytes = NOTHING;
    } else {
      const { topicAlias, ...others } = properties;
      this.alias = topicAlias ?? 0;
      this.propertyBytes = encodePublishProperties(others).bytes;
    }
  }

  /** The first byte's flags. */
  flags(dup: boolean): number {
    return publishFirst(this.qos, this.retain, dup) & 0x0f;
  }

  /** Property bytes of the alias; none where it is not used. With `known`, the topic name itself stays away. */
  useAlias(alias: number, known: boolean): Buffer {
    this.topicBytes = known ? NOTHING : this.wholeTopic;
    return alias === 0 ? NOTHING : Buffer.from([TOPIC_ALIAS, alias >>> 8, alias & 0xff]);
  }

  /** The connection is over for which the alias was meant: the topic name stands for itself again [MQTT-3.3.2-7]. */
  forgetAlias(): void {
    this.alias = 0;
    this.topicBytes = this.wholeTopic;
  }

  /** The shape never changes in a client's life, and neither does the QoS. */
  hasFrame(): boolean {
    return true;
  }

  frame(shape: 0 | 1, withId: boolean): PublishFrame {
    this.encoded ??= encodeHead(this, shape, withId);
    return this.encoded;
  }

  /** Everything is owned from the start. */
  own(): void {}
}

/** A SUBSCRIBE or UNSUBSCRIBE that awaits its answer; made by the client itself (to subscribe anew) it settles nobody. */
export class OutgoingRequest {
  readonly kind = 'request';
  readonly packet: Omit<SubscribePacket, 'id'> | Omit<UnsubscribePacket, 'id'>;
  readonly settle: Settle<SubscribeResult> | null;

  constructor(packet: OutgoingRequest['packet'], settle: Settle<SubscribeResult> | null) {
    this.packet = packet;
    this.settle = settle;
  }
}
