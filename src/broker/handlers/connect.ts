// CONNECT (MQTT 5.0 section 3.1): who is it, may it come in? What follows an accepted one is in accept.ts.
import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { PAUSE_HOOK } from '../../net/link.ts';
import { decodeConnect } from '../../protocol/decode.ts';
import { ConnectFault } from '../../protocol/errors.ts';
import type { ConnectPacket, Will } from '../../protocol/packets.ts';
import {
  CLIENT_IDENTIFIER_NOT_VALID,
  NOT_AUTHORIZED,
  PAYLOAD_FORMAT_INVALID,
  QOS_NOT_SUPPORTED,
  QUOTA_EXCEEDED,
  RETAIN_NOT_SUPPORTED,
  type Reason,
  SERVER_BUSY,
  TOPIC_NAME_INVALID,
  UNSUPPORTED_PROTOCOL_VERSION,
} from '../../protocol/reasons.ts';
import { topicNameFault } from '../../protocol/topic.ts';
import { ALLOW, type AuthRequest, type Decision, type Refusal } from '../hooks/points.ts';
import type { Peer } from '../peer.ts';
import { levelsOf, MAX_LEVELS } from '../routing/topics.ts';
import { accept } from './accept.ts';
import { startAuthentication } from './auth.ts';
import { referenceOf, refuse, sentenceOf } from './refuse.ts';
import { sentence, WHY } from './why.ts';

/** Handles CONNECT. */
export function onConnect(peer: Peer, buffer: Buffer, start: number, end: number): void {
  let packet: ConnectPacket;
  try {
    packet = decodeConnect(buffer, start, end);
  } catch (error) {
    if (!(error instanceof ConnectFault)) throw error;
    // [MQTT-3.1.2-2]: a version that is not spoken here is told so, in the words of 3.1.1, before the line is closed.
    if (error.reason === UNSUPPORTED_PROTOCOL_VERSION) {
      refuse(peer, UNSUPPORTED_PROTOCOL_VERSION, sentence(error.message));
      return;
    }
    if (error.profile !== null) peer.settleTerms(error.profile, error.properties);
    throw error;
  }
  peer.settleTerms(packet.profile, packet.properties);
  const objection = objectionTo(peer, packet);
  if (objection !== null) {
    refuse(peer, objection.reason, objection.why);
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
function settle(
  peer: Peer,
  packet: ConnectPacket,
  request: AuthRequest,
  decision: Decision | Refusal | Promise<Decision | Refusal>,
): void {
  if (!(decision instanceof Promise)) {
    if (decision === ALLOW) accept(peer, packet, request, null);
    else if (typeof decision === 'number') refuse(peer, NOT_AUTHORIZED, WHY.connect);
    else refuse(peer, decision.reason, sentenceOf(decision), referenceOf(decision));
    return;
  }
  peer.link.pause(PAUSE_HOOK);
  void decision.then((answer) => {
    if (peer.isClosed) return;
    settle(peer, packet, request, answer);
    peer.link.resume(PAUSE_HOOK);
  });
}

/** Why a client cannot be let in. */
interface Objection {
  readonly reason: Reason;
  readonly why: string;
}

/** What the broker's and the listener's limits say; null when nothing speaks against the client. */
function objectionTo(peer: Peer, packet: ConnectPacket): Objection | null {
  const { settings } = peer.core;
  if (!peer.listener.settings.profiles.includes(packet.profile)) {
    const why = `MQTT of protocol level ${packet.profile.shown} is not spoken on this listener.`;
    return { reason: UNSUPPORTED_PROTOCOL_VERSION, why };
  }
  if (settings.maxConnections >= 0 && peer.core.connections > settings.maxConnections) {
    return { reason: QUOTA_EXCEEDED, why: `The server has its ${settings.maxConnections} connections.` };
  }
  if (packet.will !== null) {
    const objection = objectionToWill(peer, packet.will);
    if (objection !== null) return objection;
  }
  // Before MQTT 5 the broker cannot set the keep alive, so one that is too long is refused.
  const tooLong = packet.keepAlive === 0 || packet.keepAlive > settings.maxKeepAlive;
  if (settings.maxKeepAlive > 0 && tooLong && !packet.profile.hasProperties) {
    const why = `The keep-alive of ${packet.keepAlive} seconds is not among the 1 to ${settings.maxKeepAlive} allowed.`;
    return { reason: CLIENT_IDENTIFIER_NOT_VALID, why };
  }
  return null;
}

function objectionToWill(peer: Peer, will: Will): Objection | null {
  const { settings } = peer.core;
  const { maxQos, mountPoint } = peer.listener.settings;
  if (will.retain && !settings.retainAvailable) return { reason: RETAIN_NOT_SUPPORTED, why: WHY.willRetained }; // [MQTT-3.2.2-13]
  if (will.qos > maxQos) {
    return { reason: QOS_NOT_SUPPORTED, why: `The will has QoS ${will.qos}, and the highest here is ${maxQos}.` }; // [MQTT-3.2.2-12]
  }
  const fault = routingFault((mountPoint ?? '') + will.topic);
  if (fault !== null) return { reason: TOPIC_NAME_INVALID, why: `The will topic cannot be used here: ${fault}.` };
  const isText = will.properties.payloadFormatIndicator === 1;
  if (settings.checksPayloadFormat && isText && !isUtf8(will.payload)) {
    return { reason: PAYLOAD_FORMAT_INVALID, why: WHY.willFormat }; // section 3.1.3.2.3
  }
  return null;
}

/** How a will's topic, behind the mount point, breaks the bounds that PUBLISH keeps; null if it does not. */
function routingFault(topic: string): string | null {
  const levels = levelsOf(topic);
  if (levels > MAX_LEVELS) return `it has ${levels} levels, more than the ${MAX_LEVELS} allowed`;
  return topicNameFault(topic);
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
    if (username === null || username === '') return refused(peer, NOT_AUTHORIZED, WHY.certificate);
  }
  let clientId = packet.clientId;
  if (listener.useUsernameAsClientId) {
    if (username === null) return refused(peer, NOT_AUTHORIZED, WHY.clientIdFromUsername);
    clientId = username;
  }
  if (clientId === '') {
    if (!packet.profile.allowsEmptyClientId || !listener.allowZeroLengthClientId) {
      return refused(peer, CLIENT_IDENTIFIER_NOT_VALID, WHY.clientIdEmpty);
    }
    // [MQTT3-3.1.3-8]
    if (!packet.cleanStart && !packet.profile.emptyClientIdMayPersist) {
      return refused(peer, CLIENT_IDENTIFIER_NOT_VALID, WHY.clientIdLasting);
    }
    clientId = newClientId(peer, listener.autoIdPrefix);
  } else if (core.settings.clientIdPrefix !== null && !clientId.startsWith(core.settings.clientIdPrefix)) {
    return refused(peer, NOT_AUTHORIZED, WHY.clientIdPrefix);
  }
  const { maxClients } = core.settings;
  if (maxClients >= 0 && core.registry.total >= maxClients && core.registry.get(clientId) === null) {
    return refused(peer, SERVER_BUSY, `The server keeps its ${maxClients} sessions.`);
  }
  return { clientId, username, peer: peer.info, password: packet.password, properties: packet.properties };
}

function refused(peer: Peer, reason: Reason, why: string): null {
  refuse(peer, reason, why);
  return null;
}

/** A client id that no session has [MQTT-3.2.2-16]. */
function newClientId(peer: Peer, prefix: string): string {
  let clientId: string;
  do clientId = prefix + randomUUID().toUpperCase();
  while (peer.core.registry.get(clientId) !== null);
  return clientId;
}
