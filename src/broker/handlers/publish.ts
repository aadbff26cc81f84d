// PUBLISH from a client (MQTT 5.0 section 3.3), straight down: read, find the topic, admit, authorise, route, acknowledge.

import { isUtf8 } from 'node:buffer';
import { InboundAliases } from '../../flow/alias.ts';
import { DUPLICATE, OVER_QUOTA, REUSED } from '../../flow/inbound.ts';
import { PAUSE_HOOK } from '../../net/link.ts';
import { PUBACK, PUBREC } from '../../protocol/constants.ts';
import { PeerFault, ProtocolError } from '../../protocol/errors.ts';
import { NO_PROPERTIES, type Properties } from '../../protocol/properties.ts';
import { type PublishView, readPublish } from '../../protocol/publish.ts';
import {
  NO_MATCHING_SUBSCRIBERS,
  NOT_AUTHORIZED,
  PAYLOAD_FORMAT_INVALID,
  QOS_NOT_SUPPORTED,
  QUOTA_EXCEEDED,
  RECEIVE_MAXIMUM_EXCEEDED,
  RETAIN_NOT_SUPPORTED,
  type Reason,
  SUCCESS,
  TOPIC_ALIAS_INVALID,
  TOPIC_NAME_INVALID,
} from '../../protocol/reasons.ts';
import { topicNameFault } from '../../protocol/topic.ts';
import { wallNow } from '../../util/clock.ts';
import { ALLOW, DENY, type Decision, WRITE } from '../hooks/points.ts';
import type { Peer } from '../peer.ts';
import { Message } from '../routing/message.ts';
import { hashBytes, isReservedTopic, type Topic } from '../routing/topics.ts';
import { metricIndex } from '../sys/metrics.ts';
import { sendAck } from './acks.ts';
import { askerOf, awaitDecision, isUndecided } from './late-decisions.ts';
import { hasRecorded, recordedBy } from './stored.ts';
import { quoted, WHY } from './why.ts';

const PUBLISH_RECEIVED = metricIndex('publishReceived');
const PUBLISH_BYTES_RECEIVED = metricIndex('publishBytesReceived');
const PUBLISH_DROPPED = metricIndex('publishDropped');

/** Handles PUBLISH. */
export function onPublish(peer: Peer, buffer: Buffer, first: number, start: number, end: number): void {
  const view = peer.view;
  readPublish(view, peer.profile.hasProperties, false, buffer, first, start, end);
  const { core } = peer;
  const qos = view.qos;
  const payloadLength = end - view.payloadStart;
  core.metrics.add(PUBLISH_RECEIVED, 1);
  core.metrics.add(PUBLISH_BYTES_RECEIVED, payloadLength);
  checkCapabilities(peer, view);
  const topic = resolveTopic(peer, view);
  const session = peer.session!;
  let content = 0;
  if (qos === 2) {
    content = contentOf(view, topic);
    const answer = session.inbound.admit(view.id, content);
    if (answer === OVER_QUOTA) {
      throw new PeerFault(RECEIVE_MAXIMUM_EXCEEDED, `more than ${session.inbound.limit} QoS 2 messages unreleased`);
    }
    if (answer === DUPLICATE) {
      core.log.debug?.(`Received ${describe(peer, view, topic, payloadLength)}`);
      if (!isUndecided(peer, view.id)) acknowledge(peer, 2, view.id, SUCCESS, NO_PROPERTIES, false);
      return;
    }
    if (answer === REUSED && !peer.hasToldReuse) {
      peer.hasToldReuse = true;
      core.log.warning?.(
        `Client ${peer.name} uses the packet identifier ${view.id} for another message before PUBREL.`,
      );
    }
  }
  const limit = core.settings.messageSizeLimit;
  if (limit > 0 && payloadLength > limit) {
    core.log.debug?.(`Dropped too large ${describe(peer, view, topic, payloadLength)}`);
    core.metrics.add(PUBLISH_DROPPED, 1);
    acknowledge(peer, qos, view.id, SUCCESS, NO_PROPERTIES, false);
    return;
  }
  if (view.isText && core.settings.checksPayloadFormat && !isUtf8(buffer.subarray(view.payloadStart, end))) {
    refuseFormat(peer, qos, view.id, describe(peer, view, topic, payloadLength));
    return;
  }
  const decision = mayWrite(peer, topic);
  if (decision === ALLOW) {
    core.log.debug?.(`Received ${describe(peer, view, topic, payloadLength)}`);
    route(peer, messageOf(peer, view, topic), view.id, content);
  } else if (typeof decision === 'number') {
    deny(peer, qos, view.id, topic, describe(peer, view, topic, payloadLength));
  } else {
    waitForDecision(peer, view, topic, payloadLength, content, decision);
  }
}

/** Bytes at each end of a payload that tell it from another one. */
const TELLING_BYTES = 256;

