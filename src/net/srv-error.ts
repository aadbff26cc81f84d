// What goes wrong where the broker is looked up in DNS.

/** No broker was found by SRV records, or none of those found could be reached. The message is one or two sentences. */
export class SrvError extends Error {
  /** Whether there were brokers to try: `cause` is then the error of the last one. */
  readonly tried: boolean;

  constructor(message: string, tried: boolean, cause: Error | null) {
    super(message, cause === null ? {} : { cause });
    this.name = 'SrvError';
    this.tried = tried;
  }
}
