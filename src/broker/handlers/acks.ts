// PUBACK, PUBREC, PUBREL and PUBCOMP (MQTT 5.0 sections 3.4 to 3.7, 4.3).
import { AWAIT_PUBACK, AWAIT_PUBCOMP, AWAIT_PUBREC, DONE, RELEASE, UNKNOWN } from '../../flow/outbound.ts';
import { PUBACK, PUBCOMP, PUBREC, PUBREL } from '../../protocol/constants.ts';
import { decode } from '../../protocol/decode.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { AckPacket } from '../../protocol/packets.ts';
import { isRefusal, PACKET_IDENTIFIER_NOT_FOUND } from '../../protocol/reasons.ts';
import type { Peer } from '../peer.ts';
import { logProperties } from './diagnostics.ts';

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
      finish(peer, id, AWAIT_PUBACK);
      break;
    case PUBREC:
      onPubrec(peer, id, code);
      break;
    case PUBREL:
      onPubrel(peer, id);
      break;
    default:
      peer.core.log.debug?.(`Received PUBCOMP from ${peer.name} (Mid: ${id}, RC:${code})`);
      finish(peer, id, AWAIT_PUBCOMP);
  }
}

/** The last acknowledgement of a message: its place in the window is free. An unknown identifier is let pass. */
function finish(peer: Peer, id: number, state: number): void {
  const session = peer.session!;
  const message = session.window.messageOf(id);
  if (session.window.acknowledge(id, state) !== DONE) return;
  session.settle(message);
  session.fill();
}

function onPubrec(peer: Peer, id: number, code: number): void {
  const session = peer.session!;
  const { log } = peer.core;
  log.debug?.(`Received PUBREC from ${peer.name} (Mid: ${id})`);
  if (isRefusal(code)) {
    // The client refuses the message: the exchange ends here (section 4.3.3).
    const message = session.window.messageOf(id);
    if (session.window.drop(id)) session.settle(message);
    session.fill();
    return;
  }
  const answer = session.window.acknowledge(id, AWAIT_PUBREC);
  log.debug?.(`Sending PUBREL to ${peer.name} (m${id})`);
  if (answer === RELEASE || !peer.profile.hasProperties) {
    sendAck(peer, PUBREL, id);
  } else if (answer === UNKNOWN) {
    sendNotFound(peer, PUBREL, id);
  }
}

function onPubrel(peer: Peer, id: number): void {
  const session = peer.session!;
  const { log } = peer.core;
  log.debug?.(`Received PUBREL from ${peer.name} (Mid: ${id})`);
  const wasKnown = session.inbound.release(id);
  log.debug?.(`Sending PUBCOMP to ${peer.name} (m${id})`);
  if (wasKnown || !peer.profile.hasProperties) sendAck(peer, PUBCOMP, id);
  else sendNotFound(peer, PUBCOMP, id);
}

function sendNotFound(peer: Peer, type: typeof PUBREL | typeof PUBCOMP, id: number): void {
  const properties = peer.because(`No QoS 2 message with the packet identifier ${id} is under way.`);
  peer.send({ type, id, code: PACKET_IDENTIFIER_NOT_FOUND.code, properties });
}

/** Queues an acknowledgement with success, in its short form. */
export function sendAck(peer: Peer, type: number, id: number): void {
  peer.core.metrics.packetOut(type);
  peer.link.outbox.pushAck((type << 4) | (type === PUBREL ? 2 : 0), id);
}
