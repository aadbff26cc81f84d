// What goes wrong where names are looked up before anything is dialled.

/**
 * A name stands for nothing that could be dialled, or for nothing that works. The message is one or two sentences: no broker
 * was found by SRV records, or none of those found could be reached, or there is no such local address.
 */
export class LookupError extends Error {
  /** Whether there were brokers to try: `cause` is then the error of the last one. */
  readonly tried: boolean;

  constructor(message: string, tried: boolean, cause: Error | null) {
    super(message, cause === null ? {} : { cause });
    this.name = 'LookupError';
    this.tried = tried;
  }
}
