// What a client sends on one connection, within what CONNACK granted: messages, acknowledgements and other packets, in the
// order in which they were handed over.
import { OutboundAliases } from '../flow/alias.ts';
import { copyOut, FLAG_BITS } from '../net/copy-out.ts';
import type { FlushTurn } from '../net/flush.ts';
import type { Link } from '../net/link.ts';
import { MAX_PACKET_SIZE, PACKET_NAMES, PUBLISH, PUBREL } from '../protocol/constants.ts';
import { encode } from '../protocol/encode.ts';
import type { AckPacket, ControlPacket, SubscribePacket, UnsubscribePacket } from '../protocol/packets.ts';
import { NO_PROPERTIES, type Properties } from '../protocol/properties.ts';
import { headRoom } from '../protocol/publish.ts';
import { PACKET_TOO_LARGE, PROTOCOL_ERROR, SUCCESS } from '../protocol/reasons.ts';
import type { Profile } from '../protocol/version.ts';
import { ConnectionLost, InvalidRequest } from './errors.ts';
import { messageRefusal, requestRefusal } from './limits.ts';
import type { ClientTrace } from './options.ts';
import type { OutgoingMessage } from './outgoing.ts';
import type { Settings } from './settings.ts';

/** So many payload bytes leave at once, within the turn, so that a caller that never lets the loop turn is stopped. */
const EARLY_FLUSH = 262_144;

/** Bytes of an acknowledgement without reason code. */
const ACK_SIZE = 4;

const NOTHING = Buffer.alloc(0);

/** The sending side of a connection. */
export class Output {
  /** What CONNACK granted. */
  granted: Properties;
  private readonly link: Link;
  private readonly turn: FlushTurn;
  private readonly profile: Profile;
  private readonly trace: ClientTrace | null;
  private readonly ownAliases: number;
  private readonly abandon: (error: Error) => void;
  /** Topics that our aliases stand for on this connection [MQTT-3.3.2-7]. */
  private readonly aliasTopics: Map<number, string>;
  private mostBytes: number;
  /** Payload bytes that were pushed since the outbox was last emptied here. */
  private unflushed: number;

  /** @param abandon ends the connection, where a packet has to be sent that the broker does not take */
  constructor(link: Link, turn: FlushTurn, settings: Settings, abandon: (error: Error) => void) {
    this.granted = NO_PROPERTIES;
    this.link = link;
    this.turn = turn;
    this.profile = settings.profile;
    this.trace = settings.trace;
    this.ownAliases = settings.topicAliases;
    this.abandon = abandon;
    this.aliasTopics = new Map();
    this.mostBytes = MAX_PACKET_SIZE;
    this.unflushed = 0;
  }

  /** CONNACK granted this. */
  grant(granted: Properties): void {
    this.granted = granted;
    this.mostBytes = granted.maximumPacketSize ?? MAX_PACKET_SIZE;
    const aliases = Math.min(this.ownAliases, granted.topicAliasMaximum ?? 0); // [MQTT-3.2.2-17, MQTT-3.2.2-18]
    if (aliases === 0) return;
    this.link.outbox.aliases = new OutboundAliases(aliases);
    this.link.outbox.maximumPacketSize = granted.maximumPacketSize ?? 0;
  }

  /** Whether bytes should wait, because the broker does not take them. */
  get isCongested(): boolean {
    return this.link.outbox.isPaused;
  }

  /** Why a message cannot be sent on this connection, or null. */
  refusal(message: OutgoingMessage): InvalidRequest | null {
    if (message.alias > 0 && this.link.outbox.aliases !== null) {
      return new InvalidRequest(PROTOCOL_ERROR, 'this client chooses its topic aliases itself');
    }
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
    if (this.trace === null) return;
    this.trace.bytes?.(true, this.headOf(message, message.flags(dup), id, extra), message.payloadBuffer);
    this.trace.sending({
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
    if (code === SUCCESS.code && this.trace === null && this.mostBytes >= ACK_SIZE) {
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

  /** Sends a control packet behind every message that was published before it. */
  send(packet: ControlPacket): void {
    const bytes = encode(this.profile, packet);
    if (bytes.length > this.mostBytes) {
      // [MQTT-3.2.2-15]
      const text = `The broker takes no packet of ${bytes.length} bytes, and ${PACKET_NAMES[packet.type]} has to be sent`;
      this.abandon(new ConnectionLost(text, PACKET_TOO_LARGE));
      return;
    }
    const { outbox } = this.link;
    if (outbox.messages > 0) this.flush();
    outbox.pushControl(bytes);
    this.trace?.bytes?.(true, bytes, NOTHING);
    this.trace?.sending(packet);
  }

  /** What stands in front of a message's payload. */
  private headOf(message: OutgoingMessage, flags: number, id: number, extra: Buffer): Buffer {
    const head = Buffer.alloc(headRoom(message, extra));
    const end = copyOut(head, 0, message, this.profile.shape, (id << FLAG_BITS) | flags, 0, extra, 0, false);
    return head.subarray(0, end);
  }

  flush(): void {
    this.unflushed = 0;
    this.link.outbox.flush(this.turn);
  }
}
