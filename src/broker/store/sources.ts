// Who brought a message, as its record says it: written once for each connection.
import { type Identity, writeIdentity } from './records.ts';

const NOBODY = Buffer.alloc(0);

/** The identities of sources as bytes. */
export class Sources {
  private readonly known: WeakMap<object, Buffer>;
  private readonly identify: (source: object) => Identity | null;

  constructor(identify: (source: object) => Identity | null) {
    this.known = new WeakMap();
    this.identify = identify;
  }

  /** Empty for the broker itself, and for a source that is not known. */
  bytesOf(source: object | null): Buffer {
    if (source === null) return NOBODY;
    const known = this.known.get(source);
    if (known !== undefined) return known;
    const identity = this.identify(source);
    const bytes = identity === null ? NOBODY : writeIdentity(identity);
    this.known.set(source, bytes);
    return bytes;
  }
}
