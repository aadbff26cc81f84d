// The summary of a run: one object, printed as JSON for machines or as lines for people.

import type { LatencySummary } from '../../load/latency.ts';
import { isStamped, payloadSize } from '../../load/payload.ts';
import { type LoadPlan, plannedClient } from '../../load/plan.ts';
import { splitShared } from '../../protocol/topic.ts';
import { addressText } from '../../util/address-text.ts';
import type { BenchCommand } from '../options/bench.ts';
import type { BrokerWatch } from './bench-broker.ts';
import type { Outcome } from './bench-run.ts';

/** Latencies in milliseconds. */
type Milliseconds = Readonly<Record<'mean' | 'p50' | 'p90' | 'p99' | 'p999' | 'max', number>> & {
  readonly count: number;
};

/** What --json prints. Fields that a command does not measure are null. */
export interface Summary {
  readonly command: BenchCommand;
  readonly target: string;
  readonly protocol: string;
  readonly qos: number;
  readonly payloadBytes: number | null;
  readonly clients: { readonly conn: number; readonly pub: number; readonly sub: number };
  readonly topics: number | null;
  readonly workers: number;
  readonly stopped: boolean;
  readonly connections: {
    readonly opened: number;
    readonly failed: number;
    readonly lost: number;
    readonly seconds: number;
    readonly perSecond: number;
    readonly ms: Milliseconds | null;
    /** Share of one core, of the busiest process of this run while it opened them. */
    readonly openingCpu: number;
  };
  readonly subscriptions: { readonly granted: number; readonly refused: number } | null;
  readonly sent: {
    readonly messages: number;
    readonly seconds: number;
    readonly perSecond: number;
    readonly bytesPerSecond: number;
    readonly askedPerSecond: number | null;
    /** Ticks at which a message was due, and the windows or TCP took none. */
    readonly heldTicks: number | null;
    readonly acknowledged: number | null;
    readonly unacknowledged: number | null;
    readonly refused: number;
    readonly ackMs: Milliseconds | null;
  } | null;
  readonly received: {
    readonly messages: number;
    readonly expected: number | null;
    readonly lost: number | null;
    readonly duplicated: number | null;
    readonly outOfOrder: number | null;
    readonly foreign: number;
    readonly seconds: number;
    readonly perSecond: number;
    readonly bytesPerSecond: number;
    readonly latencyMs: Milliseconds | null;
  } | null;
  /** Share of one core, of the busiest process of this run. */
  readonly ownCpu: number;
  readonly broker: {
    readonly cpu: number;
    readonly cpuMicrosecondsPerMessage: number | null;
    readonly residentBytes: number;
    readonly peakBytes: number;
    readonly bytesPerConnection: number | null;
    readonly cpuMicrosecondsPerConnection: number | null;
  } | null;
  readonly failures: readonly { readonly sentence: string; readonly times: number }[];
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

function milliseconds(times: LatencySummary | null): Milliseconds | null {
  if (times === null) return null;
  const { count, mean, p50, p90, p99, p999, max } = times;
  const ms = (microseconds: number): number => round(microseconds / 1000, 3);
  return { count, mean: ms(mean), p50: ms(p50), p90: ms(p90), p99: ms(p99), p999: ms(p999), max: ms(max) };
}

const perSecond = (count: number, seconds: number): number => (seconds > 0 ? round(count / seconds, 1) : 0);

/** Puts the summary of a run together. */
export function summaryOf(
  command: BenchCommand,
  plan: LoadPlan,
  workers: number,
  outcome: Outcome,
  broker: BrokerWatch | null,
): Summary {
  const { result, connectSeconds, wasStopped } = outcome;
  const { counts } = result;
  const { kind, host, port } = plan.endpoint;
  const hasBegun = result.haltedAt > result.startedAt;
  const seconds = hasBegun ? (result.haltedAt - result.startedAt) / 1e6 : 0;
  return {
    command,
    target: kind === 'unix' ? host : `${kind}://${addressText(host, port)}`,
    protocol: plan.profile.option,
    qos: plan.qos,
    payloadBytes: plan.counts.pub === 0 ? null : payloadSize(plan.payload, plannedClient(plan, 'pub', 0).names),
    clients: plan.counts,
    topics: plan.topics,
    workers,
    stopped: wasStopped,
    connections: {
      opened: counts.connected,
      failed: counts.connectFailed,
      lost: counts.connectionsLost,
      seconds: round(connectSeconds, 3),
      perSecond: perSecond(counts.connected, connectSeconds),
      ms: milliseconds(result.connectTimes),
      openingCpu: round(result.busiestOpening, 3),
    },
    subscriptions: plan.counts.sub === 0 ? null : { granted: counts.subscribed, refused: counts.subscribeFailed },
    sent: plan.counts.pub === 0 ? null : sentOf(plan, outcome, seconds),
    received: plan.counts.sub === 0 ? null : receivedOf(plan, outcome),
    ownCpu: Number.isFinite(result.busiest) ? round(result.busiest, 3) : 0,
    broker: brokerOf(broker, plan, outcome),
    failures: result.failures.map(([sentence, times]) => ({ sentence, times })),
  };
}

function sentOf(plan: LoadPlan, { result }: Outcome, seconds: number): Summary['sent'] {
  const { counts } = result;
  return {
    messages: counts.sent,
    seconds: round(seconds, 3),
    perSecond: perSecond(counts.sent, seconds),
    bytesPerSecond: perSecond(counts.sentBytes, seconds),
    askedPerSecond: plan.rate === null ? null : round(plan.rate, 3),
    heldTicks: plan.rate === null ? null : counts.heldTicks,
    acknowledged: plan.qos === 0 ? null : counts.acknowledged,
    unacknowledged: plan.qos === 0 ? null : counts.sent - counts.acknowledged - counts.publishRefused,
    refused: counts.publishRefused,
    ackMs: milliseconds(result.ackTimes),
  };
}

function receivedOf(plan: LoadPlan, { result }: Outcome): Summary['received'] {
  const { counts } = result;
  const isLoad = plan.counts.pub > 0;
  const hasStamps = isLoad ? isStamped(plan.payload) : counts.unstamped < counts.received || counts.received === 0;
  const isShared = splitShared(plan.topic ?? '') !== null;
  const seconds = Math.max(0, (result.lastReceivedAt - result.startedAt) / 1e6);
  return {
    messages: counts.received,
    expected: isLoad ? counts.expected : null,
    lost: isLoad ? lostOf(plan, counts) : hasStamps && !isShared ? counts.missing : null,
    duplicated: hasStamps && !isShared ? counts.duplicated : null,
    outOfOrder: hasStamps && !isShared ? counts.outOfOrder : null,
    foreign: isLoad ? counts.foreign : counts.unstamped,
    seconds: round(seconds, 3),
    perSecond: perSecond(counts.received, seconds),
    bytesPerSecond: perSecond(counts.receivedBytes, seconds),
    latencyMs: milliseconds(result.deliveryTimes),
  };
}

/** Of a load: what was sent and should have come, less what came. */
function lostOf(plan: LoadPlan, counts: Outcome['result']['counts']): number {
  return Math.max(0, counts.expected - (isStamped(plan.payload) ? counts.unique : counts.received));
}

function brokerOf(broker: BrokerWatch | null, plan: LoadPlan, { result, connectSeconds }: Outcome): Summary['broker'] {
  const before = broker?.at('before') ?? null;
  const began = broker?.at('began') ?? null;
  const ended = broker?.at('ended') ?? null;
  if (before === null || began === null || ended === null) return null;
  const { counts } = result;
  const isConn = plan.counts.pub + plan.counts.sub === 0;
  const from = isConn ? before : began;
  const used = ended.cpuMicroseconds - from.cpuMicroseconds;
  // Deliveries where there are any, else what was published.
  const messages = counts.received > 0 ? counts.received : counts.sent;
  const wall = Math.max(result.haltedAt, result.lastReceivedAt) - result.startedAt;
  const opening = began.cpuMicroseconds - before.cpuMicroseconds;
  return {
    cpu: round(used / (isConn ? wall + connectSeconds * 1e6 : wall), 3),
    cpuMicrosecondsPerMessage: messages === 0 ? null : round(used / messages, 3),
    residentBytes: ended.residentBytes,
    peakBytes: ended.peakBytes,
    bytesPerConnection:
      isConn && counts.connected > 0
        ? Math.round((ended.residentBytes - before.residentBytes) / counts.connected)
        : null,
    cpuMicrosecondsPerConnection: isConn && counts.connected > 0 ? round(opening / counts.connected, 1) : null,
  };
}
