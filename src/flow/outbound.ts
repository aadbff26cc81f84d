// The sending side of QoS 1 and 2 (MQTT 5.0 section 4.3): packet identifiers and what each waits for. State lies in rings
// indexed by identifier, so an acknowledgement finds its message at once and in any order.
import { MAX_PACKET_ID } from '../protocol/constants.ts';

/** What a slot waits for. */
export const FREE = 0;
export const AWAIT_PUBACK = 1;
export const AWAIT_PUBREC = 2;
export const AWAIT_PUBCOMP = 3;

/** Answers of acknowledge(). */
export const UNKNOWN = 0;
export const DONE = 1;
export const RELEASE = 2;

/**
 * The in-flight window of one session. M is the message type; flags and extra are what its PUBLISH is sent with; a tag is the
 * owner's number for it.
 */
export class OutboundWindow<M extends object> {
  /** Most messages in flight; 65,535 at the most. */
  limit: number;
  private size: number;
  private messages: (M | null)[];
  private extras: Buffer[];
  private flags: Uint8Array;
  private states: Uint8Array;
  private ids: Uint16Array;
  /** When each slot's last packet was sent first: the order in which they are sent again. */
  private turns: Float64Array;
  private tags: Float64Array;
  private lastTurn: number;
  private lastId: number;
  private used: number;

  constructor(limit: number) {
    this.limit = limit;
    this.size = 0;
    this.messages = NOTHING;
    this.extras = NOTHING;
    this.flags = EMPTY_STATES;
    this.states = EMPTY_STATES;
    this.ids = EMPTY_IDS;
    this.turns = EMPTY_TURNS;
    this.tags = EMPTY_TURNS;
    this.lastTurn = 0;
    this.lastId = 0;
    this.used = 0;
  }

  /** Messages in flight. */
  get inFlight(): number {
    return this.used;
  }

  get hasRoom(): boolean {
    return this.used < this.limit;
  }

  /** The identifier that was given out last, 0 before the first. */
  get lastIdentifier(): number {
    return this.lastId;
  }

  /**
   * Puts back what an earlier process had in flight, under its identifier and behind what was put back before; with the turn
   * that it had there, if that is known.
   */
  restore(id: number, message: M, state: number, flags = 0, extra: Buffer = NO_EXTRA, tag = 0, turn = 0): void {
    while (this.used === this.size || this.states[id & (this.size - 1)] !== FREE) this.grow();
    // What comes next is to stand behind it.
    if (turn > this.lastTurn) this.lastTurn = turn - 1;
    this.put(id, message, state, flags, extra, tag);
  }

  /** Goes on behind the identifier that an earlier process gave out last. */
  continueAfter(id: number): void {
    this.lastId = id;
  }

  /** Takes a message into the window and returns its packet identifier. Only while hasRoom. */
  take(message: M, qos: number, flags = 0, extra: Buffer = NO_EXTRA, tag = 0): number {
    const id = this.nextId();
    this.lastId = id;
    this.put(id, message, qos === 1 ? AWAIT_PUBACK : AWAIT_PUBREC, flags, extra, tag);
    return id;
  }

  /** The identifier that take() will give out. Only while hasRoom. */
  nextId(): number {
    if (this.used === this.size) this.grow();
    const mask = this.size - 1;
    // Fewer than `size` slots are used, so a free one comes within `size` steps.
    let id = this.lastId;
    do {
      id = id === MAX_PACKET_ID ? 1 : id + 1;
    } while (this.states[id & mask] !== FREE);
    return id;
  }

  /**
   * Handles PUBACK (AWAIT_PUBACK), PUBREC (AWAIT_PUBREC) and PUBCOMP (AWAIT_PUBCOMP). DONE: the message has left the
   * window. RELEASE: PUBREL is to be sent, also for a repeated PUBREC. UNKNOWN: no such identifier in that state.
   */
  acknowledge(id: number, waitingFor: number): number {
    const slot = this.find(id);
    if (slot < 0) return UNKNOWN;
    const state = this.states[slot]!;
    if (waitingFor === AWAIT_PUBREC) {
      if (state !== AWAIT_PUBREC && state !== AWAIT_PUBCOMP) return UNKNOWN;
      this.states[slot] = AWAIT_PUBCOMP;
      // PUBRELs go in the order of their PUBRECs [MQTT-4.6.0-4].
      if (state === AWAIT_PUBREC) this.turns[slot] = ++this.lastTurn;
      // The message itself is delivered; only its identifier is still taken.
      return RELEASE;
    }
    if (state !== waitingFor) return UNKNOWN;
    this.free(slot);
    return DONE;
  }

  /** Gives an identifier up, whatever it waits for: a refused QoS 2 message, or one that expired. */
  drop(id: number): boolean {
    const slot = this.find(id);
    if (slot < 0) return false;
    this.free(slot);
    return true;
  }

