// The clients of one process, from their connections to their report: what a worker does, and what mqtt-bench does by itself
// where there is only one.
import { ConnectionLost } from '../client/errors.ts';
import { FlushTurn } from '../net/flush.ts';
import type { Transport } from '../net/transport.ts';
import { isRefusal, reasonOf } from '../protocol/reasons.ts';
import { splitShared } from '../protocol/topic.ts';
import { type ClientWatcher, LoadClient } from './client.ts';
import { clockMark, microseconds } from './clock.ts';
import type { Counts, Report } from './counts.ts';
import { Measurement } from './measurement.ts';
import { type Opener, Opening } from './opening.ts';
import { isStamped, payloadOf } from './payload.ts';
import { type LoadPlan, type PlannedClient, plannedClient, receivers, type Share, sharedOut } from './plan.ts';
import { BatchBuffer, Publisher } from './publisher.ts';
import { Pump } from './pump.ts';
import { Receiver, type Reception } from './receiver.ts';

/** Milliseconds that the others' goodbyes may take. */
const CLOSING_MS = 3000;

/** What a run asks of its workers. */
export interface Crew {
  /** Opens the connections and subscribes; resolves to the numbers of the subscribers that are not there. */
  open(): Promise<readonly number[]>;
  /** Starts to publish without counting. */
  warmUp(missing: readonly number[]): Promise<void>;
  /** Starts to publish, and to count, from nothing. */
  begin(missing: readonly number[]): Promise<void>;
  /** The counts so far. */
  look(): Promise<Counts>;
  /** Publishes no more. */
  halt(): Promise<void>;
  /** Closes all connections and reports. Ends open() early. */
  close(): Promise<Report>;
}

/** Makes a sentence of a client's error; whether it came before the client was connected. */
export type Explain = (error: Error, isConnecting: boolean) => string;

/** A mark that no run has: that of messages before the measurement. */
const warmupOf = (run: number): number => (run ^ 1) >>> 0;

/** The crew of this process. */
export class LocalCrew implements Crew, ClientWatcher, Opener {
  private readonly plan: LoadPlan;
  private readonly share: Share;
  private readonly explain: Explain;
  private readonly tell: ((line: string) => void) | null;
  private readonly measurement: Measurement;
  private readonly reception: Reception;
  private readonly turn: FlushTurn;
  private readonly batch: BatchBuffer;
  private readonly clients: Set<LoadClient>;
  private readonly publishers: Map<number, Publisher>;
  private readonly waiting: Map<LoadClient, { since: number; done: () => void; timer: NodeJS.Timeout }>;
  private readonly missing: Set<number>;
  private readonly pump: Pump;
  private opening: Opening | null;
  private expectedOf: Uint32Array;
  private startedAt: number;
  private haltedAt: number;
  private cpuBefore: NodeJS.CpuUsage;
  private openingCpu: number;
  private allClosed: (() => void) | null;

  /** @param tell takes a line about each connection; null is told nothing */
  constructor(plan: LoadPlan, share: Share, explain: Explain, tell: ((line: string) => void) | null = null) {
    this.plan = plan;
    this.share = share;
    this.explain = explain;
    this.tell = tell;
    const isOwnRun = plan.counts.pub > 0;
    const stamped = !isOwnRun || isStamped(plan.payload);
    this.measurement = new Measurement(isOwnRun ? share.run : null, stamped);
    this.publishers = new Map();
    this.reception = {
      measurement: this.measurement,
      hasProperties: plan.profile.hasProperties,
      warmupRun: warmupOf(share.run),
      clock: clockMark(),
      publishers: this.publishers,
      isShared: plan.topic !== null && splitShared(plan.topic) !== null,
    };
    this.turn = new FlushTurn();
    this.batch = new BatchBuffer();
    this.clients = new Set();
    this.waiting = new Map();
    this.missing = new Set();
    const rate = plan.rate === null ? null : (plan.rate * sharedOut(plan.counts.pub, share).length) / plan.counts.pub;
    this.pump = new Pump(rate, () => performance.now());
    this.opening = null;
    this.expectedOf = new Uint32Array(plan.counts.pub);
    this.startedAt = 0;
    this.haltedAt = 0;
    this.cpuBefore = process.cpuUsage();
    this.openingCpu = 0;
    this.allClosed = null;
  }

