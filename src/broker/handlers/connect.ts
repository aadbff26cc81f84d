// CONNECT (MQTT 5.0 section 3.1): who is it, may it come in? What follows an accepted one is in accept.ts.
import { randomUUID } from 'node:crypto';
import { PAUSE_HOOK } from '../../net/link.ts';
import { decodeConnect } from '../../protocol/decode.ts';
import { PeerFault } from '../../protocol/errors.ts';
import type { ConnectPacket } from '../../protocol/packets.ts';
import {
  CLIENT_IDENTIFIER_NOT_VALID,
  NOT_AUTHORIZED,
  QOS_NOT_SUPPORTED,
  QUOTA_EXCEEDED,
  RETAIN_NOT_SUPPORTED,
  type Reason,
  SERVER_BUSY,
  TOPIC_NAME_INVALID,
  UNSUPPORTED_PROTOCOL_VERSION,
} from '../../protocol/reasons.ts';
import { topicNameFault } from '../../protocol/topic.ts';
import { ALLOW, type AuthRequest, type Decision } from '../hooks/points.ts';
import type { Peer } from '../peer.ts';
import { levelsOf, MAX_LEVELS } from '../routing/topics.ts';
import { accept } from './accept.ts';
import { startAuthentication } from './auth.ts';
import { refuse } from './refuse.ts';

/** Handles CONNECT. */
export function onConnect(peer: Peer, buffer: Buffer, start: number, end: number): void {
  let packet: ConnectPacket;
  try {
    packet = decodeConnect(buffer, start, end);
  } catch (error) {
    // [MQTT-3.1.2-2]: a version that is not spoken here is told so, in the words of 3.1.1, before the line is closed.
    if (!(error instanceof PeerFault) || error.reason !== UNSUPPORTED_PROTOCOL_VERSION) throw error;
    peer.core.log.information?.(`Invalid protocol version in CONNECT from ${peer.place}: ${error.message}.`);
    refuse(peer, UNSUPPORTED_PROTOCOL_VERSION);
    return;
  }
  peer.link.useProfile(packet.profile);
  const refusal = checkConnect(peer, packet);
  if (refusal !== null) {
    refuse(peer, refusal);
    return;
  }
  const request = identify(peer, packet);
  if (request === null) return;
  peer.name = request.clientId;
  if (packet.properties.authenticationMethod !== undefined) {
    startAuthentication(peer, packet, request);
    return;
  }
  settle(
    peer,
    packet,
    request,
    isKnownByCertificate(peer) ? ALLOW : peer.listener.settings.hooks.authenticate(request),
  );
}

/** Goes on when the decision is there; a client whose check takes time is not read from meanwhile. */
function settle(peer: Peer, packet: ConnectPacket, request: AuthRequest, decision: Decision | Promise<Decision>): void {
  if (typeof decision === 'number') {
    if (decision === ALLOW) accept(peer, packet, request, null);
    else refuse(peer, NOT_AUTHORIZED);
    return;
  }
  peer.link.pause(PAUSE_HOOK);
  void decision.then((answer) => {
    if (peer.isClosed) return;
    settle(peer, packet, request, answer);
    peer.link.resume(PAUSE_HOOK);
  });
}

/** What the broker's and the listener's limits say; null when nothing speaks against the client. */
function checkConnect(peer: Peer, packet: ConnectPacket): Reason | null {
  const { settings } = peer.core;
  const listener = peer.listener.settings;
  if (!listener.profiles.includes(packet.profile)) return UNSUPPORTED_PROTOCOL_VERSION;
  if (settings.maxConnections >= 0 && peer.core.connections > settings.maxConnections) return QUOTA_EXCEEDED;
  if (packet.will !== null) {
    if (packet.will.retain && !settings.retainAvailable) return RETAIN_NOT_SUPPORTED; // [MQTT-3.2.2-13]
    if (packet.will.qos > listener.maxQos) return QOS_NOT_SUPPORTED; // [MQTT-3.2.2-12]
    if (!isRoutable((listener.mountPoint ?? '') + packet.will.topic)) return TOPIC_NAME_INVALID;
  }
  // Before MQTT 5 the broker cannot set the keep alive, so one that is too long is refused.
  const tooLong = packet.keepAlive === 0 || packet.keepAlive > settings.maxKeepAlive;
  if (settings.maxKeepAlive > 0 && tooLong && !packet.profile.hasProperties) return CLIENT_IDENTIFIER_NOT_VALID;
  return null;
}

/** Whether a will's topic, behind the mount point, keeps the bounds that PUBLISH keeps. */
function isRoutable(topic: string): boolean {
  return topicNameFault(topic) === null && levelsOf(topic) <= MAX_LEVELS;
}

/** Whether the listener takes the user name from the client certificate: then the certificate is the proof. */
function isKnownByCertificate(peer: Peer): boolean {
  return peer.listener.settings.certificateUsername !== null;
}

/** Settles client id and user name, or refuses and returns null. */
function identify(peer: Peer, packet: ConnectPacket): AuthRequest | null {
  const { core } = peer;
  const listener = peer.listener.settings;
  let username = packet.username;
  if (listener.certificateUsername !== null) {
    const { tls } = peer.info;
    username = (listener.certificateUsername === 'subject' ? tls?.subject : tls?.commonName) ?? null;
    if (username === null || username === '') {
      core.log.information?.(`Client ${peer.place} has no client certificate to take a user name from.`);
      refuse(peer, NOT_AUTHORIZED);
      return null;
    }
  }
  let clientId = packet.clientId;
  if (listener.useUsernameAsClientId) {
    if (username === null) {
      refuse(peer, NOT_AUTHORIZED);
      return null;
    }
    clientId = username;
  }
  if (clientId === '') {
    const persists = !packet.cleanStart && !packet.profile.emptyClientIdMayPersist;
    // [MQTT-3.1.3-8] of 3.1.1
    if (!packet.profile.allowsEmptyClientId || persists || !listener.allowZeroLengthClientId) {
      refuse(peer, CLIENT_IDENTIFIER_NOT_VALID);
      return null;
    }
    clientId = listener.autoIdPrefix + randomUUID().toUpperCase();
  } else if (core.settings.clientIdPrefix !== null && !clientId.startsWith(core.settings.clientIdPrefix)) {
    refuse(peer, NOT_AUTHORIZED);
    return null;
  }
  const { maxClients } = core.settings;
  if (maxClients >= 0 && core.registry.total >= maxClients && core.registry.get(clientId) === null) {
    refuse(peer, SERVER_BUSY);
    return null;
  }
  return { clientId, username, peer: peer.info, password: packet.password, properties: packet.properties };
}