/** A number for topic and payload, to know a message again that comes twice under its identifier. */
function contentOf(view: PublishView, topic: Topic): number {
  const { buffer, payloadStart: start, end } = view;
  const head = hashBytes(buffer, start, Math.min(end, start + TELLING_BYTES));
  const tail = hashBytes(buffer, Math.max(start, end - TELLING_BYTES), end);
  return topic.hash ^ Math.imul(head, 31) ^ tail ^ (end - start);
}

function messageOf(peer: Peer, view: PublishView, topic: Topic): Message {
  // The packet's bytes serve receivers as they are only if they name the topic as it is routed.
  const isVerbatim = view.topicEnd > view.topicStart && peer.listener.settings.mountPoint === null;
  return Message.received(view, topic, peer.context, peer.profile.shape, isVerbatim, wallNow());
}

function checkCapabilities(peer: Peer, view: PublishView): void {
  const { maxQos } = peer.listener.settings;
  if (view.qos > maxQos) {
    peer.core.log.information?.(`Too high QoS in PUBLISH from ${peer.name}, disconnecting.`);
    throw new PeerFault(QOS_NOT_SUPPORTED, `QoS ${view.qos} is above ${maxQos}, the highest here (max_qos)`); // [MQTT-3.2.2-11]
  }
  if ((view.first & 1) !== 0 && !peer.core.settings.retainAvailable) {
    throw new PeerFault(RETAIN_NOT_SUPPORTED, 'retained messages are not available here'); // [MQTT-3.2.2-14]
  }
}

/** The topic that a PUBLISH names, by itself or by alias, behind the listener's mount point. */
function resolveTopic(peer: Peer, view: PublishView): Topic {
  const { topics } = peer.core;
  const { mountPoint, maxTopicAlias } = peer.listener.settings;
  if (view.topicEnd === view.topicStart) {
    if (view.alias === 0) throw new ProtocolError('the topic name of a PUBLISH is empty'); // [MQTT-3.3.2-1, MQTT-4.7.3-1]
    const known = peer.aliases?.get(view.alias);
    if (known === undefined) throw new ProtocolError(`topic alias ${view.alias} was never set`); // section 3.3.2.3.4
    return known;
  }
  let topic = topics.intern(view.buffer, view.topicStart, view.topicEnd);
  if (mountPoint !== null) {
    const mounted = mountPoint + topic.name;
    const fault = topicNameFault(mounted);
    if (fault !== null) throw new PeerFault(TOPIC_NAME_INVALID, `invalid topic behind the mount point: ${fault}`);
    topic = topics.internName(mounted);
  }
  if (view.alias > 0) {
    peer.aliases ??= new InboundAliases(maxTopicAlias);
    if (!peer.aliases.allows(view.alias)) {
      throw new PeerFault(TOPIC_ALIAS_INVALID, `topic alias ${view.alias} is above the ${maxTopicAlias} allowed`);
    }
    peer.aliases.set(view.alias, topic);
  }
  return topic;
}

/** Whether the client may write to the topic. A yes is remembered for the topic of the last message. */
function mayWrite(peer: Peer, topic: Topic): Decision | Promise<Decision> {
  const { hooks } = peer.listener.settings;
  if (topic === peer.writableTopic && hooks.generation === peer.writableGeneration) return ALLOW;
  if (isReservedTopic(topic.name)) return DENY;
  const decision = hooks.hasAuthorize ? hooks.authorize(peer.context!, WRITE, topic.name) : ALLOW;
  if (decision === ALLOW && hooks.authorizeIsCacheable) {
    peer.writableTopic = topic;
    peer.writableGeneration = hooks.generation;
  }
  return decision;
}

/** A plugin needs time: nothing more is read from this peer until it has answered. */
function waitForDecision(
  peer: Peer,
  view: PublishView,
  topic: Topic,
  payloadLength: number,
  content: number,
  pending: Promise<Decision>,
): void {
  const message = messageOf(peer, view, topic);
  const id = view.id;
  const text = describe(peer, view, topic, payloadLength);
  peer.link.pause(PAUSE_HOOK);
  if (message.qos === 2) awaitDecision(peer, id);
  // A client that is gone by then has sent its message all the same, and may count on it.
  void pending.then((decision) => {
    const asker = message.qos === 2 ? askerOf(peer, id) : peer;
    if (decision === ALLOW) {
      peer.core.log.debug?.(`Received ${text}`);
      route(asker, message, id, content);
    } else {
      deny(asker, message.qos, id, topic, text);
    }
    peer.link.resume(PAUSE_HOOK);
  });
}

