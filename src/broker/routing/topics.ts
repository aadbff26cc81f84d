// Topic names, interned: the bytes of a PUBLISH's topic find their Topic by one hash and one compare, and with it the
// validity check, the decoded name and the delivery plan of the last time. A direct-mapped table bounds the memory; two
// busy topics in one slot cost what every topic would cost without the table.
import { MalformedPacket, PeerFault, ProtocolError } from '../../protocol/errors.ts';
import { TOPIC_FILTER_INVALID, TOPIC_NAME_INVALID } from '../../protocol/reasons.ts';
import { isValidString, stringFault } from '../../protocol/utf8.ts';
import type { Plan } from './plan.ts';

const SLOTS = 8192;

/** Most levels of a topic name or filter: each level of a retained topic or of a filter costs memory. */
export const MAX_LEVELS = 1024;

/** Longest name that is kept in the table: the table is to cost little memory whatever clients publish to. */
const LONGEST_KEPT = 1024;

/** A valid topic name. */
export class Topic {
  readonly name: string;
  readonly bytes: Buffer;
  /** Hash of the whole name and of its first level. */
  readonly hash: number;
  readonly firstLevelHash: number;
  /** Whether the table may still hand it out; when not, nobody can tell it that its plan is out of date. */
  isInterned: boolean;
  /** Whether the name is too long for the table. */
  readonly isLong: boolean;
  plan: Plan | null;

  constructor(name: string, bytes: Buffer, hash: number, firstLevelHash: number) {
    this.name = name;
    this.bytes = bytes;
    this.hash = hash;
    this.firstLevelHash = firstLevelHash;
    this.isInterned = false;
    this.isLong = bytes.length > LONGEST_KEPT;
    this.plan = null;
  }
}

/** The table of topics of one broker. */
export class TopicTable {
  private readonly slots: (Topic | null)[];

  constructor() {
    this.slots = new Array(SLOTS).fill(null);
  }

  /**
   * The Topic of buffer[start, end).
   * @throws MalformedPacket for bad UTF-8, ProtocolError for wildcards or emptiness, as Mosquitto has it, and PeerFault
   *   (topic name invalid: well-formed, but not accepted here) for too many levels
   */
  intern(buffer: Buffer, start: number, end: number): Topic {
    const hash = hashBytes(buffer, start, end);
    const topic = this.slots[hash & (SLOTS - 1)]!;
    if (topic !== null && topic.hash === hash && sameBytes(topic.bytes, buffer, start, end)) return topic;
    checkName(buffer, start, end);
    const bytes = Buffer.from(buffer.subarray(start, end));
    return this.place(bytes.toString('utf8'), bytes, hash);
  }

  /** The Topic of a name that is known to be valid. */
  internName(name: string): Topic {
    const bytes = Buffer.from(name);
    const hash = hashBytes(bytes, 0, bytes.length);
    const topic = this.slots[hash & (SLOTS - 1)]!;
    if (topic !== null && topic.hash === hash && sameBytes(topic.bytes, bytes, 0, bytes.length)) return topic;
    return this.place(name, bytes, hash);
  }

  /** Drops the plan of one topic, if it is in the table. */
  forget(name: string): void {
    const bytes = Buffer.from(name);
    const topic = this.slots[hashBytes(bytes, 0, bytes.length) & (SLOTS - 1)]!;
    if (topic !== null && topic.name === name) topic.plan = null;
  }

  /** Drops the plans of all topics. */
  forgetPlans(): void {
    for (const topic of this.slots) if (topic !== null) topic.plan = null;
  }

  private place(name: string, bytes: Buffer, hash: number): Topic {
    const slash = bytes.indexOf(0x2f);
    const topic = new Topic(name, bytes, hash, hashBytes(bytes, 0, slash === -1 ? bytes.length : slash));
    if (topic.isLong) return topic;
    const slot = hash & (SLOTS - 1);
    const evicted = this.slots[slot]!;
    if (evicted !== null) {
      evicted.isInterned = false;
      evicted.plan = null;
    }
    topic.isInterned = true;
    this.slots[slot] = topic;
    return topic;
  }
}

/** Levels of a topic name or filter. */
export function levelsOf(name: string): number {
  let levels = 1;
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) === 0x2f) levels += 1;
  return levels;
}

/**
 * Each level of a filter that is subscribed costs memory, and each of one that is looked up costs time.
 * @throws PeerFault (topic filter invalid) for too many
 */
export function checkFilterLevels(filter: string): void {
  const levels = levelsOf(filter);
  if (levels <= MAX_LEVELS) return;
  throw new PeerFault(TOPIC_FILTER_INVALID, `a topic filter has ${levels} levels, more than the ${MAX_LEVELS} allowed`);
}

/**
 * Whether a topic is not the clients' to write: `$SYS` and what is below it is the broker's (section 4.7.2), and a name
 * that as a filter means a shared subscription could be subscribed to by nobody.
 */
export function isReservedTopic(name: string): boolean {
  return name.charCodeAt(0) === 0x24 && /^\$(SYS|share)(\/|$)/.test(name);
}

/** FNV-1a over a byte range, as an unsigned 32-bit number. */
export function hashBytes(buffer: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ buffer[i]!, 0x01000193);
  // FNV's low bits depend on few input bits; the slot is taken from them.
  return (hash ^ (hash >>> 15)) >>> 0;
}

function sameBytes(bytes: Buffer, buffer: Buffer, start: number, end: number): boolean {
  const length = bytes.length;
  if (length !== end - start) return false;
  for (let i = 0; i < length; i++) if (bytes[i] !== buffer[start + i]) return false;
  return true;
}

/** [MQTT-3.3.2-1, MQTT-3.3.2-2, MQTT-4.7.3-1] */
function checkName(buffer: Buffer, start: number, end: number): void {
  if (start === end) throw new ProtocolError('the topic name is empty');
  if (!isValidString(buffer, start, end)) {
    throw new MalformedPacket(`the topic name ${stringFault(buffer, start, end)}`);
  }
  let levels = 1;
  for (let i = start; i < end; i++) {
    const byte = buffer[i]!;
    if (byte === 0x2b || byte === 0x23) throw new ProtocolError("the topic name contains '+' or '#'");
    if (byte === 0x2f) levels += 1;
  }
  if (levels > MAX_LEVELS) {
    throw new PeerFault(TOPIC_NAME_INVALID, `the topic name has ${levels} levels, more than the ${MAX_LEVELS} allowed`);
  }
}
