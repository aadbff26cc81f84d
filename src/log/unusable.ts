/** A destination of the log can't be used. The message is made of whole sentences, the last of which says what to do. */
export class UnusableLog extends Error {
  /** The value of log_dest: `file PATH`, or `syslog`. */
  readonly destination: string;

  constructor(destination: string, sentences: string) {
    super(sentences);
    this.name = 'UnusableLog';
    this.destination = destination;
  }
}
