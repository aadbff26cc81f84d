// A first-in first-out queue in a power-of-two array: no allocation in steady state, and nothing kept alive behind the head.

/** A ring of objects that grows as needed and gives memory back when it runs empty. */
export class Ring<T extends object> {
  private slots: (T | null)[];
  private head: number;
  private count: number;

  constructor() {
    this.slots = NONE;
    this.head = 0;
    this.count = 0;
  }

  get length(): number {
    return this.count;
  }

  push(item: T): void {
    if (this.count === this.slots.length) this.grow();
    this.slots[(this.head + this.count) & (this.slots.length - 1)] = item;
    this.count += 1;
  }

  /** The oldest item, removed; null when empty. */
  shift(): T | null {
    if (this.count === 0) return null;
    const item = this.slots[this.head]!;
    this.slots[this.head] = null;
    this.head = (this.head + 1) & (this.slots.length - 1);
    this.count -= 1;
    if (this.count === 0 && this.slots.length > 64) {
      this.slots = NONE;
      this.head = 0;
    }
    return item;
  }

  /** The item at a distance from the oldest; null beyond the newest. */
  at(index: number): T | null {
    if (index >= this.count) return null;
    return this.slots[(this.head + index) & (this.slots.length - 1)]!;
  }

  clear(): void {
    this.slots = NONE;
    this.head = 0;
    this.count = 0;
  }

  private grow(): void {
    const old = this.slots;
    const size = Math.max(8, old.length * 2);
    const slots: (T | null)[] = new Array(size).fill(null);
    for (let i = 0; i < this.count; i++) slots[i] = old[(this.head + i) & (old.length - 1)]!;
    this.slots = slots;
    this.head = 0;
  }
}

/** The places of every ring that has none yet: nothing is ever put in here. */
const NONE: never[] = [];
