// JSON lines: a message as one line of JSON from which exactly the same message can be published again. The members are those
// of %j, but bytes that JSON can't hold are in base64, and each such place says so. mqtt-sub --json-lines writes them,
// mqtt-pub --json-lines reads them.
import { isUtf8 } from 'node:buffer';
import type { ReceivedMessage } from '../client/options.ts';
import { propertiesFault } from '../client/outgoing-properties.ts';
import { MAX_VARINT, PUBLISH } from '../protocol/constants.ts';
import { PROPERTIES, type Properties, type PropertyRow } from '../protocol/properties.ts';
import { topicNameFault } from '../protocol/topic.ts';
import { isoMicroseconds, type WallTime } from './wall-time.ts';

/** Bytes that a line may have: enough for the largest payload in base64, and little enough for one string of V8. */
export const MAX_LINE = 384 * 1024 * 1024;
/** What is wrong with a longer one. */
export const TOO_LONG = `is longer than ${MAX_LINE} bytes`;
/** Larger payloads are written in base64 whatever they are: an escaped character takes six, and a line has its bound. */
const MAX_TEXT = 32 * 1024 * 1024;

/** What belongs to the connection that a message came over and not to the message: written for information, never read. */
const OF_THE_CONNECTION: readonly string[] = ['topic-alias', 'subscription-identifier'];

const ROWS: readonly PropertyRow[] = PROPERTIES.filter((row) => (row.packets as readonly number[]).includes(PUBLISH));
const BY_NAME: ReadonlyMap<string, PropertyRow> = new Map(ROWS.map((row) => [row.name, row]));
const BY_OPTION: ReadonlyMap<string, PropertyRow> = new Map(ROWS.map((row) => [row.option, row]));

/** A line that is no message. The sentence goes on from the name of the line: `has no …`, `is not …`. */
export class LineFault extends Error {}

/** A message read from a line. What the line does not say is null (and no properties at all are {}). */
export interface LineMessage {
  readonly topic: string | null;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2 | null;
  readonly retain: boolean | null;
  readonly properties: Properties;
  /** Microseconds since 1970. */
  readonly time: number | null;
}

/** A message as a line of JSON, without a line end: tst, topic, qos, retain, properties (if there are any), encoding, payload. */
export function messageLine(message: ReceivedMessage, time: WallTime): string {
  const { topic, qos, retain, payload } = message;
  const isText = payload.length <= MAX_TEXT && isUtf8(payload);
  return (
    `{"tst":"${isoMicroseconds(time)}","topic":${JSON.stringify(topic)},"qos":${qos},"retain":${retain},` +
    `${propertiesMember(message.properties)}"encoding":"${isText ? 'utf8' : 'base64'}",` +
    `"payload":${isText ? JSON.stringify(payload.toString()) : `"${payload.toString('base64')}"`}}`
  );
}

function propertiesMember(properties: Properties): string {
  let members = '';
  for (const name in properties) {
    const value: unknown = properties[name as keyof Properties];
    if (value !== undefined) members += `${members === '' ? '' : ','}${propertyMember(name, value)}`;
  }
  return members === '' ? '' : `"properties":{${members}},`;
}

function propertyMember(name: string, value: unknown): string {
  if (name === 'userProperties') {
    const pairs = value as readonly (readonly [string, string])[];
    const members = pairs.map(([key, text]) => `{${JSON.stringify(key)}:${JSON.stringify(text)}}`);
    return `"user-properties":[${members.join(',')}]`;
  }
  if (name === 'subscriptionIdentifiers') {
    const ids = value as readonly number[];
    return `"subscription-identifier":${ids.length === 1 ? ids[0] : JSON.stringify(ids)}`;
  }
  const key = JSON.stringify(BY_NAME.get(name)?.option ?? name);
  if (!Buffer.isBuffer(value)) return `${key}:${JSON.stringify(value)}`;
  if (isUtf8(value)) return `${key}:${JSON.stringify(value.toString())}`;
  return `${key}:{"encoding":"base64","data":"${value.toString('base64')}"}`;
}

/**
 * Reads a line that `messageLine` wrote, or one of %j as far as nothing is lost in it. Members that it does not know are
 * passed over. Throws LineFault.
 */
export function parseMessageLine(line: Buffer | string): LineMessage {
  if (typeof line !== 'string' && !isUtf8(line)) throw new LineFault('is not valid UTF-8');
  const value = parsed(line.toString());
  if (!isObject(value)) throw new LineFault('is not a JSON object');
  const { tst, topic, qos, retain, properties, encoding, payload, payloadlen } = value;
  const message: LineMessage = {
    topic: topicOf(topic),
    payload: payloadOf(payload, encoding, payloadlen),
    qos: qosOf(qos),
    retain: retainOf(retain),
    properties: propertiesOf(properties),
    time: tst === undefined ? null : microseconds(tst),
  };
  // A client does not send it (section 3.3.2.3.2), and a broker may hand it out all the same.
  if (message.properties.payloadFormatIndicator === 1 && !isUtf8(message.payload)) {
    throw new LineFault('has a "payload" that is not UTF-8, and its "payload-format-indicator" says that it is');
  }
  return message;
}

