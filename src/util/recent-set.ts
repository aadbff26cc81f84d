/** A set of the strings that were used last: bounded, the one unused for longest goes first. */
export class RecentSet {
  readonly #limit: number;
  readonly #keys = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether the key is in the set; asking counts as use. */
  has(key: string): boolean {
    if (!this.#keys.delete(key)) return false;
    this.#keys.add(key);
    return true;
  }

  add(key: string): void {
    this.#keys.delete(key);
    this.#keys.add(key);
    // A Set keeps the order of insertion, and every use inserts anew: the first key is the oldest.
    for (const oldest of this.#keys) {
      if (this.#keys.size <= this.#limit) break;
      this.#keys.delete(oldest);
    }
  }

  clear(): void {
    this.#keys.clear();
  }
}
