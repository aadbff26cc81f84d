// A coarse timer wheel for keep-alive, expiry and will delay: one timer for the process part that owns it, never one per
// peer. Entries carry their due time; a packet that postpones one costs nothing here, because an entry that comes up early
// asks its owner for the new due time and is put back. (The idea is a ring of slots with lazy re-insertion.)

/** Something that comes due. Belongs to at most one wheel at a time. */
export interface WheelEntry {
  /** Called when the time given to add() has come: returns the next due time to wait on, or 0 to leave the wheel. */
  due(nowMs: number): number;
}

/** Wheel of SLOTS × tickMs; entries further away go round. */
export class Wheel {
  private readonly tickMs: number;
  private readonly slots: Map<WheelEntry, number>[];
  private readonly slotOf: Map<WheelEntry, number>;
  private tick: number;

  constructor(tickMs: number, nowMs: number, slots = 512) {
    this.tickMs = tickMs;
    this.slots = Array.from({ length: slots }, () => new Map());
    this.slotOf = new Map();
    this.tick = Math.floor(nowMs / tickMs);
  }

  get size(): number {
    return this.slotOf.size;
  }

  /** Puts an entry in, or moves it: due at the first tick not before dueMs. */
  add(entry: WheelEntry, dueMs: number): void {
    this.remove(entry);
    const tick = this.tickOf(dueMs);
    const slot = tick % this.slots.length;
    this.slots[slot]!.set(entry, tick);
    this.slotOf.set(entry, slot);
  }

  /**
   * Sees to it that an entry is called at dueMs at the latest: one that is in for an earlier time stays where it is, and is
   * asked for its new time then.
   */
  addUnlessEarlier(entry: WheelEntry, dueMs: number): void {
    const slot = this.slotOf.get(entry);
    if (slot === undefined || this.slots[slot]!.get(entry)! > this.tickOf(dueMs)) this.add(entry, dueMs);
  }

  /** Takes an entry out; does nothing if it is not in. */
  remove(entry: WheelEntry): void {
    const slot = this.slotOf.get(entry);
    if (slot === undefined) return;
    this.slots[slot]!.delete(entry);
    this.slotOf.delete(entry);
  }

  private tickOf(dueMs: number): number {
    return Math.max(this.tick + 1, Math.ceil(dueMs / this.tickMs));
  }

  /** Calls every entry that is due at nowMs. */
  advance(nowMs: number): void {
    const target = Math.floor(nowMs / this.tickMs);
    // After a long pause one round visits every slot; more rounds would visit them again for nothing.
    const first = Math.max(this.tick + 1, target - this.slots.length + 1);
    for (let tick = first; tick <= target; tick++) {
      this.tick = tick;
      const slot = this.slots[tick % this.slots.length]!;
      for (const [entry, dueTick] of slot) {
        if (dueTick > target) continue;
        this.remove(entry);
        const next = entry.due(nowMs);
        if (next > 0) this.add(entry, next);
      }
    }
  }
}
