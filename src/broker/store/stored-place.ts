// Where a message stands in the store. It hangs on the message, so that it need not be looked for.

/** A stored message's place; the store's to change. */
export interface StoredPlace {
  /** Its number in the store. */
  readonly number: number;
  /** Wall-clock seconds since when it is there: in milliseconds it would be an object of its own for each message. */
  readonly since: number;
  /** Deliveries and retained places that need it there. */
  needs: number;
  /** Whether it is the retained message of its topic there. */
  isKept: boolean;
  /** The segment that its record stands in. */
  segment: number;
}