  async open(): Promise<readonly number[]> {
    const { plan, share } = this;
    const own = (['sub', 'pub', 'conn'] as const).flatMap((role) =>
      sharedOut(plan.counts[role], share).map((index) => plannedClient(plan, role, index)),
    );
    for (const { role, index } of own) if (role === 'sub') this.missing.add(index);
    this.startedAt = microseconds();
    this.cpuBefore = process.cpuUsage();
    this.opening = new Opening(plan, own, share.workers, this);
    await this.opening.run();
    const used = process.cpuUsage(this.cpuBefore);
    this.openingCpu = (used.user + used.system) / Math.max(1, microseconds() - this.startedAt);
    return [...this.missing];
  }

  warmUp(missing: readonly number[]): Promise<void> {
    this.expect(missing);
    for (const publisher of this.publishers.values()) publisher.begin(warmupOf(this.share.run));
    this.pump.start();
    return Promise.resolve();
  }

  begin(missing: readonly number[]): Promise<void> {
    this.expect(missing);
    for (const publisher of this.publishers.values()) publisher.begin(this.share.run);
    this.measurement.isCounting = true;
    this.startedAt = microseconds();
    this.cpuBefore = process.cpuUsage();
    this.pump.start();
    return Promise.resolve();
  }

  look(): Promise<Counts> {
    return Promise.resolve(this.counts());
  }

  halt(): Promise<void> {
    if (this.haltedAt === 0) this.haltedAt = microseconds();
    this.pump.stop();
    for (const publisher of this.publishers.values()) publisher.halt();
    return Promise.resolve();
  }

  async close(): Promise<Report> {
    await this.halt();
    const { measurement } = this;
    const counts = this.counts();
    measurement.isCounting = false;
    measurement.isOver = true;
    this.opening?.stop();
    for (const { timer } of this.waiting.values()) clearTimeout(timer);
    for (const client of this.clients) client.end();
    await this.untilClosed();
    measurement.flush();
    return {
      counts,
      startedAt: this.startedAt,
      haltedAt: this.haltedAt,
      lastReceivedAt: measurement.lastReceivedAt,
      openingCpu: this.openingCpu,
      connectTimes: measurement.connectTimes.encode(),
      ackTimes: measurement.ackTimes.encode(),
      deliveryTimes: measurement.deliveryTimes.encode(),
      failures: measurement.failures.list(),
    };
  }

  dialled(planned: PlannedClient, transport: Transport, since: number, done: () => void): void {
    const client = new LoadClient(transport, this.turn, this.plan, planned, this.measurement, this);
    const timer = setTimeout(() => {
      client.abandon(new ConnectionLost('The broker did not answer CONNECT or SUBSCRIBE in time'));
    }, this.plan.connectTimeoutMs);
    this.waiting.set(client, { since, done, timer });
    this.clients.add(client);
    if (planned.role === 'sub') client.receiver = new Receiver(client.link, this.reception);
    if (planned.role === 'pub') client.publisher = this.publisherOf(client);
    client.start();
  }

  failed({ names }: PlannedClient, error: Error): void {
    const sentence = this.explain(error, true);
    this.tell?.(`${names.clientId}: ${sentence}`);
    this.measurement.counts.connectFailed += 1;
    this.measurement.failures.add(sentence);
  }

  ready(client: LoadClient, codes: readonly number[]): void {
    const waiting = this.waiting.get(client);
    if (waiting === undefined) return;
    const { counts, failures, connectTimes } = this.measurement;
    const { planned, publisher } = client;
    this.waiting.delete(client);
    clearTimeout(waiting.timer);
    counts.connected += 1;
    const time = Math.max(0, client.connackAt - waiting.since);
    connectTimes.add(time, 1);
    this.tell?.(`${planned.names.clientId}: connected after ${(time / 1000).toFixed(1)} ms`);
    const refused = codes.filter(isRefusal);
    counts.subscribed += codes.length - refused.length;
    counts.subscribeFailed += refused.length;
    for (const code of refused) failures.add(`A subscription was refused: ${reasonOf(code).text}.`);
    if (planned.role === 'sub' && refused.length === 0) this.missing.delete(planned.index);
    if (publisher !== null) this.admit(client, publisher);
    waiting.done();
  }

