// Objects by number, where the numbers are given out one after the other: pages of an array. A large Map would stop everything
// for as long as it takes to be laid out anew, and costs several times as much memory.

const PAGE_BITS = 8;
const PAGE_SIZE = 1 << PAGE_BITS;
/** A page with no more than this is dissolved, or a few that stay for long would keep many pages. */
const FEW = 16;

interface Page<T> {
  readonly first: number;
  readonly slots: (T | undefined)[];
  count: number;
}

/** A table of objects by integers from 0 on, with a Map's names for what it does. */
export class Paged<T extends object> {
  private readonly pages: Map<number, Page<T>>;
  /** What is left of pages that were dissolved. */
  private readonly rest: Map<number, T>;
  private last: Page<T> | null;
  private newest: number;
  private count: number;

  constructor() {
    this.pages = new Map();
    this.rest = new Map();
    this.last = null;
    this.newest = -1;
    this.count = 0;
  }

  get size(): number {
    return this.count;
  }

  get(number: number): T | undefined {
    return this.pageOf(number)?.slots[number % PAGE_SIZE] ?? this.rest.get(number);
  }

  has(number: number): boolean {
    return this.get(number) !== undefined;
  }

  set(number: number, value: T): void {
    if (!this.has(number)) this.count += 1;
    if (this.rest.size > 0 && this.rest.delete(number)) {
      this.rest.set(number, value);
      return;
    }
    const page = this.pageOf(number) ?? this.makePage(number);
    const slot = number % PAGE_SIZE;
    if (page.slots[slot] === undefined) page.count += 1;
    page.slots[slot] = value;
  }

  delete(number: number): boolean {
    const page = this.pageOf(number);
    const slot = number % PAGE_SIZE;
    if (page?.slots[slot] === undefined) {
      if (!this.rest.delete(number)) return false;
    } else {
      page.slots[slot] = undefined;
      page.count -= 1;
      if (page.count <= FEW && page.first < this.newest) this.dissolve(page);
    }
    this.count -= 1;
    return true;
  }

  /** Numbers and values in ascending order. */
  *[Symbol.iterator](): Generator<[number, T]> {
    const numbers = [...this.rest.keys()].sort((a, b) => a - b);
    let next = 0;
    for (const page of [...this.pages.values()].sort((a, b) => a.first - b.first)) {
      for (; next < numbers.length && numbers[next]! < page.first; next++) yield* this.entry(numbers[next]!);
      for (let slot = 0; slot < PAGE_SIZE; slot++) {
        const value = page.slots[slot];
        if (value !== undefined) yield [page.first + slot, value];
        else yield* this.entry(page.first + slot);
      }
      while (next < numbers.length && numbers[next]! < page.first + PAGE_SIZE) next += 1;
    }
    for (; next < numbers.length; next++) yield* this.entry(numbers[next]!);
  }

  *values(): Generator<T> {
    for (const [, value] of this) yield value;
  }

  private *entry(number: number): Generator<[number, T]> {
    const value = this.rest.get(number);
    if (value !== undefined) yield [number, value];
  }

  private pageOf(number: number): Page<T> | undefined {
    const first = number - (number % PAGE_SIZE);
    if (this.last?.first === first) return this.last;
    const page = this.pages.get(first);
    if (page !== undefined) this.last = page;
    return page;
  }

  private makePage(number: number): Page<T> {
    const first = number - (number % PAGE_SIZE);
    const page: Page<T> = { first, slots: new Array(PAGE_SIZE).fill(undefined), count: 0 };
    this.pages.set(first, page);
    this.last = page;
    if (first > this.newest) this.newest = first;
    return page;
  }

  private dissolve(page: Page<T>): void {
    this.pages.delete(page.first);
    if (this.last === page) this.last = null;
    page.slots.forEach((value, slot) => {
      if (value !== undefined) this.rest.set(page.first + slot, value);
    });
  }
}
