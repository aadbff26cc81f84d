// Words for the log about a connection that broke.

/** What the system said about a broken connection, in Mosquitto's manner. */
export function networkWords(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code;
  switch (code) {
    case 'ECONNRESET':
      return 'connection closed by client';
    case 'EPIPE':
      return 'Broken pipe';
    case 'ETIMEDOUT':
      return 'Connection timed out';
    default:
      return error.message;
  }
}
