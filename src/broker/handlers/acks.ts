// PUBACK, PUBREC, PUBREL and PUBCOMP (MQTT 5.0 sections 3.4 to 3.7, 4.3).
import { AWAIT_PUBACK, AWAIT_PUBCOMP, RELEASE, UNKNOWN } from '../../flow/outbound.ts';
import { PUBACK, PUBCOMP, PUBREC, PUBREL } from '../../protocol/constants.ts';
import { decode } from '../../protocol/decode.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { AckPacket } from '../../protocol/packets.ts';
import { isRefusal, PACKET_IDENTIFIER_NOT_FOUND } from '../../protocol/reasons.ts';
import type { Peer } from '../peer.ts';
import { logProperties } from './diagnostics.ts';
import { hasRecorded, recordedBy } from './stored.ts';

/** Handles an acknowledgement. Nearly all have two bytes of body: these are read in place. */
export function onAck(peer: Peer, buffer: Buffer, first: number, start: number, end: number): void {
  let id: number;
  let code = 0;
  if (end - start === 2) {
    id = (buffer[start]! << 8) | buffer[start + 1]!;
    if (id === 0) throw new ProtocolError('the packet identifier is 0'); // [MQTT-2.2.1-3]
  } else {
    const packet = decode(peer.profile, buffer, first, start, end) as AckPacket;
    id = packet.id;
    code = packet.code;
    logProperties(peer, packet);
  }
  switch (first >> 4) {
    case PUBACK:
      peer.core.log.debug?.(`Received PUBACK from ${peer.name} (Mid: ${id}, RC:${code})`);
      peer.session!.finish(id, AWAIT_PUBACK);
      break;
    case PUBREC:
      onPubrec(peer, id, code);
      break;
    case PUBREL:
      onPubrel(peer, id);
      break;
    default:
      peer.core.log.debug?.(`Received PUBCOMP from ${peer.name} (Mid: ${id}, RC:${code})`);
      peer.session!.finish(id, AWAIT_PUBCOMP);
  }
}

function onPubrec(peer: Peer, id: number, code: number): void {
  const session = peer.session!;
  const { log } = peer.core;
  log.debug?.(`Received PUBREC from ${peer.name} (Mid: ${id})`);
  if (isRefusal(code)) {
    session.refused(id);
    return;
  }
  const mark = recordedBy(peer.core);
  const answer = session.release(id);
  log.debug?.(`Sending PUBREL to ${peer.name} (m${id})`);
  if (answer === RELEASE || !peer.profile.hasProperties) {
    sendAck(peer, PUBREL, id, hasRecorded(peer.core, mark));
  } else if (answer === UNKNOWN) {
    sendNotFound(peer, PUBREL, id);
  }
}

function onPubrel(peer: Peer, id: number): void {
  const session = peer.session!;
  const { log } = peer.core;
  log.debug?.(`Received PUBREL from ${peer.name} (Mid: ${id})`);
  const mark = recordedBy(peer.core);
  const wasKnown = session.inbound.release(id);
  session.record?.freed(id);
  log.debug?.(`Sending PUBCOMP to ${peer.name} (m${id})`);
  if (wasKnown || !peer.profile.hasProperties) sendAck(peer, PUBCOMP, id, hasRecorded(peer.core, mark));
  else sendNotFound(peer, PUBCOMP, id);
}

function sendNotFound(peer: Peer, type: typeof PUBREL | typeof PUBCOMP, id: number): void {
  const properties = peer.because(`No QoS 2 message with the packet identifier ${id} is under way.`);
  peer.answer({ type, id, code: PACKET_IDENTIFIER_NOT_FOUND.code, properties }, false);
}

/**
 * Queues an acknowledgement with success, in its short form.
 * @param waits whether it promises something that has just been recorded
 */
export function sendAck(peer: Peer, type: number, id: number, waits: boolean): void {
  peer.core.metrics.packetOut(type);
  const first = (type << 4) | (type === PUBREL ? 2 : 0);
  const holder = peer.holder(waits);
  if (holder === null) peer.link.outbox.pushAck(first, id);
  else holder.addAck(first, id);
}