  progressed(): void {
    this.pump.wake();
  }

  closed(client: LoadClient, error: Error | null): void {
    this.clients.delete(client);
    const { publisher, planned } = client;
    if (publisher !== null) {
      publisher.lose();
      this.pump.remove(publisher);
    }
    const waiting = this.waiting.get(client);
    const { counts, failures } = this.measurement;
    if (error !== null) {
      if (waiting === undefined) counts.connectionsLost += 1;
      else counts.connectFailed += 1;
      const sentence = this.explain(error, waiting !== undefined);
      failures.add(sentence);
      this.tell?.(`${planned.names.clientId}: ${sentence}`);
    }
    if (waiting !== undefined) {
      this.waiting.delete(client);
      clearTimeout(waiting.timer);
      if (planned.role === 'pub') this.publishers.delete(planned.index);
      waiting.done();
    }
    if (this.clients.size === 0) this.allClosed?.();
  }

  private publisherOf(client: LoadClient): Publisher {
    const { profile, qos, retain, payload, window, windowIsDelivery, total, counts } = this.plan;
    const { index, names, topic } = client.planned;
    const publisher = new Publisher(client.link, this.batch, this.measurement, {
      profile,
      qos,
      retain,
      topic: topic ?? '',
      payload: payloadOf(payload, names),
      number: index,
      window,
      windowIsDelivery,
      quota: quotaOf(total, counts.pub, index),
    });
    this.publishers.set(index, publisher);
    return publisher;
  }

  /** A publisher is connected: it takes part, unless the broker would not take its messages. */
  private admit(client: LoadClient, publisher: Publisher): void {
    const refusal = client.refusal(publisher.packetSize);
    if (refusal === null) {
      publisher.limit(client.granted.receiveMaximum ?? 65_535);
      this.pump.add(publisher);
      return;
    }
    this.measurement.counts.publishRefused += 1;
    this.measurement.failures.add(this.explain(refusal, false));
  }

  /** Tells how many deliveries follow from each message, here and in all processes. */
  private expect(missing: readonly number[]): void {
    this.expectedOf = receivers(this.plan, new Set(missing));
    const here = new Set([...missing, ...this.elsewhere()]);
    const local = receivers(this.plan, here);
    // The member of a share group that gets a message may be in another process.
    const isElsewhere = this.reception.isShared && this.share.workers > 1;
    for (const [index, publisher] of this.publishers) {
      publisher.localReceivers = isElsewhere ? 0 : (local[index] ?? 0);
    }
  }

  /** The subscribers of other workers. */
  private elsewhere(): number[] {
    const own = new Set(sharedOut(this.plan.counts.sub, this.share));
    return Array.from({ length: this.plan.counts.sub }, (_, index) => index).filter((index) => !own.has(index));
  }

  private counts(): Counts {
    const { counts } = this.measurement;
    counts.sent = 0;
    counts.expected = 0;
    counts.sentBytes = 0;
    counts.unacknowledged = 0;
    for (const [index, publisher] of this.publishers) {
      counts.sent += publisher.sent;
      counts.sentBytes += publisher.sent * publisher.payloadSize;
      counts.unacknowledged += publisher.unacknowledged;
      counts.expected += (publisher.sent - publisher.refused) * (this.expectedOf[index] ?? 0);
    }
    const used = process.cpuUsage(this.cpuBefore);
    counts.cpuMicroseconds = used.user + used.system;
    counts.heldTicks = this.pump.heldTicks;
    counts.openClients = this.clients.size - this.waiting.size;
    counts.busyPublishers = this.pump.busy;
    counts.openSubscribers = 0;
    for (const { receiver } of this.clients) if (receiver !== null) counts.openSubscribers += 1;
    return { ...counts };
  }

  private untilClosed(): Promise<void> {
    if (this.clients.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        for (const client of this.clients)
          client.abandon(new ConnectionLost('The broker did not close the connection'));
        resolve();
      }, CLOSING_MS);
      this.allClosed = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** A publisher's part of the total. */
function quotaOf(total: number | null, publishers: number, index: number): number {
  if (total === null) return Number.MAX_SAFE_INTEGER;
  return Math.floor(total / publishers) + (index < total % publishers ? 1 : 0);
}
