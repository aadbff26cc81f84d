// An accepted CONNECT: the session, CONNACK, and what waits for the client.
import { OutboundAliases } from '../../flow/alias.ts';
import { PAUSE_STORE } from '../../net/link.ts';
import { CONNACK, MAX_PACKET_ID } from '../../protocol/constants.ts';
import type { ConnectPacket } from '../../protocol/packets.ts';
import type { Properties } from '../../protocol/properties.ts';
import { PACKET_TOO_LARGE, SERVER_UNAVAILABLE, SUCCESS } from '../../protocol/reasons.ts';
import type { AuthRequest, ClientContext } from '../hooks/points.ts';
import type { Peer } from '../peer.ts';
import type { Session } from '../sessions/session.ts';
import { metricIndex } from '../sys/metrics.ts';
import { effectiveKeepAlive, grantedProperties, receiveMaximum } from './granted.ts';
import { refuse } from './refuse.ts';
import { grantRights } from './rights.ts';
import { hasRecorded, recordedBy } from './stored.ts';
import { WHY } from './why.ts';

const CONNECTIONS = metricIndex('connectionCount');

/** Lets a client in. `authenticationData` is the last word of an enhanced authentication. */
export function accept(
  peer: Peer,
  packet: ConnectPacket,
  request: AuthRequest,
  authenticationData: Buffer | null,
): void {
  const { core } = peer;
  const granted = grantedProperties(peer, packet, request, authenticationData);
  // [MQTT-3.1.2-24]: nothing is opened or taken over for a client that could not be told.
  if (!peer.takes({ type: CONNACK, sessionPresent: false, code: SUCCESS.code, properties: granted })) {
    refuse(peer, PACKET_TOO_LARGE, WHY.packetSize);
    return;
  }
  if (core.store?.isFailing === true && mustBeStored(peer, packet, request.clientId)) {
    refuse(peer, SERVER_UNAVAILABLE, WHY.storeFails);
    return;
  }
  const context: ClientContext = { clientId: request.clientId, username: request.username, peer: peer.info };
  peer.context = context;
  peer.name = request.clientId;
  peer.isBridge = packet.bridge;
  core.metrics.add(CONNECTIONS, 1);
  logConnected(peer, packet, request.username);
  const mark = recordedBy(core);
  const { session, wasPresent } = core.registry.open(request.clientId, packet.cleanStart, peer);
  peer.session = session;
  peer.link.setLimits(core.settings.sizes);
  prepareSession(peer, session, packet, context);
  core.registry.storeOpened(session);
  // [MQTT-3.1.2-22]: one and a half times the keep alive without a packet.
  peer.allowSilence(effectiveKeepAlive(peer, packet) * 1500);
  // A will alone does not keep its client out while nothing can be stored.
  if (core.store === null || core.store.isFailing || !hasRecorded(core, mark)) {
    admit(peer, packet, session, wasPresent, granted);
    return;
  }
  peer.link.pause(PAUSE_STORE);
  core.store.whenDurable(() => {
    if (peer.isClosed) return;
    admit(peer, packet, session, wasPresent, granted);
    peer.link.resume(PAUSE_STORE);
  });
}

/** Tells the client that it is in, and what waits for it. */
function admit(peer: Peer, packet: ConnectPacket, session: Session, wasPresent: boolean, granted: Properties): void {
  const { core } = peer;
  core.log.debug?.(`Sending CONNACK to ${peer.name} (${Number(wasPresent)}, 0)`);
  peer.send({ type: CONNACK, sessionPresent: wasPresent, code: SUCCESS.code, properties: granted });
  peer.isAdmitted = true;
  const { receiveMaximum, maximumPacketSize, topicAliasMaximum } = packet.properties;
  const aliases = Math.min(topicAliasMaximum ?? 0, peer.listener.settings.maxTopicAliasBroker);
  if (aliases > 0) peer.link.outbox.aliases = new OutboundAliases(aliases);
  session.attach({
    outbox: peer.link.outbox,
    reading: peer.link,
    shape: packet.profile.shape,
    maximumPacketSize: maximumPacketSize ?? 0,
    receiveMaximum: receiveMaximum ?? MAX_PACKET_ID,
  });
  peer.listener.settings.hooks.connected(peer.context!);
}

/** Whether CONNACK would promise something that has to be on disk. */
function mustBeStored({ core }: Peer, packet: ConnectPacket, clientId: string): boolean {
  const expiry = Math.min(packet.properties.sessionExpiryInterval ?? 0, core.registry.maximumExpiry);
  // A will can wait for better times, but not when too much does already.
  if (packet.will !== null && core.store?.isOverfull === true) return true;
  return expiry > 0 || core.registry.get(clientId)?.isStored === true;
}

function logConnected(peer: Peer, packet: ConnectPacket, username: string | null): void {
  const { log, settings } = peer.core;
  if (settings.logsConnections) {
    const kind = packet.bridge ? 'bridge' : 'client';
    const user = username === null ? '' : `, u'${username}'`;
    log.notice?.(
      `New ${kind} connected from ${peer.place} as ${peer.name} (p${packet.profile.shown}, c${Number(packet.cleanStart)}, k${packet.keepAlive}${user}).`,
    );
    const { tls } = peer.info;
    if (tls !== null) log.notice?.(`Client ${peer.name} negotiated ${tls.version} cipher ${tls.cipher}`);
  }
  if (packet.will === null) log.debug?.('No will message specified.');
  else {
    const { payload, retain, qos, topic } = packet.will;
    log.debug?.(`Will message specified (${payload.length} bytes) (r${Number(retain)}, q${qos}).`);
    log.debug?.(`\t${topic}`);
  }
}

function prepareSession(peer: Peer, session: Session, packet: ConnectPacket, context: ClientContext): void {
  const { core } = peer;
  const { hooks, mountPoint } = peer.listener.settings;
  session.context = context;
  session.mountPoint = mountPoint;
  session.listener = peer.listener.key;
  session.expiryInterval = packet.properties.sessionExpiryInterval ?? 0;
  session.will =
    packet.will === null || mountPoint === null
      ? packet.will
      : { ...packet.will, topic: mountPoint + packet.will.topic };
  session.inbound.limit = packet.profile.hasProperties ? receiveMaximum(peer) : MAX_PACKET_ID;
  session.inbound.reconnected();
  grantRights(session, context, hooks);
  // Plans remember who may read what; this client may have come back as another user.
  if (hooks.hasAuthorize && session.subscriptions.size > 0) core.trie.outdateAll();
}
