// THE metric table: every counter of the broker, its $SYS topic and what it counts, held in one Float64Array. The tree,
// the load averages and the man page's list are derived from it.

/** How a row gets its value: a figure of the store is a gauge that there is with persistence only. */
export type MetricKind = 'counter' | 'gauge' | 'store';

/** A row: `load` names the moving averages that are kept of it, if any. */
export interface MetricRow {
  readonly key: string;
  readonly kind: MetricKind;
  /** Below $SYS/broker/. */
  readonly topics: readonly string[];
  readonly load: string | null;
  readonly description: string;
}

const PACKETS = [
  'connect',
  'connack',
  'publish',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'subscribe',
  'suback',
  'unsubscribe',
  'unsuback',
  'pingreq',
  'pingresp',
  'disconnect',
  'auth',
] as const;

const row = (
  key: string,
  kind: MetricKind,
  topics: readonly string[],
  description: string,
  load: string | null = null,
): MetricRow => ({ key, kind, topics, load, description });

/** The rows. Gauges are read from the broker when the tree is published. */
export const METRICS: readonly MetricRow[] = [
  row('clientsTotal', 'gauge', ['clients/total'], 'sessions known, connected or not'),
  row('clientsMaximum', 'gauge', ['clients/maximum'], 'most clients connected at once'),
  row('clientsConnected', 'gauge', ['clients/connected', 'clients/active'], 'clients connected'),
  row('clientsDisconnected', 'gauge', ['clients/disconnected', 'clients/inactive'], 'sessions whose client is away'),
  row('clientsExpired', 'counter', ['clients/expired'], 'sessions that expired'),
  row('messagesReceived', 'counter', ['messages/received'], 'packets received, of any type', 'messages/received'),
  row('messagesSent', 'counter', ['messages/sent'], 'packets sent, of any type', 'messages/sent'),
  row('messagesStored', 'gauge', ['messages/stored', 'store/messages/count'], 'messages held, retained and queued'),
  row('messagesStoredBytes', 'gauge', ['store/messages/bytes'], 'payload bytes of the messages held'),
  row('retainedCount', 'gauge', ['retained messages/count'], 'retained messages'),
  row('subscriptionCount', 'gauge', ['subscriptions/count'], 'subscriptions, the shared ones apart'),
  row('sharedSubscriptionCount', 'gauge', ['shared_subscriptions/count'], 'shared subscriptions'),
  row('publishReceived', 'counter', ['publish/messages/received'], 'PUBLISH packets received', 'publish/received'),
  row('publishSent', 'counter', ['publish/messages/sent'], 'PUBLISH packets sent', 'publish/sent'),
  row('publishDropped', 'counter', ['publish/messages/dropped'], 'messages dropped by a limit', 'publish/dropped'),
  row('publishBytesReceived', 'counter', ['publish/bytes/received'], 'payload bytes received'),
  row('publishBytesSent', 'counter', ['publish/bytes/sent'], 'payload bytes sent'),
  row('bytesReceived', 'counter', ['bytes/received'], 'bytes received', 'bytes/received'),
  row('bytesSent', 'counter', ['bytes/sent'], 'bytes sent', 'bytes/sent'),
  row('packetOutCount', 'gauge', ['packet/out/count'], 'messages that wait to be written'),
  row('packetOutBytes', 'gauge', ['packet/out/bytes'], 'bytes that wait to be written'),
  row('socketCount', 'counter', ['connections/socket/count'], 'sockets accepted', 'sockets'),
  row('connectionCount', 'counter', [], 'CONNECT packets accepted', 'connections'),
  row('heapCurrent', 'gauge', ['heap/current'], 'heap bytes in use'),
  row('heapMaximum', 'gauge', ['heap/maximum'], 'largest heap seen'),
  row('storeBytes', 'store', ['store/bytes'], 'bytes of the files of the store'),
  row('storeLiveBytes', 'store', ['store/bytes/live'], 'bytes of what counts in the store, roughly'),
  row('storeSegments', 'store', ['store/segments'], 'files of the store'),
  row('storeCommits', 'store', ['store/commits'], 'groups of records written'),
  row('storeRecords', 'store', ['store/records'], 'records written'),
  row('storeWritten', 'store', ['store/bytes/written'], 'bytes written to the store'),
  row('storeCommitLast', 'store', ['store/commit/last'], 'microseconds that the last group took, its sync included'),
  row('storeCommitLongest', 'store', ['store/commit/longest'], 'microseconds that the longest of the interval took'),
  row('storeFailing', 'store', ['store/failing'], '1 while the store cannot be written, else 0'),
  ...PACKETS.flatMap((packet) => [
    row(`${packet}In`, 'counter', [`mqtt/${packet}/received`], `${packet.toUpperCase()} packets received`),
    row(`${packet}Out`, 'counter', [`mqtt/${packet}/sent`], `${packet.toUpperCase()} packets sent`),
  ]),
];

const INDEX: ReadonlyMap<string, number> = new Map(METRICS.map((metric, index) => [metric.key, index]));

/** The place of a metric; throws for a name that is not in the table, when the module that asks is loaded. */
export function metricIndex(key: string): number {
  const index = INDEX.get(key);
  if (index === undefined) throw new Error(`no metric ${key}`);
  return index;
}

/** Places of the packet counters: add the packet type. */
export const PACKET_IN: readonly number[] = [-1, ...PACKETS.map((packet) => metricIndex(`${packet}In`))];
export const PACKET_OUT: readonly number[] = [-1, ...PACKETS.map((packet) => metricIndex(`${packet}Out`))];

const BYTES_SENT = metricIndex('bytesSent');
const PUBLISH_SENT = metricIndex('publishSent');
const PUBLISH_BYTES_SENT = metricIndex('publishBytesSent');
const MESSAGES_SENT = metricIndex('messagesSent');
const MESSAGES_RECEIVED = metricIndex('messagesReceived');
const PUBLISH_OUT = metricIndex('publishOut');

/** The counters of one broker. */
export class Metrics {
  readonly values: Float64Array;

  constructor() {
    this.values = new Float64Array(METRICS.length);
    METRICS.forEach(({ kind }, index) => {
      if (kind === 'store') this.values[index] = Number.NaN;
    });
  }

  add(index: number, count: number): void {
    this.values[index] = this.values[index]! + count;
  }

  /** A packet came in. */
  packetIn(type: number): void {
    this.add(MESSAGES_RECEIVED, 1);
    this.add(PACKET_IN[type]!, 1);
  }

  /** A packet other than PUBLISH goes out. */
  packetOut(type: number): void {
    this.add(MESSAGES_SENT, 1);
    this.add(PACKET_OUT[type]!, 1);
  }

  sentBytes(count: number): void {
    this.values[BYTES_SENT] = this.values[BYTES_SENT]! + count;
  }

  sentPublish(count: number, payloadBytes: number): void {
    const values = this.values;
    values[PUBLISH_SENT] = values[PUBLISH_SENT]! + count;
    values[PUBLISH_OUT] = values[PUBLISH_OUT]! + count;
    values[MESSAGES_SENT] = values[MESSAGES_SENT]! + count;
    values[PUBLISH_BYTES_SENT] = values[PUBLISH_BYTES_SENT]! + payloadBytes;
  }
}