  /** The message of an identifier, null if there is none. */
  messageOf(id: number): M | null {
    const slot = this.find(id);
    return slot < 0 ? null : this.messages[slot]!;
  }

  /** The tag of an identifier that is in use, 0 for another. */
  tagOf(id: number): number {
    const slot = this.find(id);
    return slot < 0 ? 0 : this.tags[slot]!;
  }

  /** What an identifier that is in use waits for, FREE for another. */
  stateOf(id: number): number {
    const slot = this.find(id);
    return slot < 0 ? FREE : this.states[slot]!;
  }

  /** What the PUBLISH of an identifier that is in use is sent with. */
  flagsOf(id: number): number {
    const slot = this.find(id);
    return slot < 0 ? 0 : this.flags[slot]!;
  }

  extraOf(id: number): Buffer {
    const slot = this.find(id);
    return slot < 0 ? NO_EXTRA : this.extras[slot]!;
  }

  /** When the last packet of an identifier that is in use was sent first. */
  turnOf(id: number): number {
    const slot = this.find(id);
    return slot < 0 ? 0 : this.turns[slot]!;
  }

  /** Whether a message is under this identifier, and the other side has not said that it has it [MQTT-4.3.3-6]. */
  isUnanswered(id: number, message: M): boolean {
    const slot = this.find(id);
    return slot >= 0 && this.messages[slot] === message && this.states[slot] !== AWAIT_PUBCOMP;
  }

  /** Visits what is in flight in the order it was sent: PUBLISH or PUBREL are sent again on reconnect [MQTT-4.4.0-1]. */
  forEach(visit: (id: number, message: M, state: number, flags: number, extra: Buffer, tag: number) => void): void {
    const slots: number[] = [];
    for (let slot = 0; slot < this.size; slot++) if (this.states[slot] !== FREE) slots.push(slot);
    slots.sort((a, b) => this.turns[a]! - this.turns[b]!);
    for (const slot of slots) {
      visit(
        this.ids[slot]!,
        this.messages[slot]!,
        this.states[slot]!,
        this.flags[slot]!,
        this.extras[slot]!,
        this.tags[slot]!,
      );
    }
  }

  /** Every message in flight, in no order. */
  forEachMessage(visit: (message: M) => void): void {
    for (let slot = 0; slot < this.size; slot++) if (this.states[slot] !== FREE) visit(this.messages[slot]!);
  }

  /** Forgets everything. */
  clear(): void {
    this.size = 0;
    this.messages = NOTHING;
    this.extras = NOTHING;
    this.flags = EMPTY_STATES;
    this.states = EMPTY_STATES;
    this.ids = EMPTY_IDS;
    this.turns = EMPTY_TURNS;
    this.tags = EMPTY_TURNS;
    this.used = 0;
  }

  private put(id: number, message: M, state: number, flags: number, extra: Buffer, tag: number): void {
    const slot = id & (this.size - 1);
    this.messages[slot] = message;
    this.flags[slot] = flags;
    this.extras[slot] = extra;
    this.states[slot] = state;
    this.ids[slot] = id;
    this.turns[slot] = ++this.lastTurn;
    this.tags[slot] = tag;
    this.used += 1;
  }

  private find(id: number): number {
    if (this.size === 0) return -1;
    const slot = id & (this.size - 1);
    return this.states[slot] !== FREE && this.ids[slot] === id ? slot : -1;
  }

  private free(slot: number): void {
    this.states[slot] = FREE;
    this.messages[slot] = null;
    this.extras[slot] = NO_EXTRA;
    this.used -= 1;
  }

  private grow(): void {
    const size = Math.max(8, this.size * 2);
    const messages: (M | null)[] = new Array(size).fill(null);
    const extras: Buffer[] = new Array(size).fill(NO_EXTRA);
    const flags = new Uint8Array(size);
    const states = new Uint8Array(size);
    const ids = new Uint16Array(size);
    const turns = new Float64Array(size);
    const tags = new Float64Array(size);
    // Identifiers that differed modulo the old size also differ modulo the new one.
    for (let old = 0; old < this.size; old++) {
      if (this.states[old] === FREE) continue;
      const slot = this.ids[old]! & (size - 1);
      messages[slot] = this.messages[old]!;
      extras[slot] = this.extras[old]!;
      flags[slot] = this.flags[old]!;
      states[slot] = this.states[old]!;
      ids[slot] = this.ids[old]!;
      turns[slot] = this.turns[old]!;
      tags[slot] = this.tags[old]!;
    }
    this.size = size;
    this.messages = messages;
    this.extras = extras;
    this.flags = flags;
    this.states = states;
    this.ids = ids;
    this.turns = turns;
    this.tags = tags;
  }
}

const NO_EXTRA = Buffer.alloc(0);
/** What a window that was never used has in place of its rings: nothing is ever put in here. */
const NOTHING: never[] = [];
const EMPTY_STATES = new Uint8Array(0);
const EMPTY_IDS = new Uint16Array(0);
const EMPTY_TURNS = new Float64Array(0);
