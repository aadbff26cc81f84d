// The trees of -d -d: every packet as it is on the wire, with all of its fields, and its bytes. Passwords and authentication
// data are never shown, also not among the bytes.
import { readConnack } from '../../client/connack.ts';
import type { ClientTrace } from '../../client/options.ts';
import { AUTH, CONNACK, CONNECT, PACKET_NAMES, PUBLISH } from '../../protocol/constants.ts';
import { decode, decodeConnect } from '../../protocol/decode.ts';
import { PeerFault } from '../../protocol/errors.ts';
import type { ControlPacket } from '../../protocol/packets.ts';
import { PublishView, readPublish } from '../../protocol/publish.ts';
import { MQTT311, type Profile } from '../../protocol/version.ts';
import type { Paint } from '../terminal.ts';
import { isoMicroseconds, wallTime } from '../wall-time.ts';
import { controlFields, type Field, publishFields } from './packet-fields.ts';
import { counted, dump, type Secret } from './packet-text.ts';

/** Identifier of the property authentication-data. */
const AUTHENTICATION_DATA = 0x16;
/** Types that may hold a secret. */
const SECRETIVE: readonly number[] = [CONNECT, CONNACK, AUTH];
/** Bytes of a payload that are copied to be shown. */
const MOST_PAYLOAD = 512;
const INDENT = '    ';

/** A packet as the trace gets it. The body of one that was sent follows the fixed header; else it is the rest. */
interface Traced {
  readonly isSent: boolean;
  readonly type: number;
  readonly first: number;
  readonly body: Buffer;
  readonly start: number;
  /** What is sent behind the body: a message's payload. */
  readonly payload: Buffer;
}

/** What a packet is found to be. */
interface Understood {
  readonly fields: readonly Field[];
  readonly packet: ControlPacket | null;
  /** Whether its bytes can be shown: where its secrets are is known. */
  readonly isOpen: boolean;
}

/** The `bytes` of a trace: hands over a tree, line by line, without line ends. */
export function packetTrees(line: (text: string) => void, paint: Paint): NonNullable<ClientTrace['bytes']> {
  // The version is that of the CONNECT before.
  let profile: Profile = MQTT311;
  return (isSent, head, rest) => {
    const first = head[0] ?? 0;
    const type = first >> 4;
    const traced: Traced = isSent
      ? { isSent, type, first, body: head, start: headerSize(head), payload: rest }
      : { isSent, type, first, body: rest, start: 0, payload: rest.subarray(rest.length) };
    const { fields, packet, isOpen } = understood(profile, traced);
    if (packet?.type === CONNECT) profile = packet.profile;
    const length = head.length + rest.length;
    const time = isoMicroseconds(wallTime()).slice(11, 26);
    const name = `${isSent ? '→' : '←'} ${PACKET_NAMES[type]}`;
    const size = `${counted(length, 'byte')}, flags 0x${(first & 0x0f).toString(16)}`;
    line(`${paint.faint(time)} ${isSent ? paint.sent(name) : paint.received(name)} (${size})`);
    for (const field of fields) printField(line, field, INDENT);
    if (!isOpen) {
      line(`${INDENT}bytes: not shown, for they may hold a secret`);
      return;
    }
    const shown = Buffer.concat([head, type === PUBLISH ? rest.subarray(0, MOST_PAYLOAD) : rest]);
    for (const row of dump(shown, length, secretsOf(shown, packet))) line(paint.faint(`${INDENT}${row}`));
  };
}

function printField(line: (text: string) => void, { name, value, fields }: Field, indent: string): void {
  line(`${indent}${name}:${value === undefined ? '' : ` ${value}`}`);
  for (const field of fields ?? []) printField(line, field, `${indent}${INDENT}`);
}

/** Size of the fixed header that some bytes begin with. */
function headerSize(bytes: Buffer): number {
  let at = 1;
  while (((bytes[at] ?? 0) & 0x80) !== 0) at += 1;
  return at + 1;
}

function understood(profile: Profile, traced: Traced): Understood {
  const { type, first, body, start } = traced;
  try {
    if (type === PUBLISH) return { fields: messageFields(profile, traced), packet: null, isOpen: true };
    const packet =
      type === CONNECT
        ? decodeConnect(body, start, body.length)
        : type === CONNACK
          ? readConnack(profile, body, first, start, body.length)
          : decode(profile, body, first, start, body.length);
    // A return code of 3.x is not what it was lifted to.
    return { fields: controlFields(profile, packet, body[start + 1] ?? 0), packet, isOpen: true };
  } catch (error) {
    if (!(error instanceof PeerFault)) throw error;
    const mayHide = SECRETIVE.includes(type) && body.includes(AUTHENTICATION_DATA, start);
    return {
      fields: [{ name: 'not understood', value: error.message }],
      packet: null,
      isOpen: type !== CONNECT && !mayHide,
    };
  }
}

function messageFields(profile: Profile, { isSent, first, body, start, payload }: Traced): readonly Field[] {
  const view = new PublishView();
  readPublish(view, profile.hasProperties, !isSent, body, first, start, body.length);
  return publishFields(view, isSent ? payload : body.subarray(view.payloadStart));
}

/** Where the password and the authentication data of a packet are. */
function secretsOf(bytes: Buffer, packet: ControlPacket | null): readonly Secret[] {
  if (packet === null || !('properties' in packet)) return [];
  const secrets: Secret[] = [];
  if (packet.type === CONNECT && packet.password !== null) {
    // It is the last field.
    secrets.push([bytes.length - packet.password.length, bytes.length]);
  }
  const { authenticationData } = packet.properties;
  if (authenticationData === undefined || authenticationData.length === 0) return secrets;
  const { length } = authenticationData;
  const property = Buffer.concat([Buffer.from([AUTHENTICATION_DATA, length >> 8, length & 0xff]), authenticationData]);
  for (let at = bytes.indexOf(property); at >= 0; at = bytes.indexOf(property, at + 1)) {
    secrets.push([at + 3, at + property.length]);
  }
  return secrets;
}