/** @param content what a message of QoS 2 is known by under its identifier */
function route(peer: Peer, received: Message, id: number, content: number): void {
  const { core } = peer;
  const { hooks } = peer.listener.settings;
  const message = hooks.hasMessageIn ? transform(peer, received) : received;
  if (core.store?.isFailing === true && message !== null && isRefusedUnstored(peer, message)) {
    refuseMessage(peer, received.qos, id, QUOTA_EXCEEDED, WHY.storeFails);
    return;
  }
  if (core.store?.isOverfull === true && message !== null && core.router.isStored(message)) {
    turnDown(peer, received.qos, id);
    return;
  }
  const mark = recordedBy(core);
  core.pacing.publisher = peer.link;
  const matched = message === null ? 0 : core.router.publish(message);
  core.pacing.publisher = null;
  // A client that released the identifier meanwhile may use it for another message.
  if (received.qos === 2 && peer.session!.inbound.has(id, content)) peer.session!.record?.received(id, content);
  const reason = matched > 0 ? SUCCESS : NO_MATCHING_SUBSCRIBERS;
  acknowledge(peer, received.qos, id, reason, NO_PROPERTIES, hasRecorded(core, mark));
}

/** Whether a message that would have to be stored is refused while that fails: where its client can be told. */
function isRefusedUnstored(peer: Peer, message: Message): boolean {
  if (message.qos === 0 || !peer.profile.hasProperties) return false;
  if (message.qos === 2 && peer.session?.record?.keepsMessages === true) return true;
  return peer.core.router.isStored(message);
}

/** A message that nothing is left to keep, nor any words to refuse: its client has to send it again. */
function turnDown(peer: Peer, qos: number, id: number): void {
  peer.core.metrics.add(PUBLISH_DROPPED, 1);
  if (qos === 0) return;
  if (qos === 2) peer.session!.inbound.release(id);
  peer.close(QUOTA_EXCEEDED, WHY.storeFails);
}

/** Has plugins look at and change a message; null where one of them drops it. */
function transform(peer: Peer, message: Message): Message | null {
  const before = {
    topic: message.topic.name,
    payload: message.payloadBuffer.subarray(message.payloadStart, message.payloadEnd),
    qos: message.qos,
    retain: message.retain,
  };
  const after = peer.listener.settings.hooks.messageIn(peer.context!, { ...before });
  if (after === null) return null;
  const fault = topicNameFault(after.topic);
  if (fault !== null) {
    peer.core.log.error?.(`Error: A plugin gave a message an invalid topic: ${fault}. The message is dropped.`);
    return null;
  }
  const isSame =
    after.topic === before.topic &&
    after.payload === before.payload &&
    after.qos === before.qos &&
    after.retain === before.retain;
  return isSame ? message : message.changed(peer.core.topics.internName(after.topic), after);
}

/** MQTT 5 is told why, older versions get a plain acknowledgement [MQTT3-3.3.5-2]. */
function deny(peer: Peer, qos: number, id: number, topic: Topic, text: string): void {
  peer.core.log.debug?.(`Denied ${text}`);
  if (qos === 0) return;
  const { mountPoint } = peer.listener.settings;
  const name = mountPoint === null ? topic.name : topic.name.slice(mountPoint.length);
  refuseMessage(peer, qos, id, NOT_AUTHORIZED, `Not authorized to publish to ${quoted(name)}.`);
}

/** The payload is not what its indicator says (section 3.3.2.3.2). At QoS 0 only a DISCONNECT can say so. */
function refuseFormat(peer: Peer, qos: number, id: number, text: string): void {
  if (qos === 0)
    throw new PeerFault(PAYLOAD_FORMAT_INVALID, 'the payload of a PUBLISH is not UTF-8 although it says so');
  peer.core.log.debug?.(`Rejected ${text}, the payload is not UTF-8`);
  refuseMessage(peer, qos, id, PAYLOAD_FORMAT_INVALID, WHY.payloadFormat);
}

/** Refuses a message; its identifier is free again where the client can be told [MQTT-4.3.3-9]. */
function refuseMessage(peer: Peer, qos: number, id: number, reason: Reason, why: string): void {
  const mark = recordedBy(peer.core);
  if (qos === 2 && peer.profile.hasProperties) {
    peer.session?.inbound.release(id);
    peer.session?.record?.freed(id);
  }
  acknowledge(peer, qos, id, reason, peer.because(why), hasRecorded(peer.core, mark));
}

/** @param waits whether the message is in the store, and not safe there yet */
function acknowledge(
  peer: Peer,
  qos: number,
  id: number,
  reason: Reason,
  properties: Properties,
  waits: boolean,
): void {
  // A client may have gone while a plugin thought about its message.
  if (qos === 0 || peer.isClosed) return;
  const type = qos === 1 ? PUBACK : PUBREC;
  const code = peer.profile.hasProperties ? reason.code : SUCCESS.code;
  peer.core.log.debug?.(`Sending ${qos === 1 ? 'PUBACK' : 'PUBREC'} to ${peer.name} (m${id}, rc${reason.code})`);
  if (code === SUCCESS.code) sendAck(peer, type, id, waits);
  else peer.answer({ type, id, code, properties }, waits);
}

function describe(peer: Peer, view: PublishView, topic: Topic, payloadLength: number): string {
  const dup = (view.first & 0x08) >> 3;
  return `PUBLISH from ${peer.name} (d${dup}, q${view.qos}, r${view.first & 1}, m${view.id}, '${topic.name}', ... (${payloadLength} bytes))`;
}
