// Received PUBLISH frames → messages: topic names are checked, topic aliases resolved.
import { InboundAliases } from '../flow/alias.ts';
import { FLAG_RETAIN, PUBLISH } from '../protocol/constants.ts';
import { MalformedPacket, PeerFault, ProtocolError } from '../protocol/errors.ts';
import { NO_PROPERTIES } from '../protocol/properties.ts';
import { PublishView, publishProperties, readPublish } from '../protocol/publish.ts';
import { TOPIC_ALIAS_INVALID, TOPIC_NAME_INVALID } from '../protocol/reasons.ts';
import { topicNameFault } from '../protocol/topic.ts';
import { isValidString, stringFault } from '../protocol/utf8.ts';
import type { Profile } from '../protocol/version.ts';
import { varintLength, writeVarint } from '../protocol/writer.ts';
import type { PublishTrace, ReceivedMessage } from './options.ts';

/** Reads the messages of one connection. */
export class IncomingMessages {
  private readonly view: PublishView;
  private readonly profile: Profile;
  private readonly aliases: InboundAliases<string>;

  /** @param aliasMaximum the Topic Alias Maximum of our CONNECT */
  constructor(profile: Profile, aliasMaximum: number) {
    this.view = new PublishView();
    this.profile = profile;
    this.aliases = new InboundAliases(aliasMaximum);
  }

  /** @throws PeerFault */
  read(buffer: Buffer, first: number, start: number, end: number): ReceivedMessage {
    const view = this.view;
    readPublish(view, this.profile.hasProperties, true, buffer, first, start, end);
    return {
      topic: this.topicOf(view),
      payload: buffer.subarray(view.payloadStart, end),
      qos: view.qos,
      retain: (first & FLAG_RETAIN) !== 0,
      dup: (first & 0x08) !== 0,
      id: view.id,
      properties: this.profile.hasProperties ? publishProperties(view) : NO_PROPERTIES,
    };
  }

  private topicOf(view: PublishView): string {
    const { buffer, topicStart, topicEnd, aliasAt, alias } = view;
    if (aliasAt >= 0 && !this.aliases.allows(alias)) {
      throw new PeerFault(TOPIC_ALIAS_INVALID, `topic alias ${alias} is larger than the maximum of CONNECT`); // [MQTT-3.3.2-8]
    }
    if (topicStart === topicEnd) {
      const topic = aliasAt >= 0 ? this.aliases.get(alias) : undefined;
      if (topic === undefined) throw new ProtocolError('PUBLISH has neither a topic name nor a known alias');
      return topic;
    }
    if (!isValidString(buffer, topicStart, topicEnd)) {
      throw new MalformedPacket(`the topic name ${stringFault(buffer, topicStart, topicEnd)}`);
    }
    const topic = buffer.toString('utf8', topicStart, topicEnd);
    const fault = topicNameFault(topic);
    if (fault !== null) throw new PeerFault(TOPIC_NAME_INVALID, `invalid topic name: ${fault}`);
    if (aliasAt >= 0) this.aliases.set(alias, topic);
    return topic;
  }
}

/** The fixed header of a received packet, which the framer does not hand on. */
export function fixedHeader(first: number, length: number): Buffer {
  const header = Buffer.alloc(1 + varintLength(length));
  header[0] = first;
  writeVarint(header, 1, length);
  return header;
}

/** A received message as a trace sees it. */
export function traceOf(message: ReceivedMessage): PublishTrace {
  return {
    type: PUBLISH,
    id: message.id,
    topic: message.topic,
    qos: message.qos,
    retain: message.retain,
    dup: message.dup,
    payloadLength: message.payload.length,
  };
}
