// Lines of an export become records again. Each line is checked by itself and against those above it before anything of it
// is written.
import { isUtf8 } from 'node:buffer';
import { FLAG_DUP, FLAG_QOS_SHIFT, FLAG_RETAIN, MAX_PACKET_ID, MAX_VARINT, PUBLISH } from '../../protocol/constants.ts';
import type { Will } from '../../protocol/packets.ts';
import { WILL } from '../../protocol/properties.ts';
import { encodePublishProperties } from '../../protocol/publish.ts';
import { topicFilterFault, topicNameFault } from '../../protocol/topic.ts';
import {
  beginMessage,
  type EntryFacts,
  RELEASES,
  type SubscriptionFacts,
  WAITS,
  writeEntry,
  writeIdentity,
  writeInbound,
  writeSession,
  writeSubscription,
} from '../store/records.ts';
import type { GroupWriter } from '../store/segment.ts';
import { COUNTED, type Counts, EXPORT_VERSION, noCounts, STEPS } from './export-format.ts';
import { BadLine, Fields } from './json-fields.ts';
import { takeProperties } from './property-json.ts';

const LARGEST_U32 = 0xffff_ffff;
/** Numbers that are counted up: a broker that goes on from here must not come to where they are no longer exact. */
const LARGEST_NUMBER = 2 ** 48;
const NO_SOURCE = Buffer.alloc(0);

/** Takes the lines of an export and writes what they say. */
export class LineImport {
  readonly counts: Counts;
  private readonly to: GroupWriter;
  /** Numbers of the sessions, with the sequence numbers of their deliveries. */
  private readonly sessions: Map<number, Set<number>>;
  private readonly messages: Set<number>;
  private readonly retained: Set<string>;
  private isBegun: boolean;
  private isEnded: boolean;

  constructor(to: GroupWriter) {
    this.counts = noCounts();
    this.to = to;
    this.sessions = new Map();
    this.messages = new Set();
    this.retained = new Set();
    this.isBegun = false;
    this.isEnded = false;
  }

  /** Takes a line without its line end. Throws BadLine. */
  take(bytes: Buffer): void {
    if (this.isEnded) throw new BadLine('nothing may stand behind the line of the kind "end"');
    const line = new Fields(parse(bytes));
    const kind = line.text('kind');
    if (!this.isBegun) {
      if (kind !== 'store') line.fail('kind', 'must be "store" in the first line');
      this.begin(line);
    } else if (kind === 'session') this.session(line);
    else if (kind === 'retained' || kind === 'message') this.message(line, kind === 'retained');
    else if (kind === 'end') this.end(line);
    else line.fail('kind', 'must be "session", "retained", "message" or "end"');
    line.finish();
  }

  /** All lines were taken. Throws BadLine if the last of them is missing. */
  finish(): void {
    if (!this.isBegun) throw new BadLine('no line came');
    if (!this.isEnded) throw new BadLine('a line of the kind "end" is missing: what came was cut off');
  }

  private begin(line: Fields): void {
    const version = line.whole('version', 1, LARGEST_U32);
    if (version > EXPORT_VERSION) line.fail('version', `must be ${EXPORT_VERSION}: a newer program wrote this`);
    line.time('exportedAt');
    // What counts is what the last line says; this one is for people.
    line.object('counts');
    this.isBegun = true;
  }

  private end(line: Fields): void {
    const said = line.object('counts') ?? line.fail('counts', 'must be an object');
    for (const name of COUNTED) {
      const count = said.whole(name, 0, Number.MAX_SAFE_INTEGER);
      if (count !== this.counts[name]) said.fail(name, `is ${count}, but there were ${this.counts[name]}`);
    }
    said.finish();
    this.isEnded = true;
  }

  private session(line: Fields): void {
    const { to } = this;
    const number = line.whole('number', 1, LARGEST_U32);
    if (this.sessions.has(number)) line.fail('number', `is ${number}, as in a line above`);
    const will = line.object('will');
    const facts = {
      clientId: line.text('clientId'),
      username: line.textOrNull('username'),
      listener: line.text('listener'),
      mountPoint: line.textOrNull('mountPoint'),
      expiryInterval: line.whole('expiryInterval', 0, LARGEST_U32),
      awaySince: line.time('awaySince'),
      will: will === null ? null : takeWill(will),
    };
    const subscriptions = line.objects('subscriptions').map(takeSubscription);
    const received = line.objects('received').map(takeReceived);
    unlessTwice(line, 'subscriptions', subscriptions, ({ name }) => name);
    unlessTwice(line, 'received', received, ({ id }) => id);
    writeSession(to, number, facts);
    for (const subscription of subscriptions) writeSubscription(to, number, subscription);
    for (const { id, content } of received) writeInbound(to, number, id, content);
    this.sessions.set(number, new Set());
    this.counts.sessions += 1;
    this.counts.subscriptions += subscriptions.length;
    this.counts.received += received.length;
  }

