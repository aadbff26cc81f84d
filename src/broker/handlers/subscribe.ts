// SUBSCRIBE (MQTT 5.0 section 3.8): each filter is granted, lowered or refused by itself; retained messages follow SUBACK.
import { PAUSE_HOOK } from '../../net/link.ts';
import { SUBACK, SUBSCRIBE } from '../../protocol/constants.ts';
import { decode } from '../../protocol/decode.ts';
import type { SubscribePacket, SubscriptionRequest } from '../../protocol/packets.ts';
import { NO_PROPERTIES } from '../../protocol/properties.ts';
import { NOT_AUTHORIZED, QUOTA_EXCEEDED } from '../../protocol/reasons.ts';
import { splitShared } from '../../protocol/topic.ts';
import { wallNow } from '../../util/clock.ts';
import { ALLOW, type ClientContext, SUBSCRIBE_ACCESS, WRITE } from '../hooks/points.ts';
import type { Peer } from '../peer.ts';
import type { Message } from '../routing/message.ts';
import { Subscription } from '../routing/subscription.ts';
import { checkFilterLevels } from '../routing/topics.ts';
import type { Session } from '../sessions/session.ts';
import { subscriptionFacts } from '../sessions/stored-view.ts';
import { decideAll } from './decide.ts';
import { checkFeatures, missingFeature } from './features.ts';
import { hasRecorded, recordedBy } from './stored.ts';
import { checkTopicCount, hasPlaceFor } from './topic-count.ts';
import { denied, WHY } from './why.ts';

/** Handles SUBSCRIBE. */
export function onSubscribe(peer: Peer, buffer: Buffer, first: number, start: number, end: number): void {
  const packet = decode(peer.profile, buffer, first, start, end);
  if (packet.type !== SUBSCRIBE) return;
  peer.core.log.debug?.(`Received SUBSCRIBE from ${peer.name}`);
  checkTopicCount(peer, SUBSCRIBE, packet.subscriptions.length);
  for (const { filter } of packet.subscriptions) checkFilterLevels(filter);
  checkFeatures(peer, packet);
  const decisions = decideAll(
    peer,
    SUBSCRIBE_ACCESS,
    packet.subscriptions.map((request) => request.filter),
  );
  if (decisions instanceof Promise) {
    peer.link.pause(PAUSE_HOOK);
    void decisions.then((allowed) => {
      if (peer.isClosed) return;
      answer(peer, packet, allowed);
      peer.link.resume(PAUSE_HOOK);
    });
  } else {
    answer(peer, packet, decisions);
  }
}

function answer(peer: Peer, packet: SubscribePacket, decisions: readonly number[]): void {
  const { core } = peer;
  const session = peer.session!;
  const identifier = packet.properties.subscriptionIdentifier;
  const codes: number[] = [];
  const refused: string[] = [];
  const mark = recordedBy(core);
  const cannotStore = core.store?.isFailing === true && session.isStored;
  packet.subscriptions.forEach((request, i) => {
    if (decisions[i] !== ALLOW || missingFeature(peer, request.filter) !== null) {
      core.log.debug?.(`\t${request.filter} (denied)`);
      refused.push(request.filter);
      codes.push(NOT_AUTHORIZED.code);
      return;
    }
    const isTaken = !cannotStore && hasPlaceFor(peer, request.filter);
    codes.push(isTaken ? subscribe(peer, request, identifier) : QUOTA_EXCEEDED.code);
  });
  core.log.debug?.(`Sending SUBACK to ${peer.name}`);
  const why = refused.length > 0 ? denied('subscribe to', refused) : cannotStore ? WHY.storeFails : null;
  const properties = why === null ? NO_PROPERTIES : peer.because(why);
  const { replays } = session;
  if (!peer.answer({ type: SUBACK, id: packet.id, codes, properties }, hasRecorded(core, mark))) {
    replays.advance();
    return;
  }
  replays.hold();
  core.store!.whenDurable(() => replays.release());
}

/** Makes one subscription, or makes an existing one anew [MQTT-3.8.4-3], and returns the granted QoS. */
function subscribe(peer: Peer, request: SubscriptionRequest, identifier: number | undefined): number {
  const { core } = peer;
  const session = peer.session!;
  const qos = Math.min(request.qos, peer.listener.settings.maxQos);
  core.log.debug?.(`\t${request.filter} (QoS ${qos})`);
  core.log.subscribe?.(`${peer.name} ${qos} ${request.filter}`);
  const shared = splitShared(request.filter);
  const subscription = new Subscription(
    session,
    mounted(peer, request.filter),
    shared === null ? null : shared.group,
    qos,
    request.noLocal || peer.isBridge,
    request.retainAsPublished || peer.isBridge,
    identifier === undefined ? [] : [identifier],
  );
  const previous = session.subscriptions.get(request.filter) ?? null;
  session.subscriptions.set(request.filter, subscription);
  core.trie.add(subscription, previous);
  peer.listener.settings.hooks.subscribed(peer.context!, request.filter, qos);
  const wantsRetained = request.retainHandling === 0 || (request.retainHandling === 1 && previous === null);
  // Retained messages are not sent for shared subscriptions (section 4.8.2): they would go to a random member.
  const isReplaying = shared === null && wantsRetained;
  const wasReplaying = previous !== null && session.replays.has(previous);
  if (isReplaying) replayRetained(core, session, subscription);
  if (session.record !== null && (isReplaying || wasReplaying || !isSame(subscription, previous))) {
    session.record.subscribed(subscriptionFacts(request.filter, subscription, isReplaying), previous === null);
  }
  return qos;
}

/** Has a session get the retained messages of a subscription, bit by bit. */
export function replayRetained(core: Peer['core'], session: Session, subscription: Subscription): void {
  session.replays.add(subscription, core.retained, (message) => isCurrent(core, session, subscription, message));
}

/** Whether a subscription was only made again as it was: most clients do so each time they connect. */
function isSame(subscription: Subscription, previous: Subscription | null): boolean {
  return (
    previous !== null &&
    previous.filter === subscription.filter &&
    previous.qos === subscription.qos &&
    previous.noLocal === subscription.noLocal &&
    previous.retainAsPublished === subscription.retainAsPublished &&
    previous.identifiers[0] === subscription.identifiers[0]
  );
}

/** The filter as it stands in the trie: behind the listener's mount point. */
function mounted(peer: Peer, filter: string): string {
  const { mountPoint } = peer.listener.settings;
  if (mountPoint === null) return filter;
  const shared = splitShared(filter);
  return shared === null ? mountPoint + filter : `$share/${shared.group}/${mountPoint}${shared.filter}`;
}

/** Whether a retained message may be given out: not expired, and its publisher may still write there (CVE-2018-12546). */
function isCurrent(
  core: Peer['core'],
  session: Session,
  subscription: Subscription,
  message: Message,
): boolean | Promise<boolean> {
  if (message.hasExpired(wallNow())) return false;
  if (subscription.noLocal && session.hasPublished(message)) return false; // [MQTT-3.8.3-3]
  if (!core.settings.checkRetainSource || message.source === null) return true;
  const source = message.source as ClientContext;
  // Listeners may have rules of their own: those of the one that the message came through count.
  const hooks = core.origins.get(source.peer)?.settings.hooks;
  if (hooks === undefined || !hooks.hasAuthorize) return true;
  const decision = hooks.authorize(source, WRITE, message.topic.name);
  return decision instanceof Promise ? decision.then((late) => late === ALLOW) : decision === ALLOW;
}
