// The lines of -d: every packet in Mosquitto's words, in the order of the wire.
import type { ClientTrace, PublishTrace } from '../../client/options.ts';
import {
  CONNACK,
  CONNECT,
  DISCONNECT,
  PACKET_NAMES,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBACK,
  SUBSCRIBE,
  UNSUBSCRIBE,
} from '../../protocol/constants.ts';
import type { ControlPacket, SubscriptionRequest } from '../../protocol/packets.ts';
import { reasonOf } from '../../protocol/reasons.ts';
import { brokersWords } from '../brokers-words.ts';

type Packet = ControlPacket | PublishTrace;

/** The options byte of a subscription without its QoS (MQTT 5.0 section 3.8.3.1). */
function optionsByte(request: SubscriptionRequest): number {
  return (request.noLocal ? 0x04 : 0) | (request.retainAsPublished ? 0x08 : 0) | (request.retainHandling << 4);
}

const hex = (byte: number): string => `0x${byte.toString(16).padStart(2, '0')}`;

function publishText(packet: PublishTrace, id: number): string {
  const flags = `d${packet.dup ? 1 : 0}, q${packet.qos}, r${packet.retain ? 1 : 0}, m${id}`;
  return `PUBLISH (${flags}, '${packet.topic}', ... (${packet.payloadLength} bytes))`;
}

/**
 * A trace that hands over one line at a time, without its line end. The client id in the lines is the one of the last
 * CONNECT, or the one that the broker assigned.
 * @param tellsGranted whether a line says what was granted; mosquitto_rr has none
 */
export function traceLines(line: (text: string) => void, tellsGranted = true): ClientTrace {
  let id = '';
  let lowersCodes = false;
  // A QoS 0 message has no packet identifier; like Mosquitto's, the lines show the next one in its place.
  let lastId = 0;

  /** The code as it stood in a CONNACK: 3.x has return codes of its own. */
  const connackCode = (code: number): number => (lowersCodes && reasonOf(code).connack3) || code;

  function sending(packet: Packet): void {
    switch (packet.type) {
      case CONNECT:
        id = packet.clientId;
        lowersCodes = !packet.profile.hasProperties;
        line(`Client ${id} sending CONNECT`);
        break;
      case PUBLISH:
        lastId = packet.qos === 0 ? lastId + 1 : packet.id;
        line(`Client ${id} sending ${publishText(packet, lastId)}`);
        break;
      case SUBSCRIBE:
        lastId = packet.id;
        for (const request of packet.subscriptions) {
          const what = `Mid: ${packet.id}, Topic: ${request.filter}, QoS: ${request.qos}`;
          line(`Client ${id} sending SUBSCRIBE (${what}, Options: ${hex(optionsByte(request))})`);
        }
        break;
      case UNSUBSCRIBE:
        lastId = packet.id;
        for (const filter of packet.filters) {
          line(`Client ${id} sending UNSUBSCRIBE (Mid: ${packet.id}, Topic: ${filter})`);
        }
        break;
      case PUBACK:
      case PUBREC:
        line(`Client ${id} sending ${PACKET_NAMES[packet.type]} (m${packet.id}, rc${packet.code})`);
        break;
      default:
        line(`Client ${id} sending ${PACKET_NAMES[packet.type]}${'id' in packet ? ` (m${packet.id})` : ''}`);
    }
  }

  function received(packet: Packet): void {
    showReceived(packet);
    if ('properties' in packet) for (const words of brokersWords(packet.properties)) line(words);
  }

  function showReceived(packet: Packet): void {
    switch (packet.type) {
      case CONNACK:
        if (packet.properties.assignedClientIdentifier !== undefined) id = packet.properties.assignedClientIdentifier;
        line(`Client ${id} received CONNACK (${connackCode(packet.code)})`);
        break;
      case PUBLISH:
        line(`Client ${id} received ${publishText(packet, packet.id)}`);
        break;
      case PUBACK:
      case PUBCOMP:
        line(`Client ${id} received ${PACKET_NAMES[packet.type]} (Mid: ${packet.id}, RC:${packet.code})`);
        break;
      case SUBACK:
        line(`Client ${id} received SUBACK`);
        if (tellsGranted) line(`Subscribed (mid: ${packet.id}): ${packet.codes.join(', ')}`);
        break;
      case DISCONNECT:
        line(`Received DISCONNECT (${packet.code})`);
        break;
      case PUBREC:
      case PUBREL:
        line(`Client ${id} received ${PACKET_NAMES[packet.type]} (Mid: ${packet.id})`);
        break;
      default:
        line(`Client ${id} received ${PACKET_NAMES[packet.type]}`);
    }
  }

  return { sending, received };
}
