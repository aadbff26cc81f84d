// AUTH and enhanced authentication (MQTT 5.0 section 4.12): a plugin's method in as many steps as it wants, when connecting
// and again at any time the client likes.
import { PAUSE_HOOK } from '../../net/link.ts';
import { AUTH, DISCONNECT } from '../../protocol/constants.ts';
import { decode } from '../../protocol/decode.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { ConnectPacket } from '../../protocol/packets.ts';
import { NO_PROPERTIES, type Properties } from '../../protocol/properties.ts';
import {
  BAD_AUTHENTICATION_METHOD,
  CONTINUE_AUTHENTICATION,
  NOT_AUTHORIZED,
  REAUTHENTICATE,
  SUCCESS,
} from '../../protocol/reasons.ts';
import { monotonicNow, touch } from '../../util/clock.ts';
import { ALLOW, type AuthRequest, type AuthStep, DEFER } from '../hooks/points.ts';
import type { Peer } from '../peer.ts';
import { accept } from './accept.ts';
import { logProperties } from './diagnostics.ts';
import { referenceOf, refuse, sentenceOf } from './refuse.ts';
import { WHY } from './why.ts';

/** An enhanced authentication of one connection. */
export interface Authentication {
  readonly method: string;
  readonly request: AuthRequest;
  /** The CONNECT that waits for its end; null once the client is in. */
  pending: ConnectPacket | null;
  /** Whether a step of the client's is expected. */
  isUnderWay: boolean;
}

/** A CONNECT names an authentication method. */
export function startAuthentication(peer: Peer, packet: ConnectPacket, request: AuthRequest): void {
  const method = packet.properties.authenticationMethod!;
  peer.authentication = { method, request, pending: packet, isUnderWay: true };
  // Until CONNACK the client may send AUTH and DISCONNECT only [MQTT-3.1.2-30].
  const only = new Uint32Array(16);
  only[AUTH] = peer.core.settings.sizes[AUTH]!;
  only[DISCONNECT] = peer.core.settings.sizes[DISCONNECT]!;
  peer.link.setLimits(only);
  ask(peer, packet.properties.authenticationData ?? null, true);
}

/** Handles AUTH. */
export function onAuth(peer: Peer, buffer: Buffer, first: number, start: number, end: number): void {
  const packet = decode(peer.profile, buffer, first, start, end);
  if (packet.type !== AUTH) return;
  const authentication = peer.authentication;
  const method = packet.properties.authenticationMethod;
  peer.core.log.debug?.(`Received AUTH from ${peer.name} (rc${packet.code}, ${method ?? ''})`);
  logProperties(peer, packet);
  if (authentication === null) throw new ProtocolError('AUTH came although CONNECT named no method'); // [MQTT-4.12.0-7]
  if (method !== authentication.method) {
    throw new ProtocolError('AUTH names another authentication method than CONNECT'); // [MQTT-4.12.0-5]
  }
  const restarts = packet.code === REAUTHENTICATE.code;
  if (restarts === authentication.isUnderWay || packet.code === SUCCESS.code) {
    throw new ProtocolError(`AUTH with reason code ${packet.code} must not come now`);
  }
  authentication.isUnderWay = true;
  ask(peer, packet.properties.authenticationData ?? null, restarts);
}

function ask(peer: Peer, data: Buffer | null, isFirst: boolean): void {
  const authentication = peer.authentication!;
  const step = peer.listener.settings.hooks.authStep(authentication.request, authentication.method, data, isFirst);
  if (!(step instanceof Promise)) {
    answer(peer, step);
    return;
  }
  peer.link.pause(PAUSE_HOOK);
  void step.then((result) => {
    if (peer.isClosed) return;
    answer(peer, result);
    peer.link.resume(PAUSE_HOOK);
  });
}

function answer(peer: Peer, step: AuthStep | null): void {
  const authentication = peer.authentication!;
  const packet = authentication.pending;
  if (step === null || (step.decision !== ALLOW && step.decision !== DEFER)) {
    refuseStep(peer, step);
    return;
  }
  if (step.decision === DEFER) {
    touch();
    peer.waitsSince = monotonicNow();
    sendAuth(peer, CONTINUE_AUTHENTICATION.code, step.data);
    return;
  }
  authentication.isUnderWay = false;
  if (packet === null) {
    sendAuth(peer, SUCCESS.code, step.data);
    return;
  }
  authentication.pending = null;
  const request =
    step.username === undefined ? authentication.request : { ...authentication.request, username: step.username };
  accept(peer, packet, request, step.data);
}

/** Ends an authentication that failed [MQTT-4.12.0-4, MQTT-4.12.1-2]. */
function refuseStep(peer: Peer, step: AuthStep | null): void {
  const refusal = step?.refusal;
  let why: string = step === null ? WHY.method : WHY.authentication;
  let reason = step === null ? BAD_AUTHENTICATION_METHOD : NOT_AUTHORIZED;
  let extra = NO_PROPERTIES;
  if (refusal !== undefined) {
    why = sentenceOf(refusal);
    reason = refusal.reason;
    extra = referenceOf(refusal);
  }
  if (peer.session === null) {
    refuse(peer, reason, why, extra);
    return;
  }
  peer.core.log.information?.(`Client ${peer.name} [${peer.place}] failed to authenticate again: ${why}`);
  peer.close(reason.packets.includes(DISCONNECT) ? reason : NOT_AUTHORIZED, why, extra);
}

function sendAuth(peer: Peer, code: number, data: Buffer | null): void {
  const { method } = peer.authentication!;
  const properties: Properties = { authenticationMethod: method };
  if (data !== null) properties.authenticationData = data;
  peer.core.log.debug?.(`Sending AUTH to ${peer.name} (rc${code}, ${method})`);
  peer.send({ type: AUTH, code, properties });
}
