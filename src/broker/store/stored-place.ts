// Where a message stands in the store. It hangs on the message, so that it need not be looked for.
import type { StorableMessage } from './records.ts';

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

/** A message that the store can keep. */
export interface LiveMessage extends StorableMessage {
  /** Who brought it; null for the broker itself. */
  readonly source: object | null;
  /** Bytes of topic, properties and payload. */
  readonly size: number;
  /** Where it is in the store, null while it is not there. */
  stored: StoredPlace | null;
}
