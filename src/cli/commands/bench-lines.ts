// The summary of a run as lines for people, and the line that shows how it gets on.
import type { Counts } from '../../load/counts.ts';
import type { Summary } from './bench-summary.ts';

const LABEL = 16;

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** What this side used: a run that only connects has its work at the beginning. */
function ownCpu({ command, connections, ownCpu, workers }: Summary): string {
  const share = command === 'conn' ? `${cpu(connections.openingCpu)} while connecting` : cpu(ownCpu);
  return share + (workers > 1 ? ' (the busiest worker)' : '');
}

/** A number with commas. */
const number = (value: number): string => whole.format(value);

/** A number with as many digits as say something. */
function short(value: number): string {
  if (value >= 100) return number(value);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Bytes in the largest unit that leaves one or more. */
function bytes(value: number): string {
  let rest = value;
  let unit = 0;
  while (rest >= 1000 && unit < UNITS.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  return unit === 0 ? `${number(rest)} B` : `${short(rest)} ${UNITS[unit]}`;
}

const line = (label: string, text: string): string => `${label.padEnd(LABEL)}${text}`;

function latency(label: string, times: Summary['connections']['ms']): string[] {
  if (times === null) return [];
  const parts = (['p50', 'p90', 'p99', 'p999', 'max'] as const).map(
    (name) => `${name === 'p999' ? 'p99.9' : name} ${short(times[name])}`,
  );
  return [line(label, `${parts.join('   ')} ms`)];
}

/** The lines of a summary, without line ends. */
export function summaryLines(summary: Summary): string[] {
  return [
    heading(summary),
    '',
    ...connectionLines(summary),
    ...sentLines(summary),
    ...receivedLines(summary),
    line('own CPU', ownCpu(summary)),
    ...brokerLines(summary),
  ];
}

const plural = (count: number, name: string): string => `${number(count)} ${name}${count === 1 ? '' : 's'}`;
const cpu = (share: number): string => `${number(share * 100)} % of a core`;

function heading({ command, target, protocol, qos, payloadBytes, clients, topics, workers, stopped }: Summary): string {
  const facts = [
    ...(clients.conn > 0 ? [plural(clients.conn, 'connection')] : []),
    ...(clients.pub > 0 ? [plural(clients.pub, 'publisher')] : []),
    ...(clients.sub > 0 ? [plural(clients.sub, 'subscriber')] : []),
    ...(topics === null ? [] : [plural(topics, 'topic')]),
    ...(command === 'conn' ? [] : [`QoS ${qos}`]),
    ...(payloadBytes === null ? [] : [plural(payloadBytes, 'byte')]),
    protocol,
    ...(workers > 1 ? [plural(workers, 'worker')] : []),
  ];
  return `${command} on ${target}: ${facts.join(', ')}${stopped ? ' (ended early)' : ''}`;
}

function connectionLines({ connections, subscriptions, clients }: Summary): string[] {
  const { opened, failed, lost, seconds, perSecond, ms } = connections;
  const all = clients.conn + clients.pub + clients.sub;
  const refused = subscriptions?.refused ?? 0;
  return [
    line('connected', `${number(opened)} of ${number(all)} in ${short(seconds)} s, ${number(perSecond)}/s`),
    ...latency('connect time', ms),
    ...(failed > 0 ? [line('failed', plural(failed, 'connection'))] : []),
    ...(lost > 0 ? [line('broken', plural(lost, 'connection'))] : []),
    ...(refused > 0 ? [line('refused', plural(refused, 'subscription'))] : []),
  ];
}

function flow(messages: number, seconds: number, perSecond: number, bytesPerSecond: number): string {
  return `${plural(messages, 'message')} in ${short(seconds)} s, ${number(perSecond)}/s, ${bytes(bytesPerSecond)}/s`;
}

function sentLines({ sent }: Summary): string[] {
  if (sent === null) return [];
  const open = sent.unacknowledged ?? 0;
  return [
    line('sent', flow(sent.messages, sent.seconds, sent.perSecond, sent.bytesPerSecond)),
    ...(sent.acknowledged === null
      ? []
      : [line('acknowledged', number(sent.acknowledged) + (open > 0 ? `, and ${number(open)} not` : ''))]),
    ...(sent.refused > 0 ? [line('refused', plural(sent.refused, 'message'))] : []),
    ...latency('ack time', sent.ackMs),
  ];
}

function receivedLines({ received }: Summary): string[] {
  if (received === null) return [];
  const { lost, duplicated, outOfOrder, foreign } = received;
  return [
    line('received', flow(received.messages, received.seconds, received.perSecond, received.bytesPerSecond)),
    ...(lost === null ? [] : [line('lost', number(lost))]),
    ...(duplicated === null ? [] : [line('duplicated', number(duplicated))]),
    ...(outOfOrder === null ? [] : [line('out of order', number(outOfOrder))]),
    ...(foreign > 0 ? [line('foreign', `${plural(foreign, 'message')} without a stamp of this run`)] : []),
    ...latency('latency', received.latencyMs),
  ];
}

function brokerLines({ broker, received }: Summary): string[] {
  if (broker === null) return [];
  const { cpuMicrosecondsPerMessage: each, bytesPerConnection, cpuMicrosecondsPerConnection: opened } = broker;
  const what = received !== null && received.messages > 0 ? 'delivery' : 'message';
  return [
    line(
      'broker CPU',
      cpu(broker.cpu) +
        (each === null ? '' : `, ${short(each)} µs a ${what}`) +
        (opened === null ? '' : `, ${short(opened)} µs a connection`),
    ),
    line(
      'broker memory',
      `${bytes(broker.residentBytes)}, ${bytes(broker.peakBytes)} at most` +
        (bytesPerConnection === null || bytesPerConnection < 0 ? '' : `, ${bytes(bytesPerConnection)} a connection`),
    ),
  ];
}

/** Shows the counts of a run as they change, once in a while. */
export class LiveLine {
  readonly #write: (text: string) => void;
  readonly #columns: number;
  #shownMs = 0;
  #before: Counts | null = null;
  #isShown = false;

  /** @param columns width of the terminal */
  constructor(write: (text: string) => void, columns: number) {
    this.#write = write;
    this.#columns = columns > 0 ? columns : 80;
  }

  /** Shows what the run does now, at most twice a second. */
  show(phase: string, counts: Counts, nowMs: number): void {
    const seconds = (nowMs - this.#shownMs) / 1000;
    if (seconds < 0.5) return;
    this.#write(`\r\x1b[K${liveText(phase, counts, this.#before, seconds).slice(0, this.#columns - 1)}`);
    this.#before = counts;
    this.#shownMs = nowMs;
    this.#isShown = true;
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#isShown) this.#write('\r\x1b[K');
    this.#isShown = false;
  }
}

function liveText(phase: string, counts: Counts, before: Counts | null, seconds: number): string {
  const rate = (name: 'connected' | 'sent' | 'received'): string =>
    `${number(Math.max(0, counts[name] - (before?.[name] ?? 0)) / seconds)}/s`;
  if (phase === 'connecting') return `connecting: ${number(counts.connected)} connected, ${rate('connected')}`;
  const parts = [
    plural(counts.openClients, 'client'),
    ...(counts.sent > 0 ? [`sent ${number(counts.sent)}, ${rate('sent')}`] : []),
    ...(counts.received > 0 ? [`received ${number(counts.received)}, ${rate('received')}`] : []),
    ...(counts.missing > 0 ? [`${number(counts.missing)} missing`] : []),
  ];
  return `${phase}: ${parts.join(', ')}`;
}
