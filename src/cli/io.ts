// What a command touches of its process, so that tests and embedders can give it something else. `process` itself fits.

/** Streams and environment of a command. */
export interface Io {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}
