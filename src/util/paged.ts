// Values by number, where the numbers are given out one after the other: pages of an array. A large Map would stop everything
// for as long as it takes to be laid out anew, and costs several times as much memory.

const PAGE_BITS = 7;
const PAGE_SIZE = 1 << PAGE_BITS;
/** A page with no more than this is dissolved, or a few that stay for long would keep many pages. */
const FEW = 8;

interface Page<T> {
  readonly first: number;
  readonly slots: (T | undefined)[];
  count: number;
}

/** A table of values by integers from 0 on, with a Map's names for what it does. */
export class Paged<T extends object | number> {
  private readonly pages: Map<number, Page<T>>;
  /** What is left of pages that were dissolved, as long as they are not there again. */
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
    const page = this.pageOf(number);
    return page === undefined ? this.rest.get(number) : page.slots[number % PAGE_SIZE];
  }

  has(number: number): boolean {
    return this.get(number) !== undefined;
  }

  set(number: number, value: T): void {
    let page = this.pageOf(number);
    if (page === undefined) {
      if (this.rest.has(number)) {
        this.rest.set(number, value);
        return;
      }
      page = this.makePage(number);
    }
    const slot = number % PAGE_SIZE;
    if (page.slots[slot] === undefined) {
      page.count += 1;
      this.count += 1;
    }
    page.slots[slot] = value;
  }

  delete(number: number): boolean {
    const page = this.pageOf(number);
    if (page === undefined) {
      if (!this.rest.delete(number)) return false;
    } else {
      const slot = number % PAGE_SIZE;
      if (page.slots[slot] === undefined) return false;
      page.slots[slot] = undefined;
      page.count -= 1;
      if (page.count <= FEW && page.first < this.newest) this.dissolve(page);
    }
    this.count -= 1;
    return true;
  }

  /** Visits all in the order of their numbers. What is visited may be taken out or replaced. */
  each(visit: (value: T, number: number) => void): void {
    const loose = [...this.rest.keys()].sort((a, b) => a - b);
    let next = 0;
    const visitLoose = (end: number): void => {
      for (; next < loose.length && loose[next]! < end; next++) visit(this.rest.get(loose[next]!)!, loose[next]!);
    };
    for (const { first, slots } of [...this.pages.values()].sort((a, b) => a.first - b.first)) {
      visitLoose(first);
      for (let slot = 0; slot < PAGE_SIZE; slot++) {
        const value = slots[slot];
        if (value !== undefined) visit(value, first + slot);
      }
    }
    visitLoose(Number.POSITIVE_INFINITY);
  }

  /** All in the order of their numbers. */
  values(): T[] {
    const all: T[] = [];
    this.each((value) => all.push(value));
    return all;
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
    for (let slot = 0; this.rest.size > 0 && slot < PAGE_SIZE; slot++) {
      const value = this.rest.get(first + slot);
      if (value === undefined) continue;
      this.rest.delete(first + slot);
      page.slots[slot] = value;
      page.count += 1;
    }
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
