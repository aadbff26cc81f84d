// Reads, checks and writes property sections, all from the one table in properties.ts.
import { PACKET_NAMES } from './constants.ts';
import { MalformedPacket, PeerFault, ProtocolError } from './errors.ts';
import { PROPERTIES, PROPERTY_BY_ID, type Properties, type PropertyRow, WILL } from './properties.ts';
import type { Reader } from './reader.ts';
import { QUOTA_EXCEEDED, TOPIC_ALIAS_INVALID } from './reasons.ts';
import type { Writer } from './writer.ts';

const USER_PROPERTY = 0x26;
const SUBSCRIPTION_IDENTIFIER = 0x0b;
const TOPIC_ALIAS = 0x23;

/** Most user properties that one packet may carry: bounds the work and the objects that a packet can cause. */
export const MAX_USER_PROPERTIES = 1000;

/** What a packet with more of them is: no break of the protocol, but more than is taken here. */
export function tooManyUserProperties(): PeerFault {
  return new PeerFault(QUOTA_EXCEEDED, `more than ${MAX_USER_PROPERTIES} user properties`);
}

/** A value that the standard forbids beyond its type; the sentence names the clause's rule. */
function valueFault(id: number, value: number): string | null {
  switch (id) {
    case 0x01: // payload format indicator
    case 0x17: // request problem information
    case 0x19: // request response information
    case 0x24: // maximum QoS
    case 0x25: // retain available
    case 0x28:
    case 0x29:
    case 0x2a:
      return value > 1 ? 'must be 0 or 1' : null;
    case SUBSCRIPTION_IDENTIFIER:
    case 0x21: // receive maximum
    case TOPIC_ALIAS: // [MQTT-3.3.2-8]
    case 0x27: // maximum packet size
      return value === 0 ? 'must not be 0' : null;
    default:
      return null;
  }
}

/** Finds the row of a property and checks that it may stand in this packet. */
export function propertyRow(id: number, packetType: number): PropertyRow {
  const row = PROPERTY_BY_ID[id];
  if (row === undefined) throw new MalformedPacket(`0x${id.toString(16).padStart(2, '0')} is no property`);
  if (!row.packets.includes(packetType)) {
    const where = packetType === WILL ? 'the will properties' : PACKET_NAMES[packetType];
    throw new ProtocolError(`the property ${row.option} must not stand in ${where}`);
  }
  return row;
}

/** Reads a property section, its length included. Only a PUBLISH may repeat the subscription identifier. */
export function readProperties(reader: Reader, packetType: number): Properties {
  const length = reader.varint('the property length');
  if (length === 0) return {};
  const end = reader.at + length;
  if (end > reader.end) throw new MalformedPacket('the property length is larger than the packet');
  const outerEnd = reader.end;
  reader.end = end;
  const result: Record<string, unknown> = {};
  let pairs: [string, string][] | null = null;
  let identifiers: number[] | null = null;
  while (reader.at < end) {
    const row = propertyRow(reader.u8('a property identifier'), packetType);
    if (row.id === USER_PROPERTY) {
      if (pairs === null) {
        pairs = [];
        result[row.name] = pairs;
      }
      pairs.push([reader.string('a user property name'), reader.string('a user property value')]);
      if (pairs.length > MAX_USER_PROPERTIES) {
        throw tooManyUserProperties();
      }
      continue;
    }
    const value = readValue(reader, row);
    if (row.id === SUBSCRIPTION_IDENTIFIER && PACKET_NAMES[packetType] === 'PUBLISH') {
      if (identifiers === null) {
        identifiers = [];
        result['subscriptionIdentifiers'] = identifiers;
      }
      identifiers.push(value as number);
      continue;
    }
    if (Object.hasOwn(result, row.name)) throw new ProtocolError(`the property ${row.option} comes twice`);
    result[row.name] = value;
  }
  reader.end = outerEnd;
  return result as Properties;
}

function readValue(reader: Reader, row: PropertyRow): number | string | Buffer {
  switch (row.type) {
    case 'string':
      return reader.string(row.option);
    case 'binary':
      return reader.binary(row.option);
    default:
      return readNumber(reader, row);
  }
}

/** Reads and checks a numeric property's value. */
export function readNumber(reader: Reader, row: PropertyRow): number {
  let value: number;
  switch (row.type) {
    case 'byte':
      value = reader.u8(row.option);
      break;
    case 'u16':
      value = reader.u16(row.option);
      break;
    case 'u32':
      value = reader.u32(row.option);
      break;
    default:
      value = reader.varint(row.option);
  }
  const fault = valueFault(row.id, value);
  if (fault !== null) {
    const sentence = `the property ${row.option} ${fault}`;
    throw row.id === TOPIC_ALIAS ? new PeerFault(TOPIC_ALIAS_INVALID, sentence) : new ProtocolError(sentence);
  }
  return value;
}

/** Writes a property section, its length included, in the order of the object's keys. */
export function writeProperties(writer: Writer, properties: Properties): void {
  const start = writer.position;
  for (const name in properties) {
    const value = properties[name as keyof Properties];
    if (value === undefined) continue;
    if (name === 'subscriptionIdentifiers') {
      for (const id of value as readonly number[]) {
        writer.u8(SUBSCRIPTION_IDENTIFIER);
        writer.varint(id);
      }
      continue;
    }
    const row = ROW_BY_NAME.get(name);
    if (row === undefined) throw new RangeError(`${name} is no property`);
    writeValue(writer, row, value);
  }
  writer.insertLength(start);
}

const ROW_BY_NAME: ReadonlyMap<string, PropertyRow> = new Map(PROPERTIES.map((row) => [row.name, row]));

function writeValue(writer: Writer, row: PropertyRow, value: unknown): void {
  if (row.type === 'pair') {
    for (const [key, text] of value as readonly (readonly [string, string])[]) {
      writer.u8(row.id);
      writer.string(key);
      writer.string(text);
    }
    return;
  }
  writer.u8(row.id);
  switch (row.type) {
    case 'byte':
      writer.u8(value as number);
      break;
    case 'u16':
      writer.u16(value as number);
      break;
    case 'u32':
      writer.u32(value as number);
      break;
    case 'varint':
      writer.varint(value as number);
      break;
    case 'string':
      writer.string(value as string);
      break;
    default:
      writer.binary(value as Buffer);
  }
}
