// Who answers on a port where an MQTT broker was expected: most other servers begin with a line that gives them away.
import { printable } from '../../util/printable.ts';

/** Longest answer that is shown. */
const LONGEST_QUOTE = 80;

/** Beginnings of answers, and whose they are. */
const BEGINNINGS: readonly (readonly [RegExp, string])[] = [
  [/^HTTP\//, 'a web server'],
  [/^SSH-/, 'an SSH server'],
  [/^220[ -]/, 'a mail or FTP server'],
  [/^\+OK/, 'a mail server (POP3)'],
  [/^\* (?:OK|PREAUTH|BYE)/, 'a mail server (IMAP)'],
  [/^-(?:ERR|DENIED|NOAUTH)/, 'a Redis server'],
  [/^AMQP/, 'an AMQP broker'],
  [/^RFB /, 'a VNC server'],
];

/** Who seems to have sent these first bytes, with the beginning of its words where it uses any. */
export function whoAnswered(bytes: Buffer): string {
  // An alert or a handshake record of TLS 1.0 to 1.3 (RFC 8446 section 5.1).
  if ((bytes[0] === 0x15 || bytes[0] === 0x16) && bytes[1] === 3) return 'something that speaks TLS';
  const text = bytes.toString('latin1');
  const who = BEGINNINGS.find(([beginning]) => beginning.test(text))?.[1] ?? 'something else';
  const line = text.split(/[\r\n]/, 1)[0] ?? '';
  const quote = printable(line.slice(0, LONGEST_QUOTE));
  // Words, or else bytes that say nothing to people.
  return /^[\x20-\x7e]{3,}$/.test(line.slice(0, LONGEST_QUOTE)) ? `${who} ("${quote}")` : who;
}