/** Whether a line has nothing but white space of JSON: such lines are passed over. */
export function isBlankLine(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

/** The topic of a line, or that of -t where it has none. Throws LineFault where there is neither. */
export function topicFor({ topic }: LineMessage, usual: string | null): string {
  const found = topic ?? usual;
  if (found === null) throw new LineFault('has no "topic", and there is no -t');
  return found;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new LineFault('is not valid JSON');
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function topicOf(value: unknown): string | null {
  if (value === undefined) return null;
  if (typeof value !== 'string') throw new LineFault('has a "topic" that is not a string');
  const fault = topicNameFault(value);
  if (fault !== null) throw new LineFault(`has an invalid "topic": ${fault}`);
  return value;
}

function qosOf(value: unknown): 0 | 1 | 2 | null {
  if (value === undefined) return null;
  if (value === 0 || value === 1 || value === 2) return value;
  throw new LineFault('has a "qos" that is not 0, 1 or 2');
}

function retainOf(value: unknown): boolean | null {
  if (value === undefined) return null;
  if (typeof value === 'boolean') return value;
  // The tools of Mosquitto 2.0 write it so.
  if (value === 0 || value === 1) return value === 1;
  throw new LineFault('has a "retain" that is not true or false');
}

function payloadOf(value: unknown, encoding: unknown, length: unknown): Buffer {
  const payload = bytesOf(value, encoding);
  if (payload.length >= MAX_VARINT) throw new LineFault(`has a "payload" of ${MAX_VARINT} bytes or more`);
  // What passed through a tool that replaces or cuts what it can't read shows here.
  if (length !== undefined && length !== payload.length) {
    throw new LineFault(
      `has a "payload" of ${payload.length} bytes, and its "payloadlen" says ${JSON.stringify(length)}`,
    );
  }
  return payload;
}

function bytesOf(value: unknown, encoding: unknown): Buffer {
  if (encoding !== undefined && encoding !== 'utf8' && encoding !== 'base64') {
    throw new LineFault('has an "encoding" that is not "utf8" or "base64"');
  }
  if (value === undefined) throw new LineFault('has no "payload"');
  if (value === null) return Buffer.alloc(0);
  if (typeof value !== 'string') {
    throw new LineFault('has a "payload" that is not a string: its exact bytes are lost (%J writes such lines)');
  }
  return encoding === 'base64' ? base64(value, '"payload"') : utf8(value, '"payload"');
}

/** The only text that stands for these bytes is accepted: what is mistyped does not pass for something else. */
function base64(text: string, where: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw new LineFault(`has a ${where} that is not base64`);
  return bytes;
}

function utf8(text: string, where: string): Buffer {
  if (/\p{Surrogate}/u.test(text)) throw new LineFault(`has a ${where} with half of a surrogate pair`);
  return Buffer.from(text);
}

function propertiesOf(value: unknown): Properties {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw new LineFault('has "properties" that are not an object');
  const properties: Record<string, unknown> = {};
  for (const [option, given] of Object.entries(value)) {
    if (OF_THE_CONNECTION.includes(option)) continue;
    if (option === 'user-properties') {
      properties['userProperties'] = pairsOf(given);
      continue;
    }
    const row = BY_OPTION.get(option);
    if (row === undefined || row.type === 'pair') {
      throw new LineFault(`has ${JSON.stringify(option)}, which is no property of a message`);
    }
    properties[row.name] = row.type === 'binary' ? binaryOf(given, option) : given;
  }
  const fault = propertiesFault(properties, PUBLISH);
  if (fault !== null) throw new LineFault(`can't be sent: ${fault}`);
  return properties;
}

/** Text, or bytes in base64 as `{"encoding":"base64","data":"…"}`. */
function binaryOf(value: unknown, option: string): Buffer {
  const where = JSON.stringify(option);
  if (typeof value === 'string') return utf8(value, where);
  if (isObject(value) && value['encoding'] === 'base64' && typeof value['data'] === 'string') {
    return base64(value['data'], where);
  }
  throw new LineFault(`has a ${where} that is neither a string nor {"encoding":"base64","data":"…"}`);
}

function pairsOf(value: unknown): [string, string][] {
  if (!Array.isArray(value)) {
    throw new LineFault('has "user-properties" that are not an array of {"key":"value"}, one for each');
  }
  return value.map((item: unknown) => {
    const entries = isObject(item) ? Object.entries(item) : [];
    const [key, text] = entries[0] ?? [];
    if (entries.length !== 1 || key === undefined || typeof text !== 'string') {
      throw new LineFault('has "user-properties" that are not an array of {"key":"value"}, one for each');
    }
    return [key, text];
  });
}

/** The tools of Mosquitto 2.0 write a Z in front of the offset. */
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|Z?([+-])([01]\d|2[0-3]):?([0-5]\d))$/;

function microseconds(value: unknown): number {
  const match = typeof value === 'string' ? TIME.exec(value) : null;
  const at = match === null ? Number.NaN : Date.parse(`${match[1]}Z`);
  if (match === null || Number.isNaN(at)) {
    throw new LineFault('has a "tst" that is no time such as "2026-11-21T01:58:34.448812+0000"');
  }
  const [, , fraction = '', sign = '+', hours = '0', minutes = '0'] = match;
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60 : 60);
  return (at / 1000 - offset) * 1_000_000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}