  private message(line: Fields, isRetained: boolean): void {
    const number = line.whole('number', 1, LARGEST_NUMBER);
    if (this.messages.has(number)) line.fail('number', `is ${number}, as in a line above`);
    const topic = takeTopic(line, 'topic');
    if (isRetained && this.retained.has(topic.name)) line.fail('topic', 'has a retained message in a line above');
    const routedAs = line.textOrNull('routedAs') === null ? topic : takeTopic(line, 'routedAs');
    const properties = takeProperties(line, PUBLISH);
    const expiresAt = line.time('expiresAt');
    if ((expiresAt !== 0) !== (properties.messageExpiryInterval !== undefined)) {
      line.fail('expiresAt', 'and the property "message-expiry-interval" must be there both or neither');
    }
    const { bytes: propertyBytes, expiryAt } = encodePublishProperties(properties);
    const payload = line.bytes('payload');
    const message = {
      topic,
      routedAs,
      qos: line.whole('qos', 0, 2),
      retain: line.flag('retain'),
      propertyBytes,
      expiryAt,
      expiresAt,
      payloadBuffer: payload,
      payloadStart: 0,
      payloadEnd: payload.length,
    };
    const deliveries = line.objects('deliveries').map((item) => this.delivery(item));
    if (!isRetained && deliveries.length === 0) line.fail('deliveries', 'must name a session that gets the message');
    beginMessage(this.to, number, line.time('storedAt'), message, takeSource(line), isRetained);
    for (const { session, seq, flags, extra, step, id, turn } of deliveries) {
      this.to.u32(session);
      this.to.f64(seq);
      writeEntry(this.to, flags, extra, step, id, turn);
    }
    this.messages.add(number);
    if (isRetained) this.retained.add(topic.name);
    this.counts[isRetained ? 'retained' : 'messages'] += 1;
    this.counts.deliveries += deliveries.length;
  }

  private delivery(item: Fields): EntryFacts & { readonly session: number; readonly seq: number } {
    const session = item.whole('session', 1, LARGEST_U32);
    const seqs =
      this.sessions.get(session) ?? item.fail('session', `is ${session}, and no line above is its session's`);
    const seq = item.whole('seq', 1, LARGEST_NUMBER);
    if (seqs.has(seq)) item.fail('seq', `is ${seq}, as in another delivery of the session`);
    seqs.add(seq);
    const subscriptionIdentifiers = item.list('subscriptionIdentifiers').map((identifier) => {
      const isIdentifier =
        Number.isInteger(identifier) && (identifier as number) > 0 && Number(identifier) <= MAX_VARINT;
      return isIdentifier ? (identifier as number) : item.fail('subscriptionIdentifiers', 'must be numbers above 0');
    });
    const step = item.choice('step', STEPS);
    const facts = {
      session,
      seq,
      flags:
        (item.whole('qos', 1, 2) << FLAG_QOS_SHIFT) |
        (item.flag('retain') ? FLAG_RETAIN : 0) |
        (item.flag('dup') ? FLAG_DUP : 0),
      extra: encodePublishProperties({ subscriptionIdentifiers }).bytes,
      step,
      id: step === WAITS ? 0 : item.whole('packetId', 1, MAX_PACKET_ID),
      turn: step === RELEASES ? item.whole('turn', 0, LARGEST_NUMBER) : 0,
    };
    item.finish();
    return facts;
  }
}

function parse(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new BadLine('it is not UTF-8');
  try {
    return JSON.parse(bytes.toString());
  } catch (error) {
    throw new BadLine(`it is no JSON: ${(error as Error).message}`);
  }
}

function takeTopic(line: Fields, name: string): { readonly name: string; readonly bytes: Buffer } {
  const topic = line.text(name);
  const fault = topicNameFault(topic);
  return fault === null ? { name: topic, bytes: Buffer.from(topic) } : line.fail(name, `is no topic: ${fault}`);
}

function takeWill(from: Fields): Will {
  const will = {
    topic: takeTopic(from, 'topic').name,
    qos: from.whole('qos', 0, 2),
    retain: from.flag('retain'),
    properties: takeProperties(from, WILL),
    payload: from.bytes('payload'),
  };
  from.finish();
  return will;
}

function takeSubscription(from: Fields): SubscriptionFacts {
  const name = from.text('filter');
  const fault = topicFilterFault(name);
  if (fault !== null) from.fail('filter', `is no topic filter: ${fault}`);
  const subscription = {
    name,
    filter: from.textOrNull('routedAs') ?? name,
    qos: from.whole('qos', 0, 2),
    noLocal: from.flag('noLocal'),
    retainAsPublished: from.flag('retainAsPublished'),
    identifier: from.whole('identifier', 0, MAX_VARINT, 0),
    isReplaying: from.flag('isReplaying'),
  };
  from.finish();
  return subscription;
}

function takeReceived(from: Fields): { readonly id: number; readonly content: number } {
  const id = from.whole('packetId', 1, MAX_PACKET_ID);
  const content = from.whole('content', -0x8000_0000, 0x7fff_ffff);
  from.finish();
  return { id, content };
}

function takeSource(line: Fields): Buffer {
  const source = line.object('source');
  if (source === null) return NO_SOURCE;
  const identity = {
    clientId: source.text('clientId'),
    username: source.textOrNull('username'),
    listener: source.text('listener'),
  };
  source.finish();
  return writeIdentity(identity);
}

function unlessTwice<T>(line: Fields, name: string, items: readonly T[], keyOf: (item: T) => unknown): void {
  const seen = new Set<unknown>();
  for (const item of items) {
    const key = keyOf(item);
    if (seen.has(key)) line.fail(name, `must name ${JSON.stringify(key)} once`);
    seen.add(key);
  }
}
