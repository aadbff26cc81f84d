// THE table of the exit codes of mqtt-pub, mqtt-sub and mqtt-rr: what scripts rely on. The codes are Mosquitto's where it has
// one for the case; the manual pages are made from this table.
import type { Tool } from './options/row.ts';

/** The other side broke the protocol, or is no broker. */
export const EXIT_PROTOCOL = 2;
/** A proxy found no way to the broker. */
export const EXIT_NO_CONNECTION = 4;
/** The connection was lost. */
export const EXIT_LOST = 7;
/** A proxy wants another login, or has rules against the connection. */
export const EXIT_AUTHORISATION = 11;
/** TLS failed, mostly because a certificate does not fit. */
export const EXIT_TLS = 14;
/** A proxy refused the login, or failed. */
export const EXIT_PROXY = 16;
/** The broker stopped answering. */
export const EXIT_KEEP_ALIVE = 19;
/** The broker does not take this quality of service. */
export const EXIT_QOS = 24;
/** The broker does not take so large a message. */
export const EXIT_OVERSIZE = 25;
/** -W is over. */
export const EXIT_TIMEOUT = 27;
/** Lines are left in the spool (EX_TEMPFAIL of sysexits.h: to be tried again). */
export const EXIT_KEPT = 75;
/** With --fail-on-denied: the broker refused a message, a subscription or the end of one. */
export const EXIT_DENIED = 135;

/** A line of the table. */
interface ExitRow {
  /** The codes, with the inline marks of the manual pages, for example '`24`, `25`'. */
  readonly term: string;
  readonly tools: readonly Tool[];
  /** What they stand for, with the inline marks of the manual pages. */
  readonly text: string;
}

const ALL: readonly Tool[] = ['pub', 'sub', 'rr'];

const ROWS: readonly ExitRow[] = [
  {
    term: '`0`',
    tools: ['pub'],
    text:
      'Everything was published. With MQTT 3.1 and 3.1.1, and with QoS 0, a broker does not tell when it refuses a ' +
      'message; with MQTT 5 and QoS 1 or 2 it does, which is a warning here unless there is `--fail-on-denied`.',
  },
  {
    term: '`0`',
    tools: ['sub'],
    text: 'Ended as asked, by a signal, because nobody reads its output any more, or because every subscription was refused (see `--fail-on-denied`).',
  },
  { term: '`0`', tools: ['rr'], text: 'The response came, or a signal ended the wait.' },
  {
    term: '`1`',
    tools: ['pub', 'sub'],
    text: "Wrong usage, a file that can't be read, a host that can't be found, a connection that is refused or that nobody answers; also `--help` and `--version`.",
  },
  {
    term: '`1`',
    tools: ['sub'],
    text: 'With `--until` or `--expect`: something else than the time of `-W` came before what was waited for, or too many messages came.',
  },
  {
    term: '`1`',
    tools: ['rr'],
    text: "Wrong usage, a file that can't be read, a host that can't be found, a connection that is refused or that nobody answers, or no response can come as the broker refused the subscription or the request; also `--help` and `--version`.",
  },
  {
    term: '`1` to `5`',
    tools: ALL,
    text: 'With MQTT 3.1 and 3.1.1, the broker refused the client: 1 protocol version, 2 client id, 3 server unavailable, 4 user name or password, 5 not authorised.',
  },
  {
    term: `\`${EXIT_PROTOCOL}\``,
    tools: ALL,
    text: 'What answers is no MQTT broker, or breaks the protocol.',
  },
  {
    term: `\`${EXIT_NO_CONNECTION}\``,
    tools: ALL,
    text: "With a proxy, the broker can't be reached from there.",
  },
  {
    term: `\`${EXIT_LOST}\``,
    tools: ['pub', 'rr'],
    text: 'The connection was lost, or the broker closed it.',
  },
  {
    term: `\`${EXIT_LOST}\``,
    tools: ['sub'],
    text: 'The first connection was lost before the broker answered, or the broker closed one for a reason after which another attempt makes no sense; any other is made anew.',
  },
  {
    term: `\`${EXIT_AUTHORISATION}\``,
    tools: ALL,
    text: 'The proxy does not allow the connection, or wants a login.',
  },
  {
    term: `\`${EXIT_TLS}\``,
    tools: ALL,
    text: 'TLS failed: a certificate is not trusted, not valid, for another host name, or missing.',
  },
  {
    term: `\`${EXIT_PROXY}\``,
    tools: ALL,
    text: 'The proxy refused the user name and password, or failed.',
  },
  { term: `\`${EXIT_KEEP_ALIVE}\``, tools: ['pub', 'rr'], text: 'The broker stopped answering.' },
  {
    term: `\`${EXIT_QOS}\`, \`${EXIT_OVERSIZE}\``,
    tools: ['pub', 'rr'],
    text: 'The broker does not take this QoS, or so large a message (MQTT 5).',
  },
  { term: `\`${EXIT_TIMEOUT}\``, tools: ['sub', 'rr'], text: 'The time of `-W` is over.' },
  {
    term: `\`${EXIT_KEPT}\``,
    tools: ['pub'],
    text: 'With `--spool`: lines are kept in the file and were not sent, whatever the reason, which is printed in front of their number.',
  },
  {
    term: `\`${EXIT_DENIED}\``,
    tools: ALL,
    text: 'With `--fail-on-denied`: the broker refused a message or a subscription, or to end one.',
  },
  {
    term: '`128` and more',
    tools: ALL,
    text: 'With MQTT 5, the reason code with which the broker refused the client, 135 (not authorized) among them. If it gives a reason in words, or names another server, that is printed to standard error as `The broker says: …` and `The broker names another server: …`.',
  },
];

/** The exit codes of a tool, each with what it stands for, as definitions in the markup of the manual pages (roff.ts). */
export function exitStatus(tool: Tool): string {
  return ROWS.filter(({ tools }) => tools.includes(tool))
    .map(({ term, text }) => `${term}\n: ${text}`)
    .join('\n\n');
}
