// MQTT properties as JSON, by the names that the tools' --property and %J use. Here all JSON is valid, so bytes that are no
// text have base64 under a name of their own.
import { isUtf8 } from 'node:buffer';
import { PUBLISH } from '../../protocol/constants.ts';
import { PeerFault } from '../../protocol/errors.ts';
import { PROPERTIES, type Properties, type PropertyRow } from '../../protocol/properties.ts';
import { readProperties, writeProperties } from '../../protocol/property-codec.ts';
import { Reader } from '../../protocol/reader.ts';
import { varintLength, Writer, writeVarint } from '../../protocol/writer.ts';
import { base64Name } from './export-format.ts';
import type { Fields } from './json-fields.ts';

/** The name that user properties have in JSON: there are many of them in one member. */
const USER_PROPERTIES = 'user-properties';

/** Longer text is given in base64 too: with every character escaped it might be too long for one string. */
const LONGEST_TEXT = 1_048_576;

/** A JSON object in the making. */
export type JsonObject = Record<string, unknown>;

/** Puts bytes into an object: as text where they are. */
export function addBytes(to: JsonObject, name: string, bytes: Buffer): void {
  if (bytes.length <= LONGEST_TEXT && isUtf8(bytes)) to[name] = bytes.toString();
  else to[base64Name(name)] = bytes.toString('base64');
}

/** Puts properties into an object, under "properties", if there are any. */
export function addProperties(to: JsonObject, properties: Properties): void {
  const members: JsonObject = {};
  for (const [name, value] of Object.entries(properties)) {
    const row = ROWS.find((candidate) => candidate.name === name)!;
    if (row.type === 'pair') {
      const pairs = value as readonly (readonly [string, string])[];
      members[USER_PROPERTIES] = pairs.map(([key, text]) => ({ [key]: text }));
    } else if (row.type === 'binary') addBytes(members, row.option, value as Buffer);
    else members[row.option] = value;
  }
  if (Object.keys(members).length > 0) to['properties'] = members;
}

const ROWS: readonly PropertyRow[] = PROPERTIES;

/** Reads the property bytes that a PUBLISH of a message has. */
export function publishProperties(bytes: Buffer): Properties {
  if (bytes.length === 0) return {};
  const section = Buffer.allocUnsafe(varintLength(bytes.length) + bytes.length);
  bytes.copy(section, writeVarint(section, 0, bytes.length));
  return readProperties(new Reader(section, 0, section.length), PUBLISH);
}

/** What stands in a PUBLISH only for one receiver or one connection. */
const NOT_OF_MESSAGES: readonly string[] = ['topicAlias', 'subscriptionIdentifier'];

/** Takes "properties" out of an object: those that may stand in a packet of this type. Throws BadLine. */
export function takeProperties(from: Fields, packetType: number): Properties {
  const members = from.object('properties');
  const properties: Record<string, unknown> = {};
  if (members === null) return properties;
  for (const name of members.names) {
    const row = ROWS.find(
      ({ option, type }) =>
        name === (type === 'pair' ? USER_PROPERTIES : option) || (type === 'binary' && name === base64Name(option)),
    );
    // What it is called here stays unknown to the fields, which say so.
    if (row === undefined || !row.packets.includes(packetType) || NOT_OF_MESSAGES.includes(row.name)) continue;
    properties[row.name] = takeProperty(members, row);
  }
  members.finish();
  check(members, properties, packetType);
  return properties;
}

/** Has the values checked by whoever reads them from packets. */
function check(members: Fields, properties: Properties, packetType: number): void {
  try {
    const writer = new Writer();
    writeProperties(writer, properties);
    const section = writer.take();
    readProperties(new Reader(section, 0, section.length), packetType);
  } catch (error) {
    if (!(error instanceof PeerFault || error instanceof RangeError)) throw error;
    throw members.fault(error.message);
  }
}

const LARGEST = { byte: 0xff, u16: 0xffff, u32: 0xffff_ffff, varint: 0x0fff_ffff } as const;

function takeProperty(members: Fields, row: PropertyRow): unknown {
  switch (row.type) {
    case 'string':
      return members.text(row.option);
    case 'binary':
      return members.bytes(row.option);
    case 'pair':
      return members.objects(USER_PROPERTIES).map((pair) => {
        const [key = '', ...others] = pair.names;
        if (others.length > 0) throw pair.fault('must have one member');
        return [key, pair.text(key)];
      });
    default:
      return members.whole(row.option, 0, LARGEST[row.type]);
  }
}
