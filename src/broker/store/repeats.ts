// Entries that stand in the log more than once. A broker that ends while it cleans a segment leaves what it had moved already
// in both places; moved from both again, it would be there twice for good.

/** Knows the newest place of such entries. */
export class Repeats {
  /** By session and sequence number. */
  private readonly newest: Map<number, Map<number, number>>;

  constructor() {
    this.newest = new Map();
  }

  /** An entry was read once more. */
  note(session: number, seq: number, segment: number): void {
    let places = this.newest.get(session);
    if (places === undefined) {
      places = new Map();
      this.newest.set(session, places);
    }
    places.set(seq, segment);
  }

  /** Whether an entry of a segment stands in a later one too. */
  standsLater(session: number, seq: number, segment: number): boolean {
    const places = this.newest.get(session);
    const newest = places?.get(seq);
    if (places === undefined || newest === undefined) return false;
    if (newest > segment) return true;
    // This is its newest place, and all others are gone.
    places.delete(seq);
    if (places.size === 0) this.newest.delete(session);
    return false;
  }
}
